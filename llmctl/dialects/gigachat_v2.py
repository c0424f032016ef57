"""The second version of GigaChat's API: content in parts, options in a table of their own, and a
stream of named events without an end mark beside the last of them."""

from collections.abc import Iterable, Iterator, Sequence

from llmctl.dialects import Decoder, Frame, HttpCall, failures
from llmctl.dialects.arguments import as_object
from llmctl.dialects.gigachat import (
    REASONS,
    GigaChat,
    error_in,
    functions,
    knobs,
    request,
    response_format,
    tool_call,
)
from llmctl.dialects.gigachat_messages import (
    OUR_IDS,
    as_json,
    has_files,
    instructions,
    only_call,
    refuse_mixture,
)
from llmctl.dialects.look import at, count_at, parse, text_at
from llmctl.dialects.nested import laid_over
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
    Message,
    Quirks,
    Role,
    TextDelta,
    ToolResult,
    Usage,
)

# The address of a provider ends with its version, which this one takes the place of.
PATH = "../v2/chat/completions"

# Fields of the request that stand beside `model_options`, into which all others go.
TOP_LEVEL = frozenset(
    {
        "assistant_id",
        "disable_filter",
        "flags",
        "ranker_options",
        "storage",
        "stream",
        "tool_config",
        "tools",
        "user_info",
    }
)


# Parts of a message that are passed on, or tell only how far a tool is.
SHOWN = frozenset({"text", "function_call", "tool_execution"})


class GigaChatV2(GigaChat):
    """`chat/completions` of v2; everything else of the API is still v1."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Count | Embed):
            return super().encode(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects import gigachat_images

            return HttpCall("POST", PATH, gigachat_images.v2_body_of(call))
        return request(PATH, self.body, call, quirks)

    def body(self, call: Chat, quirks: Quirks) -> dict[str, Json]:
        body: dict[str, Json] = {"model": call.model, "messages": list(_messages(call.messages))}
        options: dict[str, Json] = {}
        if call.tools:
            body["tools"] = [{"functions": {"specifications": functions(call.tools)}}]
            body["tool_config"] = {"mode": "auto"}
        if call.schema is not None and quirks.schema == "json_schema":
            options["response_format"] = response_format(call.schema)
        if call.stream:
            body["stream"] = True
        for name, value in {**quirks.extra_body, **knobs(call, quirks), **call.options}.items():
            if name == "model_options":
                options = laid_over(name, options, value)
            else:
                (body if name in TOP_LEVEL else options)[name] = value
        if options:
            body["model_options"] = options
        return body

    def batches(self) -> None:
        """They are of v1."""
        return None

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count | Embed):
            return super().decoder(call, quirks)
        if isinstance(call, Image):
            from llmctl.dialects.gigachat_images import DrawnDecoder

            return DrawnDecoder(V2Decoder())
        return V2Decoder()


def _messages(messages: Sequence[Message]) -> Iterator[Json]:
    if (said := instructions(messages)) is not None:
        yield {"role": "system", "content": [{"text": said}]}
    for one in messages:
        if one.role is Role.SYSTEM:
            continue
        refuse_mixture(one)
        results = [part for part in one.parts if isinstance(part, ToolResult)]
        if results:
            content: list[Json] = [
                {"function_result": {"name": part.name, "result": as_json(part.text)}}
                for part in results
            ]
            yield {"role": "tool", "content": content}
            continue
        content = [{"text": one.text}] if one.text else []
        if has_files(one):
            from llmctl.dialects.gigachat_files import content as in_order

            content = list(in_order(one.parts))
        shaped: dict[str, Json] = {"role": one.role.value, "content": content}
        if (call := only_call(one)) is not None:
            content.append({"function_call": {"name": call.name, "arguments": as_object(call)}})
            if not call.id.startswith(OUR_IDS):
                shaped["tools_state_id"] = call.id
        yield shaped


class V2Decoder(Decoder):
    """Named events until `response.message.done`; a whole answer is all of them in one."""

    def __init__(self) -> None:
        self.done = False
        self.settled = False
        self._call: Json = None
        self._state: str | None = None
        self._reason: str | None = None
        self._answer: Json = None
        self._parts: list[Json] = []

    def feed(self, frame: Frame) -> Iterable[Event]:
        if not frame.data or frame.data.isspace():
            return
        if frame.data.strip() == "[DONE]":  # should it ever come
            self.done = True
            yield from self.end()
            return
        answer = parse(frame.data)
        messages = at(answer, "messages")
        if (error := error_in(answer)) and messages is None:
            raise failures.inside({"error": error})
        for message in messages if isinstance(messages, list) else ():
            yield from self._message(message)
        if reason := text_at(answer, "finish_reason"):
            self._reason = reason
            self._answer = answer
            self.done = self.settled = True
            yield from self.end()

    def end(self) -> Iterable[Event]:
        if self._reason is None:
            return
        answer = self._answer
        if self._call is not None:
            yield tool_call(self._call, self._state)
        yield Finished(
            reason=REASONS.get(self._reason, FinishReason.STOP),
            usage=_usage(at(answer, "usage")),
            model=text_at(answer, "model"),
            native_reason=self._reason,
            details={
                **({"tools_state_id": self._state} if self._state else {}),
                **({"parts": self._parts} if self._parts else {}),
            },
        )

    def _message(self, message: Json) -> Iterator[Event]:
        # The server says `tool_state_id`, the documents and the official client `tools_state_id`.
        for name in ("tools_state_id", "tool_state_id"):
            self._state = text_at(message, name) or self._state
        content = at(message, "content")
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, dict):
                continue
            if text := text_at(part, "text"):
                yield TextDelta(text)
            self._call = at(part, "function_call") or self._call
            if not SHOWN & {*part}:  # made by a tool: files, pictures
                self._parts.append(part)


def _usage(usage: Json) -> Usage | None:
    """Usage of v2, whose `input_tokens` hold the cached ones, too."""
    if not usage:
        return None
    return Usage(
        input_tokens=count_at(usage, "input_tokens"),
        output_tokens=count_at(usage, "output_tokens"),
        cached_tokens=count_at(usage, "input_tokens_details", "cached_tokens"),
    )


DIALECT = GigaChatV2
