"""Comparisons in the ledger: what was asked of whom and every answer, to be shown and done
again."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence

from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.store.shape import Mode, written
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass

LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One comparison: `figures` is what lists show of it; `document` is plain data, None in lists;
    `runs` are the ids of the runs whose texts stand in it."""

    id: str
    started_at: str
    mode: Mode = Mode.FULL
    figures: Json = NOTHING
    document: Json = None
    runs: Sequence[str] = ()


def insert(connection: sqlite3.Connection, kept: Kept) -> None:
    packed = zlib.compress(written(kept.document).encode())
    connection.execute(
        "INSERT INTO comparisons (id, started_at, mode, figures, document) VALUES (?, ?, ?, ?, ?)",
        [kept.id, kept.started_at, kept.mode, written(kept.figures), packed],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO compared (run, comparison)"
        " SELECT ?, number FROM comparisons WHERE id = ?",
        [(run, kept.id) for run in kept.runs],
    )


def listed(connection: sqlite3.Connection, limit: int) -> Iterator[Kept]:
    """Without documents, the newest first; a `limit` of -1 means all."""
    query = "SELECT id, started_at, mode, figures FROM comparisons ORDER BY number DESC LIMIT ?"
    for id_, started_at, mode, figures in connection.execute(query, [limit]):
        yield Kept(id=id_, started_at=started_at, mode=Mode(mode), figures=json.loads(figures))


def found(connection: sqlite3.Connection, name: str) -> Kept:
    """The comparison of that id, or the only one whose id begins so; the newest for "last"."""
    if name == LAST:
        where, values = "1 ORDER BY number DESC LIMIT 1", []
    else:
        where = "substr(id, 1, length(?1)) = ?1 ORDER BY id <> ?1 LIMIT 2"
        values = [name]
    rows = connection.execute(
        f"SELECT id, started_at, mode, figures, document FROM comparisons WHERE {where}",  # noqa: S608
        values,
    ).fetchall()
    hint = _("see what is there: llmctl compare --list")
    if not rows or not name:
        raise NotFound(
            _("no comparison is kept yet")
            if name == LAST
            else _("no comparison {name} is kept", name=name),
            hint=hint,
        )
    if len(rows) > 1 and rows[0][0] != name:
        raise UsageError(_("several comparisons begin with {name}", name=name), hint=hint)
    id_, started_at, mode, figures, packed = rows[0]
    return Kept(
        id=id_,
        started_at=started_at,
        mode=Mode(mode),
        figures=json.loads(figures),
        document=json.loads(zlib.decompress(packed)),
    )
