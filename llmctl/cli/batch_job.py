"""Opens a job: the first run of it begins one, any later run goes on with it, if it is the same."""

from collections.abc import AsyncGenerator, Container, Mapping
from contextlib import ExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Self

from llmctl.batch.changes import differences
from llmctl.batch.native import NativeFiles
from llmctl.batch.plain_files import check_kind
from llmctl.batch.registering import SAMPLE, SAMPLE_SIZE, Looked, Registering, length
from llmctl.batch.results import Results
from llmctl.batch.shape import PASSING
from llmctl.batch.sharding import Shard
from llmctl.cli.batch_apart import check_apart
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_files import (
    Paths,
    adopts,
    described,
    input_of,
    paths_of,
    resume_command,
)
from llmctl.cli.batch_first import held_back
from llmctl.cli.batch_peek import check_comes, check_usable, no_rows
from llmctl.cli.batch_refused import another, at_the_provider, changed_input, other_way
from llmctl.cli.loop import run_async
from llmctl.engine.meter import call_id, utc_now
from llmctl.errors import LlmctlError, UsageError
from llmctl.output import streams
from llmctl.output.terminal import safe_line
from llmctl.rows import HUB, BadRow, Row, open_rows
from llmctl.store.journal import Journal, State
from llmctl.types import Json

# As many rows tell how fast others will be.
TELLING = 20

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmctl.cli.batch_calls import Maker
    from llmctl.cli.batch_keeper import Kept
    from llmctl.settings import Loaded


class Job:
    """A job that is held against other processes. `what` is what it asks, `source` the state of its
    input; `looked` is None where the input is the one that was looked at before; `gone` is what to
    say where rows of the job did not come any more."""

    def __init__(self, asked: BatchAsked, loaded: "Loaded", maker: "Maker", output: str) -> None:
        self.asked = asked
        self.paths: Paths = paths_of(asked, output)
        check_apart(asked, self.paths)
        self.what = described(asked, maker, loaded)
        self.source = self._state_of_input()
        self.looked: Looked | None = None
        self.is_new = False
        self.gone: LlmctlError | None = None
        self._loaded = loaded
        self._maker = maker
        self._noted: set[str] = set()
        self._shard = None if asked.shard is None else Shard.read(asked.shard)
        self._held = ExitStack()

    def _state_of_input(self) -> Mapping[str, Json]:
        return input_of(self.asked.source)

    def _journal(self) -> Journal:
        return Journal(self.paths.journal)

    def __enter__(self) -> Self:
        for path in (self.paths.output, self.paths.rows, self.paths.errors):
            check_kind(path)
        with ExitStack() as held:
            self.journal = held.enter_context(self._journal())
            self.results = held.enter_context(
                Results.open(
                    self.paths.output,
                    self.journal,
                    working=self.paths.working,
                    errors=self.paths.errors,
                    adopt=adopts(self.journal),
                )
            )
            try:  # from here on it is held, and what stands in it is ours
                self._open()
            except BaseException:
                if self.journal.job is None:
                    self._drop_journal()
                raise
            self._held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        if self.is_new and not self.journal.counts().total:
            self._drop_journal()  # nothing but names would be left of the job
            with suppress(OSError):
                if not self.paths.rows.stat().st_size:
                    self.paths.rows.unlink()
        self._held.__exit__(*error)  # type: ignore[arg-type]

    def _drop_journal(self) -> None:
        """A journal of no job is of no use. It goes while the lock is still held, and the lock
        last: what comes after may be another process's."""
        for ending in ("", "-wal", "-shm", ".lock"):
            with suppress(OSError):
                self.paths.journal.with_name(self.paths.journal.name + ending).unlink()

    def _open(self) -> None:
        job = self.journal.job
        if job is None or self.asked.restart:
            self._begin()
            return
        before = _mapping(job.get("what"))
        if before.get("way") != self.what.get("way"):
            raise other_way(self.paths, handed_in="way" in before)
        found = differences(before, self.what)
        if found:
            raise another(found, self.paths)
        self.results.resume()

    def _begin(self) -> None:
        sets = NativeFiles(self.paths.output)
        handed_in = sets.read()
        if handed_in is not None and handed_in.open:
            raise at_the_provider(handed_in, self.paths)
        if self.asked.restart:  # answers are thrown away only for those of rows that are there
            if self.asked.source is None:
                check_comes()
            elif self._comes_again():
                run_async(check_usable(self._ours(), self._maker.make, self.asked.source))
        self.is_new = True
        self.results.begin(self._described(), restart=self.asked.restart)
        if handed_in is not None:
            sets.forget(handed_in)

    def _wait_again(self) -> None:
        """Put failed rows back: once it is known that they can be asked."""
        causes = PASSING if self.asked.causes is None else self.asked.causes or None
        if self.journal.wait(causes):
            self.results.rewrite_errors()

    def _described(self) -> dict[str, Json]:
        return {
            "id": call_id(),
            "started_at": utc_now(),
            "what": dict(self.what),
            "input": self.source,
            "asked": dict(self.asked.again()),
            "working": self.paths.working,
            "registered": False,
            "command": None if self.asked.output == "-" else resume_command(),
        }

    @property
    def id(self) -> str:
        return str(_mapping(self.journal.job).get("id"))

    @property
    def started_at(self) -> str:
        return str(_mapping(self.journal.job).get("started_at"))

    @property
    def last_pace(self) -> float | None:
        """Rows a second of the last run, where there was one that tells."""
        run = _mapping(_mapping(_mapping(self.journal.job).get("last")).get("run"))
        pace, rows = run.get("rows_per_s"), run.get("rows")
        return float(pace) if pace and isinstance(rows, int) and rows >= TELLING else None

    # ---- the input

    @property
    def is_stream(self) -> bool:
        """Whether rows can be read once only, and so are sent as they come."""
        return self.source["digest"] is None

    def _comes_again(self) -> bool:
        """Whether reading rows leaves them there: those of a file, and of a hub."""
        return not self.is_stream or (self.asked.source or "").startswith(HUB)

    def has_twins(self) -> bool:
        """Whether rows may be identical: of those of a file it is known."""
        return self.is_stream or self.journal.job is None or self.journal.job.get("twins") is True

    async def look(self, kept: "Kept", tell: "Callable[[int], None]") -> None:
        """Take down all rows of the input, where that was not done. Raises UsageError for an input
        that is another one than before, and for one without rows."""
        job = _mapping(self.journal.job)
        before = _mapping(job.get("input"))
        registered = job.get("registered") is True
        same = before.get("digest") == self.source["digest"]
        limited = job.get("limit") != self.asked.limit
        unseen = not (self.is_stream or (registered and same and not limited))
        if unseen and registered and not same:
            changed = self._changed(await self._look(kept, tell, add=False))
            if changed is not None:
                raise changed
        elif unseen and not same:  # stopped while it was read: as if it never began
            self.results.begin({**job, "input": self.source}, restart=True)
        self._wait_again()
        if not unseen:
            return
        self.looked = await self._look(kept, tell, add=True)
        if not self.looked.rows:
            raise no_rows(self.asked.source)
        self.journal.note("twins", self.journal.has_twins())
        self.journal.note("limit", self.asked.limit)
        self.journal.note("input", self.source)
        self.journal.note("registered", True)

    async def _look(self, kept: "Kept", tell: "Callable[[int], None]", *, add: bool) -> Looked:
        registering = Registering(self.journal, kept.keep, shard=self._shard, add=add)
        async with aclosing(self._rows()) as rows:
            return await registering.all(rows, tell)

    def _changed(self, looked: Looked, *, whole: bool = True) -> UsageError | None:
        """Not `whole`: more rows may come, so none is said to be gone."""
        gone = self.journal.counts().total - (looked.rows - looked.added) if whole else 0
        return changed_input(looked, gone, only_new=self.asked.only_new)

    def _rows(self, skip: Container[int] = ()) -> AsyncGenerator[Row | BadRow, None]:
        asked = self.asked
        return open_rows(
            asked.source,
            format=asked.input_format,
            limit=asked.limit,
            encoding=self._loaded.settings.output.encoding,
            skip=skip,
            loaded=self._loaded,
            note=None if asked.quiet else self._note,
        )

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            streams.err(f"llmctl: {safe_line(text)}\n")

    async def waiting(self, kept: "Kept") -> AsyncGenerator[Row | BadRow, None]:
        """The rows that are still to be asked, as they are read."""
        through = self.journal.lines(State.DONE, State.FAILED)
        if self.is_stream:
            async with aclosing(self._streamed(kept)) as streamed:
                async for one in streamed:
                    if one.line not in through:
                        yield one
            return
        async with aclosing(self._ours(through)) as rows:
            async for row in rows:
                yield row

    async def _ours(self, skip: Container[int] = ()) -> AsyncGenerator[Row | BadRow, None]:
        """Those of our shard."""
        async with aclosing(self._rows(skip)) as rows:
            async for row in rows:
                if self._shard is None or self._shard.has(row.id or str(row.line)):
                    yield row

    async def some_waiting(self) -> list[Row]:
        """The first rows that are still to be asked, by which the others are estimated."""
        found: list[Row] = []
        held = 0
        through = self.journal.lines(State.DONE, State.FAILED)
        async with aclosing(self._ours(through)) as rows:
            async for row in rows:
                if isinstance(row, Row):
                    found.append(row)
                    held += length(row)
                if len(found) >= SAMPLE or held >= SAMPLE_SIZE:
                    break
        return found

    async def _streamed(self, kept: "Kept") -> AsyncGenerator[Row, None]:
        registering = Registering(self.journal, kept.keep, shard=self._shard)
        looked, read = registering.looked, 0
        every = self._rows()
        if self.is_new:  # a mistyped command leaves nothing behind
            every = held_back(every, self._maker.make)
        async with aclosing(every) as rows:
            async for row in rows:
                read += 1
                if not registering.is_ours(row):
                    continue
                for one in registering.take([row]):
                    yield one
                if looked.changes and (changed := self._changed(looked, whole=False)):
                    raise changed
        if not looked.rows:
            raise no_rows(self.asked.source)
        self.journal.note("registered", True)
        if read != self.asked.limit:  # said at the end: those that came are to be asked
            self.gone = self._changed(looked)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
