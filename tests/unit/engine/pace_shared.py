"""Virtual time, in which nobody waits, and simulated servers that answer in it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from llmctl.engine.pace import Pace
from llmctl.errors import LlmctlError, RateLimited
from llmctl.types import Receipt, Usage

ANSWER = Receipt("run", "2026-11-25T12:00:00Z", "m", usage=Usage(10, None))


T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: what would be waited for is added to `now`."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits and nothing will ever happen"
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._waits = _Selector()
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.now


def virtually(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, with all its waiting done at once."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


class Bucket:
    """A server's limit: so many requests a second after a burst; the others are refused."""

    def __init__(self, per_second: float, burst: int, retry_after: float | None) -> None:
        self.asked = self.refused = 0
        self._per_second, self._burst, self._retry_after = per_second, burst, retry_after
        self._level, self._at = float(burst), 0.0

    def ask(self) -> None:
        self.asked += 1
        moment = now()
        self._level = min(self._burst, self._level + (moment - self._at) * self._per_second)
        self._at = moment
        if self._level < 1:
            self.refused += 1
            raise RateLimited("slow down", status=429, retry_after_s=self._retry_after)
        self._level -= 1


Serve = Callable[[int], Coroutine[Any, Any, Receipt]]


async def work(pace: Pace, serve: Serve, rows: int, lanes: int) -> float:
    """Rows done by lanes, each repeated until it succeeds; the seconds it took."""
    begun = now()
    left = iter(range(rows))

    async def lane() -> None:
        for row in left:
            while not await tried(pace, serve, row):
                pass

    async with asyncio.TaskGroup() as group:
        for _number in range(lanes):
            group.create_task(lane())
    return now() - begun


async def tried(pace: Pace, serve: Serve, row: int) -> bool:
    async with pace.turn() as turn:
        try:
            receipt = await serve(row)
        except LlmctlError as error:
            turn.heard(error, ANSWER)
            return False
        turn.heard(None, receipt)
        return True
