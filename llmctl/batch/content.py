"""What a call says, as 32 bytes: calls of one key ask the same of the same model.

Taken in is all that may change the answer: where the call goes, the model, and the call as it
leaves. Left out is how the answer comes (in pieces or at once) and what files are called.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from llmctl.engine.route import Route
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Embed,
    Fill,
    Image,
    Json,
    Media,
    Message,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

# Another number whenever the same call would get another key, or another call the same.
VERSION = 1


def content_key(route: Route, call: Call) -> bytes:
    """The same for equal calls on any machine and in any process, whatever the order of tables in
    them. A file is known by its bytes, or where it is only read while it is sent, by its path, size
    and time of change."""
    quirks = route.quirks
    place = [route.provider, route.target.base_url, route.model, dict(quirks.settings)]
    content = [VERSION, place, type(call).__name__, _said(call)]
    return sha256(_ENCODE(content).encode("utf-8", "surrogatepass")).digest()


def _said(call: Call) -> list[Json]:
    options = call.options
    match call:
        case Chat():
            messages = [_message(one) for one in call.messages]
            tools = [_tool(one) for one in call.tools]
            schema = call.schema
            return [messages, tools, schema, *_settings(call), options]
        case Complete():
            return [call.prompt, *_settings(call), options]
        case Fill():
            return [call.prompt, call.count, options]
        case Embed():
            return [call.texts, call.dimensions, call.purpose, options]
        case Image():
            made = [call.count, call.size, call.seed, call.media_type]
            return [call.prompt, *made, options]
        case Count():
            messages = [_message(one) for one in call.messages]
            return [messages, [_tool(one) for one in call.tools], call.schema, options]


def _settings(call: Chat | Complete) -> list[Json]:
    return [call.max_tokens, call.temperature, call.seed, call.stop]


def _message(one: Message) -> list[Json]:
    return [one.role, [_part(part) for part in one.parts]]


def _tool(one: Tool) -> list[Json]:
    return [one.name, one.description, one.parameters]


def _part(part: Part) -> list[Json]:
    match part:
        case Text(text):
            return ["text", text]
        case ToolCall(id_, name, arguments):
            return ["call", id_, name, arguments]
        case ToolResult(id_, name, text):
            return ["result", id_, name, text]
        case Media():
            return ["media", part.media_type, *_bytes(part)]


def _bytes(media: Media) -> list[Json]:
    if media.data is not None:
        return ["sha256", sha256(media.data).hexdigest()]
    if media.path is not None:
        return ["path", media.path, media.size, media.modified]
    return ["elsewhere", media.url, media.ref, media.sha256, media.size]


def _plain(value: object) -> Json:
    """What JSON has no word for: tables that are none of Python's own."""
    return dict(value) if isinstance(value, Mapping) else [type(value).__name__, str(value)]


_ENCODE = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
).encode
