"""An answer that the server only begins to make: it is asked after, and never begun twice."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from llmctl import catalogue
from llmctl.dialects import DIALECTS, HttpCall
from llmctl.engine.retry import Retries
from llmctl.engine.run import Run
from llmctl.errors import LlmctlError, NetworkFailed, NotFound, RateLimited
from llmctl.settings import Settings
from llmctl.types import Chat, Event, Finished, Progress, Quirks, Role, TextDelta, message
from llmctl.values import replace
from tests.unit.engine.test_run import ROUTE, Answer, ScriptedLane

QUIRKS = Quirks(settings={"mode": "async"})
BEGUN = Answer(frames=('{"id": "op1", "done": false}',))
MESSAGE = {"message": {"text": "Готово."}, "status": "ALTERNATIVE_STATUS_FINAL"}
DONE = Answer(
    frames=(json.dumps({"id": "op1", "done": True, "response": {"alternatives": [MESSAGE]}}),)
)
FAILED = Answer(
    frames=(json.dumps({"id": "op1", "done": True, "error": {"code": 8, "message": "busy"}}),)
)
START, POLL = "POST foundationModels/v1/completionAsync", "GET operations/op1"


class Lane(ScriptedLane):
    """Remembers what it was asked."""

    def __init__(self, *answers: Answer | LlmctlError) -> None:
        super().__init__(*answers)
        self.asked: list[str] = []

    @asynccontextmanager
    async def exchange(self, http: HttpCall) -> Any:
        self.asked.append(f"{http.method} {http.path}")
        async with super().exchange(http) as reply:
            yield reply


class Outcome:
    def __init__(self, lane: Lane, **how: Any) -> None:
        self.slept: list[float] = []
        self.events: list[Event] = []
        self.error: LlmctlError | None = None
        asyncio.run(self._collect(lane, how))

    async def _collect(self, lane: Lane, how: dict[str, Any]) -> None:
        card = catalogue.card("yandexgpt", Settings())
        route = replace(ROUTE, card=card, dialect=DIALECTS["yandexgpt"](), quirks=QUIRKS)
        call = Chat("m", (message(Role.USER, "hi"),))
        self.run = Run(call, route, cast(Any, lane), sleep=self._sleep, **how)
        try:
            async for event in self.run.events():
                self.events.append(event)
        except LlmctlError as error:
            self.error = error

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.events]


def test_it_is_asked_after_until_it_is_there() -> None:
    lane = Lane(BEGUN, BEGUN, DONE)

    outcome = Outcome(lane)

    assert outcome.error is None
    assert lane.asked == [START, POLL, POLL]
    assert outcome.slept == [0.5, 0.75]
    assert outcome.kinds == [Progress, Progress, TextDelta, Finished]
    assert outcome.run.meter.attempts == 1
    assert outcome.run.meter.text == "Готово."


@pytest.mark.parametrize(
    "trouble",
    [Answer(503), NetworkFailed("gone", reason="reset"), Answer(frames=('{"id": "op',))],
)
def test_trouble_while_asking_after_it_does_not_begin_it_again(trouble: Answer) -> None:
    lane = Lane(BEGUN, trouble, DONE)

    outcome = Outcome(lane)

    assert outcome.error is None
    assert lane.asked == [START, POLL, POLL]
    assert outcome.run.meter.attempts == 2


def test_what_has_failed_at_the_server_is_begun_again() -> None:
    lane = Lane(BEGUN, FAILED, BEGUN, DONE)

    outcome = Outcome(lane)

    assert outcome.error is None
    assert lane.asked == [START, POLL, START, POLL]


def test_what_keeps_failing_is_given_up() -> None:
    outcome = Outcome(Lane(BEGUN, FAILED), retries=Retries(0))

    assert isinstance(outcome.error, RateLimited)


def test_an_operation_that_is_gone() -> None:
    lane = Lane(BEGUN, Answer(404, body='{"code": 5, "message": "no such operation"}'))

    assert isinstance(Outcome(lane).error, NotFound)
    assert lane.asked == [START, POLL]


def test_the_time_for_all_of_it_is_bounded() -> None:
    lane = Lane(BEGUN, BEGUN, DONE)

    outcome = Outcome(lane, timeout=0.4)  # the first wait is longer than that

    assert isinstance(outcome.error, NetworkFailed)
    assert outcome.error.reason == "timeout"
    assert lane.asked == [START]


def test_an_answer_without_an_id_of_its_own_has_that_of_its_head() -> None:
    body = json.dumps({"result": {"alternatives": [MESSAGE]}})

    for headers, expected in (({"x-request-id": "r1"}, "r1"), ({}, None)):
        outcome = Outcome(Lane(Answer(headers=headers, frames=(body,))))
        assert isinstance(outcome.events[-1], Finished)
        assert outcome.events[-1].request_id == expected
