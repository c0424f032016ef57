"""How long waits are borne: each on its own, all together, and not when somebody else cancels."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from llmctl.transport.patience import Patience


def run(main: Coroutine[Any, Any, None]) -> float:
    """How many seconds it took."""
    begun = time.monotonic()
    asyncio.run(main)
    return time.monotonic() - begun


async def after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "here"


def test_what_comes_in_time_is_handed_on() -> None:
    async def main() -> None:
        patience = Patience(5)
        assert await patience.bear(after(0)) == "here"
        with pytest.raises(KeyError):
            await patience.bear(failing())
        patience.close()

    async def failing() -> None:
        raise KeyError

    run(main())


def test_silence_is_borne_for_the_idle_time_and_no_longer() -> None:
    async def main() -> None:
        patience = Patience(0.05)
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))
        # The task itself is not left cancelled.
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert await after(0) == "here"

    assert 0.049 <= run(main()) < 5


def test_each_wait_counts_anew() -> None:
    async def main() -> None:
        patience = Patience(0.15)
        for _turn in range(10):
            await patience.bear(after(0.02))  # 0.2 s in all
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))

    assert 0.34 <= run(main()) < 5


def test_time_between_waits_is_not_silence() -> None:
    async def main() -> None:
        patience = Patience(0.03)
        await patience.bear(after(0))
        await asyncio.sleep(0.08)  # the reader is slow, not the server
        assert await patience.bear(after(0.01)) == "here"
        patience.close()

    run(main())


def test_the_deadline_ends_a_wait_that_is_not_idle_yet() -> None:
    async def main() -> None:
        patience = Patience(30, asyncio.get_running_loop().time() + 0.08)
        await patience.bear(after(0.03))
        assert not patience.overdue
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))
        assert patience.overdue

    assert 0.079 <= run(main()) < 5


def test_without_a_deadline_nothing_is_overdue() -> None:
    async def main() -> None:
        assert not Patience(0).overdue

    run(main())


def test_somebody_elses_cancelling_stays_cancelling() -> None:
    async def main() -> None:
        patience = Patience(30)
        task = asyncio.create_task(patience.bear(asyncio.sleep(30)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        patience.close()

    assert run(main()) < 5


def test_cancelled_by_somebody_and_out_of_patience_at_once_is_cancelled() -> None:
    async def main() -> None:
        patience = Patience(0.02)
        task = asyncio.create_task(patience.bear(asyncio.sleep(30)))
        await asyncio.sleep(0)
        time.sleep(0.04)  # noqa: ASYNC251  the loop is busy until the wait is over
        # Ran out in this turn of the loop, and cancelled before the task has heard of it.
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_closed_it_leaves_no_timer() -> None:
    async def main() -> None:
        patience = Patience(0.02)
        await patience.bear(after(0))
        patience.close()
        await asyncio.sleep(0.05)
        patience.close()

    run(main())


def test_an_outer_time_limit_is_not_taken_for_ours() -> None:
    async def main() -> None:
        patience = Patience(30)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02) as limit:
                await patience.bear(asyncio.sleep(30))
        assert limit.expired()
        patience.close()

    assert run(main()) < 5


def test_another_answer_has_a_deadline_of_its_own() -> None:
    async def main() -> None:
        patience = Patience(0.2)
        await patience.bear(after(0))  # sets the timer for 0.2 s
        patience.begin(asyncio.get_running_loop().time() + 0.05)
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))
        assert patience.overdue
        patience.begin(None)
        assert not patience.overdue
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))

    assert 0.249 <= run(main()) < 5


def test_patience_without_end() -> None:
    async def main() -> None:
        patience = Patience(float("inf"))
        assert await patience.bear(after(0.01)) == "here"
        patience.begin(asyncio.get_running_loop().time() + 0.02)
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.sleep(30))

    run(main())
