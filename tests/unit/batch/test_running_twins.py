"""Rows that ask the same: sent once, and each has the answer under its own id."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from llmctl.batch.shape import Ended, Hop
from llmctl.batch.work import Work, free, same
from llmctl.engine.route import Route
from llmctl.errors import IoFailed, Rejected
from llmctl.rows import BadRow, Row
from llmctl.types import Cost, CostKind
from llmctl.values import replace
from tests.unit.batch.lanes import MAIN, Answer, Job, Server, Store, receipt, rows


def test_rows_that_ask_the_same_are_sent_once() -> None:
    job = Job(store=Store(knows=True), dedupes=True, lanes=4).run(
        rows("a", "a", "b", "a", "b", "c")
    )

    assert sorted(job.server.texts) == ["a", "b", "c"]
    found = {line: (one.receipt.text, one.same_as) for line, one in job.store.rows.items()}
    assert found == {
        1: ("A", None), 2: ("A", "1"), 3: ("B", None), 4: ("A", "1"), 5: ("B", "3"),
        6: ("C", None),
    }  # fmt: skip
    assert job.running.tally.reused == 3
    assert job.running.tally.all.requests == 3
    assert [job.store.rows[line].receipt.attempts for line in (1, 2, 4)] == [1, 0, 0]


def test_without_it_each_is_sent() -> None:
    job = Job(lanes=4).run(rows("a", "a"))

    assert job.server.texts == ["a", "a"]


def test_ids_and_lines_do_not_make_them_others() -> None:
    found = [Row(1, {"prompt": "a", "id": "x"}, "x"), Row(2, {"prompt": "a", "id": "y"}, "y")]
    job = Job(store=Store(knows=True), dedupes=True).run(found)

    assert job.server.texts == ["a"]
    assert {one.id: one.same_as for one in job.store.rows.values()} == {"x": None, "y": "x"}


@pytest.mark.parametrize("turns", range(16))
def test_one_that_is_begun_while_the_answer_is_written_is_not_sent_again(turns: int) -> None:
    """Between the answer and its being in the journal the row is not known by it. The answer comes
    so many turns after the second row was read, which is begun meanwhile."""
    gate: asyncio.Future[None]

    async def answer(text: str, _route: Route) -> Answer:
        await gate
        return text.upper()

    async def after() -> None:
        for _turn in range(turns):
            await asyncio.sleep(0)
        gate.set_result(None)

    async def source() -> AsyncIterator[Row | BadRow]:
        nonlocal gate
        gate = asyncio.get_running_loop().create_future()
        yield rows("a")[0]
        await asyncio.sleep(1)
        opening = asyncio.create_task(after())
        yield Row(2, {"prompt": "a"})
        await opening

    job = Job(Server(answer), Store(knows=True), dedupes=True, lanes=4).run(source())

    assert job.server.texts == ["a"]
    assert set(job.store.rows) == {1, 2}
    assert job.store.rows[2].same_as == "1"


def test_followers_fail_with_the_row_they_follow() -> None:
    async def refuse(_text: str, _route: Route) -> Answer:
        await asyncio.sleep(1)
        return Rejected("too long", status=400)

    job = Job(Server(refuse), Store(knows=True), dedupes=True, lanes=4).run(rows("a", "a", "a"))

    assert job.server.texts == ["a"]
    assert job.store.codes == {1: "rejected", 2: "rejected", 3: "rejected"}
    assert job.running.tally.failed == 3


def test_as_many_followers_as_one_likes() -> None:
    """More than may be open at a time: the others come when those are through."""
    job = Job(store=Store(knows=True), dedupes=True, lanes=2).run(rows(*["a"] * 1000))

    assert job.server.texts == ["a"]
    assert len(job.store.rows) == 1000
    assert job.stopped is None


def test_a_job_that_is_stopped_leaves_followers_waiting() -> None:
    async def slow(text: str, _route: Route) -> Answer:
        await asyncio.sleep(30)
        return text.upper()

    job = Job(Server(slow), Store(knows=True), dedupes=True, lanes=2, grace=5).run(
        rows("a", "a", "b", "c"), 2
    )

    assert job.stopped == "interrupted"
    assert job.store.rows == {}


def test_a_full_disk_with_followers() -> None:
    store = Store(IoFailed("no space left", reason="full"), knows=True)
    job = Job(store=store, dedupes=True, lanes=2).run(rows(*["a"] * 50))

    assert job.stopped == "io"
    assert job.store.rows == {}
    assert job.server.texts == ["a"]


def test_a_twin_costs_nothing_and_keeps_where_the_answer_comes_from() -> None:
    paid = Cost("0.5", "USD", CostKind.COMPUTED)
    first = Ended(line=1, id="x", receipt=replace(receipt(MAIN, "A"), cost=paid, attempts=3),
                  hops=(Hop("b/m", "network"),))  # fmt: skip
    work = Work(Row(7, {"prompt": "a", "id": "z"}, "z"))
    work.columns = {"label": "blue"}

    found = same(first, work)

    assert (found.line, found.id, found.same_as, found.hops) == (7, "z", "x", first.hops)
    assert found.columns == {"label": "blue"}
    assert (found.receipt.cost.amount, found.receipt.cost.currency) == ("0", "USD")
    assert found.receipt.attempts == 0
    assert same(found, work).same_as == "x"  # never the twin of a twin


def test_a_copy_costs_nothing_also_where_nobody_knows_the_price() -> None:
    """As all that is free, it is said in dollars where there is no currency."""
    assert free(Cost(why="no-price")) == Cost("0", "USD", CostKind.COMPUTED)
    assert free(Cost("0.5", "RUB", CostKind.REPORTED)) == Cost("0", "RUB", CostKind.COMPUTED)
