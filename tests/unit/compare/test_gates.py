"""Who is let in at the same time, and in which order."""

import asyncio
from collections.abc import Sequence

import pytest

from llmctl import settings
from llmctl.compare.gates import HERE, Gate, shared
from llmctl.engine.resolve import resolve
from tests.simulator import Simulator


class Hall:
    """What goes on behind a gate: who came in, in order, and how many were there at once."""

    def __init__(self, width: int) -> None:
        self.gate = Gate(width)
        self.came: list[int] = []
        self.inside = 0
        self.most = 0

    async def visit(self, place: int, stays: int = 1) -> None:
        """Stays for so many turns of the loop."""
        async with self.gate.open(place):
            self.came.append(place)
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                for _turn in range(stays):
                    await asyncio.sleep(0)
            finally:
                self.inside -= 1


def visited(places: Sequence[int], width: int) -> Hall:
    async def main() -> Hall:
        hall = Hall(width)
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            for place in places:
                tasks.create_task(hall.visit(place))
        return hall

    return asyncio.run(main())


@pytest.mark.parametrize("width", [1, 2, 3])
def test_never_more_than_its_width_and_all_come_in(width: int) -> None:
    hall = visited(range(12), width)

    assert hall.most == width
    assert sorted(hall.came) == list(range(12))


def test_those_who_wait_come_in_by_place() -> None:
    assert visited([5, 3, 9, 1, 7], width=1).came == [5, 1, 3, 7, 9]
    assert visited([5, 3, 9, 1, 7], width=2).came == [5, 3, 1, 7, 9]


def test_equal_places_come_in_as_they_came() -> None:
    assert visited([2, 2, 2], width=1).came == [2, 2, 2]


def test_who_comes_again_waits_behind_those_whose_turn_is_earlier() -> None:
    """A model whose next trial is late in the plan does not go twice in a row."""

    async def main() -> list[int]:
        hall = Hall(1)

        async def goes(*places: int) -> None:
            for place in places:
                await hall.visit(place)

        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(goes(0, 3, 4))
            tasks.create_task(goes(1, 2, 5))
        return hall.came

    assert asyncio.run(main()) == [0, 1, 2, 3, 4, 5]


def test_who_stops_waiting_gives_the_place_on() -> None:
    async def main() -> Hall:
        hall = Hall(1)
        first = asyncio.create_task(hall.visit(0, stays=5))
        leaving = asyncio.create_task(hall.visit(1))
        last = asyncio.create_task(hall.visit(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaving.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(first, leaving, last, return_exceptions=True)
            await hall.visit(3)
        return hall

    assert asyncio.run(main()).came == [0, 2, 3]


def test_who_is_cancelled_in_the_moment_of_being_let_in_gives_the_place_on() -> None:
    async def main() -> Hall:
        hall = Hall(1)
        async with hall.gate.open(0):
            unlucky = asyncio.create_task(hall.visit(1))
            await asyncio.sleep(0)  # by now it waits
        await asyncio.sleep(0)  # the gate lets it in
        unlucky.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(unlucky, return_exceptions=True)
            await hall.visit(2)
        return hall

    assert asyncio.run(main()).came == [2]


def test_what_fails_inside_leaves_the_gate_open() -> None:
    async def main() -> Hall:
        hall = Hall(1)
        with pytest.raises(ValueError, match="inside"):
            async with hall.gate.open(0):
                raise ValueError("inside")
        async with asyncio.timeout(5):
            await hall.visit(1)
        return hall

    assert asyncio.run(main()).came == [1]


def test_visitors_cancelled_at_random_never_lock_it() -> None:
    """Many of two hundred are cancelled after 0 to 6 turns of the loop: the others all come in."""

    async def main() -> tuple[set[int], Hall]:
        hall = Hall(3)
        tasks = [asyncio.create_task(hall.visit(place, place % 4)) for place in range(200)]
        for turn in range(7):
            for place in range(turn, 200, 13):
                tasks[place].cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(hall.visit(place) for place in range(200, 206)))
        return {place for place, one in enumerate(tasks) if not one.cancelled()}, hall

    whole, hall = asyncio.run(main())

    assert whole | set(range(200, 206)) <= set(hall.came)
    assert hall.most == 3


def test_what_models_share(field: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings.load()

    def known(name: str) -> tuple[str, int | None]:
        return shared(resolve(name, loaded), loaded)

    assert known("ollama/qwen3:0.6b") == known("vllm/m") == (HERE, 1)
    assert known("openai/gpt-6-luna") == ("openai", None)
    assert known("gigachat/GigaChat-2") == ("gigachat", 1)
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__CONCURRENCY", "3")
    loaded = settings.load()
    assert known("openai/gpt-6-luna") == ("openai", 3)
