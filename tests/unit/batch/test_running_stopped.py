"""A job that is stopped: whenever that is, no row is lost, none is written as failed for it, and
nothing goes on behind its back."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from llmctl.batch.shape import Ended
from llmctl.engine.route import Route
from llmctl.errors import BudgetRefused, IoFailed, RateLimited
from llmctl.rows import BadRow, Row
from tests.unit.batch.lanes import Answer, Job, Server, Store, rows

MANY = [f"r{number}" for number in range(1, 101)]


def done(job: Job) -> set[int]:
    """The rows that are written; all of them are answers."""
    assert set(job.store.codes.values()) <= {None}
    return set(job.store.rows)


async def slow(text: str, _route: Route) -> Answer:
    await asyncio.sleep(30)
    return text.upper()


def test_while_nothing_has_been_read() -> None:
    async def silent() -> AsyncIterator[Row | BadRow]:
        await asyncio.sleep(1000)
        yield rows("r1")[0]

    job = Job().run(silent(), 2)

    assert job.stopped == "interrupted"
    assert done(job) == set()
    assert job.seconds == pytest.approx(2)


def test_while_reading_between_rows() -> None:
    closed = False

    async def dripping() -> AsyncIterator[Row | BadRow]:
        nonlocal closed
        try:
            for row in rows(*MANY):
                yield row
                await asyncio.sleep(10)
        finally:
            closed = True

    job = Job().run(dripping(), 25)

    assert job.stopped == "interrupted"
    assert done(job) == {1, 2, 3}  # read at 0, 10 and 20 s, a second each
    assert job.seconds == pytest.approx(25)
    assert closed


def test_with_a_full_queue_it_ends_when_those_under_way_have() -> None:
    job = Job(lanes=4).run(rows(*MANY), 1.5)

    assert job.stopped == "interrupted"
    assert done(job) == set(range(1, 9))
    assert job.seconds == pytest.approx(2)


def test_those_under_way_may_end_within_the_grace() -> None:
    job = Job(Server(slow), lanes=4, grace=60).run(rows(*MANY), 5)

    assert done(job) == {1, 2, 3, 4}
    assert len(job.server.sent) == 4
    assert job.seconds == pytest.approx(30)


def test_beyond_the_grace_they_are_broken_off_and_wait() -> None:
    job = Job(Server(slow), lanes=4, grace=10).run(rows(*MANY), 5)

    assert job.stopped == "interrupted"
    assert job.store.rows == {}
    assert job.seconds == pytest.approx(15)
    # What was sent counts nevertheless.
    assert job.running.tally.all.requests == 4
    assert job.running.tally.under_way == 0


def test_without_any_grace() -> None:
    job = Job(Server(slow), lanes=4, grace=0).run(rows(*MANY), 5)

    assert job.store.rows == {}
    assert job.seconds == pytest.approx(5)


def test_a_second_signal_breaks_off_at_once_and_fails_no_row() -> None:
    job = Job(Server(slow), lanes=4, grace=60)
    with pytest.raises(asyncio.CancelledError):
        job.run(rows(*MANY), 5, 6)

    assert job.stopped == "interrupted"
    assert job.store.rows == {}
    assert job.seconds == pytest.approx(6)


def test_while_waiting_for_the_pace() -> None:
    """All are held for minutes: nobody waits it out, and nothing is sent any more."""

    async def limited(_text: str, _route: Route) -> Answer:
        await asyncio.sleep(1)
        return RateLimited("slow down", status=429, retry_after_s=250.0)

    job = Job(Server(limited), lanes=4).run(rows(*MANY), 100)

    assert job.stopped == "interrupted"
    assert job.store.rows == {}
    assert len(job.server.sent) == 4
    assert job.seconds == pytest.approx(100)


def test_while_waiting_for_money() -> None:
    server = Server(slow)

    def till() -> None:
        if server.under_way >= 1:
            raise BudgetRefused("too much", reason="over-budget")

    server.till = till
    job = Job(server, lanes=4, grace=60).run(rows(*MANY), 5)

    assert job.stopped == "interrupted"
    assert done(job) == {1}
    assert len(server.sent) == 1
    assert job.seconds == pytest.approx(30)


def test_while_a_row_waits_for_another_try() -> None:
    failed: set[str] = set()

    async def once(text: str, _route: Route) -> Answer:
        await asyncio.sleep(1)
        if text == "r1" and text not in failed:
            failed.add(text)
            return RateLimited("slow down", status=429, retry_after_s=60.0)
        return text.upper()

    job = Job(Server(once), lanes=4).run(rows("r1", "r2", "r3"), 10)

    assert done(job) == {2, 3}
    assert job.seconds == pytest.approx(10)


@pytest.mark.parametrize("turn", range(12))
def test_at_any_turn_of_the_loop_while_rows_are_written(turn: int) -> None:
    """The signal comes so many turns after the first answers are there: between an answer and its
    being written, a row is either written or not asked for any more than it was."""

    class Signalling(Store):
        def __init__(self) -> None:
            super().__init__()
            self.task: asyncio.Task[None] | None = None

    store = Signalling()
    server = Server()

    async def answer(text: str, _route: Route) -> Answer:
        await asyncio.sleep(1)
        if text == "r4":
            asyncio.get_running_loop().create_task(after())
        return text.upper()

    async def after() -> None:
        for _turn in range(turn):
            await asyncio.sleep(0)
        assert store.task is not None
        store.task.cancel()

    server.serve = answer

    async def first() -> AsyncIterator[Row | BadRow]:
        store.task = next(
            one for one in asyncio.all_tasks() if "Running.run" in repr(one.get_coro())
        )
        for row in rows(*MANY):
            yield row

    job = Job(server, store, lanes=4, grace=20).run(first())

    assert job.stopped == "interrupted"
    assert done(job) == {int(text[1:]) for text in server.texts}
    assert {1, 2, 3, 4} <= done(job)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_full_disk_stops_the_job_and_loses_no_row(after: int) -> None:
    store = Store(IoFailed("no space left", reason="full"), after=after)
    job = Job(store=store, lanes=4).run(rows(*MANY))

    assert job.stopped == "io"
    assert done(job) == set(range(1, 4 * after + 1))
    assert job.running.tally.ended == 4 * after
    assert job.seconds == pytest.approx(after + 1)


def test_a_disk_that_is_full_while_others_are_under_way() -> None:
    """They end, cannot be written either, and wait; nobody waits for them."""

    async def spread(text: str, _route: Route) -> Answer:
        await asyncio.sleep(int(text[1:]))
        return text.upper()

    store = Store(IoFailed("no space left", reason="full"), after=1)
    job = Job(Server(spread), store, lanes=4).run(rows(*MANY))

    assert job.stopped == "io"
    assert done(job) == {1}
    assert len(job.server.sent) == 5


def test_bad_rows_meet_a_full_disk_too() -> None:
    store = Store(IoFailed("no space left", reason="full"))
    job = Job(store=store).run([BadRow(line, "no JSON") for line in range(1, 101)])

    assert job.stopped == "io"
    assert job.store.rows == {}


def test_a_signal_while_a_fault_of_the_disk_is_dealt_with() -> None:
    """The first reason is the one that is told."""
    store = Store(IoFailed("no space left", reason="full"))

    async def spread(text: str, _route: Route) -> Answer:
        await asyncio.sleep(1 if text == "r1" else 30)
        return text.upper()

    job = Job(Server(spread), store, lanes=4, grace=5).run(rows(*MANY), 2)

    assert job.stopped == "io"
    assert store.rows == {}
    assert job.seconds <= 7 + 0.001


def test_a_signal_when_all_is_written_changes_nothing() -> None:
    """It comes in the same turn as the last row is through."""
    job = Job(lanes=4)

    class Last(Store):
        def keep(self, ended: Sequence[Ended]) -> None:
            super().keep(ended)
            if len(self.rows) == 4:
                job.running.stop(IoFailed("late"))

    job.store = Last()
    job.run(rows("r1", "r2", "r3", "r4"))

    assert done(job) == {1, 2, 3, 4}
