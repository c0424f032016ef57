"""A worker at a block: what it takes of what all share, and when it leaves a block alone."""

from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.limiter import Seat
from llmctl.cli.batch_blocks import together
from llmctl.cli.batch_part import TRIES, Task, Workers, errors_glob, part_path, perform
from llmctl.rows.blocks import Block


def task(**more: Any) -> Task:
    given: dict[str, Any] = {
        "asked": {}, "what": {}, "run": "r", "folder": "/nowhere", "source": {}, "lanes": 8,
        "workers": 3, "where": "/", "command": "llmctl batch run", **more,
    }  # fmt: skip
    return Task(**given)


def nobody(name: str, *given: Any) -> Any:
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("most", "shares"),
    [(8, [3, 3, 2]), (9, [3, 3, 3]), (3, [1, 1, 1]), (64, [22, 21, 21])],
)
def test_workers_share_what_may_be_under_way(most: int, shares: list[int]) -> None:
    workers = [Workers(task(), nobody, Seat(f"w{place}", place)) for place in range(3)]

    found = [one.share(most) for one in workers]

    assert found == shares
    assert sum(found) == most


BLOCK = Block(number=7, line=1, count=10)


class Limits:
    def __init__(self, tries: int, stopped: str | None = None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._tries, self._stopped = tries, stopped

    def __call__(self, name: str, *given: Any) -> Any:
        self.asked.append((name, *given))
        return {"tries": self._tries, "stopped": self._stopped}.get(name)


def test_a_block_that_ended_its_workers_is_left_alone() -> None:
    ask = Limits(tries=TRIES + 1)

    done = perform(task(), BLOCK, ask, Seat("w", 0))

    assert done.error is not None
    assert (done.error.code, done.error.reason) == ("io", "lost")
    assert not done.stops
    assert ask.asked == [("stopped",), ("tries", 7)]


def test_nothing_is_begun_once_the_job_is_stopped() -> None:
    ask = Limits(tries=1, stopped="auth")

    done = perform(task(), BLOCK, ask, Seat("w", 0))

    assert done.error is None
    assert done.summary is None
    assert ask.asked == [("stopped",)]


def test_another_version_does_nothing_and_stops_all() -> None:
    ask = Limits(tries=1)

    done = perform(task(version="0.0.0", run="another"), BLOCK, ask, Seat("w", 0))

    assert done.error is not None
    assert done.error.code == "config"
    assert "0.0.0" in done.error.message
    assert ("stop", "config") in ask.asked


def test_what_nobody_expected_is_told_without_its_text() -> None:
    def broken(name: str, *given: Any) -> Any:
        raise ValueError("a prompt")

    done = perform(task(), BLOCK, broken, Seat("w", 0))

    assert done.error is not None
    assert done.error.code == "internal"
    assert "a prompt" not in done.error.message


def test_names_sort_by_number_and_errors_stand_apart() -> None:
    assert part_path(Path("out"), 12) == Path("out/part-000012.jsonl")
    assert errors_glob(Path("out")) == "out/part-*.errors.jsonl"


def test_small_blocks_make_larger_ones_that_begin_where_they_do() -> None:
    small = [Block(number=n + 1, line=100 * n + 1, count=100, start=1000 * n) for n in range(4)]
    last = Block(number=5, line=401, count=7, start=4000)

    assert together([*small, last], 200) == [
        Block(number=1, line=1, count=200, start=0),
        Block(number=2, line=201, count=200, start=2000),
        Block(number=3, line=401, count=7, start=4000),
    ]
