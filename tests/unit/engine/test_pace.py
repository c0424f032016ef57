"""Turns at an account: order, holds, cancellation, what each error and header does."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from llmctl.engine.pace import Held, Pace
from llmctl.errors import (
    Incomplete,
    IoFailed,
    LlmctlError,
    NetworkFailed,
    ProviderFailed,
    RateLimited,
    Rejected,
)
from llmctl.store.paces import Shared
from llmctl.types import FinishReason, Notice, Receipt
from llmctl.values import replace
from tests.unit.engine.pace_shared import ANSWER, now, virtually

NOON = 1_795_608_000.0  # 2026-11-25T12:00:00Z


def with_pace(main: Callable[[Pace], Coroutine[Any, Any, None]], most: int = 4) -> None:
    async def begin() -> None:
        await main(Pace(most, clock=now, wall=lambda: NOON + now() - 1000))

    virtually(begin())


def told(*errors: LlmctlError | None, limits: dict[str, str] | None = None) -> Pace:
    """A pace of eight after as many tries, all begun before the first ended."""
    made: list[Pace] = []

    async def main(pace: Pace) -> None:
        made.append(pace)
        turns = [pace.turn() for _error in errors]
        for turn in turns:
            await turn.__aenter__()
        receipt = replace(ANSWER, details={"rate_limits": limits} if limits else {})
        for turn, error in zip(turns, errors, strict=True):
            turn.heard(error, receipt)
            await turn.__aexit__()
        made.append(frozen(pace))

    with_pace(main, 8)
    return made[-1]


def frozen(pace: Pace) -> Pace:
    """The same, at the moment it is now."""
    moment = now()
    pace._clock = lambda: moment
    return pace


def test_never_more_than_most_are_under_way_and_first_come_is_first_served() -> None:
    async def main(pace: Pace) -> None:
        order: list[int] = []
        highest = 0

        async def lane(number: int) -> None:
            nonlocal highest
            async with pace.turn():
                order.append(number)
                highest = max(highest, pace.under_way)
                await asyncio.sleep(0.1)

        await asyncio.gather(*(lane(number) for number in range(20)))
        assert order == list(range(20))
        assert highest == 4
        assert pace.under_way == 0

    with_pace(main)


def test_one_who_gives_up_waiting_leaves_no_hole() -> None:
    async def main(pace: Pace) -> None:
        order: list[int] = []

        async def lane(number: int) -> None:
            async with pace.turn():
                order.append(number)
                await asyncio.sleep(1)

        lanes = [asyncio.create_task(lane(number)) for number in range(6)]
        await asyncio.sleep(0.5)
        for given_up in (0, 1, 3):  # one under way, the first in line, the one after next
            lanes[given_up].cancel()
        await asyncio.wait(lanes)
        assert order == [0, 2, 4, 5]
        assert pace.under_way == pace.waiting == 0

    with_pace(main, 1)


def test_the_first_in_line_gives_up_during_a_hold() -> None:
    async def main(pace: Pace) -> None:
        pace.hold(10)
        begun: list[float] = []

        async def lane() -> None:
            async with pace.turn():
                begun.append(now())

        lanes = [asyncio.create_task(lane()) for _number in range(3)]
        await asyncio.sleep(1)
        lanes[0].cancel()
        await asyncio.wait(lanes)
        assert begun == [pytest.approx(1010), pytest.approx(1010)]

    with_pace(main)


def test_retry_after_holds_everybody_and_may_become_longer() -> None:
    async def main(pace: Pace) -> None:
        async with pace.turn() as turn:
            turn.heard(RateLimited("slow", retry_after_s=5), ANSWER)
        assert pace.hold_left() == 5
        assert pace.why == "429"
        asyncio.get_running_loop().call_later(3, pace.hold, 4)
        async with pace.turn():
            assert now() == pytest.approx(1007)
        assert pace.hold_left() == 0

    with_pace(main)


@pytest.mark.parametrize(
    ("error", "limit", "hold"),
    [
        (RateLimited("slow", reason="rate", retry_after_s=2), 4, 2),
        (RateLimited("slow", reason="rate"), 4, 0.5),
        (RateLimited("broke", reason="quota"), 8, 0),
        (ProviderFailed("busy", status=503), 4, 0),
        (ProviderFailed("busy", status=529, retry_after_s=3), 4, 3),
        (ProviderFailed("busy", status=500, retry_after_s=1), 4, 1),
        (ProviderFailed("broken", status=500), 8, 0),
        (ProviderFailed("not yet", status=503, reason="loading"), 8, 0),
        (NetworkFailed("gone", reason="reset"), 8, 0),
        (Rejected("no", status=400), 8, 0),
        (None, 8, 0),
    ],
)
def test_what_an_error_does(error: LlmctlError | None, limit: int, hold: float) -> None:
    pace = told(error, error)

    assert (pace.limit, pace.hold_left()) == (limit, hold)


def test_answers_that_are_errors_to_us_are_successes_of_the_server() -> None:
    async def main(pace: Pace) -> None:
        async with pace.turn() as turn:
            turn.heard(RateLimited("slow", retry_after_s=1), ANSWER)
        assert pace.limit == 2
        cut = replace(ANSWER, finish_reason=FinishReason.LENGTH)
        for _number in range(2):
            async with pace.turn() as turn:
                turn.heard(Incomplete("stopped by length"), cut)
        assert pace.limit == 3

    with_pace(main)


def test_refusals_without_a_word_hold_longer_and_longer() -> None:
    async def main(pace: Pace) -> None:
        holds = []
        for _number in range(10):
            async with pace.turn() as turn:
                turn.heard(RateLimited("slow"), ANSWER)
            holds.append(pace.hold_left())
        assert holds == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
        async with pace.turn() as turn:
            turn.heard(None, ANSWER)
        async with pace.turn() as turn:
            turn.heard(RateLimited("slow"), ANSWER)
        assert pace.hold_left() == 0.5

    with_pace(main)


def test_late_refusals_of_the_same_wave_hold_no_longer() -> None:
    async def main(pace: Pace) -> None:
        async with pace.turn() as first, pace.turn() as second:
            first.heard(RateLimited("slow"), ANSWER)
            await asyncio.sleep(0.4)
            second.heard(RateLimited("slow"), ANSWER)
            assert pace.hold_left() == pytest.approx(0.1)

    with_pace(main)


@pytest.mark.parametrize(
    ("asked", "held"), [(3601.0, 3601), (86_400.0, 86_400), (86_401.0, 86_400), (1e12, 86_400)]
)
def test_a_hold_has_its_true_end_up_to_a_day(asked: float, held: float) -> None:
    assert told(RateLimited("tomorrow", retry_after_s=asked)).hold_left() == held


def test_a_limit_that_is_used_up_holds_until_its_reset() -> None:
    openai = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms"}
    anthropic = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-11-25T12:00:30Z",
    }

    assert told(None, limits=openai).hold_left() == pytest.approx(0.012)
    assert told(None, limits=anthropic).hold_left() == pytest.approx(30)


def test_one_of_many_tokens_waits_for_the_rate_and_is_corrected() -> None:
    async def main() -> None:
        pace = Pace(4, tokens_per_minute=60_000, clock=now)
        async with pace.turn(tokens=2000) as turn:
            turn.heard(None, ANSWER)  # 10 tokens
        async with pace.turn(tokens=2000):
            assert now() == pytest.approx(1000)
        async with pace.turn(tokens=1):
            assert now() == pytest.approx(1002, abs=0.1)

    virtually(main())


def test_shared_holds_are_seen_within_half_a_second(tmp_path: Path) -> None:
    async def main() -> None:
        mine, theirs = (
            Pace(4, shared=Shared(tmp_path / "s.db", "a", now), clock=now) for _one in range(2)
        )
        async with mine.turn():
            pass
        theirs.hold(7)
        await asyncio.sleep(0.3)
        async with mine.turn():
            assert now() == pytest.approx(1007)
        for pace in (mine, theirs):
            pace.close()

    virtually(main())


def test_a_state_file_that_fails_is_told_once_and_nothing_stops() -> None:
    class Broken:
        closed = 0

        def hold(self, _seconds: float) -> None:
            raise IoFailed("the disk is full")

        def held(self) -> float:
            return 0.0

        def reserve(self, *_asked: object) -> float:
            return 0.0

        def close(self) -> None:
            self.closed += 1

    said: list[Notice] = []

    async def main() -> None:
        shared: Any = Broken()
        pace = Pace(4, requests_per_minute=60, shared=shared, told=said.append, clock=now)
        for number in range(3):
            async with pace.turn() as turn:
                turn.heard(RateLimited("slow", retry_after_s=2), ANSWER)
                assert now() >= 1000 + 2 * number
        assert shared.closed == 1

    virtually(main())
    assert [one.code for one in said] == ["pace-alone"]
    assert "the disk is full" in said[0].text


def test_a_turn_that_was_never_heard_of_changes_nothing() -> None:
    async def main(pace: Pace) -> None:
        async def fails() -> None:
            async with pace.turn():
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fails()
        assert (pace.under_way, pace.limit, pace.why) == (0, 4, None)

    with_pace(main)


def test_a_receipt_without_usage_corrects_nothing() -> None:
    async def main() -> None:
        pace = Pace(4, tokens_per_minute=60_000, clock=now)
        nothing = Receipt("run", "2026-11-25T12:00:00Z", "m")
        async with pace.turn(tokens=1000) as turn:
            turn.heard(None, nothing)
        async with pace.turn(tokens=1):
            assert now() == pytest.approx(1001, abs=0.1)

    virtually(main())


# ---- one model of several


async def tried(pace: Pace, of: str, error: LlmctlError | None = None) -> None:
    async with pace.turn(of=of) as turn:
        await asyncio.sleep(0.1)
        turn.heard(error, ANSWER)


def test_a_model_that_is_refused_while_others_are_answered_is_held_alone() -> None:
    async def main(pace: Pace) -> None:
        slow = RateLimited("slow", retry_after_s=4)
        await tried(pace, "a", slow)
        assert (pace.hold_left(), pace.apart_left("a")) == (4, 0)  # it may be the account
        await tried(pace, "b")
        await tried(pace, "a", slow)
        assert (pace.hold_left(), pace.apart_left("a"), pace.apart_left("b")) == (0, 4, 0)
        assert pace.limit == 2  # halved once
        await tried(pace, "a")
        await tried(pace, "b")
        await tried(pace, "a", slow)  # once it was answered it is as any other
        assert (pace.hold_left(), pace.apart_left("a")) == (4, 0)

    with_pace(main)


def test_answers_of_requests_from_before_the_refusal_tell_nothing() -> None:
    async def main(pace: Pace) -> None:
        async with pace.turn(of="b") as earlier:
            await tried(pace, "a", RateLimited("slow", retry_after_s=4))
            earlier.heard(None, ANSWER)
        await tried(pace, "a", RateLimited("slow", retry_after_s=4))
        assert (pace.hold_left(), pace.apart_left("a")) == (4, 0)

    with_pace(main)


def test_one_that_is_held_alone_without_a_word_waits_longer_and_longer() -> None:
    async def main(pace: Pace) -> None:
        holds = []
        await tried(pace, "a", RateLimited("slow"))
        await tried(pace, "b")
        for _number in range(3):
            await tried(pace, "a", RateLimited("slow"))
            holds.append(pace.apart_left("a"))
        assert holds == [0.5, 1, 2]

    with_pace(main)


# ---- those who do not wait so long


def test_whoever_waits_no_longer_leaves_the_line_when_a_hold_begins() -> None:
    async def main(pace: Pace) -> None:
        async def lane(at_most: float | None) -> float:
            try:
                async with pace.turn(at_most=at_most):
                    return now()
            except Held:
                return -now()

        async with pace.turn():
            lanes = [asyncio.create_task(lane(at_most)) for at_most in (2, None, 2, 60, 2)]
            await asyncio.sleep(1)
            pace.hold(30)
            await asyncio.sleep(0)
        found = await asyncio.gather(*lanes)
        assert found == [-1001, pytest.approx(1031), -1001, pytest.approx(1031), -1001]
        pace.hold(30)
        assert await lane(2) == -now()  # nor does it begin to stand there

    with_pace(main, 1)


def test_a_hold_of_another_process_is_told_apart(tmp_path: Path) -> None:
    async def main() -> None:
        mine, theirs = (
            Pace(4, shared=Shared(tmp_path / "s.db", "a", now), clock=now) for _one in range(2)
        )
        theirs.hold(30)
        assert (theirs.why, theirs.elsewhere) == ("429", False)
        assert (mine.hold_left(), mine.why, mine.elsewhere) == (30, "elsewhere", True)
        mine.hold(40)
        assert (mine.why, mine.elsewhere) == ("429", False)
        for pace in (mine, theirs):
            pace.close()

    virtually(main())
