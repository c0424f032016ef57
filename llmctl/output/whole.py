"""Renderers that print when the answer is over: JSON, an extracted code block, a schema's JSON."""

import contextlib

from llmctl.errors import IoFailed
from llmctl.messages import _
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.sink import Sink
from llmctl.output.terminal import safe
from llmctl.types import Event, Notice, Progress, Receipt, TextDelta


class Document:
    """`--json`: the envelope, of a success and of a failure alike. While it is awaited, notices
    and progress show on standard error."""

    def __init__(self, sink: Sink, aside: Aside, footer: Footer) -> None:
        self._sink = sink
        self._aside = aside
        self._footer = footer

    def event(self, event: Event) -> None:
        if isinstance(event, Notice | Progress):
            self._aside.event(event)

    def finish(self, receipt: Receipt) -> None:
        self._print(receipt)
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        self._print(receipt)
        self._footer.show_failed(receipt)

    def _print(self, receipt: Receipt) -> None:
        from llmctl.output.envelope import envelope, json_text

        self._aside.end()
        text = json_text(envelope(receipt), ascii_only=not self._sink.unicode)
        self._sink.write(text + "\n")
        self._sink.keep()


class Whole:
    """The receipt's text once it is complete, with `extract` its first fenced code block; of an
    answer that broke off what there is. Reasoning and notices show as they come."""

    def __init__(
        self, sink: Sink, aside: Aside, footer: Footer, *, to_terminal: bool, extract: bool
    ) -> None:
        self._sink = sink
        self._aside = aside
        self._footer = footer
        self._to_terminal = to_terminal
        self._extract = extract

    def event(self, event: Event) -> None:
        if not isinstance(event, TextDelta):
            self._aside.event(event)

    def finish(self, receipt: Receipt) -> None:
        self._print(receipt.text)
        self._sink.keep()
        self._footer.show(receipt)

    def fail(self, receipt: Receipt) -> None:
        with contextlib.suppress(IoFailed):  # a full disk may be what failed
            self._print(receipt.text)
        self._sink.abandon()
        self._footer.show_failed(receipt)

    def _print(self, text: str) -> None:
        self._aside.end()
        if text and self._extract:
            text = self._code_or_all(text)
        if text:
            text = safe(text) if self._to_terminal else text
            self._sink.write(text if text.endswith("\n") else text + "\n")

    def _code_or_all(self, text: str) -> str:
        from llmctl.output.code_block import first_code_block

        code = first_code_block(text)
        if code is not None:
            return code
        note = _("the answer has no fenced code block; this is all of it")
        self._aside.event(Notice("no-code-block", note))
        return text
