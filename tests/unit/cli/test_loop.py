"""The one event loop, and what it leaves behind."""

import asyncio
import signal
from types import FrameType

import pytest

from llmctl.cli.loop import run_async


async def nothing() -> int:
    return 7


async def trouble() -> int:
    raise ValueError("of its own")


def ours(_number: int, _frame: FrameType | None) -> None:
    """A handler as cli/start.py sets one."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_mean_after_the_loop_what_they_meant_before(number: signal.Signals) -> None:
    """The answer is written to its file and to the ledger after the loop is over."""
    before = signal.signal(number, ours)
    try:
        assert run_async(nothing()) == 7
        assert signal.getsignal(number) is ours
        with pytest.raises(ValueError, match="of its own"):
            run_async(trouble())
        assert signal.getsignal(number) is ours
    finally:
        signal.signal(number, before)


def test_loops_may_follow_each_other() -> None:
    assert [run_async(nothing()) for _time in range(2)] == [7, 7]
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
