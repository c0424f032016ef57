"""What was said in the turns of a conversation, to be continued."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.store.shape import MODE_BY, Mode, unpack_messages
from llmctl.types import Json, Media, Message, Role, Text, ToolCall, message


def blobs(connection: sqlite3.Connection, number: int) -> list[bytes]:
    """The media of a run, by their place."""
    rows = connection.execute("SELECT data FROM blobs WHERE run = ? ORDER BY place", [number])
    return [row[0] for row in rows]


def history(
    connection: sqlite3.Connection, conversation: str, before: int | None = None
) -> list[Message]:
    """What was said in a conversation, without its instructions: each turn and its answer.

    Turns that got no answer are left out. `before` stops at that row.
    """
    said: list[Message] = []
    query = """
        SELECT number, continues, messages, answer, tool_calls
        FROM runs JOIN bodies ON run = number
        WHERE conversation = ? AND number < ? AND (answer <> '' OR tool_calls <> '[]')
        ORDER BY number
        """
    limit = 2**63 - 1 if before is None else before
    for number, continues, packed, answer, tool_calls in connection.execute(
        query, [conversation, limit]
    ).fetchall():
        if not continues:
            said.clear()
        said += unpack_messages(json.loads(packed), blobs(connection, number))
        text = (Text(answer),) if answer else ()
        calls = tuple(ToolCall(**call) for call in json.loads(tool_calls))
        said.append(Message(Role.ASSISTANT, (*text, *calls)))
    return said


def without_text(tags: Mapping[str, Json]) -> str:
    """Why a run was kept in mode meta, for people."""
    match tags.get(MODE_BY):
        case "flag":
            return "--log meta"
        case "policy":
            return _("a policy with log_bodies = false")
        case _:
            return "log.mode = meta"


def conversation_messages(connection: sqlite3.Connection, conversation: str) -> tuple[Message, ...]:
    """Everything to be sent before the next turn: the latest instructions, then what was said.

    Raises NotFound for a conversation that is not kept, or kept without its text, and UsageError
    for one with a large file that was not kept or is no longer what it was.
    """
    row = connection.execute(
        "SELECT mode, system, tags FROM runs LEFT JOIN bodies ON run = number"
        " WHERE conversation = ? ORDER BY number DESC LIMIT 1",
        [conversation],
    ).fetchone()
    if row is None:
        raise NotFound(
            _("no conversation {name} is kept", name=conversation),
            hint=_("see what is there: llmctl logs list"),
        )
    mode, system, tags = row
    if mode != Mode.FULL:
        raise NotFound(
            _("the text of conversation {name} was not kept ({why})", name=conversation,
              why=without_text(json.loads(tags))),
            hint=_("begin a new one, without -c and --cid"),
        )  # fmt: skip
    first = [] if system is None else [message(Role.SYSTEM, system)]
    said = history(connection, conversation)
    for one in said:
        for part in one.parts:
            if isinstance(part, Media):
                _refuse_changed(part)
    return (*first, *said)


def _refuse_changed(file: Media) -> None:
    if file.sha256 is not None:
        raise UsageError(
            _("{name}, which is a part of this conversation, was too large to be kept: it came from"
              " a pipe or an address", name=file.name or file.media_type),
            hint=_("put it into a file and begin anew: leave -c out and attach it with -a"),
        )  # fmt: skip
    if file.path is None:
        return
    path = file.path
    hint = _("put it back as it was, or begin anew: leave -c out and attach it with -a")
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise UsageError(
            _("{path}, which is a part of this conversation, cannot be read: {why}", path=path,
              why=why or type(error).__name__),
            hint=hint,
        ) from None  # fmt: skip
    if (found.st_size, found.st_mtime_ns) != (file.size, file.modified):
        raise UsageError(
            _("{path}, which is a part of this conversation, has changed since", path=path),
            hint=hint,
        )


def last_model(connection: sqlite3.Connection, conversation: str) -> str | None:
    """The model that was asked last in a conversation, by the name it was asked for."""
    row = connection.execute(
        "SELECT requested FROM runs WHERE conversation = ? ORDER BY number DESC LIMIT 1",
        [conversation],
    ).fetchone()
    return None if row is None else str(row[0])


def last_conversation(connection: sqlite3.Connection) -> str | None:
    """The conversation in which something was last answered, if only in part; a text that a base
    model continued is none."""
    row = connection.execute(
        "SELECT conversation FROM runs LEFT JOIN bodies ON run = number"
        " WHERE kind = 'chat' AND conversation IS NOT NULL AND (exit_code = 0 OR answer <> '')"
        " ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else str(row[0])
