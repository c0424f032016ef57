"""An iterator in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from llmctl.rows.thread import AHEAD, PIECE, from_thread


def test_all_values_come_in_order() -> None:
    async def read() -> list[int]:
        return [one async for one in from_thread(iter(range(1000)))]

    assert asyncio.run(read()) == list(range(1000))


def test_it_is_not_read_far_ahead() -> None:
    taken = []

    def values() -> Iterator[int]:
        for number in range(10_000):
            taken.append(number)
            yield number

    async def first() -> int:
        async with aclosing(from_thread(values())) as found:
            async for one in found:
                await asyncio.sleep(0.05)
                return one
        raise AssertionError

    assert asyncio.run(first()) == 0
    assert len(taken) <= (AHEAD + 1) * PIECE
    deadline = time.monotonic() + 5
    while any(one.name == "rows" for one in threading.enumerate()):  # it ends by itself
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_goes_wrong_in_it_is_raised() -> None:
    def values() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    async def read() -> None:
        async for _one in from_thread(values()):
            pass

    with pytest.raises(KeyError):
        asyncio.run(read())


def test_one_that_blocks_holds_nothing_up() -> None:
    go_on = threading.Event()

    def values() -> Iterator[int]:
        go_on.wait(10)
        yield 1

    async def read() -> int:
        found = from_thread(values())
        coming = asyncio.ensure_future(anext(found))
        await asyncio.sleep(0.01)  # the loop runs
        assert not coming.done()
        go_on.set()
        return await coming

    assert asyncio.run(read()) == 1
