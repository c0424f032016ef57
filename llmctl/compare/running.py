"""Carries a plan out: every model on connections of its own, all of them at once, each trial
measured alone.

A comparison takes as long as its slowest model: models wait for one another only where they share
something (`gates.py`). What fails is an outcome like any other; nothing here ends because of it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from llmctl.compare.gates import Gate, shared
from llmctl.compare.plan import Planned
from llmctl.compare.shape import Case, Mark, Trial
from llmctl.engine.attempt import attempted, interrupted
from llmctl.engine.clearance import Cleared
from llmctl.engine.meter import Meter
from llmctl.engine.route import Route
from llmctl.errors import AuthFailed, ConfigError, LlmctlError, NotFound
from llmctl.settings import Loaded
from llmctl.transport.exchange import Lane
from llmctl.types import Call, Event, Notice, Receipt
from llmctl.values import dataclass, replace

# So many failures of one kind in a row, each tried again as often as the settings say, and a model
# is given up: else a provider that is down would be waited for at every prompt.
GIVE_UP = 3
# After one of these nothing more is sent to the model: all else would end in the same way.
HOPELESS = (AuthFailed, NotFound, ConfigError)


class Watcher(Protocol):
    """Hears what happens, while it happens."""

    def began(self, planned: Planned) -> None: ...

    def event(self, planned: Planned, event: Event) -> None: ...

    def ended(self, trial: Trial, left: "Left | None") -> None:
        """`left` is None where nothing was sent."""


@dataclass(frozen=True, slots=True)
class Left:
    """A trial as it left this machine, with the placeholders of what was redacted: what may be
    kept of it."""

    call: Call
    receipt: Receipt
    redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One candidate as it is asked: `candidate` is its place, `call` makes what is asked of it for
    a case. Entrants with the same `route.requested` share a model, and its connection."""

    candidate: int
    route: Route
    call: Callable[[Case], Call]


Clear = Callable[[Entrant, Case], Cleared]
Notes = Callable[[Cleared], Iterable[Notice]]
Judge = Callable[[Case, Receipt], Awaitable[tuple[Mark, ...]]]


class Running:
    """All trials of one comparison. `clear` is the only way to sending: policy, budget, search.
    `mark` says what the checks say of an answer, `notes` what the user should know of a call.
    `lanes` is how many trials of one model may be under way at a time, where its provider allows
    as many. What holds up the event loop is measured as a model's time: `clear` is to be quick.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant],
        cases: Sequence[Case],
        loaded: Loaded,
        *,
        clear: Clear,
        mark: Judge,
        watcher: Watcher,
        notes: Notes = lambda ready: ready.notes,
        lanes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entrants = {one.candidate: one for one in entrants}
        self._cases = cases
        self._loaded = loaded
        self._clear = clear
        self._mark = mark
        self._watcher = watcher
        self._notes = notes
        self._lanes = lanes
        self._clock = clock
        self._begun = clock()
        self._gates: dict[str, Gate] = {}
        self._given_up: dict[str, LlmctlError] = {}
        self._failing: dict[str, tuple[str, int]] = {}

    async def run(self, plan: Sequence[Planned]) -> None:
        """Every trial of the plan; the watcher hears of each. Cancelled, it tells of those under
        way what came of them before it ends."""
        try:
            await self._run(plan)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _run(self, plan: Sequence[Planned]) -> None:
        queues = self._queues(plan)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            for queue in queues.values():
                route = self._entrants[queue[0][1].candidate].route
                gate = self._gate(route)
                for _number in range(min(self._width(route), len(queue))):
                    lane = await stack.enter_async_context(Lane(route.target))
                    tasks.create_task(self._work(queue, lane, gate))

    def _queues(self, plan: Sequence[Planned]) -> Mapping[str, deque[tuple[int, Planned]]]:
        """What is asked of each model, in the plan's order, with its place there."""
        queues: dict[str, deque[tuple[int, Planned]]] = {}
        for place, one in enumerate(plan):
            name = self._entrants[one.candidate].route.requested
            queues.setdefault(name, deque()).append((place, one))
        return queues

    def _width(self, route: Route) -> int:
        _name, most = shared(route, self._loaded)
        return self._lanes if most is None else min(self._lanes, most)

    def _gate(self, route: Route) -> Gate | None:
        name, most = shared(route, self._loaded)
        if most is None:
            return None
        return self._gates.setdefault(name, Gate(most))

    async def _work(self, queue: deque[tuple[int, Planned]], lane: Lane, gate: Gate | None) -> None:
        while queue:
            place, planned = queue.popleft()
            async with _through(gate, place):
                trial, left = await self._tried(planned, lane)
            if trial.succeeded and not trial.is_warm_up:
                trial = await self._marked(trial)
            self._watcher.ended(trial, left)
            _go_on()

    async def _marked(self, trial: Trial) -> Trial:
        """With what the checks say. An answer that nobody could finish checking has neither passed
        nor failed: its run counts as interrupted."""
        try:
            marks = await self._mark(self._cases[trial.case], trial.receipt)
        except asyncio.CancelledError:
            return replace(trial, receipt=replace(trial.receipt, error=interrupted().failure()))
        return replace(trial, marks=marks)

    def _count(self, model: str, error: LlmctlError | None) -> None:
        """Give a model up that cannot be asked, or does not answer any more."""
        if error is None or not (error.retryable or isinstance(error, HOPELESS)):
            self._failing.pop(model, None)
            return
        code, row = self._failing.get(model, ("", 0))
        row = row + 1 if code == error.code else 1
        self._failing[model] = error.code, row
        if row >= GIVE_UP or isinstance(error, HOPELESS):
            self._given_up.setdefault(model, error)

    async def _tried(self, planned: Planned, lane: Lane) -> tuple[Trial, Left | None]:
        entrant = self._entrants[planned.candidate]
        self._watcher.began(planned)
        began = self._clock() - self._begun
        left: Left | None = None
        try:
            if (known := self._given_up.get(entrant.route.requested)) is not None:
                raise known
            ready = self._clear(entrant, self._cases[planned.case])
            began = self._clock() - self._begun
            receipt, error = await attempted(
                ready,
                lane,
                self._loaded.settings.network,
                lambda event: self._watcher.event(planned, event),
                notes=self._notes(ready),
            )
            left = Left(ready.call, receipt, bool(ready.screened.redactions))
            receipt = _restored(ready, receipt)
        except LlmctlError as refused:
            receipt, error = unsent(entrant.route, refused), refused
        self._count(entrant.route.requested, error)
        trial = Trial(
            candidate=planned.candidate,
            case=planned.case,
            repeat=planned.repeat,
            receipt=receipt,
            began_s=began,
        )
        return trial, left


def _go_on() -> None:
    """Raises CancelledError in a task that was cancelled: `attempted` makes that an outcome, so
    that what came is kept, and then nothing more is to be asked."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def unsent(route: Route, error: LlmctlError) -> Receipt:
    """The receipt of a trial of which nothing was sent."""
    meter = Meter(route.requested)
    meter.end()
    return meter.receipt(provider=route.provider, verdict=route.verdict, error=error)


def _restored(ready: Cleared, receipt: Receipt) -> Receipt:
    """The answer with what its placeholders stand for."""
    restorer = ready.screened.restorer()
    return receipt if restorer is None else replace(receipt, text=restorer.text(receipt.text))


@asynccontextmanager
async def _through(gate: Gate | None, place: int) -> AsyncIterator[None]:
    if gate is None:
        yield
        return
    async with gate.open(place):
        yield
