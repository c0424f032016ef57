"""Markdown drawn on a terminal while it is still being written.

Blocks that nothing can change any more are printed once. The open one is redrawn in place, at most
a dozen times a second; of one taller than the screen the last rows show until it is finished.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from llmctl.errors import LlmctlError
from llmctl.output import streams
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.terminal import Screen, safe, size
from llmctl.output.window import Window
from llmctl.types import Event, Progress, ReasoningDelta, Receipt, TextDelta

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from llmctl.output.blocks import Block
    from llmctl.output.paint import Painter

REDRAW_SECONDS = 1 / 12
# Redrawing takes at most one part in this many of the time.
EASE = 5.0
# rich takes a tenth of a second to import: done while the answer is awaited, but not before the
# request has had its chance to leave.
PRELOAD_SECONDS = 0.1
# A fenced block is printed in parts once it has more lines than this; so many stay open.
LONG_FENCE, OPEN_FENCE = 60, 20


class Markdown:
    """The renderer for terminals whose cursor can be moved. `measure` tells columns and rows."""

    def __init__(
        self,
        aside: Aside,
        footer: Footer,
        screen: Screen,
        *,
        measure: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        self._aside = aside
        self._footer = footer
        self._screen = screen
        self._measure = measure or (lambda: size(sys.stdout))
        self._painter: Painter | None = None
        self._window = Window()
        self._source = ""  # of the open block
        self._pending: list[str] = []  # what came since it was drawn
        self._printed = False  # a block stands above the open one
        self._in_fence = False  # the open block is the rest of a fence printed in part
        self._due = 0.0
        self._timer: TimerHandle | None = None
        self._failed: LlmctlError | None = None
        threading.Thread(target=_preload, daemon=True).start()

    def event(self, event: Event) -> None:
        if self._failed is not None:
            raise self._failed
        if type(event) is not TextDelta:
            self._beside(event)
        elif text := event.text:
            if self._aside.open:
                self._aside.end()
            self._pending.append(safe(text))
            wait = self._due - time.monotonic()
            if wait <= 0:
                self._draw()
            else:
                self._draw_later(wait)

    def finish(self, receipt: Receipt) -> None:
        self._end()
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        self._end()
        self._footer.show_failed(receipt)

    def _end(self) -> None:
        self._aside.end()
        self._draw(last=True)

    def _beside(self, event: Event) -> None:
        if not self._aside.seen(event):
            self._aside.event(event)
        elif isinstance(event, ReasoningDelta):
            self._draw(last=True)
            self._aside.event(event)
        elif not isinstance(event, Progress):
            if not self._window.empty:
                streams.out(self._window.paint([], [], self._screen.height))
            self._aside.event(event)
            self._draw()
        elif not self._source and not self._pending:
            self._aside.event(event)

    def _draw_later(self, wait: float) -> None:
        """Text must not stay hidden because the next token is slow; without an event loop the next
        event draws it."""
        asyncio = sys.modules.get("asyncio")
        if self._timer is None and asyncio is not None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._timer = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        try:
            self._draw()
        except LlmctlError as error:
            self._failed = error  # raised at the next event

    def _draw(self, *, last: bool = False) -> None:
        """Bring the terminal up to date; `last` prints the open block for good."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._source += "".join(self._pending)
        self._pending.clear()
        if not self._source:
            return
        painter = self._fitted()
        began = time.monotonic()
        finished, live = self._lines(painter, last=last)
        if text := self._window.paint(finished, live, self._screen.height):
            streams.out(text)
        ended = time.monotonic()
        self._due = ended + max(REDRAW_SECONDS, EASE * (ended - began))

    def _lines(self, painter: "Painter", *, last: bool) -> tuple[list[str], list[str]]:
        """The lines that are printed for good now, and those of the open block."""
        from llmctl.output.blocks import blocks, finished

        found = blocks(self._source)
        if self._in_fence and found and found[0].fence:
            found[0].fence.opened = False
        done = len(found) if last else finished(found, self._source)
        printed = [line for block in found[:done] for line in self._spaced(block, painter)]
        if last:
            self._source = ""
            self._in_fence = False
            return printed, []
        if done:
            self._source = "".join(self._source.splitlines(True)[found[done].line :])
            self._in_fence = False
        still_open = found[done:]
        if len(still_open) == 1:
            printed += self._fence_part(still_open[0], painter)
        before = self._printed
        live = [line for block in still_open for line in self._spaced(block, painter)]
        self._printed = before
        return printed, live

    def _spaced(self, block: "Block", painter: "Painter") -> list[str]:
        """The lines of a block, after a blank one where another block stands above."""
        from llmctl.output.typeset import typeset

        try:
            lines = typeset(block, painter)
        except Exception:  # whatever a stranger's text breaks in a renderer, the text is shown
            lines = block.source.split("\n")
        if not lines:
            return []
        joined = not self._printed or (block.fence is not None and not block.fence.opened)
        self._printed = True
        return lines if joined else ["", *lines]

    def _fence_part(self, block: "Block", painter: "Painter") -> list[str]:
        """The first lines of a long open fence, which will not change; they leave the block."""
        fence = block.fence
        if fence is None or fence.closed:
            return []
        lines = fence.code.splitlines(True)
        if len(lines) <= LONG_FENCE:
            return []
        cut = len(lines) - OPEN_FENCE
        # After a blank line the colours depend least on what stands above.
        blank = [number for number in range(cut // 2, cut) if not lines[number].strip()]
        cut = blank[-1] + 1 if blank else cut
        fence.code = "".join(lines[:cut])
        printed = self._spaced(block, painter)
        block.fence = replace(fence, code="".join(lines[cut:]), opened=False)
        self._in_fence = True
        source = self._source.splitlines(True)[block.line :]
        self._source = "".join([source[0], *source[1 + cut :]])
        return printed

    def _fitted(self) -> "Painter":
        """The painter for the terminal's present size."""
        import llmctl.output.typeset  # noqa: F401  the slow import, which is no drawing time
        from llmctl.output.paint import Painter

        width, height = self._measure()
        if self._painter is None or width != self._screen.width:
            if width < self._screen.width:
                self._window.narrowed(width)
            self._painter = None
        self._screen = self._screen._replace(width=width, height=height)
        if self._painter is None:
            self._painter = Painter(self._screen)
        return self._painter


def _preload() -> None:
    time.sleep(PRELOAD_SECONDS)
    import llmctl.output.typeset  # noqa: F401
