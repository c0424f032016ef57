"""An iterator in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from llmctl.rows.thread import AHEAD, PIECE, PIECE_BYTES, from_thread


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


def test_of_large_ones_few_are_taken() -> None:
    taken = [0]

    def values() -> Iterator[int]:
        for number in range(100):
            taken[0] += PIECE_BYTES
            yield number

    async def first() -> int:
        async with aclosing(from_thread(values(), taken=lambda: taken[0])) as found:
            async for one in found:
                await asyncio.sleep(0.05)
                return one
        raise AssertionError

    assert asyncio.run(first()) == 0
    assert taken[0] <= (AHEAD + 1) * PIECE_BYTES


def test_from_a_pipe_each_comes_at_once() -> None:
    """None is written before it is waited for, and each only once the one before has come."""
    awaited, go_on, last = (threading.Event() for _number in range(3))

    def values() -> Iterator[int]:
        awaited.wait(10)
        yield 1
        go_on.wait(10)
        yield 2
        last.wait(10)
        yield 3

    async def read() -> list[int]:
        rows = from_thread(values(), live=True)
        coming = asyncio.ensure_future(anext(rows))
        await asyncio.sleep(0.01)
        awaited.set()
        first = await asyncio.wait_for(coming, 5)
        coming = asyncio.ensure_future(anext(rows))
        await asyncio.sleep(0.01)
        go_on.set()
        second = await asyncio.wait_for(coming, 5)
        last.set()
        return [first, second, *[one async for one in rows]]

    assert asyncio.run(read()) == [1, 2, 3]


def test_others_have_their_turn() -> None:
    async def read() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _one in from_thread(iter(range(PIECE * 20))):
            pass
        task.cancel()
        return turns

    assert asyncio.run(read()) >= 20


@pytest.mark.parametrize("kind", [KeyError, RuntimeError])
def test_what_goes_wrong_in_it_is_raised(kind: type[Exception]) -> None:
    def values() -> Iterator[int]:
        yield 1
        raise kind("x")

    async def read() -> None:
        async for _one in from_thread(values()):
            pass

    with pytest.raises(kind):
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
