"""What a job may take: money, and room for rows that are under way."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Self

import pytest

from llmctl.batch import running
from llmctl.batch.work import Made, Work
from llmctl.engine.clearance import Cleared
from llmctl.engine.route import Route
from llmctl.errors import BudgetRefused, ProviderFailed
from llmctl.privacy.screening import Screened
from llmctl.rows import BadRow, Row
from llmctl.transport.exchange import Lane
from llmctl.types import Chat
from tests.unit.batch.lanes import Answer, Job, Server, Store, rows

TEN = [f"r{number}" for number in range(1, 11)]


def refused() -> BudgetRefused:
    return BudgetRefused("too much", reason="over-budget")


def test_money_that_is_set_aside_is_waited_for() -> None:
    """Two requests fit at a time; each gives its money back when it is over."""
    server = Server()

    def till() -> None:
        if server.under_way >= 2:
            raise refused()

    server.till = till
    job = Job(server, lanes=4).run(rows(*TEN))

    assert job.stopped is None
    assert len(job.store.rows) == 10
    assert server.most == 2
    assert job.seconds == pytest.approx(5)


def test_a_budget_that_is_used_up_lets_those_under_way_end_and_stops() -> None:
    server = Server()

    def till() -> None:
        if len(server.sent) >= 3:
            raise refused()

    server.till = till
    job = Job(server, lanes=4).run(rows(*TEN))

    assert job.stopped == "budget-refused"
    assert len(server.sent) == 3
    assert job.store.codes == {1: None, 2: None, 3: None}
    assert job.seconds == pytest.approx(1)


def test_a_price_that_nobody_knows_is_not_waited_for() -> None:
    server = Server()

    def till() -> None:
        if server.sent:
            raise BudgetRefused("no price", reason="no-price")

    server.till = till
    job = Job(server, lanes=4).run(rows(*TEN))

    assert job.stopped == "budget-refused"
    assert job.store.codes == {1: None}


class Dear(Server):
    """The texts with a reason are refused for it as long as nothing gives money back."""

    def __init__(self, **reasons: str) -> None:
        super().__init__()
        self._reasons = reasons
        self.asked: list[str] = []

    def reserve(self, made: Made, screened: Screened) -> Cleared:
        assert isinstance(screened.call, Chat)
        text = screened.call.messages[-1].text
        self.asked.append(text)
        if (reason := self._reasons.get(text)) is not None:
            raise BudgetRefused("too much", reason=reason)
        return super().reserve(made, screened)


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("reason", ["over-budget", "unknown-cost"])
def test_a_row_that_does_not_fit_waits_and_the_others_are_asked(lanes: int, reason: str) -> None:
    job = Job(Dear(r1=reason, r5=reason), lanes=lanes).run(rows(*TEN))

    assert job.store.codes == {n: None for n in range(1, 11) if n not in (1, 5)}
    assert job.stopped == "budget-refused"  # told at the end, as what kept the two
    assert job.running.tally.failed == 0


def test_a_model_of_a_rows_own_without_a_price_fails_that_row() -> None:
    found = [
        Row(n, {"prompt": f"r{n}", **({"model": "b/x"} if n == 3 else {})}) for n in range(1, 11)
    ]
    job = Job(Dear(r3="unknown-cost"), lanes=2).run(found)

    assert job.stopped is None
    assert job.store.codes == {n: "budget-refused" if n == 3 else None for n in range(1, 11)}
    assert job.store.rows[3].receipt.attempts == 0
    assert job.store.rows[3].receipt.requested == "b/x"


def test_rows_that_ask_the_same_wait_together() -> None:
    """The first waits for money that is under way, and the second for the first."""
    found = rows("r2", "r1", "r1", "r3", "r1")
    job = Job(Dear(r1="over-budget"), Store(knows=True), dedupes=True, lanes=3).run(found)

    assert job.store.codes == {1: None, 4: None}
    assert job.stopped == "budget-refused"


def test_a_budget_that_is_used_up_is_not_tried_with_every_row_that_is_left() -> None:
    server = Dear(**{f"r{n}": "over-budget" for n in range(2, 10_001)})
    job = Job(server, lanes=4).run(rows(*(f"r{n}" for n in range(1, 10_001))))

    assert job.store.codes == {1: None}
    assert job.stopped == "budget-refused"
    # Each that waits for the first asks again when that is over.
    assert len(server.asked) <= 1 + running.UNPAID + 2 * 4


def test_as_many_as_one_likes_may_not_fit_while_others_do() -> None:
    dear = {f"r{n}": "over-budget" for n in range(1, 4 * running.UNPAID) if n % 2}
    texts = [f"r{n}" for n in range(1, 4 * running.UNPAID)]
    job = Job(Dear(**dear), lanes=2).run(rows(*texts))

    assert len(job.store.rows) == len(texts) - len(dear)


def test_a_state_that_cannot_be_written_ends_the_job_at_once() -> None:
    server = Dear(r2="state")
    job = Job(server, lanes=1).run(rows(*TEN))

    assert (job.stopped, server.asked) == ("budget-refused", ["r1", "r2"])


def test_money_that_is_set_aside_is_under_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while a lane is opened: whoever does not fit meanwhile waits for it."""

    class Slow(Lane):
        async def __aenter__(self) -> Self:
            await asyncio.sleep(5)
            return await super().__aenter__()

    monkeypatch.setattr(running, "Lane", Slow)
    server, held = Server(), 0

    def till() -> None:
        nonlocal held
        if held > len(server.sent) - server.under_way:
            raise refused()
        held += 1

    server.till = till
    job = Job(server, lanes=2).run(rows("r1", "r2", "r3"))

    assert job.store.codes == {1: None, 2: None, 3: None}
    assert job.stopped is None


# ---- how much is held


def held_at_most(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many characters of rows are held at a time."""
    seen = {"now": 0, "most": 0}

    class Counted(Work):
        def __init__(self, row: Row | BadRow) -> None:
            super().__init__(row)
            self._count(len(row.values["prompt"]) if isinstance(row, Row) else 0)

        def slim(self) -> None:
            self._count(0)
            super().slim()

        def _count(self, size: int) -> None:
            seen["now"] += size - getattr(self, "mine", 0)
            self.mine = size
            seen["most"] = max(seen["most"], seen["now"])

        def __del__(self) -> None:
            seen["now"] -= self.mine

    monkeypatch.setattr(running, "Work", Counted)
    return seen


async def large(count: int, *, same: bool) -> AsyncIterator[Row | BadRow]:
    for line in range(1, count + 1):
        yield Row(line, {"prompt": "x" * 10_000 if same else f"r{line}".ljust(10_000)})


def test_of_large_rows_that_wait_fewer_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bounds of their own 400 rows wait for another try: 4 million characters."""

    async def overloaded(_text: str, _route: Route) -> Answer:
        return ProviderFailed("busy", status=503, provider="a")

    monkeypatch.setattr(running, "HELD", 1_000_000)
    seen = held_at_most(monkeypatch)
    job = Job(Server(overloaded), lanes=4, give_up=30).run(large(1000, same=False))

    assert job.stopped == "provider-error"
    assert 500_000 < seen["most"] <= 1_000_000 + 2 * 10_000


def test_rows_larger_than_all_that_may_be_held_have_a_lane_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "HELD", 5_000)
    job = Job(lanes=4).run(large(12, same=False))

    assert job.server.most == 4
    assert job.seconds == pytest.approx(3)
    assert len(job.store.rows) == 12


def test_of_rows_that_ask_the_same_one_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = held_at_most(monkeypatch)
    job = Job(store=Store(knows=True), dedupes=True, lanes=4).run(large(300, same=True))

    assert len(job.store.rows) == 300
    assert len(job.server.sent) == 1
    # The first, eight read ahead, one for each lane, one being read.
    assert seen["most"] <= (1 + 8 + 4 + 1) * 10_000


def test_of_many_rows_few_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = most = 0

    class Counted(Work):
        def __init__(self, row: Row | BadRow) -> None:
            nonlocal alive, most
            super().__init__(row)
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    async def many() -> AsyncIterator[Row | BadRow]:
        for line in range(1, 10_001):
            yield Row(line, {"prompt": f"r{line}"})

    monkeypatch.setattr(running, "Work", Counted)
    job = Job(lanes=4).run(many())
    gc.collect()

    assert len(job.store.rows) == 10_000
    # Four under way, eight read ahead, one being read, and those of the last write.
    assert most <= 4 + 8 + 1 + 4
    assert alive <= 4


def test_rows_that_wait_for_another_try_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = 0

    class Counted(Work):
        def __init__(self, row: Row | BadRow) -> None:
            nonlocal begun
            super().__init__(row)
            begun += 1

    async def many() -> AsyncIterator[Row | BadRow]:
        for line in range(1, 10_001):
            yield Row(line, {"prompt": f"r{line}"})

    async def overloaded(_text: str, _route: Route) -> Answer:
        return ProviderFailed("busy", status=503, provider="a")

    monkeypatch.setattr(running, "Work", Counted)
    job = Job(Server(overloaded), lanes=4, give_up=30).run(many())

    assert job.stopped == "provider-error"
    assert begun <= 100 * 4 + 2  # so many a lane, the one that waits to be read, and its like
    assert job.store.rows == {}
