"""Counting the tokens of a request at the provider: the request of a chat sent to another address,
and one number in the answer."""

from collections.abc import Callable, Iterable, Mapping

from llmctl.dialects import Decoder, Frame
from llmctl.dialects.look import parse
from llmctl.types import NOTHING, Chat, Count, Event, Finished, FinishReason, Json, Usage


def as_chat(call: Count) -> Chat:
    """The chat whose input is to be counted."""
    return Chat(
        call.model,
        call.messages,
        schema=call.schema,
        tools=call.tools,
        stream=False,
        options=call.options,
    )


class CountDecoder(Decoder):
    """`read` finds the number in the answer; an answer without one is none. `details` say what it
    does not include."""

    def __init__(
        self, read: Callable[[Json], int | None], details: Mapping[str, Json] = NOTHING
    ) -> None:
        self.done = False
        self.settled = False
        self._read = read
        self._details = details

    def feed(self, frame: Frame) -> Iterable[Event]:
        total = self._read(parse(frame.data))
        if total is None:
            return ()
        self.done = self.settled = True
        usage = Usage(input_tokens=total)
        return (Finished(FinishReason.STOP, usage=usage, details=self._details),)

    def end(self) -> Iterable[Event]:
        return ()
