"""The answer to a call with placeholders, with what they stand for in their place."""

from collections.abc import Iterator

from llmctl.privacy.restore import Restorer
from llmctl.types import (
    Event,
    Notice,
    Progress,
    ReasoningDelta,
    Receipt,
    TextDelta,
    ToolCall,
)
from llmctl.values import replace


class Restoring:
    """The events of one answer, in their order; `is_json` says that the answer is to be JSON.

    The receipt that is kept is not this one's: it has the answer as it came.
    """

    def __init__(self, restorer: Restorer, *, is_json: bool = False) -> None:
        self._restorer = restorer
        self._quoted = True if is_json else None
        self._said = restorer.stream(self._quoted)
        self._thought = restorer.stream(False)

    def event(self, event: Event) -> Iterator[Event]:
        """What is to be shown now; text may be held back for a few characters."""
        match event:
            case TextDelta(text):
                if text:
                    yield from _delta(ReasoningDelta, self._thought.end())
                yield from _delta(TextDelta, self._said.feed(text))
            case ReasoningDelta(text):
                if text:
                    yield from _delta(TextDelta, self._said.end())
                yield from _delta(ReasoningDelta, self._thought.feed(text))
            case Notice() | Progress():  # these stand beside the answer
                yield event
            case ToolCall():
                yield from self.end()
                yield self._call(event)
            case _:
                yield from self.end()
                yield event

    def end(self) -> Iterator[Event]:
        """What was held back: of an answer that broke off, too."""
        yield from _delta(ReasoningDelta, self._thought.end())
        yield from _delta(TextDelta, self._said.end())

    def receipt(self, receipt: Receipt) -> Receipt:
        """The receipt to be shown: with text, reasoning and calls of functions restored."""
        reasoning = receipt.reasoning
        return replace(
            receipt,
            text=self._restorer.text(receipt.text, self._quoted),
            reasoning=reasoning and self._restorer.text(reasoning, False),
            tool_calls=tuple(map(self._call, receipt.tool_calls)),
        )

    def _call(self, call: ToolCall) -> ToolCall:
        return replace(call, arguments=self._restorer.text(call.arguments, True))


def _delta(kind: type[TextDelta] | type[ReasoningDelta], text: str) -> Iterator[Event]:
    if text:
        yield kind(text)
