"""Messages and functions in the shape of OpenAI's responses: a flat list of items."""

from collections.abc import Iterable, Iterator

from llmctl.dialects.media import data_url, not_taken
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, Media, Message, Part, Role, Text, Tool, ToolCall, ToolResult


def split(messages: Iterable[Message], system_role: str) -> tuple[str, list[Json]]:
    """(instructions, items): the instructions are those before the first turn, later ones stay in
    their place."""
    opening: list[str] = []
    items: list[Json] = []
    for one in messages:
        if one.role is Role.SYSTEM and not items:
            opening.append(one.text)
        else:
            items += _items(one, system_role)
    return "\n\n".join(filter(None, opening)), items


def _items(one: Message, system_role: str) -> Iterator[Json]:
    """The turn as one item, then one for each call or result of a function in it."""
    role = system_role if one.role is Role.SYSTEM else one.role.value
    said = [part for part in one.parts if isinstance(part, Text | Media)]
    if any(isinstance(part, Media) for part in said):
        if one.role is Role.ASSISTANT:
            raise UsageError(_("this provider takes no attachments in answers"))
        yield {"role": role, "content": [_content(part) for part in said]}
    elif text := one.text:
        yield {"role": role, "content": text}
    for part in one.parts:
        match part:
            case ToolCall(call_id, name, arguments):
                yield {
                    "type": "function_call",
                    "call_id": call_id,
                    "name": name,
                    "arguments": arguments,
                }
            case ToolResult(call_id, _name, text):
                yield {"type": "function_call_output", "call_id": call_id, "output": text}
            case _:
                pass


def _content(part: Part) -> Json:
    match part:
        case Media(media_type, url=url, name=name):
            if media_type.startswith("image/"):
                address = url or data_url(part)
                return {"type": "input_image", "detail": "auto", "image_url": address}
            if media_type.startswith(("audio/", "video/")):
                raise not_taken(part)
            if url is not None:
                return {"type": "input_file", "file_url": url}
            return {
                "type": "input_file",
                "filename": name or "attachment",
                "file_data": data_url(part),
            }
        case _:
            return {"type": "input_text", "text": part.text if isinstance(part, Text) else ""}


def encode_tools(tools: Iterable[Tool]) -> list[Json]:
    """Not strict, which is the default here: that would take only schemas of a certain kind."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": False,
        }
        for tool in tools
    ]
