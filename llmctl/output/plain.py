"""Text as it comes: the renderer for pipes, files and terminals without Markdown."""

import contextlib

from llmctl.errors import IoFailed
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.sink import Sink
from llmctl.output.terminal import safe
from llmctl.types import Event, Progress, Receipt, TextDelta


class Plain:
    """Passes text on: unchanged into a pipe or a file, made harmless on a terminal."""

    def __init__(self, sink: Sink, aside: Aside, footer: Footer, *, to_terminal: bool) -> None:
        self._sink = sink
        self._write = sink.write
        self._aside = aside
        self._footer = footer
        self._to_terminal = to_terminal
        self._last = "\n"  # the last text written

    def event(self, event: Event) -> None:
        if type(event) is not TextDelta:
            self._beside(event)
        elif text := event.text:
            if self._aside.open:
                self._aside.end()
            self._last = text
            self._write(safe(text) if self._to_terminal else text)

    def finish(self, receipt: Receipt) -> None:
        self._end()
        self._sink.keep()
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        with contextlib.suppress(IoFailed):  # a full disk may be what failed
            self._end()
        self._sink.abandon()
        self._footer.show_failed(receipt)

    def _beside(self, event: Event) -> None:
        if self._to_terminal and not self._last.endswith("\n") and self._aside.seen(event):
            if isinstance(event, Progress):
                return  # its line would overwrite the answer's
            self._fresh_line()
        self._aside.event(event)

    def _fresh_line(self) -> None:
        if not self._last.endswith("\n"):
            self._last = "\n"
            self._write("\n")

    def _end(self) -> None:
        self._aside.end()
        self._fresh_line()
