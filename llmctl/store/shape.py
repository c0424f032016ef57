"""The tables of the ledger, and how values become columns: calls, messages and receipts as JSON.

`runs` holds numbers and names, `bodies` every text, `blobs` pictures and other media. A run kept
without text (mode meta) has no row in `bodies` or `blobs`, so what is private stands in one place.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from hashlib import sha256
from typing import assert_never

from llmctl.store.database import Schema
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
    ToolCall,
    ToolResult,
    message,
)
from llmctl.values import replace

# Bytes of a file that is kept with the messages it is a part of.
LARGEST_KEPT = 2**20

# `facts` is JSON of what a receipt says beside the columns, numbers and stable words only.
# `continues`: the messages here follow on those of the conversation's runs before; otherwise the
# conversation begins anew at this run. A turn stands in one run only, so that purging a run leaves
# its words nowhere.
FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    provider TEXT,
    requested TEXT NOT NULL,
    resolved TEXT,
    finish_reason TEXT,
    exit_code INTEGER NOT NULL,
    conversation TEXT,
    facts TEXT NOT NULL,
    tags TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (started_at);
CREATE INDEX runs_by_conversation ON runs (conversation) WHERE conversation IS NOT NULL;
CREATE TABLE bodies (
    run INTEGER PRIMARY KEY REFERENCES runs (number) ON DELETE CASCADE,
    continues INTEGER NOT NULL,
    system TEXT,
    messages TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    reasoning TEXT,
    tool_calls TEXT NOT NULL,
    media TEXT NOT NULL,
    details TEXT NOT NULL,
    error_message TEXT
);
CREATE TABLE blobs (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, place)
);
"""


# `document` is the whole comparison, packed; `figures` what lists show of it, as JSON. A run that
# is purged takes the comparisons with it that hold its texts.
COMPARISONS = """
CREATE TABLE comparisons (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at TEXT NOT NULL,
    mode TEXT NOT NULL,
    figures TEXT NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX comparisons_by_time ON comparisons (started_at);
CREATE TABLE compared (
    run TEXT NOT NULL,
    comparison INTEGER NOT NULL REFERENCES comparisons (number) ON DELETE CASCADE,
    PRIMARY KEY (run, comparison)
) WITHOUT ROWID;
CREATE INDEX compared_by_comparison ON compared (comparison);
"""


# Among the tags of a run: the layer of settings (flag, user, …) or the policy that chose its mode.
MODE_BY = "mode_by"


class Mode(StrEnum):
    """How much of a run is kept: everything, everything but texts, nothing."""

    FULL = "full"
    META = "meta"
    OFF = "off"


LEDGER = Schema(
    name="ledger",
    application_id=0x6C6D6C67,  # "lmlg"
    migrations=(FIRST, COMPARISONS),
)


def plain(value: Json) -> Json:
    """What json.dumps cannot take by itself: frozen mappings and our own values."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is not JSON")


def written(value: Json) -> str:
    """`value` as JSON that reads well in any SQLite browser."""
    return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain))


def storable(text: str) -> str:
    """`text` without lone surrogates, which no database takes; they become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def spoken(call: Call) -> tuple[Message, ...]:
    """What was sent, as messages: prompts and texts to embed become those of a user."""
    match call:
        case Chat() | Count():
            return call.messages
        case Complete() | Image() | Fill():
            return (message(Role.USER, call.prompt),)
        case Embed():
            return tuple(message(Role.USER, text) for text in call.texts)
        case _:
            assert_never(call)


def asked(call: Call) -> dict[str, Json]:
    """Everything else of the call: limits, sampling, schema, tools, options."""
    said = ("model", "messages", "prompt", "texts")
    return {
        field.name: getattr(call, field.name) for field in fields(call) if field.name not in said
    }


def split_system(messages: Iterable[Message]) -> tuple[str | None, list[Message]]:
    """The leading instructions apart from the rest; None where there are none."""
    rest = list(messages)
    system = None
    if rest and rest[0].role is Role.SYSTEM and all(isinstance(p, Text) for p in rest[0].parts):
        system = rest.pop(0).text
    return system, rest


def pack_messages(messages: Iterable[Message], blobs: list[bytes]) -> list[Json]:
    """Messages as JSON; the bytes of media are appended to `blobs` and named by their place, those
    of large ones left out."""
    return [
        {"role": str(one.role), "parts": [pack_part(_smaller(part), blobs) for part in one.parts]}
        for one in messages
    ]


def _smaller(part: Part) -> Part:
    """What is kept of a part: a large file without a place of its own (from a pipe, or fetched)
    would make the ledger grow with each run."""
    if not isinstance(part, Media) or part.data is None or len(part.data) <= LARGEST_KEPT:
        return part
    digest = sha256(part.data).hexdigest()
    return replace(part, data=None, size=len(part.data), sha256=digest)


def pack_part(part: Part, blobs: list[bytes]) -> Json:
    match part:
        case Text():
            return {"type": "text", "text": storable(part.text)}
        case ToolCall():
            return {"type": "tool_call", **_storable_fields(part)}
        case ToolResult():
            return {"type": "tool_result", **_storable_fields(part)}
        case Media():
            place = None
            if part.data is not None:
                place = len(blobs)
                blobs.append(part.data)
            return {
                "type": "media",
                "media_type": part.media_type,
                "blob": place,
                "url": part.url,
                "name": part.name,
                **_elsewhere(part),
            }
        case _:
            assert_never(part)


def _elsewhere(part: Media) -> dict[str, Json]:
    """Where a file lies that was too large to be held, and what it was like, or that alone."""
    if part.sha256 is not None:
        return {"size": part.size, "sha256": part.sha256}
    if part.path is None:
        return {}
    return {"path": storable(part.path), "size": part.size, "modified": part.modified}


def _storable_fields(part: ToolCall | ToolResult) -> dict[str, str]:
    return {field.name: storable(getattr(part, field.name)) for field in fields(part)}


def unpack_messages(packed: Iterable[Json], blobs: Sequence[bytes]) -> list[Message]:
    return [
        Message(Role(one["role"]), tuple(unpack_part(part, blobs) for part in one["parts"]))
        for one in packed
    ]


def unpack_part(part: Json, blobs: Sequence[bytes]) -> Part:
    match part["type"]:
        case "text":
            return Text(part["text"])
        case "tool_call":
            return ToolCall(part["id"], part["name"], part["arguments"])
        case "tool_result":
            return ToolResult(part["id"], part["name"], part["text"])
        case _:
            return unpack_media(part, blobs)


def unpack_media(part: Json, blobs: Sequence[bytes]) -> Media:
    data = None if part["blob"] is None else blobs[part["blob"]]
    there = {name: part.get(name) for name in ("path", "size", "modified", "sha256")}
    return Media(part["media_type"], data, part["url"], part["name"], **there)
