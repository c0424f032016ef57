"""Messages in Gemini's shape: instructions apart, and turns of `user` and `model` made of parts."""

from collections.abc import Collection, Iterable

from llmctl.dialects.arguments import as_object
from llmctl.dialects.media import base64_of
from llmctl.types import Json, Media, Message, Part, Role, Text, ToolCall, ToolResult

# What stands in the place of a file before it has an address of its own.
PENDING = "files/pending"


def encode_messages(messages: Iterable[Message], apart: Collection[Media] = ()) -> dict[str, Json]:
    """`contents`, and `systemInstruction` where there is one: wherever in the conversation they
    stand, instructions have only that one place. Neighbours of one role become one turn, since
    turns must alternate and all results of functions belong into the turn after their calls.
    `apart` are the files that are uploaded before this is sent."""
    uploaded = {id(one) for one in apart}
    instructions: list[Json] = []
    turns: list[Json] = []
    last: Role | None = None
    for one in messages:
        parts = [_encode_part(part, uploaded) for part in one.parts]
        if one.role is Role.SYSTEM:
            instructions += parts
        elif one.role is last:
            turns[-1]["parts"] += parts
        else:
            role = "model" if one.role is Role.ASSISTANT else "user"
            turns.append({"role": role, "parts": parts})
            last = one.role
    shaped: dict[str, Json] = {"contents": turns}
    if instructions:
        shaped["systemInstruction"] = {"parts": instructions}
    return shaped


def _encode_part(part: Part, uploaded: Collection[int]) -> Json:
    match part:
        case Text(text):
            return {"text": text}
        case Media(media_type, url=url, ref=ref):
            if where := ref or url or (PENDING if id(part) in uploaded else None):
                return {"fileData": {"mimeType": media_type, "fileUri": where}}
            return {"inlineData": {"mimeType": media_type, "data": base64_of(part)}}
        case ToolCall(call_id, name):
            return {"functionCall": {"id": call_id, "name": name, "args": as_object(part)}}
        case ToolResult(call_id, name, text):
            response = {"output": text}
            return {"functionResponse": {"id": call_id, "name": name, "response": response}}
