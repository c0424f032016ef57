"""The judge of a comparison, asked as any model is: policy, search, budget, ledger."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from llmctl.cli.compare_session import Session
from llmctl.compare.judge import judge_calls, judged
from llmctl.compare.running import unsent
from llmctl.compare.shape import Comparison, Ruling
from llmctl.engine.attempt import attempted
from llmctl.engine.clearance import cleared
from llmctl.engine.route import Route
from llmctl.engine.turns import concurrency
from llmctl.errors import LlmctlError
from llmctl.settings import ProviderSettings
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Event, Receipt
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Questions to the judge at a time, where its provider allows as many: nothing is measured there.
AT_ONCE = 4


async def rulings(
    comparison: Comparison, route: Route, loaded: "Loaded", session: Session, run: str
) -> None:
    """Let the judge compare every pair of answers; the session hears of each ruling."""
    lanes: asyncio.Queue[Lane] = asyncio.Queue()
    own = loaded.settings.providers.get(route.provider, ProviderSettings())
    most = concurrency(route.card, own, route.quirks.settings) or AT_ONCE
    width = 1 if route.card.kind != "api" else min(AT_ONCE, most)
    candidates = len({one.candidate for one in comparison.measured})
    total = judge_calls(candidates, len(comparison.cases), comparison.repeat)

    async def ask(chat: Chat) -> Receipt:
        try:
            ready = cleared(route, replace(chat, model=route.model), loaded, run=run)
        except LlmctlError as refused:
            return unsent(route, refused)
        lane = await lanes.get()
        try:
            receipt, _error = await attempted(ready, lane, loaded.settings.network, _silent)
        finally:
            lanes.put_nowait(lane)
        session.keep(receipt, ready.call)
        return receipt

    def told(ruling: Ruling) -> None:
        session.ruled(ruling, total)

    async with AsyncExitStack() as stack:
        for _number in range(width):
            lanes.put_nowait(await stack.enter_async_context(Lane(route.target)))
        await judged(comparison, ask, on_ruling=told, concurrency=width)


def _silent(_event: Event) -> None:
    """What the judge says while it says it is nothing to look at."""
