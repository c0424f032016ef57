"""The journal of a job: what it is, and what became of every row of its input.

It is the truth about what is done. The output has the bytes; the journal knows where each row's
line ends in it. A commit outlives the process that made it; what a power cut may take of the last
second is found again by `after`, since `mark` says up to where the disk has both.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.store import database
from llmctl.store.job_rows import Clash, Counts, End, Entry, Kind, Lines, Place, State
from llmctl.values import Json

__all__ = ["Clash", "Counts", "End", "Entry", "Journal", "Kind", "Lines", "Place", "State"]

# `name` is null where an earlier row has the same. `size` is the length of the output after the
# row's line, `length` and `crc` are of that line. The lines of the errors file stand apart, so that
# rows stay small: counting a million of them reads 40 MB, however much was said about the failed.
ROWS = """
CREATE TABLE job (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (
    line INTEGER PRIMARY KEY,
    name INTEGER,
    digest INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    length INTEGER NOT NULL DEFAULT 0,
    crc INTEGER NOT NULL DEFAULT 0,
    code TEXT
);
CREATE UNIQUE INDEX names ON rows (name);
CREATE INDEX failed ON rows (code) WHERE state = 2;
CREATE TABLE errors (line INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""

JOURNAL = database.Schema(
    name="journal",
    application_id=0x6C6D6A6F,  # "lmjo"
    migrations=(ROWS,),
    own_folder=False,
)

CACHE_KB = 24_000  # holds the index of a million names, which is written in any order
# New names fall all over that index. Copying its pages from the log into the file once in 64 MB
# instead of 4 MB makes registering twice as fast.
LOG_PAGES = 16_000
SYNCED = "synced"  # a key of ours among those of the job
EVERYTHING = (1 << 63) - 1  # the longest a file can be
BATCH = 10_000  # rows fetched at once

# Left to itself SQLite would go through the index of twins, which is in another order.
PLACES = "SELECT line, size - length, length, crc FROM rows NOT INDEXED WHERE state = 1"


class Journal:
    """The journal at `path`, which is made where there is none, unless it is only to be read.

    One process writes it at a time (whoever holds the lock of the job), any number may read,
    unless it is opened `alone`, as a journal on network storage has to be.
    Several threads of that process may use it, one at a time. Everything raises IoFailed where the
    file cannot be used, and ConfigError where it is not ours.
    """

    def __init__(self, path: Path, *, make: bool = True, alone: bool = False) -> None:
        if not make and not path.is_file():
            raise UsageError(
                _("there is no journal {path}", path=path),
                hint=_("name the output of a job as it was given to `batch run --output`"),
            )
        self.path = path
        self._connection = database.connect(path, JOURNAL, one_thread=False, alone=alone)
        self._run = self._connection.execute
        with database.said_plainly(path):
            self._run(f"PRAGMA cache_size=-{CACHE_KB}")
            self._run(f"PRAGMA wal_autocheckpoint={LOG_PAGES}").close()
        self._finds_twins = False
        self._file = _identity(path)

    @property
    def in_place(self) -> bool:
        """Whether this is still the file at its path: one that was removed can be written for ever,
        and nobody will see it."""
        return self._file is not None and _identity(self.path) == self._file

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # ---- what the job is ------------------------------------------------------------------------

    @property
    def job(self) -> Mapping[str, Json] | None:
        """What was given to `begin` and noted since; None where no job was begun."""
        with database.said_plainly(self.path):
            found = self._run("SELECT key, value FROM job WHERE key != ?", [SYNCED]).fetchall()
        return {key: json.loads(value) for key, value in found} or None

    def begin(self, job: Mapping[str, Json], synced: int = 0) -> None:
        """Forget everything and begin this job, with an output of `synced` bytes; durable."""
        with self._durably():
            for table in ("rows", "errors", "job"):
                self._run(f"DELETE FROM {table}")  # noqa: S608  names of ours
            for key, value in job.items():
                self._note(key, value)
            self._note(SYNCED, synced)

    def note(self, key: str, value: Json) -> None:
        """Remember one more thing about the job."""
        with self._writing():
            self._note(key, value)

    @property
    def synced(self) -> int:
        """The length of the output when it was last made durable."""
        with database.said_plainly(self.path):
            found = self._run("SELECT value FROM job WHERE key = ?", [SYNCED]).fetchone()
        return 0 if found is None else int(found[0])

    def mark(self, size: int) -> None:
        """Make everything so far outlive a power cut, and remember that the output does too, up to
        `size` bytes. Waits for the disk."""
        with self._durably():
            self._note(SYNCED, size)

    def _note(self, key: str, value: Json) -> None:
        self._run("INSERT OR REPLACE INTO job VALUES (?, ?)", [key, json.dumps(value)])

    # ---- rows of the input ----------------------------------------------------------------------

    def register(self, entries: Sequence[Entry], *, add: bool = True) -> list[Clash]:
        """Take down rows of the input in one transaction, and say what is odd about which.

        Rows that stand there already, unchanged, are nothing. New ones are not taken down unless
        they are to be added. Ten thousand at once are four times as fast as a hundred.
        """
        if not entries:
            return []
        with self._writing():
            known = self._run(
                "SELECT line, name, digest FROM rows WHERE line BETWEEN ? AND ? ORDER BY line",
                [min(entries)[0], max(entries)[0]],
            ).fetchall()
            if known == list(entries):
                return []
            clashes: list[Clash] = []
            fresh = self._compare(entries, known, clashes) if known else entries
            if not add:
                return [*clashes, *(Clash(entry.line, Kind.NEW) for entry in fresh)]
            return clashes + self._insert(fresh)

    def _compare(
        self,
        entries: Sequence[Entry],
        known: list[tuple[int, int | None, int]],
        clashes: list[Clash],
    ) -> list[Entry]:
        """The entries whose lines are not known; what is odd about the others goes to clashes."""
        stands = {line: (name, digest) for line, name, digest in known}
        fresh = []
        for entry in entries:
            line, name, digest = entry
            found = stands.get(line)
            if found is None:
                fresh.append(entry)
            elif found != (name, digest):
                first = self._named(name)
                again = found[0] is None and found[1] == digest and first is not None
                clashes.append(Clash(line, Kind.DUPLICATE if again else Kind.CHANGED, first))
        return fresh

    def _insert(self, fresh: Sequence[Entry]) -> list[Clash]:
        insert = "INSERT OR IGNORE INTO rows (line, name, digest) VALUES (?, ?, ?)"
        if self._connection.executemany(insert, fresh).rowcount == len(fresh):
            return []
        clashes = []
        for line, name, digest in fresh:
            first = self._named(name)
            if first != line:
                clashes.append(Clash(line, Kind.DUPLICATE, first))
                self._run(insert, [line, None, digest])
        return clashes

    def _named(self, name: int) -> int | None:
        found = self._run("SELECT line FROM rows WHERE name = ?", [name]).fetchone()
        return None if found is None else int(found[0])

    # ---- what became of them --------------------------------------------------------------------

    def finish(self, ends: Sequence[End]) -> None:
        """Take down what became of rows, in one transaction."""
        with self._writing():
            changed = self._connection.executemany(
                "UPDATE rows SET state = ?, size = ?, length = ?, crc = ?, code = ? WHERE line = ?",
                [(*end[1:6], end[0]) for end in ends],
            ).rowcount
            if changed != len(ends):
                raise ValueError("a row ended that was never registered")
            failed = [(end.line, end.error or b"") for end in ends if end.state is State.FAILED]
            if failed:
                self._connection.executemany("INSERT OR REPLACE INTO errors VALUES (?, ?)", failed)

    def wait(self, codes: Sequence[str] | None = None, lines: Sequence[int] | None = None) -> int:
        """Put failed rows back to waiting, all or those with these codes or lines (or both), and
        say how many. One whose id an earlier row has stays failed: it can only be mended."""
        chosen, values = "state = 2", []
        for column, some in (("code", codes), ("line", lines)):
            if some is not None:
                chosen += f" AND {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
                values.append(json.dumps(list(some)))
        with self._writing():
            self._run(
                f"DELETE FROM errors WHERE line IN (SELECT line FROM rows WHERE {chosen})",  # noqa: S608  no value in it
                values,
            )
            return self._run(
                f"UPDATE rows SET state = 0, code = NULL WHERE {chosen}",  # noqa: S608  the same
                values,
            ).rowcount

    def forget(self, lines: Sequence[int]) -> None:
        """Put rows back to waiting, whatever became of them."""
        one = [(line,) for line in lines]
        with self._writing():
            self._connection.executemany("DELETE FROM errors WHERE line = ?", one)
            self._connection.executemany(
                "UPDATE rows SET state = 0, size = 0, length = 0, crc = 0, code = NULL"
                " WHERE line = ?",
                one,
            )

    # ---- looking at them ------------------------------------------------------------------------

    def lines(self, *states: State) -> Lines:
        """The lines of all rows in one of these states."""
        found = Lines()
        chosen = ", ".join(str(int(state)) for state in states)
        for batch in self._batches(
            f"SELECT line FROM rows WHERE state IN ({chosen}) ORDER BY line"  # noqa: S608  numbers
        ):
            found.update([line for (line,) in batch])
        return found

    def state(self, line: int) -> State | None:
        """What became of one row; None where there is no such row."""
        with database.said_plainly(self.path):
            found = self._run("SELECT state FROM rows WHERE line = ?", [line]).fetchone()
        return None if found is None else State(found[0])

    def is_named(self, line: int, name: int) -> bool:
        """Whether the row of this line is the one of this name."""
        return self._named(name) == line

    def has_twins(self) -> bool:
        """Whether any two rows have the same content; reads every row."""
        query = "SELECT 1 FROM rows WHERE digest != 0 GROUP BY digest HAVING count(*) > 1 LIMIT 1"
        with database.said_plainly(self.path):
            return self._run(query).fetchone() is not None

    def counts(self) -> Counts:
        """All rows by what became of them, as of one moment; reads every row."""
        with database.said_plainly(self.path), database.snapshot(self._connection):
            total, done = self._run(
                "SELECT count(*), coalesce(sum(state = 1), 0) FROM rows"
            ).fetchone()
            causes = self._run(
                "SELECT coalesce(code, ''), count(*) FROM rows WHERE state = 2 GROUP BY code"
            ).fetchall()
        failed = sum(count for _code, count in causes)
        return Counts(total, done, failed, total - done - failed, dict(causes))

    def failures(self, after: int = 0) -> Iterator[bytes]:
        """The lines of the errors file, in order of line, beyond line `after`."""
        query = "SELECT data FROM errors WHERE line > ? ORDER BY line"
        for batch in self._batches(query, after, size=100):
            for (data,) in batch:
                yield data

    def first_failures(self) -> dict[str, bytes]:
        """By the code of each cause, the line of the errors file of the first row that has it."""
        with database.said_plainly(self.path):
            found = self._run(
                "SELECT first.code, data FROM errors JOIN"
                " (SELECT code, min(line) AS line FROM rows WHERE state = 2 GROUP BY code) AS first"
                " USING (line)"
            ).fetchall()
        return {code or "": data for code, data in found}

    def place(self, line: int) -> Place | None:
        """Where the line of a done row stands in the output."""
        with database.said_plainly(self.path):
            found = self._run(f"{PLACES} AND line = ?", [line]).fetchone()
        return None if found is None else Place(*found)

    def in_order(self) -> Iterator[Place]:
        """Where the lines of all done rows stand, in order of line."""
        for batch in self._batches(f"{PLACES} ORDER BY line"):
            yield from map(Place._make, batch)

    def after(self, size: int) -> list[Place]:
        """The done rows whose lines end beyond `size` bytes of the output, as they stand there."""
        with database.said_plainly(self.path):
            found = self._run(f"{PLACES} AND size > ? ORDER BY size", [size]).fetchall()
        return [Place(*one) for one in found]

    def last(self, size: int | None = None) -> Place | None:
        """The done row whose line ends last in the output, or last in its first `size` bytes."""
        with database.said_plainly(self.path):
            found = self._run(
                f"{PLACES} AND size <= ? ORDER BY size DESC LIMIT 1",
                [EVERYTHING if size is None else size],
            ).fetchone()
        return None if found is None else Place(*found)

    def twin(self, digest: int, line: int) -> int | None:
        """The line of another row with the same content that is done, the first there is.

        Their index costs each finished row some ten microseconds, so it is made when it is first
        asked for. It is sorted in a file, which holds numbers only, however many rows there are.
        """
        with database.said_plainly(self.path):
            if not self._finds_twins:
                self._run("PRAGMA temp_store=FILE")
                self._run("CREATE INDEX IF NOT EXISTS twins ON rows (digest) WHERE state = 1")
                self._finds_twins = True
            found = self._run(
                "SELECT min(line) FROM rows WHERE state = 1 AND digest = ? AND line != ?",
                [digest, line],
            ).fetchone()
        return None if found[0] is None else int(found[0])

    def _batches(
        self, query: str, *values: int, size: int = BATCH
    ) -> Iterator[list[tuple[Json, ...]]]:
        with database.said_plainly(self.path):
            cursor = self._run(query, values)
            while batch := cursor.fetchmany(size):
                yield batch

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with database.said_plainly(self.path), database.transaction(self._connection):
            yield

    @contextmanager
    def _durably(self) -> Iterator[None]:
        """A transaction that waits for the disk, and so for all those before it."""
        with database.said_plainly(self.path):
            self._run("PRAGMA synchronous=FULL")
            try:
                with database.transaction(self._connection):
                    yield
            finally:
                self._run("PRAGMA synchronous=NORMAL")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
