"""Messages, functions and schemas in the shape of Anthropic's Messages API."""

from collections.abc import Iterable

from llmctl.dialects.arguments import as_object
from llmctl.dialects.media import base64_of, not_taken
from llmctl.types import Json, Media, Message, Part, Role, Text, Tool, ToolCall, ToolResult


def system_text(messages: Iterable[Message]) -> str:
    """All instructions as the one text that stands beside the messages; empty without any."""
    texts = (one.text for one in messages if one.role is Role.SYSTEM)
    return "\n\n".join(text for text in texts if text)


def encode_messages(messages: Iterable[Message]) -> list[Json]:
    """The turns without the instructions. Results of functions are the user's here, and an empty
    text is refused by the API, so it is left out."""
    shaped = (_encode_message(one) for one in messages if one.role is not Role.SYSTEM)
    return [one for one in shaped if one["content"]]


def _encode_message(one: Message) -> Json:
    role = "assistant" if one.role is Role.ASSISTANT else "user"
    if all(isinstance(part, Text) for part in one.parts):
        return {"role": role, "content": one.text}
    blocks = [_encode_part(part) for part in one.parts if not _is_empty(part)]
    return {"role": role, "content": blocks}


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _encode_part(part: Part) -> Json:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Media():
            return _encode_media(part)
        case ToolCall(call_id, name):
            return {
                "type": "tool_use",
                "id": call_id,
                "name": name,
                "input": as_object(part),
            }
        case ToolResult(call_id, _name, text):
            return {"type": "tool_result", "tool_use_id": call_id, "content": text}


def _encode_media(part: Media) -> Json:
    kind = part.media_type
    if kind.startswith("image/"):
        return {"type": "image", "source": _source(part)}
    document: dict[str, Json] = {"type": "document"}
    if kind == "application/pdf":
        document["source"] = _source(part)
    elif kind.startswith("text/") and part.data is not None:
        text = part.data.decode("utf-8", "replace")
        document["source"] = {"type": "text", "media_type": "text/plain", "data": text}
    else:
        raise not_taken(part)
    if part.name:
        document["title"] = part.name
    return document


def _source(part: Media) -> Json:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": part.media_type, "data": base64_of(part)}


def encode_tools(tools: Iterable[Tool]) -> list[Json]:
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": dict(tool.parameters),
        }
        for tool in tools
    ]
