"""OpenAI's chat completions: OpenAI itself, llama-server, vLLM, LM Studio, the embedded model and
most other hosts. Where one departs from the rest, its card says so in `Quirks`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from llmctl.dialects import (
    Decoder,
    Dialect,
    Drawing,
    Frame,
    Framing,
    HttpCall,
    Listed,
    failures,
)
from llmctl.dialects.in_words import in_words
from llmctl.dialects.logprobs import joined
from llmctl.dialects.look import at, count_at, float_at, int_at, parse, text_at, texts_at
from llmctl.dialects.naming import on_the_wire
from llmctl.dialects.openai_messages import encode_messages
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Embed,
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

REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.FILTER,
    "error": FinishReason.ERROR,
    "insufficient_system_resource": FinishReason.ERROR,
}

# What an answer says beside text and usage, kept under its own name.
DETAILS = (
    "system_fingerprint",
    "service_tier",
    "timings",
    "provider",
    "citations",
    "search_results",
)


class OpenAIChat(Dialect):
    """`chat/completions`, `completions` for base models, and llama.cpp's way of counting the tokens
    of a chat."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        match call:
            case Count():
                from llmctl.dialects.counts import as_chat

                asked = self.encode(as_chat(call), quirks)
                return HttpCall("POST", f"{asked.path}/input_tokens", asked.body)
            case Chat():
                path, body = "chat/completions", _chat_body(call, quirks)
            case Embed():
                from llmctl.dialects import openai_embeddings

                return openai_embeddings.encode(call, quirks)
            case Complete():
                model = on_the_wire(call.model, quirks)
                path, body = "completions", {"model": model, "prompt": call.prompt}
            case Image():
                from llmctl.dialects import openai_images

                return openai_images.encode(call, quirks)
            case _:
                raise UsageError(
                    _("this provider's format has no {kind}", kind=type(call).__name__.lower())
                )
        if call.stream:
            body["stream"] = True
            if quirks.usage_in_stream:
                body["stream_options"] = {"include_usage": True}
        # The older endpoint never got the newer name of the limit.
        limit = quirks.max_tokens_field if isinstance(call, Chat) else "max_tokens"
        # What the user says beats the card, and a field by its own name beats a flag.
        body |= {**quirks.extra_body, **_knobs(call, quirks, limit)}
        body |= {name: _onto(body.get(name), value) for name, value in call.options.items()}
        if not body.get("stream"):
            body.pop("stream_options", None)  # refused without a stream
        framing = Framing.SSE if body.get("stream") else Framing.WHOLE
        return HttpCall("POST", f"{quirks.path_prefix}{path}", body, framing=framing)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            from llmctl.dialects.counts import CountDecoder

            return CountDecoder(lambda answer: count_at(answer, "input_tokens"))
        if isinstance(call, Embed):
            from llmctl.dialects import openai_embeddings

            return openai_embeddings.decoder(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects.openai_images import ImagesDecoder

            return ImagesDecoder(quirks.cost_field)
        return OpenAIDecoder(quirks.reasoning_fields, quirks.cost_field)

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


def _chat_body(call: Chat, quirks: Quirks) -> dict[str, Json]:
    messages = call.messages
    if call.schema is not None and quirks.schema != "json_schema":
        messages = (message(Role.SYSTEM, in_words(call.schema)), *messages)
    body: dict[str, Json] = {
        "model": on_the_wire(call.model, quirks),
        "messages": encode_messages(messages, quirks.system_role),
    }
    if call.tools:
        if not quirks.tools:
            raise UsageError(_("{model} cannot call functions", model=call.model))
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in call.tools
        ]
    if call.schema is not None and quirks.schema != "none":
        body["response_format"] = (
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(call.schema)},
            }
            if quirks.schema == "json_schema"
            else {"type": quirks.schema}
        )
    return body


def _onto(ours: Json, said: Json) -> Json:
    """What the user says; inside a table that the card has, too, only what is stated there."""
    return {**ours, **said} if isinstance(ours, dict) and isinstance(said, dict) else said


def _knobs(call: Chat | Complete, quirks: Quirks, limit: str) -> dict[str, Json]:
    """The tuning that the model's card says it takes; the engine notes what is dropped here."""
    knobs: dict[str, Json] = {}
    if call.max_tokens is not None:
        knobs[limit] = call.max_tokens
    if call.temperature is not None and quirks.sampling:
        knobs["temperature"] = call.temperature
    if call.seed is not None and quirks.seed:
        knobs[quirks.seed_field] = call.seed
    if call.stop and quirks.stop:
        knobs["stop"] = list(call.stop)
    return knobs


class OpenAIDecoder(Decoder):
    """Collects what arrives in pieces (calls of functions, usage, refusals) until the end mark."""

    def __init__(self, reasoning_fields: tuple[str, ...], cost_field: str = "") -> None:
        self.done = False
        self._cost_path = cost_field.split(".") if cost_field else []
        self._cost: tuple[str, str] | None = None
        self.settled = False
        self._reasoning_fields = reasoning_fields
        self._calls: dict[int, list[str]] = {}
        self._reason: str | None = None
        self._refusal = ""
        self._usage: Usage | None = None
        self._timing: Mapping[str, float] | None = None
        self._model: str | None = None
        self._id: str | None = None
        self._details: dict[str, Json] = {}

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        if not data or data.isspace():
            return ()
        if data.strip() == "[DONE]":
            self.done = True
            return self.end()
        return self._read(parse(data))

    def end(self) -> Iterable[Event]:
        """The calls of functions, whole, and `Finished`; nothing without a finish reason."""
        if self._reason is None:
            return
        for call_id, name, arguments in self._calls.values():
            yield ToolCall(call_id, name, arguments)
        reason = REASONS.get(self._reason, FinishReason.STOP)
        if self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS  # as hosts say it of a call that was asked for
        if self._refusal:
            reason = FinishReason.FILTER
            self._details["refusal"] = self._refusal
        yield Finished(
            reason=reason,
            usage=self._usage,
            model=self._model,
            request_id=self._id,
            native_reason=self._reason,
            reported_cost=self._cost,
            server_timing=_server_timing(self._details.get("timings")) or self._timing,
            details=self._details,
        )

    def _read(self, answer: Json) -> Iterator[Event]:
        if not isinstance(answer, dict):
            return
        if answer.get("error") or frame_is_error(answer):
            raise failures.inside(answer)
        self._model = text_at(answer, "model") or self._model
        self._id = text_at(answer, "id") or self._id
        for key in DETAILS:
            if (value := answer.get(key)) is not None:
                self._details[key] = value
        if usage := answer.get("usage") or at(answer, "x_groq", "usage"):
            self._usage = decode_usage(usage)
            self._timing = _stated_timing(usage) or _stated_timing(answer.get("time_info"))
            self._cost = _stated_cost(at(answer, *self._cost_path)) if self._cost_path else None
        choices = at(answer, "choices")
        for choice in choices if isinstance(choices, list) else ():
            if not int_at(choice, "index"):
                yield from self._choice(choice)

    def _choice(self, choice: Json) -> Iterator[Event]:
        piece = at(choice, "delta") or at(choice, "message")
        for field in self._reasoning_fields:
            if reasoning := text_at(piece, field):
                yield ReasoningDelta(reasoning)
                break
        content = at(piece, "content")
        if isinstance(content, list):
            yield from _parts(content)
        elif text := content if isinstance(content, str) else text_at(choice, "text"):
            yield TextDelta(text)
        self._refusal += text_at(piece, "refusal") or ""
        if found := at(choice, "logprobs"):
            self._details["logprobs"] = joined(self._details.get("logprobs"), found)
        calls = at(piece, "tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            index = int_at(call, "index")
            self._collect(position if index is None else index, call)
        if reason := text_at(choice, "finish_reason"):
            self._reason = reason
            self.settled = True

    def _collect(self, index: int, call: Json) -> None:
        parts = self._calls.setdefault(index, ["", "", ""])
        parts[0] = text_at(call, "id") or parts[0]
        parts[1] = text_at(call, "function", "name") or parts[1]
        arguments = at(call, "function", "arguments")
        parts[2] += arguments if isinstance(arguments, str) else ""


def frame_is_error(answer: Json) -> bool:
    """Older vLLM sends the error as the frame itself."""
    return text_at(answer, "object") == "error"


def _parts(content: list[Json]) -> Iterator[Event]:
    """Typed parts, as some hosts send them: texts, and thoughts that are lists of texts again."""
    if thoughts := "".join(word for part in content for word in texts_at(part, "thinking", "text")):
        yield ReasoningDelta(thoughts)
    if text := "".join(text_at(part, "text") or "" for part in content):
        yield TextDelta(text)


def decode_usage(usage: Json) -> Usage:
    """Usage in OpenAI's shape, in which totals include cached and reasoning tokens."""
    read, made = at(usage, "prompt_tokens_details"), at(usage, "completion_tokens_details")
    return Usage(
        input_tokens=count_at(usage, "prompt_tokens"),
        output_tokens=count_at(usage, "completion_tokens"),
        cached_tokens=_first(
            count_at(read, "cached_tokens"),
            count_at(usage, "prompt_cache_hit_tokens"),
            count_at(usage, "num_cached_tokens"),
        ),
        cache_write_tokens=count_at(read, "cache_write_tokens"),
        reasoning_tokens=count_at(made, "reasoning_tokens"),
    )


def _first(*choices: int | None) -> int | None:
    return next((one for one in choices if one is not None), None)


def _stated_cost(amount: Json) -> tuple[str, str] | None:
    """US dollars as a plain decimal string; a float is read as it was spelt, to its last digit."""
    if amount is None:
        return None
    from llmctl.types.amounts import plain, read_amount

    exact = read_amount(amount)
    return None if exact is None else (plain(exact), "USD")


# Seconds that hosts state of themselves, by our name and theirs.
STATED_TIMES = (
    ("queue_s", "queue_time"),
    ("prompt_s", "prompt_time"),
    ("output_s", "completion_time"),
    ("total_s", "total_time"),
)
_TIMES = frozenset(key for _name, key in STATED_TIMES)


def _stated_timing(usage: Json) -> Mapping[str, float] | None:
    """Seconds that some hosts state beside the tokens."""
    if not isinstance(usage, dict) or _TIMES.isdisjoint(usage):
        return None
    measured = {
        name: seconds for name, key in STATED_TIMES if (seconds := float_at(usage, key)) is not None
    }
    return measured or None


def _server_timing(timings: Json) -> Mapping[str, float] | None:
    """llama.cpp's own clock: seconds for the prompt and for the answer."""
    if timings is None:
        return None
    measured = {
        name: milliseconds / 1000
        for name, key in (("prompt_s", "prompt_ms"), ("output_s", "predicted_ms"))
        if (milliseconds := float_at(timings, key)) is not None
    }
    return measured or None


DIALECT = OpenAIChat
