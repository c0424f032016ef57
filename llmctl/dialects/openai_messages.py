"""Messages in the shape of OpenAI's chat completions."""

from collections.abc import Iterable

from llmctl.dialects.media import base64_of, data_url, not_by_url, not_taken
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
        case Media():
            return _encode_media(part)
        case _:
            raise UsageError(_("a message may not mix text with calls of functions"))


# Sounds by the name that the format has for them.
SOUNDS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}


def _encode_media(file: Media) -> Json:
    kind = file.media_type
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": file.url or data_url(file)}}
    if kind not in SOUNDS and kind != "application/pdf":
        raise not_taken(file)
    if file.url is not None:
        raise not_by_url(file)
    if form := SOUNDS.get(kind):
        return {"type": "input_audio", "input_audio": {"data": base64_of(file), "format": form}}
    return {
        "type": "file",
        "file": {"filename": file.name or "attachment", "file_data": data_url(file)},
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
