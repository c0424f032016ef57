"""Who may be asked at the same time: models that share something answer one after the other."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmctl.engine.route import Route
from llmctl.engine.turns import concurrency
from llmctl.settings import Loaded, ProviderSettings
from llmctl.types import Level

# What models of this machine share: its processor and its memory.
HERE = "this machine"


class Gate:
    """Lets `width` in at a time; of those who wait, the one whose turn comes first by the plan."""

    def __init__(self, width: int) -> None:
        self._free = width
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._came = 0

    @asynccontextmanager
    async def open(self, place: int) -> AsyncIterator[None]:
        """`place` is that of the trial in the plan."""
        await self._enter(place)
        try:
            yield
        finally:
            self._free += 1
            # Not at once: who has just been in and comes again is weighed with the others.
            asyncio.get_running_loop().call_soon(self._let_in)

    async def _enter(self, place: int) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self._waiting, (place, self._came, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += 1  # it was let in and never came
                self._let_in()
            raise

    def _let_in(self) -> None:
        while self._free and self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


def shared(route: Route, loaded: Loaded) -> tuple[str, int | None]:
    """What a model shares with others, by a name, and how many may use it at a time: this machine,
    or another one of the user's own, one; an account as many as its limit allows, None without a
    limit that is known."""
    if route.card.kind != "api":
        return (HERE if route.verdict.level is Level.DEVICE else route.host), 1
    own = loaded.settings.providers.get(route.provider, ProviderSettings())
    return route.provider, concurrency(route.card, own, route.quirks.settings)
