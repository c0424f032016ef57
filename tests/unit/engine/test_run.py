"""One call over a scripted lane: retries, their bounds, and what a broken stream amounts to."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from llmctl.dialects import DIALECTS, Frame, Framing, HttpCall
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import (
    AuthFailed,
    CutOff,
    Filtered,
    Incomplete,
    LlmctlError,
    NetworkFailed,
    ProviderFailed,
    RateLimited,
)
from llmctl.types import (
    Call,
    Chat,
    Event,
    Finished,
    Image,
    Notice,
    Quirks,
    Role,
    TextDelta,
    Usage,
    message,
)

CHUNK = '{"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}'
END = '{"choices":[{"index":0,"delta":{},"finish_reason":"%s"}]}'
USAGE = '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
SECRET = "sk-" + "q" * 20


@dataclass
class Timing:
    connect_s: float | None = 0.1
    reused: bool = False
    first_byte_s: float | None = 0.2
    load_s: float | None = None
    auth_s: float | None = None


@dataclass
class Answer:
    """What the lane gives to one request: frames, an error between them, or silence."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    frames: tuple[str | Exception | float, ...] = ()


class ScriptedReply:
    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.timing = Timing()
        self.spared = False
        self._answer = answer

    async def text(self, limit: int = 1 << 20) -> str:
        return self._answer.body

    def spare(self) -> None:
        self.spared = True

    async def frames(self, framing: Framing) -> AsyncIterator[Frame]:
        for one in self._answer.frames:
            if isinstance(one, Exception):
                raise one
            if isinstance(one, float):
                await asyncio.sleep(one)
            else:
                yield Frame(one)


class ScriptedLane:
    def __init__(self, *answers: Answer | LlmctlError) -> None:
        self.tokens: set[str] = set()
        self.answers: Iterator[Answer | LlmctlError] = iter(answers)
        self.requests = 0
        self.replies: list[ScriptedReply] = []

    @asynccontextmanager
    async def exchange(self, http: HttpCall) -> AsyncIterator[ScriptedReply]:
        self.requests += 1
        answer = next(self.answers)
        if isinstance(answer, LlmctlError):
            raise answer
        self.replies.append(ScriptedReply(answer))
        yield self.replies[-1]


class Masking:
    def mask(self, text: str) -> str:
        return text.replace(SECRET, "***")


class Target:
    base_url = "https://api.example.com/v1"
    host = "api.example.com"


ROUTE = Route(
    requested="a/m",
    provider="a",
    model="m",
    card=cast(Any, None),
    model_card=None,
    dialect=DIALECTS["openai_chat"](),
    quirks=Quirks(),
    target=cast(Any, Target()),
    verdict=cast(Any, None),
    secret=cast(Any, Masking()),
)


def whole(*texts: str, reason: str = "stop") -> Answer:
    return Answer(frames=(*(CHUNK % text for text in texts), END % reason, USAGE, "[DONE]"))


class Outcome:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.error: LlmctlError | None = None
        self.slept: list[float] = []
        self.run: Run

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, TextDelta))


def run(
    lane: ScriptedLane,
    *,
    retries: Retries | None = None,
    timeout: float | None = None,
    clock: Callable[[], float] | None = None,
    call: Call | None = None,
    **chat: Any,
) -> Outcome:
    outcome = Outcome()

    async def sleep(seconds: float) -> None:
        outcome.slept.append(seconds)

    async def collect() -> None:
        asked = call or Chat("m", (message(Role.USER, "hi"),), **chat)
        timed: dict[str, Any] = {} if clock is None else {"clock": clock}
        outcome.run = Run(
            asked, ROUTE, cast(Any, lane), retries=retries, timeout=timeout, sleep=sleep, **timed
        )
        try:
            async for event in outcome.run.events():
                outcome.events.append(event)
        except LlmctlError as error:
            outcome.error = error

    asyncio.run(collect())
    return outcome


@pytest.mark.parametrize(
    ("error", "requests"),
    [
        (NetworkFailed("reset", reason="reset", retryable=True), 1),
        (ProviderFailed("gateway", status=504, retryable=True), 1),
        (NetworkFailed("no", reason="connect", retryable=True), 2),
        (ProviderFailed("oops", status=500, retryable=True), 2),
        (RateLimited("slower", status=429, retryable=True), 2),
    ],
)
def test_a_picture_that_may_have_been_drawn_is_not_asked_for_again(
    error: LlmctlError, requests: int
) -> None:
    lane = ScriptedLane(error, error)

    outcome = run(lane, retries=Retries(1, base=0.0), call=Image("m", "a fox"))

    assert outcome.error is error
    assert lane.requests == requests


def test_a_whole_answer() -> None:
    lane = ScriptedLane(whole("Hel", "lo"))

    outcome = run(lane)

    assert outcome.error is None
    assert outcome.text == "Hello"
    assert isinstance(outcome.events[-1], Finished)
    assert Usage(3, 2) == outcome.events[-1].usage
    assert lane.requests == 1


@pytest.mark.parametrize(
    ("frames", "spared"),
    [
        ((CHUNK % "Hi", END % "stop", "[DONE]"), True),
        ((CHUNK % "Hi", END % "stop"), False),  # ended without its mark: the body is over anyway
        ((CHUNK % "Hi",), False),
        ((CHUNK % "Hi", NetworkFailed("gone", reason="reset")), False),
    ],
)
def test_the_connection_outlives_an_answer_that_is_whole(
    frames: tuple[str | Exception, ...], spared: bool
) -> None:
    lane = ScriptedLane(Answer(frames=frames))

    run(lane)

    assert [reply.spared for reply in lane.replies] == [spared]


def test_busy_then_well() -> None:
    lane = ScriptedLane(Answer(503), Answer(429, {"retry-after": "7"}), whole("ok"))

    outcome = run(lane)

    assert outcome.text == "ok"
    assert 3 == lane.requests == outcome.run.meter.attempts
    assert outcome.slept[1] == 7.0
    waits = [one for one in outcome.events if isinstance(one, Notice)]
    assert [one.code for one in waits] == ["waiting", "waiting"]
    assert "7.0 s" in waits[1].text


def test_attempts_end() -> None:
    lane = ScriptedLane(*[Answer(500)] * 3)

    outcome = run(lane, retries=Retries(attempts=2))

    assert isinstance(outcome.error, ProviderFailed)
    assert lane.requests == 3


def test_a_refused_key_is_not_tried_again() -> None:
    lane = ScriptedLane(Answer(401, body='{"error":{"message":"bad key"}}'))

    outcome = run(lane)

    assert isinstance(outcome.error, AuthFailed)
    assert (outcome.error.provider, outcome.error.host) == ("a", "api.example.com")
    assert outcome.slept == []


def test_a_day_of_waiting_is_refused_at_once() -> None:
    outcome = run(ScriptedLane(Answer(429, {"retry-after": "86400"})))

    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after_s == 86400.0
    assert outcome.slept == []


def test_what_slow_attempts_take_is_not_waiting() -> None:
    """A gateway gives up after a minute; that is no reason not to ask it again."""
    moments = itertools.count(0, 40)  # every look at the clock is 40 s later
    lane = ScriptedLane(Answer(504), Answer(504), whole("Hi"))

    outcome = run(
        lane, retries=Retries(3, base=1.0, max_wait=5.0), clock=lambda: float(next(moments))
    )

    assert (outcome.text, lane.requests, outcome.error) == ("Hi", 3, None)


@pytest.mark.parametrize(
    "broken",
    [
        Answer(frames=(CHUNK % "Hel",)),
        Answer(frames=(CHUNK % "Hel", "[DONE]")),
        Answer(frames=(CHUNK % "Hel", NetworkFailed("reset", reason="reset"))),
    ],
    ids=["no-end-mark", "done-without-reason", "reset"],
)
def test_cut_off_after_text_is_never_repeated(broken: Answer) -> None:
    lane = ScriptedLane(broken, whole("twice"))

    outcome = run(lane)

    assert isinstance(outcome.error, CutOff)
    assert "Hel" == outcome.text == outcome.run.meter.text
    assert lane.requests == 1


def test_json_torn_by_the_end_of_the_body_is_cut_off() -> None:
    outcome = run(ScriptedLane(Answer(frames=(CHUNK % "Hel", '{"choices":[{"ind'))))

    assert isinstance(outcome.error, CutOff)


@pytest.mark.parametrize(
    "frames",
    [(CHUNK % "Hel", "Internal Server Error"), (CHUNK % "Hel", '{"cho', CHUNK % "lo")],
    ids=["words", "in the middle"],
)
def test_what_is_no_json_otherwise_is_said(frames: tuple[str, ...]) -> None:
    outcome = run(ScriptedLane(Answer(frames=frames)))

    assert isinstance(outcome.error, ProviderFailed)
    assert frames[1] in outcome.error.message


def test_an_answer_without_a_word_gets_a_note() -> None:
    outcome = run(ScriptedLane(Answer(frames=(END % "stop", "[DONE]"))))

    assert outcome.error is None
    assert [one.code for one in outcome.events if isinstance(one, Notice)] == ["empty"]


def test_an_error_inside_the_stream_after_text() -> None:
    lane = ScriptedLane(Answer(frames=(CHUNK % "Hel", '{"error":{"message":"overloaded"}}')))

    outcome = run(lane)

    assert isinstance(outcome.error, ProviderFailed)
    assert "overloaded" in outcome.error.message
    assert lane.requests == 1


def test_an_error_before_the_first_token_is_repeated() -> None:
    lane = ScriptedLane(Answer(frames=('{"error":{"message":"overloaded"}}',)), whole("ok"))

    assert run(lane).text == "ok"


@pytest.mark.parametrize("frames", [(), ("",), (END % "",)])
def test_nothing_is_no_answer(frames: tuple[str, ...]) -> None:
    outcome = run(ScriptedLane(Answer(frames=frames)), retries=Retries(attempts=0))

    assert isinstance(outcome.error, ProviderFailed)


def test_trouble_after_the_finish_reason_is_none() -> None:
    broken = NetworkFailed("reset", reason="reset")

    outcome = run(ScriptedLane(Answer(frames=(CHUNK % "ok", END % "stop", broken))))

    assert outcome.error is None
    assert isinstance(outcome.events[-1], Finished)
    assert outcome.events[-1].usage is None


def test_a_server_that_goes_on_after_its_end_mark_is_left() -> None:
    outcome = run(ScriptedLane(Answer(frames=(*whole("ok").frames, 1e6))))

    assert outcome.error is None


def test_length_is_an_error_unless_asked_for() -> None:
    assert isinstance(run(ScriptedLane(whole("a", reason="length"))).error, Incomplete)
    assert run(ScriptedLane(whole("a", reason="length")), max_tokens=1).error is None
    with_schema = run(
        ScriptedLane(whole("a", reason="length")), max_tokens=1, schema={"type": "object"}
    )
    assert isinstance(with_schema.error, Incomplete)


def test_a_filter_is_an_error_after_the_text() -> None:
    outcome = run(ScriptedLane(whole("He", reason="content_filter")))

    assert isinstance(outcome.error, Filtered)
    assert outcome.text == "He"


def test_the_whole_time_is_bounded_before_the_first_token() -> None:
    outcome = run(ScriptedLane(Answer(frames=(5.0,))), timeout=0.02)

    assert isinstance(outcome.error, NetworkFailed)
    assert outcome.error.reason == "timeout"


def test_the_whole_time_is_bounded_in_mid_answer() -> None:
    outcome = run(ScriptedLane(Answer(frames=(CHUNK % "Hel", 5.0))), timeout=0.05)

    assert isinstance(outcome.error, CutOff)


def test_a_key_that_the_server_repeats_is_masked() -> None:
    body = f'{{"error":{{"message":"Incorrect API key provided: {SECRET}"}}}}'

    outcome = run(ScriptedLane(Answer(401, body=body)))

    assert outcome.error is not None
    assert SECRET not in outcome.error.message
    assert "***" in outcome.error.message
    assert SECRET not in str(outcome.error), "tracebacks show this"


def test_a_token_that_the_server_repeats_is_masked() -> None:
    token = "tok-" + "z9" * 15
    lane = ScriptedLane(Answer(401, {"x-request-id": token}, f"not good: {token}"))
    lane.tokens = {"", token}

    outcome = run(lane)

    assert outcome.error is not None
    assert outcome.error.message == "the provider answered 401: not good: ***"
    assert outcome.error.request_id == "***"


def test_a_key_in_a_request_id_is_masked() -> None:
    outcome = run(ScriptedLane(Answer(400, {"x-request-id": f"for-{SECRET}"})))

    assert outcome.error is not None
    assert outcome.error.request_id == "for-***"


def test_what_the_head_of_an_answer_tells() -> None:
    """An id where the body gives none, and what is left of the account's limits."""
    head = {"x-request-id": "req_1", "x-ratelimit-remaining-requests": "9", "server": "x"}
    named = CHUNK.replace('{"choices"', '{"id":"chatcmpl-1","choices"')

    bare = run(ScriptedLane(Answer(headers=head, frames=(CHUNK % "a", END % "stop")))).events[-1]
    own = run(ScriptedLane(Answer(headers=head, frames=(named % "a", END % "stop")))).events[-1]
    silent = run(ScriptedLane(whole("a"))).events[-1]

    assert isinstance(bare, Finished)
    assert bare.request_id == "req_1"
    assert bare.details == {"rate_limits": {"x-ratelimit-remaining-requests": "9"}}
    assert isinstance(own, Finished)
    assert own.request_id == "chatcmpl-1"
    assert isinstance(silent, Finished)
    assert (silent.request_id, silent.details) == (None, {})
