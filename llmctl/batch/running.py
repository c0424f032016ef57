"""Carries a job out: so many lanes, each with connections of its own, that take one row after the
other until there is none left, or until going on would be of no use.

A row that fails in a way that may pass is put back and tried again later, so that none holds up the
others. What was written is in the journal before its lane goes on: a process that is killed has at
most the rows under way to ask again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from llmctl.batch.deciding import Deciding, Next
from llmctl.batch.tally import Tally
from llmctl.batch.trying import Tried, Trying
from llmctl.batch.work import Made, Work, same, unsent
from llmctl.batch.writing import Keeper, Watcher, Writing
from llmctl.engine.attempt import given_back
from llmctl.engine.clearance import Cleared
from llmctl.engine.pace import Held
from llmctl.engine.route import Route
from llmctl.errors import BudgetRefused, LlmctlError, UsageError, internal
from llmctl.rows import BadRow, Row
from llmctl.transport.exchange import Lane
from llmctl.types import Receipt

if TYPE_CHECKING:
    from llmctl.engine.pace import Pace
    from llmctl.privacy.screening import Screened

# Rows that are read and not begun, by the number of lanes.
AHEAD = 2
# Rows that may be waiting to be tried again, by the number of lanes, before no new ones are begun.
AGAIN = 100
# Characters that these rows may have together; beyond that there is one for each lane.
HELD = 64_000_000
# As many rows one after the other that may not be paid for, and the budget is taken for used up.
UNPAID = 100


class Running:
    """One run. `make` turns a row into a call and raises what is wrong with it, `pace` says how
    fast an account may be asked. `tally` is what it came to so far, `stopped` the error that ended
    it before its last row.
    """

    def __init__(
        self,
        trying: Trying,
        deciding: Deciding,
        keeper: Keeper,
        watcher: Watcher,
        *,
        make: Callable[[Row], Made],
        pace: Callable[[Route], "Pace"],
        columns: Sequence[str] = (),
        lanes: int,
        grace: float,
    ) -> None:
        self.tally = Tally()
        self.stopped: LlmctlError | None = None
        self._trying = trying
        self._deciding = deciding
        self._keeper = keeper
        self._make = make
        self._pace = pace
        self._columns = columns
        self._count = lanes
        self._grace = grace
        self._queue: asyncio.Queue[Work | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(AHEAD * lanes)
        self._broken: Exception | None = None
        self._open = self._held = 0  # rows that are read and not through, and their size
        self._unpaid = 0  # rows since the last that was sent
        self._aside: BudgetRefused | None = None  # why some wait for another run
        self._read = False  # to the last
        self._writing = Writing(
            keeper, watcher, self.tally, through=self._through, stop=self.stop, fail=self._fail
        )
        self._leaders: dict[int, Work] = {}
        self._settled = asyncio.Event()  # a request is over, or the job
        self._reading: asyncio.Task[None] | None = None
        self._lanes: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[None] | None] = set()  # those with a request under way

    async def run(
        self, rows: AsyncIterator[Row | BadRow], signalled: Callable[[], LlmctlError]
    ) -> None:
        """Every row, or as many as there is use in; `stopped` says why not all. A cancellation ends
        it in order: no row is begun any more, and those under way may end within the grace;
        `signalled` says what it stands for."""
        loop = asyncio.get_running_loop()
        self._lanes = {loop.create_task(self._lane()) for _number in range(self._count)}
        self._reading = loop.create_task(self._read_in(rows))
        tasks = {self._reading, *self._lanes}
        try:
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                self._hear(tasks)
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
                self.stop(signalled())
            await asyncio.wait(self._lanes, timeout=self._grace)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.wait(tasks)
        self._hear(tasks)
        if self._broken is not None:
            raise self._broken

    def _hear(self, tasks: "set[asyncio.Task[None]]") -> None:
        """Raises what a task has ended in; trouble with the input or the output stops the job
        instead."""
        for one in tasks:
            if not one.done() or one.cancelled() or (error := one.exception()) is None:
                continue
            if not isinstance(error, LlmctlError):
                raise error
            self.stop(error)

    def stop(self, error: LlmctlError) -> None:
        """Begin no further row; requests that are under way may end."""
        if self.stopped is not None:
            return
        self.stopped = error
        if self._reading is not None:
            self._reading.cancel()
        for lane in self._lanes - self._sending - {asyncio.current_task()}:
            lane.cancel()
        self._release()

    def _fail(self, error: Exception) -> None:
        """What nobody expected ends the run, and is raised at its end."""
        self._broken = self._broken or error
        self.stop(internal(error))

    def _release(self) -> None:
        for _number in range(self._count):
            self._queue.put_nowait(None)

    # ---- rows in

    async def _read_in(self, rows: AsyncIterator[Row | BadRow]) -> None:
        async for row in rows:
            await self._room.acquire()
            work = Work(row)
            while self._is_full(work.size):
                self._settled.clear()
                await self._settled.wait()
            self._open += 1
            self._held += work.size
            self._queue.put_nowait(work)
        self._read = True
        self._release_if_through()

    def _is_full(self, size: int) -> bool:
        if self._open > AGAIN * self._count:
            return True
        return self._open >= self._count and self._held + size > HELD

    def _release_if_through(self) -> None:
        if not self._read or self._open:
            return
        if self._aside is not None:
            self.stop(self._aside)
        self._release()

    async def _lane(self) -> None:
        async with AsyncExitStack() as stack:
            lanes: dict[int, Lane] = {}
            while True:
                work = await self._queue.get()
                if work is None or self.stopped is not None:
                    return
                if work.made is None:
                    self._room.release()
                    work.begun = asyncio.get_running_loop().time()
                await self._one(work, lanes, stack)

    async def _one(self, work: Work, lanes: dict[int, Lane], stack: AsyncExitStack) -> None:
        try:
            if work.made is None and not await self._begun(work):
                return
            tried = await self._tried(work, lanes, stack)
        except Held:
            tried = 0.0
        except BudgetRefused as refused:
            await self._not_paid(work, refused)
            return
        if tried is None:
            return
        if isinstance(tried, float):
            self._later(work, tried)
            return
        match self._deciding.on(work, tried):
            case Next.END:
                await self._end(work, tried.receipt)
            case Next.STOP:
                assert tried.error is not None  # noqa: S101  nothing else stops a job
                self.stop(self._deciding.given_up.get(tried.receipt.requested, tried.error))
            case float() as wait:
                self._later(work, wait)

    def _later(self, work: Work, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._queue.put_nowait, work)

    async def _not_paid(self, work: Work, refused: BudgetRefused) -> None:
        """Nothing is under way that could give money back. The row waits for another run, where it
        does not fail; the job goes on while others may cost less."""
        what = self._deciding.unpaid(work, refused)
        if what is Next.END:
            assert work.made is not None  # noqa: S101  it was asked about
            await self._end(work, unsent(work.made.route, refused))
            return
        self._unpaid += 1
        if what is Next.STOP or self._unpaid >= UNPAID:
            self.stop(refused)
            return
        self._aside = self._aside or refused
        if self._leaders.get(work.digest) is work:
            del self._leaders[work.digest]
        self._through([work, *work.followers])

    async def _begun(self, work: Work) -> bool:
        """Whether there is something to be sent for a row; else it is through, or waits for one
        that is the same."""
        error: LlmctlError | None = None
        if isinstance(work.row, BadRow):
            error = UsageError(work.row.why)
        else:
            values = work.row.values
            work.columns = {name: values[name] for name in self._columns if name in values}
            try:
                work.made = self._make(work.row)
            except LlmctlError as refused:
                error = refused
        if error is not None:
            await self._end(work, unsent(None, error))
            return False
        if (known := self._keeper.known(work)) is not None:
            await self._writing.keep(known, work)
            return False
        if self._deciding.dedupes:
            leader = self._leaders.setdefault(work.digest, work)
            if leader is not work:
                leader.followers.append(work)
                self._held -= work.size
                work.slim()
                self._held += work.size
                self._settled.set()
                return False
        return True

    # ---- a request

    async def _tried(
        self, work: Work, lanes: dict[int, Lane], stack: AsyncExitStack
    ) -> Tried | float | None:
        """None where the job was stopped meanwhile; a number: it is to be tried in so many seconds.
        Raises BudgetRefused, and Held where a hold began meanwhile that is too long."""
        made = self._deciding.placed(work)
        while (wait := self._held_for(work, made)) is not None:
            if wait:
                return wait
            made = self._deciding.placed(work)
        if (over := self._deciding.given_up.get(made.route.requested)) is not None:
            return self._trying.refused(made, over)
        try:
            screened, made = self._trying.check(made, work.repairing)
        except BudgetRefused:
            raise
        except LlmctlError as refused:
            return self._trying.refused(made, refused)
        route = made.route
        tokens, patience = self._deciding.tokens(screened.call), self._deciding.patience(work)
        async with self._pace(route).turn(tokens, route.requested, patience) as turn:
            if self.stopped is not None:
                return None
            try:
                lane = lanes.get(id(route.target))  # a route lives as long as the job
                if lane is None:
                    lane = await stack.enter_async_context(Lane(route.target))
                    lanes[id(route.target)] = lane
                # From here on without a pause: what is set aside is under way for all others.
                ready = await self._reserved(made, screened)
                if ready is None:
                    return None
            except BudgetRefused:
                raise
            except LlmctlError as refused:
                return self._trying.refused(made, refused)
            tried = await self._sent(work, ready, lane)
            if not self._deciding.is_its_own(work, tried.error):
                turn.heard(tried.error, tried.receipt)
        return tried

    def _held_for(self, work: Work, made: Made) -> float | None:
        pace, name = self._pace(made.route), made.route.requested
        return self._deciding.held(
            work, pace.hold_left(), apart_s=pace.apart_left(name), elsewhere=pace.elsewhere
        )

    async def _reserved(self, made: Made, screened: "Screened") -> Cleared | None:
        """The money for it. Where there is not enough, what is under way may give some back: it is
        waited for, and the job ends only where nothing is."""
        while True:
            try:
                return self._trying.reserve(made, screened)
            except BudgetRefused as refused:
                if refused.reason != "over-budget" or not self.tally.under_way:
                    raise
            self._settled.clear()
            await self._settled.wait()
            if self.stopped is not None:
                return None

    async def _sent(self, work: Work, ready: Cleared, lane: Lane) -> Tried:
        task: asyncio.Task[None] | None = asyncio.current_task()
        self.tally.began()
        self._unpaid = 0
        self._sending.add(task)
        try:
            tried = await self._trying.send(ready, lane)
        except BaseException:
            given_back(ready)
            self.tally.under_way -= 1
            self._settled.set()
            raise
        finally:
            self._sending.discard(task)
        work.receipts.append(tried.receipt)
        self.tally.tried(ready.route.requested, tried.receipt)
        self._settled.set()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # the row is as if nobody had begun it
        return tried

    # ---- rows out

    async def _end(self, work: Work, receipt: Receipt) -> None:
        now = asyncio.get_running_loop().time()
        ended = work.ended(receipt, now)
        kept = [self._writing.keep(ended, work)]
        while kept or work.followers:  # one may be read while the others are written
            kept += [self._writing.keep(same(ended, one), one) for one in work.followers]
            work.followers.clear()
            for each in kept:
                await each
            kept.clear()
        if self._leaders.get(work.digest) is work:
            del self._leaders[work.digest]  # whoever comes now finds the answer written

    def _through(self, rows: Sequence[Work]) -> None:
        """These rows are written, or wait for another run."""
        self._open -= len(rows)
        self._held -= sum(row.size for row in rows)
        self._settled.set()
        self._release_if_through()
