"""GigaChat of Sber: like OpenAI's chat completions at a glance, and different wherever one looks:
functions instead of tools, arguments as objects, a topic filter that answers 200, prompts that are
counted without what was in the cache. The newer version of the API stands in `gigachat_v2`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from llmctl.dialects import (
    Decoder,
    Dialect,
    Drawing,
    Frame,
    Framing,
    HttpCall,
    Listed,
    Upload,
    failures,
)
from llmctl.dialects.gigachat_messages import OUR_IDS, encode_messages
from llmctl.dialects.look import at, count_at, float_at, int_at, parse, text_at
from llmctl.dialects.media import files_of
from llmctl.errors import LlmctlError, RateLimited, UsageError
from llmctl.messages import _
from llmctl.types import (
    Call,
    Chat,
    Count,
    Embed,
    Event,
    Finished,
    FinishReason,
    Image,
    Json,
    Media,
    Quirks,
    ReasoningDelta,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "function_call": FinishReason.TOOL_CALLS,
    "blacklist": FinishReason.FILTER,
    "error": FinishReason.ERROR,
    # Those of v2.
    "function_call_error": FinishReason.ERROR,
    "request_blacklist": FinishReason.FILTER,
    "response_blacklist": FinishReason.FILTER,
    "request_filter": FinishReason.FILTER,
    "request_whitelist": FinishReason.FILTER,  # only listed requests are answered
}

# The schema forbids 0; below this the model always takes the likeliest token.
ALMOST_ZERO = 0.0005

# The roles under which the progress of a built-in function comes, not text of the answer.
IN_PROGRESS = "function_in_progress"

# What the official client sends with a stream.
STREAM_HEADERS: Mapping[str, str] = {"Accept": "text/event-stream", "Cache-Control": "no-store"}


class GigaChat(Dialect):
    """`chat/completions` of v1, and `tokens/count` of texts."""

    lacks = frozenset({"seed", "stop"})

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Count):
            body = {"model": call.model, "input": list(_texts(call))}
            return HttpCall("POST", "tokens/count", body)
        if isinstance(call, Embed):
            from llmctl.dialects import gigachat_embeddings

            return gigachat_embeddings.request(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects import gigachat_images

            return HttpCall("POST", "chat/completions", gigachat_images.body_of(call))
        return request("chat/completions", self.body, call, quirks)

    def body(self, call: Chat, quirks: Quirks) -> dict[str, Json]:
        """The body of a request for an answer."""
        body: dict[str, Json] = {
            "model": call.model,
            "messages": list(encode_messages(call.messages)),
        }
        if call.tools:
            body["functions"] = functions(call.tools)
            body["function_call"] = "auto"
        elif files := files_of(call):
            from llmctl.dialects.gigachat_files import are_seen

            if not are_seen(files):  # else the function that reads documents is not called
                body["function_call"] = "auto"
        if call.schema is not None and quirks.schema == "json_schema":
            body["response_format"] = response_format(call.schema)
        if call.stream:
            body["stream"] = True
        # What the user says beats the card, and a field by its own name beats a flag.
        return body | {**quirks.extra_body, **knobs(call, quirks), **call.options}

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            from llmctl.dialects.counts import CountDecoder

            return CountDecoder(_total, {"not_counted": "template"})
        if isinstance(call, Embed):
            from llmctl.dialects.gigachat_embeddings import vectors
            from llmctl.dialects.vectors import VectorDecoder

            return VectorDecoder(len(call.texts), vectors)
        if isinstance(call, Image):
            from llmctl.dialects.gigachat_images import DrawnDecoder

            return DrawnDecoder(GigaChatDecoder(quirks.reasoning_fields))
        return GigaChatDecoder(quirks.reasoning_fields)

    def batches(self) -> "AnyBatches | None":
        from llmctl.dialects.gigachat_batches import GigaChatBatches

        return GigaChatBatches(self)

    def drawing(self) -> Drawing:
        from llmctl.dialects.gigachat_images import DRAWS

        return DRAWS

    def to_upload(self, call: Call, quirks: Quirks) -> tuple[Media, ...]:
        files = files_of(call) if isinstance(call, Chat) else ()
        if not files:
            return ()
        from llmctl.dialects.gigachat_files import to_store

        return to_store(files)

    def upload(self, file: Media, quirks: Quirks) -> Upload:
        from llmctl.dialects.gigachat_files import GigaChatUpload

        return GigaChatUpload(file)

    def deletion(self, name: str) -> HttpCall:
        return HttpCall("POST", f"files/{name}/delete")

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

    def balance(self) -> HttpCall:
        return HttpCall("GET", "balance")

    def balances(self, answer: Json) -> list[tuple[str, int]]:
        rows = at(answer, "balance")
        found = [
            (text_at(row, "usage"), float_at(row, "value"))
            for row in (rows if isinstance(rows, list) else ())
        ]
        return [(name, int(left)) for name, left in found if name and left is not None]

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        error = failures.failure(status, headers, body)
        if isinstance(error, RateLimited) and status == 402:
            error.hint = _(
                "the tokens bought for this model are used up; buy more, or ask another of its"
                " models with -m"
            )
        return error


def _texts(call: Count) -> Iterator[str]:
    """Everything that is text in a request; how it is put together is not counted here."""
    for one in call.messages:
        for part in one.parts:
            match part:
                case Text(text) | ToolResult(text=text):
                    yield text
                case ToolCall():
                    yield f"{part.name} {part.arguments}"
                case Media():
                    raise UsageError(
                        _("the tokens of files are not counted there, only those of texts")
                    )
    if call.tools:
        yield json.dumps(functions(call.tools), ensure_ascii=False)
    if call.schema is not None:
        yield json.dumps(call.schema, ensure_ascii=False)


def _total(answer: Json) -> int | None:
    """The sum over a bare list of counts, one a text."""
    if not isinstance(answer, list):
        return None
    counts = [count_at(one, "tokens") for one in answer]
    return None if None in counts else sum(filter(None, counts))


def request(
    path: str, body_of: Callable[[Chat, Quirks], dict[str, Json]], call: Call, quirks: Quirks
) -> HttpCall:
    """The request for a chat; raises UsageError for all that there is no format for."""
    if not isinstance(call, Chat):
        raise UsageError(
            _("this provider's format has no {kind}", kind=type(call).__name__.lower())
        )
    if call.tools and not quirks.tools:
        raise UsageError(_("{model} cannot call functions", model=call.model))
    body = body_of(call, quirks)
    if body.get("stream"):
        return HttpCall("POST", path, body, STREAM_HEADERS, Framing.SSE)
    return HttpCall("POST", path, body)


def knobs(call: Chat, quirks: Quirks) -> dict[str, Json]:
    """The tuning there is: neither a seed nor words to stop at."""
    found: dict[str, Json] = {}
    if call.max_tokens is not None:
        found[quirks.max_tokens_field] = call.max_tokens
    if call.temperature is not None and quirks.sampling:
        found["temperature"] = call.temperature or ALMOST_ZERO
    return found


def response_format(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Unlike OpenAI's, without a wrapper around the schema."""
    return {"type": "json_schema", "schema": dict(schema), "strict": True}


def functions(tools: Iterable[Tool]) -> list[Json]:
    return [
        {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        for tool in tools
    ]


class GigaChatDecoder(Decoder):
    """Pieces of text until `[DONE]`; a call of a function comes whole, in one of them."""

    def __init__(self, reasoning_fields: tuple[str, ...]) -> None:
        self.done = False
        self.settled = False
        self._reasoning_fields = reasoning_fields
        self._call: Json = None
        self._state: str | None = None
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._model: str | None = None

    def feed(self, frame: Frame) -> Iterable[Event]:
        data = frame.data
        if not data or data.isspace():
            return ()
        if data.strip() == "[DONE]":
            self.done = True
            return self.end()
        return self._read(parse(data))

    def end(self) -> Iterable[Event]:
        """The call of a function and `Finished`; nothing without a finish reason."""
        if self._reason is None:
            return
        if self._call is not None:
            yield tool_call(self._call, self._state)
        yield Finished(
            reason=REASONS.get(self._reason, FinishReason.STOP),
            usage=self._usage,
            model=self._model,
            native_reason=self._reason,
            details={"functions_state_id": self._state} if self._state else {},
        )

    def _read(self, answer: Json) -> Iterator[Event]:
        if error := error_in(answer):
            raise failures.inside({"error": error})
        self._model = text_at(answer, "model") or self._model
        if at(answer, "usage"):
            self._usage = decode_usage(answer["usage"])
        choices = at(answer, "choices")
        for choice in choices if isinstance(choices, list) else ():
            if not int_at(choice, "index"):
                yield from self._choice(choice)

    def _choice(self, choice: Json) -> Iterator[Event]:
        piece = at(choice, "delta") or at(choice, "message")
        if text_at(piece, "role") == IN_PROGRESS:
            return  # its content are seconds left
        for field in self._reasoning_fields:
            if reasoning := text_at(piece, field):
                yield ReasoningDelta(reasoning)
                break
        if text := text_at(piece, "content"):
            yield TextDelta(text)
        self._state = text_at(piece, "functions_state_id") or self._state
        self._call = at(piece, "function_call") or self._call
        if reason := text_at(choice, "finish_reason"):
            self._reason = reason
            self.settled = True


def error_in(answer: Json) -> Json:
    """The error that stands in place of a piece of an answer (`{"status", "message"}`, or wrapped
    as elsewhere), with its status under `code`; None for a piece."""
    if at(answer, "error"):
        return answer["error"]
    said = text_at(answer, "message")
    if said is None or at(answer, "choices") is not None:
        return None
    status = int_at(answer, "status")
    return {"message": said, "code": int_at(answer, "code") if status is None else status}


def tool_call(call: Json, state: str | None) -> ToolCall:
    """A call as an event. There are no ids: the id of the state behind the call, which has to be
    sent back with the result, takes the place."""
    arguments = at(call, "arguments")
    return ToolCall(
        id=state or f"{OUR_IDS}1",
        name=text_at(call, "name") or "",
        arguments=arguments
        if isinstance(arguments, str)
        else json.dumps(arguments or {}, ensure_ascii=False),
    )


def decode_usage(usage: Json) -> Usage:
    """Usage of v1, whose `prompt_tokens` leave out what came from the cache."""
    prompt = count_at(usage, "prompt_tokens")
    cached = count_at(usage, "precached_prompt_tokens")
    return Usage(
        input_tokens=None if prompt is None else prompt + (cached or 0),
        output_tokens=count_at(usage, "completion_tokens"),
        cached_tokens=cached,
    )


DIALECT = GigaChat
