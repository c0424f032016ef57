"""Messages in the shape of Yandex's completion API: each holds a text, or calls of functions, or
their results, and calls have no ids."""

import json
from collections.abc import Iterable, Iterator

from llmctl.dialects.arguments import as_object
from llmctl.dialects.look import at, text_at
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, Media, Message, ToolCall, ToolResult


def encode_messages(messages: Iterable[Message]) -> Iterator[Json]:
    """Raises UsageError for what is no text."""
    for one in messages:
        if any(isinstance(part, Media) for part in one.parts):
            raise UsageError(
                _("this provider's own models take text only"),
                hint=_("open models that it serves take pictures, such as"
                       " -m yandexgpt/gemma-3-27b-it"),
            )  # fmt: skip
        results = [part for part in one.parts if isinstance(part, ToolResult)]
        if results:
            if len(results) < len(one.parts):
                raise UsageError(_("a message may not mix text with results of functions"))
            yield {"role": "user", "toolResultList": {"toolResults": list(map(_result, results))}}
            continue
        calls = [part for part in one.parts if isinstance(part, ToolCall)]
        if one.text or not calls:
            yield {"role": one.role.value, "text": one.text}
        if calls:
            shaped = list(map(_call, calls))
            yield {"role": one.role.value, "toolCallList": {"toolCalls": shaped}}


def _result(result: ToolResult) -> Json:
    return {"functionResult": {"name": result.name, "content": result.text}}


def _call(call: ToolCall) -> Json:
    return {"functionCall": {"name": call.name, "arguments": as_object(call)}}


def decode_calls(message: Json) -> Iterator[ToolCall]:
    """The calls in an answer, numbered for want of ids."""
    calls = at(message, "toolCallList", "toolCalls")
    for number, call in enumerate(calls if isinstance(calls, list) else (), 1):
        arguments = at(call, "functionCall", "arguments")
        yield ToolCall(
            id=f"call_{number}",
            name=text_at(call, "functionCall", "name") or "",
            arguments=json.dumps(arguments or {}, ensure_ascii=False),
        )
