"""What a pace makes of simulated servers, in virtual time: rates, refusals, queues and noise."""

import asyncio
import random
from collections import deque

import pytest

from llmctl.engine.aimd import Concurrency
from llmctl.engine.pace import Pace
from llmctl.engine.rates import Allowance, Learned
from llmctl.errors import LlmctlError, RateLimited
from llmctl.types import Receipt, Usage
from tests.unit.engine.pace_shared import ANSWER, Bucket, Serve, now, virtually, work

PER_SECOND, BURST = 100.0, 10
REFUSED_S = 0.01


def bucket_server(bucket: Bucket, latency: float, seed: int = 1) -> Serve:
    chance = random.Random(seed)

    async def serve(_row: int) -> Receipt:
        try:
            bucket.ask()
        except LlmctlError:
            await asyncio.sleep(REFUSED_S)
            raise
        await asyncio.sleep(latency * chance.lognormvariate(0, 0.3))
        return ANSWER

    return serve


def against_bucket(
    rows: int, lanes: int, latency: float, *, told: int | None = None
) -> tuple[Bucket, float]:
    """The server, and the time it took as a multiple of what one who knows all would need."""

    async def main() -> tuple[Bucket, float]:
        bucket = Bucket(PER_SECOND, BURST, retry_after=1.0)
        pace = Pace(lanes, requests_per_minute=told, clock=now)
        took = await work(pace, bucket_server(bucket, latency), rows, lanes)
        return bucket, took / max((rows - BURST) / PER_SECOND, rows / lanes * latency)

    return virtually(main())


def test_a_rate_that_is_known_is_kept_and_used() -> None:
    bucket, times = against_bucket(500, 64, 0.1, told=6000)

    assert bucket.refused == 0
    assert times < 1.3


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.1, 0.3])
def test_a_rate_that_nobody_told_is_found(latency: float) -> None:
    bucket, times = against_bucket(500, 64, latency)

    # Two holds of a second are needed to find it, beside 4.9 s of work; the first salvo alone has
    # 54 more than the burst.
    assert bucket.asked <= 600
    assert times < 1.9


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("lanes", [12, 64])
def test_once_found_it_is_used_well(lanes: int, latency: float) -> None:
    bucket, times = against_bucket(5000, lanes, latency)

    assert bucket.asked <= 5000 * 1.02
    assert times < 1.3


def test_few_lanes_that_the_server_bears_are_never_refused() -> None:
    bucket, times = against_bucket(500, 8, 0.1)

    assert bucket.refused == 0
    assert times < 1.1  # the mean of the noise is 1.046


def noisy(lanes: int, sigma: float, seed: int, *, tokens: bool) -> list[int]:
    """The limit after each of 5,000 answers of a server that does nothing wrong."""

    async def main() -> list[int]:
        chance, limits = random.Random(seed), []

        async def serve(_row: int) -> Receipt:
            made = int(chance.lognormvariate(5, 1))
            seconds = 0.5 * chance.lognormvariate(0, sigma) * ((20 + made) / 170 if tokens else 1)
            await asyncio.sleep(seconds)
            limits.append(pace.limit)
            usage = Usage(10, made if tokens else None)
            return Receipt("run", "2026-11-25T12:00:00Z", "m", usage=usage)

        pace = Pace(lanes, clock=now)
        await work(pace, serve, 5000, lanes)
        return limits

    return virtually(main())


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("lanes", [4, 16, 64])
def test_noise_is_no_queue(lanes: int, sigma: float, tokens: bool) -> None:
    limits = noisy(lanes, sigma, 7, tokens=tokens)

    assert sum(limits) / len(limits) > 0.97 * lanes
    assert min(limits) >= 0.6 * lanes


def one_by_one(per_second: float) -> Serve:
    """A server that answers one after the other: more at a time only wait longer."""
    free = 0.0

    async def serve(_row: int) -> Receipt:
        nonlocal free
        free = max(now(), free) + 1 / per_second
        await asyncio.sleep(free - now())
        return ANSWER

    return serve


def test_a_queue_is_left_without_a_loss() -> None:
    async def main() -> tuple[float, int, str | None]:
        pace, serve = Pace(64, clock=now), one_by_one(50)
        await work(pace, serve, 128, 4)  # what it takes when few ask: 0.08 s
        took = await work(pace, serve, 6000, 64)
        return took, pace.limit, pace.why

    took, limit, why = virtually(main())

    assert took == pytest.approx(6000 / 50, rel=0.01)  # not a row a second less than it can
    assert 8 <= limit <= 24  # 2.5 times 0.08 s are ten at a time
    assert why == "latency"


def test_a_server_that_becomes_slower_by_itself_is_asked_as_before() -> None:
    async def main() -> list[int]:
        limits = []

        async def serve(row: int) -> Receipt:
            await asyncio.sleep(0.1 if row < 1000 else 0.4)
            limits.append(pace.limit)
            return ANSWER

        pace = Pace(32, clock=now)
        await work(pace, serve, 5000, 32)
        return limits

    limits = virtually(main())

    assert min(limits) == 28  # one try at a tenth less
    assert limits[-1] == 32


def test_a_wave_of_refusals_halves_once() -> None:
    pace = Concurrency(64)

    assert pace.trouble(0, "429")
    assert not pace.trouble(0, "429")
    assert pace.limit == 32
    assert pace.trouble(1, "429")
    assert pace.limit == 16
    for generation in range(2, 9):
        pace.trouble(generation, "429")
    assert pace.limit == 1


def test_one_more_after_each_round_of_answers() -> None:
    pace = Concurrency(4)
    pace.trouble(0, "429")
    limits = []
    for number in range(6):
        pace.answered(1, float(number), 0.1, None)
        limits.append(pace.limit)

    assert limits == [2, 3, 3, 3, 4, 4]
    assert pace.why is None


def begun(allowance: Allowance, seconds: float, step: float) -> list[float]:
    """When requests begin, asked for all the time."""
    moment, found = 0.0, []
    while moment < seconds:
        if allowance.wait(1, moment) <= 0:
            allowance.spend(1, moment)
            found.append(moment)
        else:
            moment += step
    return found


@pytest.mark.parametrize("per_minute", [1, 7, 60, 120, 3000, 6000])
def test_no_minute_has_more_than_the_limit(per_minute: int) -> None:
    window: deque[float] = deque()
    moments = begun(Allowance(per_minute), 180, 0.002)
    for moment in moments:
        window.append(moment)
        while window[0] <= moment - 60:
            window.popleft()
        assert len(window) <= per_minute

    assert len(moments) >= 0.97 * 3 * per_minute - 1


def test_tokens_are_corrected_by_what_was_used() -> None:
    allowance = Allowance(60_000)  # 1,000 a second, 50 of them as burst
    allowance.spend(1000, 0.0)
    before = allowance.wait(1, 0.0)
    allowance.correct(-500)

    assert before == pytest.approx(0.95, abs=0.02)
    assert before - allowance.wait(1, 0.0) == pytest.approx(0.5, abs=0.01)


def test_a_burst_alone_tells_no_rate_and_is_felt_for_from_below() -> None:
    learned = Learned()
    for _number in range(64):
        learned.spend(0.0)
    learned.refused(0, 11, 0.0, 0.01, 1.0)

    # Ten within a hold of a second are ten a second; doubled every quarter of one.
    assert learned.rate(1.01) == pytest.approx(10.0)
    assert learned.rate(1.51) == pytest.approx(40.0)


def test_a_rate_that_was_refused_is_left_by_a_fifth_and_passed_slowly() -> None:
    learned = Learned()
    for number in range(200):
        learned.spend(number / 100)
    learned.refused(0, 200, 2.0, 2.0, 1.0)

    assert learned.rate(3.0) == pytest.approx(80.0)
    assert learned.rate(8.0) == pytest.approx(100.0)
    assert learned.rate(13.0) == pytest.approx(120.0)
    assert learned.rate(30.0) is None


@pytest.mark.parametrize("told", [0.0, 0.002])
def test_refusals_that_come_at_any_rate_are_not_taken_for_one(told: float) -> None:
    """One request in fifty is refused, however slowly they come. By the halving alone, some ten of
    64 lanes stay in use (the square root of 2 / 0.02): 1,000 rows a second of 10 ms each. A third
    of that is asked for; taken for a rate, the refusals leave ten a second."""

    async def main() -> float:
        chance = random.Random(3)

        async def serve(_row: int) -> Receipt:
            await asyncio.sleep(0.01)
            if chance.random() < 0.02:
                raise RateLimited("not now", retry_after_s=told)
            return ANSWER

        return await work(Pace(64, clock=now), serve, 20_000, 64)

    assert virtually(main()) < 60


def test_it_is_listened_to_again_after_a_while() -> None:
    learned, at = Learned(), 0.0
    for _refusal in range(3):
        for _number in range(50):
            at += 1 / 100 if learned.rate(at) is None else 1 / (learned.rate(at) or 1)
            learned.spend(at)
        learned.refused(learned.stretch, 50, at, at, 0.0)
    assert learned.rate(at) is None

    learned.spend(at)
    learned.refused(learned.stretch, 1, at, at, 0.0)
    assert learned.rate(at) is None
    for number in range(200):
        learned.spend(at + 61 + number / 100)
    learned.refused(learned.stretch, 200, at + 63, at + 63, 1.0)
    assert learned.rate(at + 64) == pytest.approx(80.0, rel=0.02)


class Line:
    """A schedule that others could be in, too: what was taken of it, at a time that is set."""

    def __init__(self) -> None:
        self.now = self.even = 0.0
        self.taken: list[float] = []

    def reserve(self, units: float, every: float, slack: float) -> float:
        self.taken.append(units)
        begins = max(self.now, self.even)
        self.even = begins + units * every
        return begins - slack - self.now


def test_a_shared_rate_is_taken_in_blocks_of_a_quarter_of_a_second() -> None:
    line = Line()
    allowance = Allowance(6000, line.reserve)
    for _number in range(1000):
        while (wait := allowance.wait(1, line.now)) > 0:
            line.now += wait
        allowance.spend(1, line.now)

    assert line.taken == [25.0] * 40  # 100 a second
    assert line.now == pytest.approx(10, rel=0.03)


def test_permits_that_were_not_used_in_time_are_void() -> None:
    line = Line()
    allowance = Allowance(6000, line.reserve)
    assert allowance.wait(1, 0.0) == 0
    allowance.spend(1, 0.0)
    line.now = 5.0  # everything was held up
    allowance.wait(1, line.now)

    assert line.taken == [25.0, 25.0]


def test_what_answers_used_less_is_spent_first_and_what_they_used_more_is_taken_later() -> None:
    line = Line()
    allowance = Allowance(60_000, line.reserve)  # 250 tokens a block
    allowance.wait(1000, 0.0)
    allowance.spend(1000, 0.0)
    allowance.correct(-900)
    assert allowance.wait(600, 0.0) == 0
    allowance.spend(600, 0.0)
    assert line.taken == [1000.0]

    allowance.correct(+400)
    allowance.wait(500, 0.0)
    assert line.taken == [1000.0, 600.0]  # 500, 300 of them from before, and 400 that were owed


def test_one_who_can_share_no_more_keeps_the_rate_alone() -> None:
    allowance = Allowance(60, lambda *_asked: None)

    assert begun(allowance, 10, 0.01) == pytest.approx(
        [number * 60.25 / 60 for number in range(10)], abs=0.12
    )
