"""Request after request to a real llama.cpp server, in one process and over one lane."""

import asyncio
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.transport.dial import Dialling
from llmctl.transport.exchange import Lane
from llmctl.transport.http1 import Connection, Http1Transport, Origin
from llmctl.types import Chat, FinishReason, Role, message
from llmctl.values import replace
from tests.llama_server import NAME, LlamaServer

PROMPT = "Name three colours of the rainbow."


class Hasty(Http1Transport):
    """Hands out a kept connection without a look at whether the server has closed it by now, as
    happens with a server that takes a little longer for that."""

    def __init__(self, route: Route) -> None:
        super().__init__(Dialling(provider=route.provider))

    async def _take(self, origin: Origin) -> Connection | None:
        kept = self._kept.pop(origin, None)
        if kept is not None:
            kept.catch_up()
        return kept if kept is not None and kept.usable else None


@pytest.mark.parametrize(
    ("quirk", "hasty"), [(True, False), (False, False), (False, True)],
    ids=["closing", "keeping", "keeping-blindly"],
)  # fmt: skip
def test_request_after_request_on_one_lane(
    llama: LlamaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quirk: bool,
    hasty: bool,
) -> None:
    """The server closes a connection right after a stream although it said it would keep it, and
    a request that is on its way by then dies. Nothing is retried here: a connection that was kept
    in vain is replaced below that, or not kept in the first place."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path))
    monkeypatch.setenv("LLMCTL_PROVIDERS__LLAMACPP__BASE_URL", llama.openai_url)
    monkeypatch.setenv("LLAMA_API_KEY", llama.key)
    route = resolve(f"llamacpp/{NAME}", settings.load())
    assert route.target.close_connection  # what the card says
    route = replace(route, target=replace(route.target, close_connection=quirk))

    ends = asyncio.run(one_after_the_other(route, Hasty(route) if hasty else None))

    assert ends == [(FinishReason.LENGTH, 1)] * 30


async def one_after_the_other(
    route: Route, transport: Http1Transport | None
) -> list[tuple[FinishReason, int]]:
    """How each of thirty short answers ended, and in how many attempts."""
    call = Chat(route.model, (message(Role.USER, PROMPT),), max_tokens=3, temperature=0)
    ends = []
    async with Lane(route.target, transport) as lane:
        for _time in range(30):
            run = Run(call, route, lane, retries=Retries(attempts=0))
            async for _event in run.events():
                pass
            assert run.meter.finished is not None
            ends.append((run.meter.finished.reason, run.meter.attempts))
    return ends
