"""Answers kept to be given again, by what was asked: a cache, which is nobody's only copy.

    answers = Answers(path)
    answers.get(key)                       # (bytes, when it was made), None where there is none
    answers.put([(key, data), ...])
    answers.notes                          # what to say, such as of a file that is damaged

A cache is in nobody's way: a file that cannot be used is said once in `notes`, after which nothing
is found and nothing is kept. The file is private, and holds no more than `limit` bytes: what was
not used for longest goes first.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from llmctl import files
from llmctl.errors import IoFailed, LlmctlError
from llmctl.messages import _
from llmctl.store import database
from llmctl.store.purging import DAY_S, flush
from llmctl.types import Notice

# `key` is a digest of what was asked, `value` compressed; times are Unix seconds.
ANSWERS = """
CREATE TABLE answers (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    made_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX answers_by_use ON answers (used_at);
CREATE INDEX answers_by_age ON answers (made_at);
"""

SHAPE = database.Schema(
    name="file of answers",
    application_id=0x6C6D6177,  # "lmaw"
    migrations=(ANSWERS,),
)

FILE = "answers.db"
LIMIT = 1_000_000_000
# Bytes of one answer, compressed, above which it is not kept.
LARGEST = 16_000_000
# What is left of a full file, so that not every answer more makes room anew.
KEPT = 0.9
# Answers that go at a time while room is made.
BATCH = 500
# How exactly the last use is known, in seconds: not every answer that is found is written to.
USED_S = 3_600


def purge_answers(path: Path, older_than_days: float | None = None) -> int:
    """Delete the answers that are older, or all of them and a damaged file with them; how many.
    Raises ConfigError and IoFailed where they cannot be deleted."""
    if not path.exists():
        return 0
    with Answers(path) as answers:
        if answers.failure is None:
            return answers.purge(older_than_days or 0)
    if older_than_days is not None or answers.failure.reason != "damaged":
        raise answers.failure
    for name in ("", *database.BESIDE):
        try:
            path.with_name(path.name + name).unlink(missing_ok=True)
        except OSError as error:
            raise files.io_failed(error, path) from error
    return 0


class Answers:
    """The file at `path`, open, made where there is none. For one thread; raises nothing of the
    file."""

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        self.notes: list[Notice] = []
        self.failure: LlmctlError | None = None
        self._path = path
        self._limit = limit
        self._used: dict[int, int] = {}
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = database.connect(path, SHAPE)
        except LlmctlError as error:
            self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether anything can be found or kept."""
        return self._connection is not None

    def get(self, key: bytes) -> tuple[bytes, float] | None:
        """An answer and when it was made (Unix seconds)."""
        if self._connection is None:
            return None
        now = int(time.time())
        try:
            with database.said_plainly(self._path):
                row = self._connection.execute(
                    "SELECT number, made_at, used_at, value FROM answers WHERE key = ?", (key,)
                ).fetchone()
            if row is None:
                return None
            number, made_at, used_at, value = row
            data = zlib.decompress(value)
        except LlmctlError as error:
            self._give_up(error)
            return None
        except (zlib.error, TypeError):
            self._give_up(database.damaged(self._path))
            return None
        if now - used_at >= USED_S:
            self._used[number] = now
        return data, float(made_at)

    def put(self, many: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep answers by their keys, in place of those there; one transaction."""
        if self._connection is None:
            return
        now = int(time.time())
        rows = [
            (key, now, now, value)
            for key, data in many
            if len(value := zlib.compress(data, 1)) <= LARGEST
        ]
        try:
            with (
                database.said_plainly(self._path),
                database.transaction(self._connection),
            ):
                self._remember_uses()
                self._connection.executemany(
                    "INSERT OR REPLACE INTO answers (key, made_at, used_at, value)"
                    " VALUES (?, ?, ?, ?)",
                    rows,
                )
                if self._size() > self._limit:
                    self._make_room()
        except LlmctlError as error:
            self._give_up(error)

    def purge(self, older_than_days: float = 0) -> int:
        """Delete what is older, so that nothing of it stays in the files; how many answers. Raises
        IoFailed, since whoever wants them gone has to know."""
        if self._connection is None:
            return 0
        before = time.time() - older_than_days * DAY_S
        with database.said_plainly(self._path):
            with database.transaction(self._connection):
                purged = self._connection.execute(
                    "DELETE FROM answers WHERE made_at <= ?", (before,)
                ).rowcount
            # Not execute(): it would stop after the first page.
            self._connection.executescript("PRAGMA incremental_vacuum")
            is_gone = flush(self._connection)
        if not is_gone:
            raise IoFailed(
                _("deleted, but another program still has {path} open", path=self._path),
                hint=_("run the same command again when it is done: {path}", path=self._path),
                reason="locked",
                retryable=True,
            )
        return purged

    def close(self) -> None:
        if self._connection is None:
            return
        if self._used:
            with (
                suppress(LlmctlError),
                database.said_plainly(self._path),
                database.transaction(self._connection),
            ):
                self._remember_uses()
        self._connection.close()
        self._connection = None

    def _remember_uses(self) -> None:
        assert self._connection is not None  # noqa: S101  asked before
        self._connection.executemany(
            "UPDATE answers SET used_at = ? WHERE number = ?",
            [(at, number) for number, at in self._used.items()],
        )
        self._used.clear()

    def _size(self) -> int:
        """Bytes of the file that are in use."""
        assert self._connection is not None  # noqa: S101  asked before
        pages, free, each = (
            database.number(self._connection, f"PRAGMA {name}")
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * each

    def _make_room(self) -> None:
        assert self._connection is not None  # noqa: S101  asked before
        while self._size() > self._limit * KEPT:
            gone = self._connection.execute(
                "DELETE FROM answers WHERE number IN"
                " (SELECT number FROM answers ORDER BY used_at, number LIMIT ?)",
                (BATCH,),
            ).rowcount
            if not gone:
                return

    def _give_up(self, error: LlmctlError) -> None:
        """No cache from here on; the file stays as it is, for whoever may know what to do."""
        self.failure = error
        self.notes.append(
            Notice("no-cache", _("answers are neither found nor kept: {why}", why=error.message))
        )
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
