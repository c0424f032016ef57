"""Slots of an account between processes: how many, who has them, what a killed one leaves."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.engine.pace import Pace
from llmctl.engine.slots import LEAVE_S, TURN_S, Slots
from llmctl.errors import IoFailed
from tests.unit.engine.pace_shared import now, virtually


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_there_are_so_many_and_no_more(tmp_path: Path) -> None:
    with closing(Slots(tmp_path, 3)) as mine, closing(Slots(tmp_path, 3)) as theirs:
        assert [mine.take(), theirs.take(), mine.take()] == [0, 1, 2]
        assert mine.take() is None
        assert theirs.take() is None
        mine.give(2)
        assert theirs.take() == 2


def test_what_is_closed_is_free(tmp_path: Path) -> None:
    mine, theirs = Slots(tmp_path, 2), Slots(tmp_path, 2)
    assert [mine.take(), mine.take(), theirs.take()] == [0, 1, None]
    mine.close()
    assert [theirs.take(), theirs.take()] == [0, 1]
    theirs.close()


def test_who_has_had_one_for_long_leaves_it_to_those_who_wait(tmp_path: Path) -> None:
    clock = Clock()
    with closing(Slots(tmp_path, 1, clock)) as mine, closing(Slots(tmp_path, 1, clock)) as theirs:
        assert mine.take() == 0
        assert theirs.take() is None
        mine.give(0)
        assert mine.take() == 0  # it has just begun
        clock.now += TURN_S
        mine.give(0)
        assert mine.take() is None  # though it is free
        assert theirs.take() == 0


def test_where_nobody_waits_nothing_is_left(tmp_path: Path) -> None:
    clock = Clock()
    with closing(Slots(tmp_path, 1, clock)) as mine, closing(Slots(tmp_path, 1, clock)) as theirs:
        assert mine.take() == 0
        assert theirs.take() is None
        theirs.wait_no_more()
        clock.now += TURN_S
        mine.give(0)
        assert mine.take() == 0


def test_what_is_left_and_nobody_takes_is_taken_again(tmp_path: Path) -> None:
    clock = Clock()
    with closing(Slots(tmp_path, 1, clock)) as mine, closing(Slots(tmp_path, 1, clock)) as theirs:
        mine.take()
        theirs.take()
        clock.now += TURN_S
        mine.give(0)
        clock.now += LEAVE_S
        assert mine.take() == 0


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(IoFailed):
        Slots(tmp_path / "file" / "slots", 2)


def worked(folder: Path, count: int, lanes: int, seconds: float) -> tuple[list[list[float]], int]:
    """When two processes' requests began, the second of which comes five seconds later, and how
    many were under way at most."""
    moments: list[list[float]] = [[], []]
    under_way = highest = 0

    async def lane(pace: Pace, begun: list[float]) -> None:
        nonlocal under_way, highest
        while True:
            async with pace.turn():
                begun.append(now() - 1000)
                under_way += 1
                highest = max(highest, under_way)
                await asyncio.sleep(0.2)
                under_way -= 1

    async def main() -> None:
        paces = [Pace(lanes, slots=Slots(folder, count, now), clock=now) for _process in range(2)]
        tasks = []
        for pace, begun in zip(paces, moments, strict=True):
            tasks += [asyncio.create_task(lane(pace, begun)) for _number in range(lanes)]
            await asyncio.sleep(5)
        await asyncio.sleep(seconds - 10)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for pace in paces:
            pace.close()

    virtually(main())
    return moments, highest


@pytest.mark.parametrize(("count", "lanes"), [(2, 4), (10, 10), (10, 30)])
def test_who_comes_later_soon_has_its_share(tmp_path: Path, count: int, lanes: int) -> None:
    (first, second), highest = worked(tmp_path, count, lanes, 25)

    alone = sum(1 <= moment < 4 for moment in first) / 3
    mine = sum(10 <= moment < 25 for moment in first) / 15
    theirs = sum(10 <= moment < 25 for moment in second) / 15
    assert highest == count
    assert alone == pytest.approx(count * 5, rel=0.05)  # 0.2 s each
    assert mine + theirs > 0.85 * alone
    assert min(mine, theirs) > 0.3 * (mine + theirs)
    assert second[0] < 5 + TURN_S + 0.2 + LEAVE_S


HOLDS = """
import sys, time
from pathlib import Path
from llmctl.engine.slots import Slots
print(Slots(Path(sys.argv[1]), 2).take(), flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_its_slot(tmp_path: Path) -> None:
    with (
        closing(Slots(tmp_path, 2)) as mine,
        subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path], stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == b"0\n"
        assert [mine.take(), mine.take()] == [1, None]
        other.kill()
        other.wait(timeout=10)
        assert mine.take() == 0
