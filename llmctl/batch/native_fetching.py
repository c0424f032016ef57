"""What came of the sets of a job: asked after, and where one is over, read into the output."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmctl.batch.native import Part, Stage
from llmctl.batch.native_answers import ended, lost
from llmctl.batch.native_handing import Store
from llmctl.batch.native_operations import begun_in
from llmctl.batch.native_rows import Rows, lines_of
from llmctl.batch.shape import Ended
from llmctl.cost.together import more, settle
from llmctl.dialects.batches import Batches, Gone, JobState, OneByOne, Phase, Result
from llmctl.engine.batches import Batching, Exchanging, Intent
from llmctl.engine.operations import Operations
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.types import Notice
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

# Rows written together.
TOGETHER = 200
GONE = {Phase.EXPIRED: Gone.EXPIRED, Phase.CANCELLED: Gone.CANCELLED}


class Fetching:
    """The sets of one job. `route` leads to a part's model, `write` puts rows into the output and
    the journal, `waits` says whether a row is still without an outcome there."""

    def __init__(
        self,
        store: Store,
        batches: "AnyBatches",
        exchanging: Exchanging,
        *,
        route: Callable[[str], Route],
        write: Callable[[list[Ended]], object],
        waits: Callable[[int], bool],
        tell: Callable[[Notice], object],
        keep: bool = False,
    ) -> None:
        self._store = store
        self._batches = batches
        self._exchanging = exchanging
        self._route = route
        self._write = write
        self._waits = waits
        self._tell = tell
        self._keep = keep
        known = [one.job for one in store.job.parts if one.job is not None]
        self._batching = (
            None if isinstance(batches, OneByOne) else Batching(batches, exchanging, known=known)
        )

    async def recover(self) -> None:
        """Find out what became of sets whose making was interrupted. Raises InDoubt."""
        await recovered(self._store, self._batching)

    async def round(self) -> bool:
        """Ask after every set that is not here yet, and read those that are over; whether all
        are."""
        for part in self._store.job.open:
            if self._batching is None:
                await self._operations(part)
            else:
                await self._set(part, self._batching)
        return not self._store.job.open

    # ---- sets

    async def _set(self, part: Part, batching: Batching) -> None:
        assert part.job is not None  # noqa: S101  it was handed in
        state = await batching.state(part.job)
        if part.phase != state.phase:
            part = replace(part, phase=state.phase)
            self._store.put(part)
        if state.phase.is_over:
            await self._read(part, state)

    async def _read(self, part: Part, state: JobState) -> None:
        assert isinstance(self._batches, Batches)  # noqa: S101  it has sets
        reading = Reading(self, part)
        if state.phase is not Phase.FAILED:
            for http in state.results:
                async for line in self._exchanging.lines(http):
                    found = self._batches.result(line)
                    number = None if found is None else part.line_of(found.id)
                    if found is not None and number is not None:
                        reading.row(number, found)
        why = GONE.get(state.phase, Gone.MISSING)
        for number in list(reading.left):
            rest = state.error or Result(id=part.row_id(number), gone=why)
            reading.row(number, rest)
        reading.end()
        if not self._keep:
            for http in state.leftovers:
                if (error := await self._exchanging.tidied(http)) is not None:
                    self._tell(_left_over(error))

    # ---- operations

    async def _operations(self, part: Part) -> None:
        assert isinstance(self._batches, OneByOne)  # noqa: S101  it has no sets
        operations = Operations(self._batches, self._exchanging)
        reading = Reading(self, part)
        begun = {one.line: one.job for one in begun_in(self._store.files.operations(part.key))}
        for number in sorted(reading.left & begun.keys()):
            job = begun[number]
            found = lost() if job is None else await operations.result(part.row_id(number), job)
            if found is not None:
                reading.row(number, found)
        reading.flush()
        if not reading.left & begun.keys():
            # Those that never began wait for the next time they are handed in.
            reading.end(certain=None not in begun.values())

    # ---- for Reading

    def rows(self, part: Part) -> Rows:
        return Rows(self._store.files.rows(part.key))

    def waits(self, line: int) -> bool:
        return self._waits(line)

    def route(self, name: str) -> Route:
        return self._route(name)

    def write(self, rows: list[Ended]) -> None:
        self._write(rows)

    def put(self, part: Part) -> None:
        self._store.put(part)

    def fetched(self, part: Part) -> None:
        """Its answers are in the output."""
        self._store.put(replace(part, stage=Stage.FETCHED, reserved=None))
        self._store.files.drop(part.key)


class Reading:
    """The rows of one set that have no outcome yet (`left`), as they get one."""

    def __init__(self, fetching: Fetching, part: Part) -> None:
        self._fetching = fetching
        self._part = part
        self._rows = fetching.rows(part)
        self.left = {line for line in self._rows if fetching.waits(line)}
        self._ready: list[Ended] = []
        since = part.since or time.time()
        self._at = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def row(self, line: int, result: Result | LlmctlError) -> None:
        """The outcome of a row; of one that has one already, or is none of ours, nothing."""
        if line not in self.left:
            return
        self.left.discard(line)
        sent = self._rows[line]
        shape = self._rows.shapes[sent.shape]
        self._ready.append(
            ended(sent, shape, self._fetching.route(shape.requested), result, self._at)
        )
        if len(self._ready) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        rows, self._ready = self._ready, []
        if not rows:
            return
        if self._part.reserved is not None:
            # Before the rows are written: killed in between, they are counted twice and not never.
            costs = [one.receipt.cost for one in rows if one.receipt.finish_reason is not None]
            spent, unknown = more(self._part.spent, costs)
            unpriced = self._part.unpriced or unknown
            self._part = replace(self._part, spent=spent, unpriced=unpriced)
            self._fetching.put(self._part)
        self._fetching.write(rows)

    def end(self, *, certain: bool = True) -> None:
        """The set is through. Its money is settled by what its answers cost, or at its worst case
        where that is not `certain`."""
        self.flush()
        part = self._part
        if part.reserved is not None:
            settle(part.reserved, part.spent if certain and not part.unpriced else None)
        self._fetching.fetched(part)


async def recovered(store: Store, batching: Batching | None) -> None:
    """What became of sets whose making was interrupted: each is handed in, or gone. Raises
    InDoubt."""
    for part in store.job.parts:
        if part.stage is Stage.PREPARED:
            store.drop(part)
        elif part.stage is Stage.INTENDED:
            if batching is None:
                store.put(replace(part, stage=Stage.HANDED_IN))
                continue
            intent = Intent(key=part.key, rows=part.rows, since=part.since)
            job = await batching.found(intent)
            if job is None:
                store.drop(part)
            else:
                store.put(replace(part, stage=Stage.HANDED_IN, job=job))


def covered(store: Store, batches: "AnyBatches") -> Iterable[int]:
    """The rows that are at the provider, or may be."""
    for part in store.job.open:
        if isinstance(batches, OneByOne):
            yield from (one.line for one in begun_in(store.files.operations(part.key)))
        else:
            yield from lines_of(store.files.rows(part.key))


def _left_over(error: LlmctlError) -> Notice:
    return Notice(
        "not-deleted",
        _("what the provider keeps of the batch could not be deleted: {why}", why=error.message),
        insists=True,
    )
