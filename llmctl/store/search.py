"""Finds runs by their text.

The full-text index is filled when somebody searches, not when an answer is recorded: recording
stays fast, and purging can drop the index whole, so that no word of a purged run stays in it.
Without FTS5, or where nothing matches from the start of a word, every text is read instead.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from llmctl.store.database import snapshot, transaction
from llmctl.store.entries import Entry, numbered
from llmctl.values import dataclass

AROUND = 60  # characters shown on either side of what was found

INDEX = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search"
    " USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
)
BODY = "SELECT run, system, messages, answer, reasoning, tool_calls FROM bodies"


@dataclass(frozen=True, slots=True)
class Hit:
    """A run and the piece of its text around what was looked for."""

    entry: Entry
    excerpt: str


def search(connection: sqlite3.Connection, text: str, limit: int = 20) -> list[Hit]:
    """The newest runs in which every word of `text` begins a word, or else stands anywhere.

    Upper and lower case, and the Russian ё and е, count as the same. A `limit` of -1 means all.
    """
    words = re.findall(r"\w+", folded(text))
    parts = words or [folded(text).strip()]
    if words:
        _fill(connection)
    with snapshot(connection):
        found = _matching(connection, words, limit)
        if not found and parts[0]:
            found = list(islice(_scan(connection, parts), limit if limit >= 0 else None))
        return [_hit(connection, number, parts) for number in found]


def folded(text: str) -> str:
    return text.casefold().replace("ё", "е")


def _fill(connection: sqlite3.Connection) -> None:
    """Bring the index up to the last run. Where this SQLite has no FTS5 or the file cannot be
    written now there is none, and the search reads every text."""
    last = connection.execute("SELECT coalesce(max(run), 0) FROM bodies").fetchone()[0]
    if last > _indexed_to(connection):
        with suppress(sqlite3.OperationalError), transaction(connection):
            _add_new(connection)


def _add_new(connection: sqlite3.Connection) -> None:
    connection.execute(INDEX)
    after = _indexed_to(connection)
    for number, *body in connection.execute(f"{BODY} WHERE run > ? ORDER BY run", [after]):
        connection.execute(
            "INSERT INTO search (rowid, text) VALUES (?, ?)", [number, folded(_text(body))]
        )
        after = number
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('indexed_to', ?)", [str(after)])


def _indexed_to(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE name = 'indexed_to'").fetchone()
    return 0 if row is None else int(row[0])


def _matching(connection: sqlite3.Connection, words: list[str], limit: int) -> list[int]:
    query = " ".join(f'"{word}"*' for word in words)
    try:
        rows = connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?",
            [query, limit],
        )
        return [row[0] for row in rows]
    except sqlite3.OperationalError:  # there is no index
        return []


def _scan(connection: sqlite3.Connection, parts: list[str]) -> Iterator[int]:
    """The newest runs first whose texts hold all `parts` anywhere."""
    for number, *body in connection.execute(f"{BODY} ORDER BY run DESC"):
        text = folded(_text(body))
        if all(part in text for part in parts):
            yield number


def _text(body: list[str | None]) -> str:
    """Everything said in a run, one text a line."""
    system, messages, answer, reasoning, tool_calls = body
    said = [
        part.get("text") or part.get("arguments") or part.get("name") or ""
        for one in json.loads(messages or "[]")
        for part in one["parts"]
    ]
    called = [f"{call['name']} {call['arguments']}" for call in json.loads(tool_calls or "[]")]
    return "\n".join(filter(None, [system, *said, answer, reasoning, *called]))


def _hit(connection: sqlite3.Connection, number: int, parts: list[str]) -> Hit:
    body = connection.execute(f"{BODY} WHERE run = ?", [number]).fetchone()
    return Hit(numbered(connection, number), excerpt(_text(body[1:]), parts))


def excerpt(text: str, parts: list[str]) -> str:
    """One line of `text` around the first of `parts` that is found in it."""
    low = folded(text)
    places = [low.find(part) for part in parts]
    place = min((place for place in places if place >= 0), default=0)
    # Folding may lengthen a text (ß becomes ss): the place is near enough for an excerpt.
    start, end = max(0, place - AROUND), place + AROUND
    piece = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{piece}{'…' if end < len(text) else ''}"
