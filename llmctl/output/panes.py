"""A comparison as it runs: a pane for each candidate, redrawn in place, gone when it is over.

Only panes that changed are made anew, at most eight times a second, and drawing never takes more
than a tenth of the time: what is measured meanwhile must not feel it. The frame is painted by
`Window`, as answers in Markdown are, and widths are rich's.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from rich.cells import cell_len, set_cell_size

from llmctl.compare.plan import Planned
from llmctl.compare.shape import Comparison, Trial
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.compare_live import (
    REDRAW_SECONDS,
    Notices,
    Tally,
    judging_text,
    progress_text,
    shown,
)
from llmctl.output.pane import FRAME, PLAIN_FRAME, Pane
from llmctl.output.terminal import Screen, size
from llmctl.output.window import Window
from llmctl.types import Event

if TYPE_CHECKING:
    from asyncio import TimerHandle

NARROWEST = 36  # columns of a pane beside another
LOWEST, TALLEST = 5, 20  # rows of a pane
EASE = 10.0  # drawing takes at most one part in this many of the time


class Grid(NamedTuple):
    """`shown` panes in `columns`, each so wide and high."""

    shown: int
    columns: int
    width: int
    height: int


def grid(count: int, width: int, height: int) -> Grid:
    """How so many panes share a terminal; below them a line is left for the sum of all."""
    columns = max(1, min(count, (width - 1) // NARROWEST))
    room = height - 2
    rows = min(-(-count // columns), room // LOWEST)
    if rows < 1 or width < NARROWEST // 2:
        return Grid(0, 1, width, 0)
    return Grid(
        min(count, rows * columns), columns, (width - 1) // columns, min(room // rows, TALLEST)
    )


class Panes:
    """`measure` tells the terminal's columns and rows, `clock` seconds."""

    def __init__(
        self,
        comparison: Comparison,
        screen: Screen,
        *,
        measure: Callable[[], tuple[int, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        asked = [at for at, one in enumerate(comparison.candidates) if one.refused is None]
        turns = comparison.planned // max(1, len(asked))
        frame = FRAME if streams.stdout.encoder.unicode else PLAIN_FRAME
        self.panes = {
            at: Pane(
                comparison.candidates[at], turns, colour=screen.colour, frame=frame, clock=clock
            )
            for at in asked
        }
        self._planned = comparison.planned
        self._screen = screen
        self._measure = measure or (lambda: size(sys.stdout))
        self._clock = clock
        self._window = Window()
        self._tally = Tally()
        self._notices = Notices()
        self._judging = ""
        self._due = 0.0
        self._timer: TimerHandle | None = None
        self._gone = False  # the terminal is

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._erase()

    def began(self, planned: Planned) -> None:
        self.panes[planned.candidate].began(planned)
        self._changed()

    def event(self, planned: Planned, event: Event) -> None:
        if self._notices.wants(event):
            self._erase()
            self._notices.tell(event)
            self._draw()
            return
        self.panes[planned.candidate].event(planned, event)
        self._changed()

    def ended(self, trial: Trial) -> None:
        self._tally.add(trial)
        self.panes[trial.candidate].ended(trial)
        self._changed()

    def judging(self, done: int, total: int) -> None:
        self._judging = judging_text(done, total)
        self._changed()

    # ---- when

    def _changed(self) -> None:
        """Draw now, or as soon as it is time."""
        if self._timer is not None:
            return
        wait = self._due - self._clock()
        if wait <= 0:
            self._draw()
        else:
            self._draw_later(wait)

    def _draw_later(self, wait: float) -> None:
        """Without an event loop the next event draws it."""
        asyncio = sys.modules.get("asyncio")
        if self._timer is not None or self._gone or asyncio is None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        for pane in self.panes.values():
            pane.tick()
        self._draw()

    # ---- what

    def _erase(self) -> None:
        if not self._window.empty and not self._gone:
            self._gone = not shown(streams.out, self._window.paint([], [], self._screen.height))

    def _draw(self) -> None:
        if self._gone:
            return
        began = self._clock()
        width, height = self._measure()
        if width < self._screen.width:
            self._window.narrowed(width)
        self._screen = self._screen._replace(width=width, height=height)
        if text := self._window.paint([], self._rows(width, height), height):
            self._gone = not shown(streams.out, text)
        ended = self._clock()
        self._due = ended + max(REDRAW_SECONDS, EASE * (ended - began))
        if any(pane.under_way for pane in self.panes.values()):
            self._draw_later(self._due - ended)

    def _rows(self, width: int, height: int) -> list[str]:
        plan = grid(len(self.panes), width, height)
        chosen, rest = self._chosen(plan.shown)
        rows: list[str] = []
        for at in range(0, len(chosen), plan.columns):
            side = [
                pane.lines(plan.width, plan.height, number * plan.width)
                for number, pane in enumerate(chosen[at : at + plan.columns])
            ]
            # Each begins in its own column, whatever stands before it.
            rows += [
                "".join(
                    f"\x1b[{number * plan.width + 1}G{part}" if number else part
                    for number, part in enumerate(parts)
                )
                for parts in zip(*side, strict=True)
            ]
        return [*rows, _cut(self._sum(rest), width - 1)]

    def _chosen(self, room: int) -> tuple[list[Pane], list[Pane]]:
        """The panes that are shown, and the others: those still to come to their end first."""
        panes = list(self.panes.values())
        wanted = sorted(panes, key=lambda pane: pane.over)[:room]
        return [one for one in panes if one in wanted], [one for one in panes if one not in wanted]

    def _sum(self, rest: Sequence[Pane]) -> str:
        text = progress_text(self._tally, self._planned, self._judging)
        if not rest:
            return text
        under_way = sum(pane.under_way for pane in rest)
        more = _("not shown: {count}, running: {running}", count=len(rest),
                 running=under_way)  # fmt: skip
        return f"{text} · {more}"


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"
