"""OpenAI's responses: items instead of messages, typed events, and nothing stored unless asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from llmctl.dialects import Decoder, Dialect, Drawing, Frame, Framing, HttpCall, Listed, failures
from llmctl.dialects.in_words import in_words
from llmctl.dialects.look import at, count_at, int_at, parse, text_at, texts_at
from llmctl.dialects.openai_items import encode_tools, split
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Chat,
    Count,
    Event,
    Finished,
    FinishReason,
    Image,
    Json,
    Quirks,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    Usage,
    message,
)

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": FinishReason.LENGTH,
    "max_messages": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTER,
}

# Where a field of the user's goes that has another place here than in chat completions.
NESTED = {
    "reasoning_effort": ("reasoning", "effort"),
    "reasoning_summary": ("reasoning", "summary"),
    "verbosity": ("text", "verbosity"),
}

TERMINAL = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")

# What the input of a request is made of; only this is taken where its tokens are counted.
COUNTED = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"),
        *("text", "reasoning", "truncation", "previous_response_id", "conversation"),
    }
)

# What an answer says beside text and usage, kept under its own name.
DETAILS = ("service_tier", "reasoning", "moderation", "incomplete_details")


class OpenAIResponses(Dialect):
    """`responses`, and `responses/input_tokens`."""

    lacks = frozenset({"seed", "stop"})

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Count):
            from llmctl.dialects.counts import as_chat

            asked = self.encode(as_chat(call), quirks).body or {}
            body = {name: one for name, one in asked.items() if name in COUNTED}
            return HttpCall("POST", "responses/input_tokens", body)
        if isinstance(call, Image):
            from llmctl.dialects import openai_images

            return openai_images.encode(call, quirks)
        if not isinstance(call, Chat):
            raise UsageError(
                _("this provider's format has no {kind}", kind=type(call).__name__.lower())
            )
        messages = call.messages
        if call.schema is not None and quirks.schema != "json_schema":
            messages = (message(Role.SYSTEM, in_words(call.schema)), *messages)
        instructions, items = split(messages, quirks.system_role)
        body = {"model": call.model, "input": items}
        if quirks.refuse_storage:  # without a word about it the provider would keep the answer
            body["store"] = False
        if instructions:
            body["instructions"] = instructions
        if call.tools:
            if not quirks.tools:
                raise UsageError(_("{model} cannot call functions", model=call.model))
            body["tools"] = encode_tools(call.tools)
        if call.schema is not None and quirks.schema != "none":
            body["text"] = {"format": _format(call.schema, quirks.schema)}
        # What the user says beats the card, and a field by its own name beats a flag.
        for fields in (quirks.extra_body, _knobs(call, quirks), call.options):
            _lay_over(body, fields)
        framing = Framing.SSE if body.get("stream") else Framing.WHOLE
        return HttpCall("POST", "responses", body, framing=framing)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            from llmctl.dialects.counts import CountDecoder

            return CountDecoder(lambda answer: count_at(answer, "input_tokens"))
        if isinstance(call, Image):
            from llmctl.dialects.openai_images import ImagesDecoder

            return ImagesDecoder()
        return ResponsesDecoder()

    def batches(self) -> "AnyBatches | None":
        from llmctl.dialects.openai_batches import OpenAIBatches

        return OpenAIBatches(self)

    def drawing(self) -> Drawing:
        from llmctl.dialects.openai_images import DRAWS

        return DRAWS

    def listing(self) -> HttpCall:
        return HttpCall("GET", "models")

    def listed(self, answer: Json) -> list[str]:
        return [one.name for one in self.published(answer)]

    def published(self, answer: Json) -> list[Listed]:
        from llmctl.dialects.price_lists import openai_like

        return list(openai_like(answer))

    def description(self, model: str) -> HttpCall:
        from llmctl.dialects.price_lists import resource

        return resource(model)

    def described(self, answer: Json) -> Listed | None:
        return next(iter(self.published([answer])), None)

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        return failures.failure(status, headers, body)


def _knobs(call: Chat, quirks: Quirks) -> dict[str, Json]:
    knobs: dict[str, Json] = {}
    if call.max_tokens is not None:
        knobs["max_output_tokens"] = call.max_tokens
    if call.temperature is not None and quirks.sampling:
        knobs["temperature"] = call.temperature
    if call.stream:
        knobs["stream"] = True
    return knobs


def _format(schema: Mapping[str, Json], mode: str) -> Json:
    if mode == "json_schema":
        return {"type": "json_schema", "name": "answer", "schema": dict(schema)}
    return {"type": mode}


def _lay_over(body: dict[str, Json], fields: Mapping[str, Json]) -> None:
    """Fields on top of what is there; inside a table only those that are stated."""
    for name, value in fields.items():
        table, key = NESTED.get(name, (name, None))
        given = value if key is None else {key: value}
        ours = body.get(table)
        both = isinstance(given, dict) and isinstance(ours, dict)
        body[table] = {**(ours or {}), **given} if both else given


class ResponsesDecoder(Decoder):
    """Passes text on as it comes; the answer at the end tells the rest."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False
        self._shown = False
        self._thought = False
        self._called: set[str] = set()
        self._refusal = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        if not data or data.isspace() or data.strip() == "[DONE]":
            return ()
        answer = parse(data)
        kind = text_at(answer, "type")
        if kind == "response.output_text.delta":
            text = text_at(answer, "delta")
            if not text:
                return ()
            self._shown = True
            return (TextDelta(text),)
        if kind == "error" or at(answer, "error"):
            raise failures.inside(answer)
        if kind is None:
            return self._whole(answer)
        return self._other(kind, answer)

    def end(self) -> Iterable[Event]:
        return ()

    def _other(self, kind: str, answer: Json) -> Iterator[Event]:
        match kind:
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                if thought := text_at(answer, "delta"):
                    self._thought = True
                    yield ReasoningDelta(thought)
            case "response.reasoning_summary_part.added":
                if int_at(answer, "summary_index"):
                    yield ReasoningDelta("\n\n")
            case "response.refusal.delta":
                self._refusal += text_at(answer, "delta") or ""
            case "response.output_item.done":
                yield from self._call(at(answer, "item"))
            case _ if kind in TERMINAL:
                yield from self._finish(at(answer, "response"))
            case _:  # beginnings and ends of parts, tools of the provider, what is not known yet
                pass

    def _whole(self, answer: Json) -> Iterator[Event]:
        """An answer in one piece is the document that ends a stream; in the background it may not
        have ended yet."""
        if text_at(answer, "object") == "response":
            yield from self._finish(answer)

    def _finish(self, response: Json) -> Iterator[Event]:
        if error := at(response, "error"):
            raise failures.inside({"error": error})
        status = text_at(response, "status")
        if status in ("queued", "in_progress"):
            return
        items = at(response, "output")
        details: dict[str, Json] = {
            key: value for key in DETAILS if (value := at(response, key)) is not None
        }
        for item in items if isinstance(items, list) else ():
            yield from self._item(item, details)
        if self._refusal:
            details["refusal"] = self._refusal
        self.done = self.settled = True
        reason, native = self._reason(status, response)
        yield Finished(
            reason=reason,
            usage=decode_usage(at(response, "usage")) if at(response, "usage") else None,
            model=text_at(response, "model"),
            request_id=text_at(response, "id"),
            native_reason=native,
            details=details,
        )

    def _reason(self, status: str | None, response: Json) -> tuple[FinishReason, str | None]:
        """(ours, the provider's word)"""
        if status == "incomplete":
            why = text_at(response, "incomplete_details", "reason")
            return INCOMPLETE.get(why or "", FinishReason.ERROR), why or status
        if status in ("failed", "cancelled"):
            return FinishReason.ERROR, status
        if self._refusal:
            return FinishReason.FILTER, "refusal"
        return FinishReason.TOOL_CALLS if self._called else FinishReason.STOP, status

    def _item(self, item: Json, details: dict[str, Json]) -> Iterator[Event]:
        """What one item of the output adds to what was streamed, everything where nothing was."""
        match text_at(item, "type"):
            case "function_call":
                yield from self._call(item)
            case "reasoning" if not self._thought:
                thoughts = [*_texts(item, "summary"), *_texts(item, "content")]
                if thoughts:
                    yield ReasoningDelta("\n\n".join(thoughts))
            case "message":
                yield from self._message(item, details)
            case "web_search_call":  # each is charged
                details["web_search_calls"] = details.get("web_search_calls", 0) + 1
            case _:
                pass

    def _message(self, item: Json, details: dict[str, Json]) -> Iterator[Event]:
        parts = at(item, "content")
        refusals = []
        for part in parts if isinstance(parts, list) else ():
            notes = at(part, "annotations")
            if notes and isinstance(notes, list):
                details.setdefault("annotations", []).extend(notes)
            if refusal := text_at(part, "refusal"):
                refusals.append(refusal)
            elif not self._shown and (text := text_at(part, "text")):
                yield TextDelta(text)
        self._refusal = self._refusal or "".join(refusals)

    def _call(self, item: Json) -> Iterator[Event]:
        call_id = text_at(item, "call_id") or text_at(item, "id") or ""
        if text_at(item, "type") == "function_call" and call_id not in self._called:
            self._called.add(call_id)
            name, arguments = text_at(item, "name"), text_at(item, "arguments")
            yield ToolCall(call_id, name or "", arguments or "{}")


def _texts(item: Json, field: str) -> list[str]:
    return texts_at(item, field, "text")


def decode_usage(usage: Json) -> Usage:
    """Totals that include cached and reasoning tokens."""
    return Usage(
        input_tokens=count_at(usage, "input_tokens"),
        output_tokens=count_at(usage, "output_tokens"),
        cached_tokens=count_at(usage, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=count_at(usage, "input_tokens_details", "cache_write_tokens"),
        reasoning_tokens=count_at(usage, "output_tokens_details", "reasoning_tokens"),
    )


DIALECT = OpenAIResponses
