"""Every text of a call that leaves with it, and where it stands."""

import json
from collections.abc import Callable
from typing import assert_never

from llmctl.errors import PrivacyRefused
from llmctl.messages import _
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
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from llmctl.values import dataclass, replace

_LONGEST_OPTION = 30
LINED = frozenset({*Role, "file"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: `kind` is a stable word, `name` the option, function or file.

    An attached file is in its bounds: its first line, with its name, is line 0 of it.
    """

    kind: str
    name: str | None = None

    @property
    def has_lines(self) -> bool:
        return self.kind in LINED


Change = Callable[[str, Place], str]


def changed(call: Call, change: Change) -> Call:
    """The call with `change` made to each text of it: of every role, calls and results of
    functions, names of files, schemas, stop strings and options. Schemas and options are one text
    of JSON each, with their keys."""
    options: dict[str, Json] = {}
    for name, value in call.options.items():
        place = Place("option", _shown(name))
        made = in_json({name: value}, change, place)
        if made.keys() & options.keys():
            raise PrivacyRefused(_("two keys of {place} would become one", place=said(place)))
        options |= made
    match call:
        case Complete():
            prompt = change(call.prompt, Place("user"))
            return replace(call, prompt=prompt, stop=_stop(call, change), options=options)
        case Fill() | Image():
            return replace(call, prompt=change(call.prompt, Place("user")), options=options)
        case Embed():
            texts = tuple(change(one, Place("user")) for one in call.texts)
            return replace(call, texts=texts, options=options)
        case Chat():
            call = replace(call, stop=_stop(call, change))
        case Count():
            pass
        case _:
            assert_never(call)
    return replace(
        call,
        messages=tuple(_message(one, change) for one in call.messages),
        options=options,
        schema=in_json(call.schema, change, Place("schema")),
        tools=tuple(_tool(one, change) for one in call.tools),
    )


def _stop(call: Chat | Complete, change: Change) -> tuple[str, ...]:
    return tuple(change(one, Place("stop")) for one in call.stop)


def _shown(name: str) -> str:
    """The name of an option as it may be shown: those that providers have are words, and another
    may be what must not be seen."""
    is_word = len(name) <= _LONGEST_OPTION and name.replace("_", "").replace("-", "").isalpha()
    return name if is_word else f"{name[:4]}…"


def in_json(value: Json, change: Change, place: Place) -> Json:
    """`value` with the change made to it as one text of JSON, in which every value has its key
    beside it: only that tells what a number is."""
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, default=dict)
    made = change(text, place)
    return value if made == text else json.loads(made, object_pairs_hook=_apart(place))


def _apart(place: Place) -> Callable[[list[tuple[str, Json]]], Json]:
    def read(pairs: list[tuple[str, Json]]) -> Json:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise PrivacyRefused(_("two keys of {place} would become one", place=said(place)))
        return made

    return read


def is_json(text: str) -> bool:
    """Whether all of the text is an object or a list of JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def said(place: Place, line: int | None = None) -> str:
    """The place in the user's words, with the line where there is more than one."""
    if place.kind == "file" and line == 0:
        return _("the name of an attached file")
    where = _where(place)
    return where if line is None else _("{place}, line {line}", place=where, line=line)


def _where(place: Place) -> str:
    match place.kind:
        case "system":
            return _("system prompt")
        case "assistant":
            return _("an earlier answer")
        case "tool":
            return _("result of {name}", name=place.name)
        case "call":
            return _("call of {name}", name=place.name)
        case "function":
            return _("function {name}", name=place.name)
        case "option":
            return _("option {name}", name=place.name)
        case "schema":
            return _("schema")
        case "stop":
            return _("stop string")
        case "name":
            return _("the name of an attached file")
        case "file":
            return str(place.name)
        case _:
            return _("message")


def _message(one: Message, change: Change) -> Message:
    return Message(one.role, tuple(_part(part, one.role, change) for part in one.parts))


def _part(part: Part, role: Role, change: Change) -> Part:
    match part:
        case Text(text, name):
            place = Place(role.value) if name is None else Place("file", name)
            return replace(part, text=change(text, place))
        case Media(_type, _data, url, name):
            place = Place("name")
            return replace(part, url=url and change(url, place), name=name and change(name, place))
        case ToolCall(_id, name, arguments):
            return replace(part, arguments=change(arguments, Place("call", name)))
        case ToolResult(_id, name, text):
            return replace(part, text=change(text, Place("tool", name)))
        case _:
            assert_never(part)


def _tool(one: Tool, change: Change) -> Tool:
    place = Place("function", one.name)
    return replace(
        one,
        description=change(one.description, place),
        parameters=in_json(dict(one.parameters), change, place),
    )
