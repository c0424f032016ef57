"""The ledger: what was asked and answered, what it cost and how long it took.

Recording is best effort, reading is not: trouble while recording becomes one warning, trouble while
reading an error.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from llmctl.errors import IoFailed, LlmctlError, NotFound
from llmctl.messages import _
from llmctl.store import conversations, database, purging, writing
from llmctl.store.shape import LEDGER, Mode
from llmctl.types import NOTHING, Call, Json, Message, Receipt

# What only `llmctl logs` needs is imported where it is used: every answer is recorded.
if TYPE_CHECKING:
    from llmctl.store.compares import Kept
    from llmctl.store.entries import Entry, Wanted
    from llmctl.store.figures import By, Explained, Sums
    from llmctl.store.search import Hit
    from llmctl.store.spending import Spent

RETENTION_DAYS = 90


class Ledger:
    """The file at `path`; opened when first needed, made when first written.

    `retention_days` None or 0 keeps for ever. One connection, so for one thread; any number of
    processes may have the file open. A context manager that closes.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention_days: int | None = RETENTION_DAYS,
        timeout: float = database.BUSY_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.retention_days = retention_days or None
        self._timeout = timeout
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self._warned = False
        self._given_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ------------------------------------------------------------------------------------ writing

    def record(
        self,
        receipt: Receipt,
        call: Call,
        *,
        mode: str = Mode.FULL,
        conversation: str | None = None,
        tags: Mapping[str, Json] = NOTHING,
    ) -> str | None:
        """Keep one run; never raises. Returns a warning to print, the first time there is trouble.

        `mode` is "full", "meta" (no text) or "off". A run with a `conversation` can be continued;
        give a first turn its own receipt's id. After trouble with the file itself nothing more is
        tried, so that a batch does not wait for a locked ledger at every row.
        """
        if mode == Mode.OFF or self._given_up:
            return None
        warning = None
        try:
            try:
                self._write(receipt, call, Mode(mode), conversation, tags)
            except IoFailed as error:
                if error.reason != "damaged":
                    raise
                warning = self._start_anew()
                self._write(receipt, call, Mode(mode), conversation, tags)
        except LlmctlError as error:
            self._given_up = True
            warning = _("the ledger keeps no record of this: {cause}", cause=error.message)
        except Exception as error:  # an answer is worth more than its record, whatever happened
            warning = _(
                "the ledger keeps no record of this run ({kind})", kind=type(error).__name__
            )
        if self._warned:
            return None
        self._warned = warning is not None
        return warning

    def _write(
        self,
        receipt: Receipt,
        call: Call,
        mode: Mode,
        conversation: str | None,
        tags: Mapping[str, Json],
    ) -> None:
        with self._open(create=True) as connection:
            purged = False
            with database.transaction(connection):
                number = writing.insert_run(connection, receipt, call, mode, conversation, tags)
                if mode is Mode.FULL:
                    writing.insert_body(connection, number, receipt, call, conversation)
                if self.retention_days is not None:
                    purged = purging.purge_daily(connection, self.retention_days, self._now())
            if purged:
                purging.flush(connection)

    def record_comparison(self, kept: Kept) -> str | None:
        """Keep one comparison; never raises. Returns a warning to print where it is not kept."""
        from llmctl.store import compares

        try:
            with self._open(create=True) as connection, database.transaction(connection):
                compares.insert(connection, kept)
        except LlmctlError as error:
            return _("the ledger keeps no record of this: {cause}", cause=error.message)
        except Exception as error:  # as above: the comparison itself is worth more
            return _("the ledger keeps no record of this run ({kind})", kind=type(error).__name__)
        return None

    def _start_anew(self) -> str:
        """Move a damaged file aside, unless another process has done so; what to tell the user."""
        self.close()
        aside = writing.move_damaged(self.path, self._now(), self._timeout)
        if aside is None:
            return _("the ledger was damaged, and another llmctl began a new one")
        return _("the ledger was damaged; it is now {path}, and a new one begins", path=aside)

    def purge(
        self,
        *,
        older_than_days: float | None = None,
        id: str | None = None,
        everything: bool = False,
    ) -> int:
        """Delete for good, by exactly one of age, id (or its beginning) and everything; how many.

        Everything includes damaged ledgers that were moved aside. Raises IoFailed where another
        process keeps the deleted text readable in the journal.
        """
        from llmctl.store import entries, figures

        with self._open() as connection:
            if everything:
                for path in figures.set_aside(self.path):
                    path.unlink(missing_ok=True)
                purged = purging.purge_all(connection)
            elif id is not None:
                purged = purging.purge_one(connection, entries.found(connection, id).receipt.id)
            elif older_than_days is not None:
                moment = purging.cutoff(older_than_days, self._now())
                purged = purging.purge_before(connection, moment)
            else:
                raise ValueError("what to purge?")
            if not purging.flush(connection):
                raise IoFailed(
                    _("deleted, but another program still has the ledger open"),
                    hint=_("run the same command again when it is done: {path}", path=self.path),
                    reason="locked",
                    retryable=True,
                )
        return purged

    # ------------------------------------------------------------------------------------ reading

    def list(self, limit: int = 20, wanted: Wanted | None = None) -> tuple[Entry, ...]:
        """Short entries, the newest first; a `limit` of -1 means all."""
        from llmctl.store import entries

        with self._open() as connection:
            return tuple(entries.listed(connection, wanted or entries.EVERY, limit))

    def each(self, wanted: Wanted | None = None) -> Iterator[Entry]:
        """Whole entries, the newest first, one in memory at a time."""
        from llmctl.store import entries

        with self._open() as connection:
            for id_ in entries.ids(connection, wanted or entries.EVERY):
                with suppress(NotFound):  # purged by another process meanwhile
                    yield entries.whole(connection, id_)

    def get(self, name: str) -> Entry:
        """A whole run, by its id or the beginning of it; raises NotFound, UsageError."""
        from llmctl.store import entries

        with self._open() as connection:
            return entries.found(connection, name)

    def last(self) -> Entry:
        """The whole run recorded last; raises NotFound."""
        from llmctl.store import entries

        with self._open() as connection:
            return entries.latest(connection)

    def comparisons(self, limit: int = 20) -> tuple[Kept, ...]:
        """Comparisons without their documents, the newest first."""
        from llmctl.store import compares

        with self._open() as connection:
            return tuple(compares.listed(connection, limit))

    def comparison(self, name: str) -> Kept:
        """A whole comparison, by its id, the beginning of it, or "last"; raises NotFound,
        UsageError."""
        from llmctl.store import compares

        with self._open() as connection:
            return compares.found(connection, name)

    def last_conversation(self) -> str | None:
        """The conversation in which something was last answered; None where there is none."""
        with self._open() as connection:
            return conversations.last_conversation(connection)

    def last_model(self, conversation: str) -> str | None:
        """The model that was asked last in a conversation; None where there is none."""
        with self._open() as connection:
            return conversations.last_model(connection, conversation)

    def messages(self, conversation: str) -> tuple[Message, ...]:
        """What to send before the next turn of a conversation; raises NotFound."""
        with self._open() as connection:
            return conversations.conversation_messages(connection, conversation)

    def search(self, text: str, limit: int = 20) -> tuple[Hit, ...]:
        """The newest runs with all words of `text`; see the module search."""
        from llmctl.store import search

        with self._open() as connection:
            return tuple(search.search(connection, text, limit))

    def stats(self, by: By, since: str = "") -> tuple[Sums, ...]:
        from llmctl.store import figures

        with self._open() as connection:
            return tuple(figures.stats(connection, by, since))

    def spending(self, by: By, wanted: Wanted | None = None) -> Iterator[Spent]:
        """Each run with what it cost and used, in the order they were recorded."""
        from llmctl.store import entries, spending

        with self._open() as connection:
            yield from spending.spending(connection, by, wanted or entries.EVERY)

    def explain(self) -> Explained:
        from llmctl.store import figures

        with self._open() as connection:
            return figures.explained(connection, self.path, self.retention_days)

    # -------------------------------------------------------------------------------------- inside

    @contextmanager
    def _open(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The connection; what SQLite raises while it is used comes out as an LlmctlError.

        Reading a ledger that is not there reads an empty one, and makes no file.
        """
        with database.said_plainly(self.path):
            if self._connection is None:
                if create or self.path.exists():
                    self._connection = database.connect(self.path, LEDGER, timeout=self._timeout)
                else:
                    with closing(database.in_memory(LEDGER)) as nothing:
                        yield nothing
                    return
            yield self._connection
