"""Messages in the shape of OpenAI's chat completions."""

import base64
from collections.abc import Iterable

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, Media, Message, Part, Role, Text, ToolCall, ToolResult


def encode_messages(messages: Iterable[Message], system_role: str) -> list[Json]:
    """`system_role` is the role that instructions get: system, developer, or user where a model
    knows no instructions, which then go in front of the first question."""
    shaped: list[Json] = []
    for one in messages:
        results = [part for part in one.parts if isinstance(part, ToolResult)]
        if results:
            if len(results) < len(one.parts):
                raise UsageError(_("a message may not mix text with results of functions"))
            shaped += [
                {"role": "tool", "tool_call_id": part.id, "content": part.text} for part in results
            ]
            continue
        role = system_role if one.role is Role.SYSTEM else one.role.value
        shaped.append(_encode_message(role, one))
    return _joined(shaped) if system_role == "user" else shaped


def _encode_message(role: str, one: Message) -> Json:
    calls = [part for part in one.parts if isinstance(part, ToolCall)]
    rest = [part for part in one.parts if not isinstance(part, ToolCall)]
    if all(isinstance(part, Text) for part in rest):
        shaped: dict[str, Json] = {"role": role, "content": one.text}
    else:
        shaped = {"role": role, "content": [_encode_part(part) for part in rest]}
    if calls:
        shaped["content"] = shaped["content"] or None
        shaped["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    return shaped


def _encode_part(part: Part) -> Json:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Media(media_type, data, url, name):
            return _encode_media(media_type, data, url, name)
        case _:
            raise UsageError(_("a message may not mix text with calls of functions"))


def _encode_media(media_type: str, data: bytes | None, url: str | None, name: str | None) -> Json:
    encoded = base64.b64encode(data).decode() if data is not None else None
    if media_type.startswith("image/"):
        return {
            "type": "image_url",
            "image_url": {"url": url or f"data:{media_type};base64,{encoded}"},
        }
    if encoded is None:
        raise UsageError(_("this provider takes no {media_type} by URL", media_type=media_type))
    if media_type in ("audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp3"):
        form = "mp3" if media_type in ("audio/mpeg", "audio/mp3") else "wav"
        return {"type": "input_audio", "input_audio": {"data": encoded, "format": form}}
    return {
        "type": "file",
        "file": {
            "filename": name or "attachment",
            "file_data": f"data:{media_type};base64,{encoded}",
        },
    }


def _joined(shaped: list[Json]) -> list[Json]:
    """Neighbouring user messages of plain text as one: such models want turns to alternate."""
    merged: list[Json] = []
    for one in shaped:
        before = merged[-1] if merged else None
        if (
            before is not None
            and before["role"] == one["role"] == "user"
            and isinstance(before["content"], str)
            and isinstance(one["content"], str)
        ):
            before["content"] = f"{before['content']}\n\n{one['content']}"
        else:
            merged.append(one)
    return merged
