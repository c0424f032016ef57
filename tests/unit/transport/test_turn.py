"""Turns between tasks and processes."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from llmctl.errors import IoFailed
from llmctl.files import lock
from llmctl.transport.turn import tries, turn


def test_one_at_a_time_and_all_of_them_in_the_end(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    async def one(number: int) -> None:
        async with turn(tmp_path / "turn.lock"):
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0.01)
            inside.remove(number)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, range(5)))

    asyncio.run(all_of_them())
    assert most == [1] * 5


def test_the_loop_goes_on_while_waiting(tmp_path: Path) -> None:
    path = tmp_path / "turn.lock"

    async def wait() -> list[float]:
        with ExitStack() as held, ExitStack() as others:
            others.enter_context(lock(path, 0))
            asyncio.get_running_loop().call_later(0.1, others.close)
            seen = [waited async for waited in tries(path, held)]
            with pytest.raises(IoFailed, match="holds"), lock(path, 0):
                pass
        return seen

    seen = asyncio.run(wait())
    assert seen == sorted(seen)
    assert seen[-1] < 1

    with lock(path, 0):  # given back
        pass


def test_leaving_while_waiting_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "turn.lock"

    async def wait() -> None:
        async with turn(path):
            pass

    async def leave() -> None:
        with lock(path, 0):
            task = asyncio.create_task(wait())
            await asyncio.sleep(0.03)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(leave())
    with lock(path, 0):
        pass


def test_where_no_file_can_be_locked_everybody_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def go() -> str:
        async with turn(tmp_path / "file" / "turn.lock"):
            return "went"

    assert asyncio.run(go()) == "went"


def test_a_holder_that_stands_still_does_not_hold_everybody_up(tmp_path: Path) -> None:
    path = tmp_path / "turn.lock"

    async def go_on() -> bool:
        async with asyncio.timeout(5), turn(path, patience=0.05):
            return True

    with lock(path, 0):
        assert asyncio.run(go_on())
