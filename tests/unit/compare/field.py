"""A comparison against the simulator, as it is run: models by name, what was heard of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from llmctl import settings
from llmctl.compare.plan import Planned, planned
from llmctl.compare.running import Entrant, Left, Running
from llmctl.compare.shape import Case, Mark, Trial
from llmctl.engine.clearance import Cleared, cleared
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.types import Call, Chat, Event, Receipt, Role, message
from llmctl.values import dataclass, field

CASES = (Case(id="1", text="Why is the sky blue?"),)

Marking = Callable[[Case, Receipt], Awaitable[tuple[Mark, ...]]]


@dataclass(slots=True)
class Heard:
    """All that a watcher hears, in order; `begun` with the moment of the monotonic clock."""

    trials: list[Trial] = field(default_factory=list)
    left: list[Left | None] = field(default_factory=list)
    begun: list[tuple[float, Planned]] = field(default_factory=list)
    events: list[tuple[Planned, Event]] = field(default_factory=list)
    seconds: float = 0.0

    def began(self, planned: Planned) -> None:
        self.begun.append((time.monotonic(), planned))

    def event(self, planned: Planned, event: Event) -> None:
        self.events.append((planned, event))

    def ended(self, trial: Trial, left: Left | None) -> None:
        self.trials.append(trial)
        self.left.append(left)

    def of(self, candidate: int) -> list[Trial]:
        return [one for one in self.trials if one.candidate == candidate]


async def unmarked(_case: Case, _receipt: Receipt) -> tuple[Mark, ...]:
    return ()


def entrant(place: int, route: Route) -> Entrant:
    def call(case: Case) -> Call:
        return Chat(model=route.model, messages=(message(Role.USER, case.text),))

    return Entrant(candidate=place, route=route, call=call)


def running(
    names: Sequence[str],
    heard: Heard,
    cases: Sequence[Case] = CASES,
    lanes: int = 1,
    mark: Marking = unmarked,
) -> Running:
    """`names` that stand there twice are two prompts to one model."""
    loaded = settings.load()
    routes = {name: resolve(name, loaded) for name in names}

    def clear(entrant: Entrant, case: Case) -> Cleared:
        return cleared(entrant.route, entrant.call(case), loaded)

    entrants = [entrant(place, routes[name]) for place, name in enumerate(names)]
    return Running(entrants, cases, loaded, clear=clear, mark=mark, watcher=heard, lanes=lanes)


def run(
    names: Sequence[str],
    *,
    repeat: int = 1,
    warm_up: int = 0,
    cases: Sequence[Case] = CASES,
    lanes: int = 1,
    mark: Marking = unmarked,
    stop_after: float | None = None,
) -> Heard:
    """Every trial to its end, or until it is cancelled `stop_after` so many seconds."""
    heard = Heard()
    plan = planned(range(len(names)), len(cases), repeat=repeat, warm_up=warm_up, seed=1)

    async def main() -> None:
        work = running(names, heard, cases, lanes, mark)
        began = time.monotonic()
        task = asyncio.create_task(work.run(plan))
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, task.cancel)
            with suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
        else:
            await task
        heard.seconds = time.monotonic() - began

    asyncio.run(main())
    return heard
