"""What is counted as what: waits, turns, questions before the call, and asking after an answer. The
clock is turned by the sleeps of the run and by the answers of the lane."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from llmctl import catalogue
from llmctl.dialects import DIALECTS, HttpCall
from llmctl.engine import run as runs
from llmctl.engine.retry import Retries
from llmctl.engine.run import Run
from llmctl.errors import LlmctlError, NetworkFailed, RateLimited
from llmctl.settings import Settings
from llmctl.types import Chat, Finished, Latency, Notice, Role, TextDelta, message
from llmctl.values import replace
from tests.unit.engine.test_run import ROUTE, Answer, ScriptedLane, whole
from tests.unit.engine.test_run_follow_up import BEGUN, DONE, QUIRKS

CALL = Chat("m", (message(Role.USER, "hi"),))


class World:
    """A clock, and a lane each of whose answers takes so many seconds before its head is here."""

    def __init__(self, *answers: tuple[float, Answer | LlmctlError], **changed: Any) -> None:
        self.now = 100.0
        world, seconds = self, iter([seconds for seconds, _answer in answers])

        class Lane(ScriptedLane):
            @asynccontextmanager
            async def exchange(self, http: HttpCall) -> AsyncIterator[Any]:
                world.now += next(seconds)
                async with super().exchange(http) as reply:
                    yield reply

        self.lane = Lane(*(answer for _seconds, answer in answers))
        self.route = replace(ROUTE, **changed)
        self.run = Run(
            CALL,
            self.route,
            cast(Any, self.lane),
            retries=Retries(base=2.0),
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def times(self) -> Latency:
        async def through() -> None:
            async for event in self.run.events():
                if isinstance(event, TextDelta):
                    self.now += 0.25

        asyncio.run(through())
        return self.run.meter.latency(streamed=True)


def test_a_refused_try_and_the_wait_after_it() -> None:
    busy = RateLimited("slow down", retry_after_s=5.0)
    found = World((1.0, busy), (2.0, whole("a", "b"))).times()

    assert (found.waited_s, found.ttft_s, found.total_s) == (6.0, 2.0, 2.5)


def polled(*answers: tuple[float, Answer | LlmctlError]) -> World:
    card = catalogue.card("yandexgpt", Settings())
    return World(*answers, card=card, dialect=DIALECTS["yandexgpt"](), quirks=QUIRKS)


def test_asking_after_an_answer_is_the_servers_work() -> None:
    """The pauses of 0.5 s and 0.75 s are ours to choose, but it is the server that is not done."""
    found = polled((1.0, BEGUN), (1.0, BEGUN), (1.0, DONE)).times()

    assert (found.waited_s, found.total_s) == (0.0, 3 + 0.5 + 0.75 + 0.25)
    assert found.first_byte_s == 0.2  # of the answer that said that it has begun


def test_trouble_while_asking_after_it_does_not_begin_the_watch_again() -> None:
    lost = NetworkFailed("reset", reason="reset", retry_after_s=4.0)
    found = polled((1.0, BEGUN), (1.0, lost), (1.0, DONE)).times()

    # 0.5 s before each time of asking.
    assert found.waited_s == 0.0
    assert found.total_s == pytest.approx(1 + 0.5 + 1 + 4 + 0.5 + 1 + 0.25)
    assert found.first_byte_s == 0.2


def test_waiting_for_ones_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World((2.0, whole("a")), turn=tmp_path / "turn.lock")

    async def queued(*_given: Any) -> AsyncIterator[Notice]:
        world.now += 30
        yield Notice("queued", "another llmctl is first")

    monkeypatch.setattr(runs, "await_turn", queued)
    found = world.times()

    assert (found.waited_s, found.total_s) == (30.0, 2.25)


def test_asking_a_local_server_where_the_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World((2.0, whole("a")))

    async def asked(*_given: Any) -> None:
        world.now += 3

    monkeypatch.setattr(runs, "must_ask", lambda _route: True)
    monkeypatch.setattr(runs, "refuse_elsewhere", asked)
    found = world.times()

    assert (found.waited_s, found.ttft_s, found.total_s) == (3.0, 2.0, 2.25)


def test_what_the_head_says_of_time_stands_beside_what_the_body_says() -> None:
    told = Answer(headers={"openai-processing-ms": "412"}, frames=whole("a").frames)
    assert World((1.0, told)).times().server == {"processing_s": 0.412}
    assert World((1.0, whole("a"))).times().server is None


def test_the_head_of_an_answer_that_was_asked_after_times_the_asking_only() -> None:
    late = Answer(headers={"x-envoy-upstream-service-time": "3"}, frames=DONE.frames)
    world = polled((1.0, BEGUN), (1.0, late))
    assert world.times().server is None
    assert isinstance(world.run.meter.finished, Finished)
