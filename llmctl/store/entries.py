"""Reads runs back out of the ledger: lists and single runs."""

import json
import sqlite3
from collections.abc import Iterator, Mapping

from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.store.conversations import blobs, history
from llmctl.store.facts import BODY_COLUMNS, RUN_COLUMNS, bare_receipt, with_body
from llmctl.store.shape import Mode, unpack_messages
from llmctl.types import NOTHING, Json, Message, Receipt, Role, message
from llmctl.values import dataclass, replace

EXCERPT = 200  # characters of a prompt or an answer in a list


@dataclass(frozen=True, slots=True)
class Entry:
    """One run. `prompt` is the start of what was last said, None where text is not kept.

    In lists the receipt's `text` holds only its start, and `messages`, `asked` and what else is
    long is empty; `asked` is the call without model and messages.
    """

    number: int
    receipt: Receipt
    kind: str
    mode: Mode
    conversation: str | None
    tags: Mapping[str, Json]
    prompt: str | None
    messages: tuple[Message, ...] = ()
    asked: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs: `model` is any part of a name, `since` (included) and `until` (not included) UTC
    as in receipts."""

    model: str | None = None
    provider: str | None = None
    since: str | None = None
    conversation: str | None = None
    failed_only: bool = False
    until: str | None = None
    project: str | None = None
    tag: str | None = None

    def clause(self) -> tuple[str, list[str]]:
        """A WHERE clause and its parameters."""
        terms, values = ["1"], []
        if self.model is not None:
            terms.append("(instr(lower(requested), ?) OR instr(lower(resolved), ?))")
            values += [self.model.lower()] * 2
        if self.provider is not None:
            terms.append("provider = ?")
            values.append(self.provider)
        if self.since is not None:
            terms.append("started_at >= ?")
            values.append(self.since)
        if self.until is not None:
            terms.append("started_at < ?")
            values.append(self.until)
        for name, value in (("project", self.project), ("tag", self.tag)):
            if value is not None:
                terms.append(f"json_extract(tags, '$.{name}') = ?")
                values.append(value)
        if self.conversation is not None:
            terms.append("conversation = ?")
            values.append(self.conversation)
        if self.failed_only:
            terms.append("exit_code <> 0")
        return " AND ".join(terms), values


EVERY = Wanted()

ENTRY_COLUMNS = f"number, kind, mode, conversation, tags, {RUN_COLUMNS}"
STARTS = (
    f"substr(json_extract(messages, '$[#-1].parts[#-1].text'), 1, {EXCERPT}),"
    f" substr(answer, 1, {EXCERPT})"
)
# Built from the constants above alone; what users give is bound.
ONE_RUN = f"SELECT {ENTRY_COLUMNS} FROM runs WHERE id = ?"  # noqa: S608
ONE_BODY = f"SELECT continues, system, messages, asked, {BODY_COLUMNS} FROM bodies WHERE run = ?"  # noqa: S608
JOINED = "FROM runs LEFT JOIN bodies ON run = number"


def listed(
    connection: sqlite3.Connection, wanted: Wanted = EVERY, limit: int = -1
) -> Iterator[Entry]:
    """The newest runs first, at most `limit` of them (-1: all)."""
    where, values = wanted.clause()
    yield from _short(connection, f"WHERE {where} ORDER BY number DESC LIMIT ?", [*values, limit])


def ids(connection: sqlite3.Connection, wanted: Wanted) -> list[str]:
    """The ids of the runs, the newest first."""
    where, values = wanted.clause()
    query = f"SELECT id FROM runs WHERE {where} ORDER BY number DESC"  # noqa: S608  values are bound
    return [row[0] for row in connection.execute(query, values)]


def numbered(connection: sqlite3.Connection, number: int) -> Entry:
    """The short entry of the run in row `number`, which must be there."""
    return next(_short(connection, "WHERE number = ?", [number]))


def _short(connection: sqlite3.Connection, tail: str, values: list[Json]) -> Iterator[Entry]:
    query = f"SELECT {STARTS}, {ENTRY_COLUMNS} {JOINED} {tail}"
    for prompt, answer, number, kind, mode, conversation, tags, *row in connection.execute(
        query, values
    ):
        receipt = replace(bare_receipt(row), text=answer or "")
        yield Entry(number, receipt, kind, Mode(mode), conversation, json.loads(tags), prompt)


def found(connection: sqlite3.Connection, name: str) -> Entry:
    """The whole run with the id `name`, or the only one whose id begins so.

    Raises NotFound, and UsageError where several begin so.
    """
    rows = connection.execute(
        "SELECT id FROM runs WHERE id = ?1 OR substr(id, 1, length(?1)) = ?1"
        " ORDER BY id <> ?1, number DESC LIMIT 6",
        [name],
    ).fetchall()
    ids = [row[0] for row in rows]
    if not ids or not name:
        raise _no_run(name)
    if len(ids) > 1 and ids[0] != name:
        raise UsageError(
            _("several runs begin with {name}: {ids}", name=name, ids=", ".join(ids[:5])),
            hint=_("give more of the id"),
        )
    return whole(connection, ids[0])


def _no_run(name: str) -> NotFound:
    return NotFound(
        _("no run {name} is kept", name=name), hint=_("see what is there: llmctl logs list")
    )


def latest(connection: sqlite3.Connection) -> Entry:
    """The whole run that was recorded last; raises NotFound where nothing is kept."""
    row = connection.execute("SELECT id FROM runs ORDER BY number DESC LIMIT 1").fetchone()
    if row is None:
        raise NotFound(
            _("no run is kept yet"),
            hint=_('ask something first: llmctl "Why is the sky blue?"'),
        )
    return whole(connection, row[0])


def whole(connection: sqlite3.Connection, id_: str) -> Entry:
    """The run with this very id, with every text that is kept of it; raises NotFound."""
    columns = connection.execute(ONE_RUN, [id_]).fetchone()
    if columns is None:
        raise _no_run(id_)
    number, kind, mode, conversation, tags, *row = columns
    receipt = bare_receipt(row)
    body = connection.execute(ONE_BODY, [number]).fetchone()
    short = Entry(number, receipt, kind, Mode(mode), conversation, json.loads(tags), None)
    return short if body is None else _with_body(connection, short, body)


def _with_body(connection: sqlite3.Connection, short: Entry, body: tuple[Json, ...]) -> Entry:
    continues, system, packed, asked, *rest = body
    data = blobs(connection, short.number)
    own = unpack_messages(json.loads(packed), data)
    before = []
    if continues and short.conversation is not None:
        before = history(connection, short.conversation, before=short.number)
    first = [] if system is None else [message(Role.SYSTEM, system)]
    return replace(
        short,
        receipt=with_body(short.receipt, rest, data),
        prompt=own[-1].text[:EXCERPT] if own else None,
        messages=(*first, *before, *own),
        asked=json.loads(asked),
    )
