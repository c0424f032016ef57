"""Answers of Anthropic's Messages API: a stream of typed events about blocks of content, or the
whole message, which holds the same blocks."""

import json
from collections.abc import Iterable, Iterator, Mapping

from llmctl.dialects import Decoder, Frame, failures
from llmctl.dialects.look import at, count_at, int_at, parse, text_at
from llmctl.types import (
    Event,
    Finished,
    FinishReason,
    Json,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Usage,
)

REASONS: Mapping[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.FILTER,
    # The provider's own tools stopped half-way; going on would take another request.
    "pause_turn": FinishReason.ERROR,
}

# How messages begin whose code says no more than "invalid request" or "forbidden", and the code
# that others have for it.
OPENINGS: Mapping[str, str] = {
    "prompt is too long": "context_length_exceeded",
    "input length and `max_tokens` exceed": "context_length_exceeded",
    "your credit balance is too low": "insufficient_quota",
    "output blocked by content filtering": "content_filter",
    "request not allowed": "unsupported_country_region_territory",
}

# What usage says beside tokens, kept under its own name.
USAGE_DETAILS = ("cache_creation", "server_tool_use", "service_tier", "speed", "inference_geo")


class AnthropicDecoder(Decoder):
    """Follows the blocks of one message. A whole answer is the message itself."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False
        self._message: dict[str, Json] = {}
        self._usage: dict[str, Json] = {}
        self._details: dict[str, Json] = {}
        self._calls: dict[int, list[str]] = {}

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        # The mark is not the provider's; gateways that speak OpenAI's dialect too put it there.
        if not data or data.isspace() or data.strip() == "[DONE]":
            return ()
        answer = parse(data)
        kind = text_at(answer, "type")
        if kind == "content_block_delta":
            return self._delta(int_at(answer, "index") or 0, at(answer, "delta"))
        if kind == "error" or at(answer, "error"):
            raise failures.inside(answer, signs_in(answer))
        return self._other(kind, answer)

    def end(self) -> Iterable[Event]:
        """`Finished` where a stop reason has come, though the end mark did not."""
        native = text_at(self._message, "stop_reason")
        if native is None:
            return
        reason = REASONS.get(native, FinishReason.STOP)
        details = self._details
        if (message_id := text_at(self._message, "id")) is not None:
            details["id"] = message_id
        if (sequence := text_at(self._message, "stop_sequence")) is not None:
            details["stop_sequence"] = sequence
        if stopped := at(self._message, "stop_details"):
            details["stop_details"] = stopped
        if reason is FinishReason.FILTER:
            said = text_at(stopped, "explanation") or text_at(stopped, "category")
            if said:
                details["refusal"] = said
        details |= {
            key: value for key in USAGE_DETAILS if (value := self._usage.get(key)) is not None
        }
        yield Finished(
            reason=reason,
            usage=decode_usage(self._usage) if self._usage else None,
            model=text_at(self._message, "model"),
            native_reason=native,
            details=details,
        )

    def _other(self, kind: str | None, answer: Json) -> Iterator[Event]:
        match kind:
            case "content_block_start":
                yield from self._block(int_at(answer, "index") or 0, at(answer, "content_block"))
            case "content_block_stop":
                yield from self._called(int_at(answer, "index") or 0)
            case "message_start":
                self._learn(at(answer, "message"))
            case "message_delta":
                self._learn(at(answer, "delta"))
                self._learn({"usage": at(answer, "usage")})
                self.settled = text_at(self._message, "stop_reason") is not None
            case "message_stop":
                self.done = True
                yield from self.end()
            case "message":
                self._learn(answer)
                yield from self._whole(at(answer, "content"))
            case _:  # pings, and events that are not known yet
                pass

    def _learn(self, message: Json) -> None:
        """What a message says of itself. Later figures are totals, and take the place of earlier
        ones, but those they leave out still hold."""
        if not isinstance(message, dict):
            return
        said = {key: value for key, value in message.items() if value is not None}
        usage = said.pop("usage", None)
        self._message |= said
        if isinstance(usage, dict):
            self._usage |= {key: value for key, value in usage.items() if value is not None}

    def _whole(self, content: Json) -> Iterator[Event]:
        for index, block in enumerate(content if isinstance(content, list) else ()):
            yield from self._block(index, block)
            yield from self._called(index)
        self.done = self.settled = True
        yield from self.end()

    def _block(self, index: int, block: Json) -> Iterator[Event]:
        match text_at(block, "type"):
            case "text":
                if text := text_at(block, "text"):
                    yield TextDelta(text)
                citations = at(block, "citations")
                for citation in citations if isinstance(citations, list) else ():
                    self._cite(citation)
            case "thinking":
                if thought := text_at(block, "thinking"):
                    yield ReasoningDelta(thought)
            case "tool_use":
                given = at(block, "input")
                self._calls[index] = [
                    text_at(block, "id") or "",
                    text_at(block, "name") or "",
                    json.dumps(given, ensure_ascii=False) if given else "",
                ]
            case _:  # what the provider's own tools did
                pass

    def _delta(self, index: int, delta: Json) -> Iterable[Event]:
        match text_at(delta, "type"):
            case "text_delta":
                text = text_at(delta, "text")
                return (TextDelta(text),) if text else ()
            case "thinking_delta":
                thought = text_at(delta, "thinking")
                return (ReasoningDelta(thought),) if thought else ()
            case "input_json_delta":
                if index in self._calls:
                    self._calls[index][2] += text_at(delta, "partial_json") or ""
            case "citations_delta":
                self._cite(at(delta, "citation"))
            case _:  # signatures, and deltas that are not known yet
                pass
        return ()

    def _called(self, index: int) -> Iterator[Event]:
        """The call of a function that a block was, now that it is whole."""
        if (call := self._calls.pop(index, None)) is not None:
            call_id, name, arguments = call
            yield ToolCall(call_id, name, arguments or "{}")

    def _cite(self, citation: Json) -> None:
        self._details.setdefault("citations", []).append(citation)


def decode_usage(usage: Json) -> Usage:
    """Here the input tokens leave out what was read from and written to the cache."""
    fresh = count_at(usage, "input_tokens")
    written = count_at(usage, "cache_creation_input_tokens")
    read = count_at(usage, "cache_read_input_tokens")
    return Usage(
        input_tokens=None if fresh is None else fresh + (written or 0) + (read or 0),
        output_tokens=count_at(usage, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count_at(usage, "output_tokens_details", "thinking_tokens"),
    )


def signs_in(answer: Json) -> list[str]:
    """The codes of an error, the finer one that some have among them, or what its words stand
    for."""
    error = at(answer, "error")
    paths = (("type",), ("code",), ("details", "error_code"))
    found = [sign.lower() for path in paths if (sign := text_at(error, *path))]
    said = (text_at(error, "message") or "").lower()
    return [*found, *(sign for opening, sign in OPENINGS.items() if said.startswith(opening))]
