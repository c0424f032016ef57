"""The limiter: whatever number of workers asks it, they go as fast and spend as much as one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.batch import limiter
from llmctl.batch.limiter import Ask, Held, Limiter, Till
from llmctl.cost.budgets import Reservation, admit
from llmctl.cost.caps import Window, scope
from llmctl.cost.estimate import ESTIMATE, Estimate
from llmctl.cost.lease import Lease
from llmctl.cost.money import Money
from llmctl.errors import BudgetRefused, IoFailed
from llmctl.store.reservations import Reservations, Total
from llmctl.types import Chat, Cost, Role, message

RUN = "job-1"
CALL = Chat("m", (message(Role.USER, "hello"),), max_tokens=100)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    return settings.paths().data / "state.db"


def asking(one: Limiter) -> Ask:
    """As another process would: whatever it says is plain."""

    def ask(name: str, *given: Any) -> Any:
        return getattr(one, name)(*given)

    return ask


@pytest.fixture
def one(state: Path) -> Iterator[Limiter]:
    made = Limiter(state, workers=2)
    yield made
    made.close()


# ---- who there is


def test_each_worker_has_a_place_and_keeps_it(one: Limiter) -> None:
    assert [one.join("a"), one.join("b"), one.join("a")] == [0, 1, 0]


def test_a_worker_in_place_of_a_lost_one_has_a_place_of_the_two(one: Limiter) -> None:
    assert [one.join("a"), one.join("b"), one.join("c"), one.join("d")] == [0, 1, 0, 1]


def test_it_counts_how_often_a_block_is_begun(one: Limiter) -> None:
    assert [one.tries(7), one.tries(7), one.tries(8)] == [1, 2, 1]


def test_all_stop_for_the_first_reason(one: Limiter) -> None:
    assert one.stopped() is None

    one.stop("auth")
    one.stop("network")

    assert one.stopped() == "auth"


# ---- pace


def test_a_hold_is_seen_by_all_workers_of_the_account(one: Limiter) -> None:
    first, second, other = (Held(asking(one), name) for name in ("x", "x", "y"))

    first.hold(30)

    assert 29 < second.held() <= 30
    assert other.held() == 0


def test_workers_share_a_rate(one: Limiter) -> None:
    """At one a second ten units take ten seconds, whoever asks for them."""
    first, second = Held(asking(one), "x"), Held(asking(one), "x")

    begins = first.reserve("requests", 10, 1.0, 0.0)
    follows = second.reserve("requests", 10, 1.0, 0.0)

    assert begins == pytest.approx(0, abs=0.5)
    assert follows == pytest.approx(10, abs=0.5)


# ---- money


@contextmanager
def worker(one: Limiter, name: str, most: str = "1 USD") -> Iterator[Lease]:
    with Lease(loaded(most), file=Till(asking(one), name)) as lease:
        yield lease


def loaded(most: str) -> settings.Loaded:
    return settings.load({"budget.per_call": most}, spelt={"budget.per_call": "--max-cost"})


def reserve(lease: Lease, most: str = "1 USD") -> Reservation:
    """A call of 0.01 USD: 100 tokens of 0.0001 USD each, and an input that costs nothing."""
    found = Estimate(
        input_tokens=1, input_most=1, method=ESTIMATE, high_input=Money(Decimal(0), "USD"),
        token_price=Decimal("0.0001"),
    )  # fmt: skip
    admitted = admit(CALL, found, loaded(most), provider="openai", run=RUN, store=lease)
    assert admitted.reservation is not None
    return admitted.reservation


def standing(state: Path) -> Total:
    name = scope(Window.RUN, None, RUN, datetime.now(UTC))
    with Reservations(state) as store:
        return store.standing([name]).get(name, {}).get("USD", Total())


def test_two_workers_together_spend_no_more_than_there_is(one: Limiter, state: Path) -> None:
    """1 USD is a hundred calls of 0.01, and the hundred and first is refused, whoever asks."""
    sent = 0
    with worker(one, "a") as first, worker(one, "b") as second:
        turns = [first, second]
        while turns:
            lease = turns.pop(0)
            try:
                reservation = reserve(lease)
            except BudgetRefused:
                continue
            reservation.settle(Cost("0.01", "USD"))
            sent += 1
            turns.append(lease)

    assert sent <= 100
    assert sent > 70  # blocks of the other one may keep up to a quarter of what is left
    assert standing(state) == Total(Decimal("0.01") * sent, Decimal(0))


def test_the_blocks_of_a_worker_that_died_count_as_spent(one: Limiter, state: Path) -> None:
    ask = asking(one)
    ask("join", "a")
    lost = Lease(loaded("1 USD"), file=Till(ask, "a"))
    reserve(lost).settle(Cost("0.001", "USD"))
    held = standing(state).reserved
    assert held >= Decimal("0.01")

    ask("join", "a")  # it has been started again

    assert standing(state) == Total(held, Decimal(0))
    with pytest.raises(IoFailed, match="taken for lost"):
        lost.flush()  # it was not dead: it only was not heard of


def test_what_workers_have_left_counts_as_spent_at_the_end(one: Limiter, state: Path) -> None:
    lost = Lease(loaded("1 USD"), file=Till(asking(one), "a"))
    reserve(lost)
    held = standing(state).reserved

    one.close()

    assert standing(state) == Total(held, Decimal(0))


def test_what_a_worker_gave_back_is_not_counted_when_it_comes_again(
    one: Limiter, state: Path
) -> None:
    ask = asking(one)
    ask("join", "a")
    with worker(one, "a") as lease:
        reserve(lease).settle(Cost("0.004", "USD"))

    ask("join", "a")
    one.close()

    assert standing(state) == Total(Decimal("0.004"), Decimal(0))


def test_a_worker_waits_while_another_one_decides(one: Limiter) -> None:
    """It asks again until the first is done."""
    asked = []

    def nap(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 3:
            one.commit("first")

    assert one.begin("first")

    with Till(asking(one), "b", nap).changing():
        assert not one.begin("third")

    assert asked == [limiter.POLL_S] * 3
    assert one.begin("third")


def test_a_worker_that_is_lost_in_between_loses_its_turn(state: Path) -> None:
    now = 1000.0
    one = Limiter(state, 2, clock=lambda: now)
    name = scope(Window.RUN, None, RUN, datetime.now(UTC))
    assert one.begin("a")
    one.take("a", "worker", [name], "USD", datetime.now(UTC), "openai", "m")

    now += limiter.HELD_S + 1

    assert one.begin("b")
    with pytest.raises(IoFailed, match="in time"):
        one.commit("a")
    one.commit("b")
    one.close()
    assert standing(state) == Total()


def test_an_error_in_between_changes_nothing(one: Limiter, state: Path) -> None:
    till = Till(asking(one), "a")
    name = scope(Window.RUN, None, RUN, datetime.now(UTC))

    with suppress(ZeroDivisionError), till.changing():
        number = till.take([name], "USD", at=datetime.now(UTC), provider="openai", model="m")
        till.move(number, Decimal(1), {}, at=datetime.now(UTC))
        1 // 0  # noqa: B018

    assert standing(state) == Total()
    one.close()
    assert standing(state) == Total()
