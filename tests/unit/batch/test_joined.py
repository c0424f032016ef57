"""Sums of several processes are those of one that had done it all."""

from decimal import Decimal
from typing import Any

from llmctl.batch.shape import Ended
from llmctl.batch.tally import Sum, Tally, Times
from llmctl.types import Cost, Failure, Latency, Receipt, Usage


def receipt(number: int, **more: Any) -> Receipt:
    return Receipt(
        id=str(number), started_at="2026-11-25T12:00:00Z", requested=f"m{number % 2}",
        provider="p", attempts=1, usage=Usage(input_tokens=number, output_tokens=1),
        cost=Cost("0.1", "USD" if number % 3 else "RUB"),
        latency=Latency(total_s=number / 10, waited_s=number / 100), **more,
    )  # fmt: skip


def take(tally: Tally, number: int) -> None:
    error = {"error": Failure("filtered", 13, "no")} if number % 5 == 0 else {}
    told = receipt(number, **error)
    tally.began()
    tally.tried(told.requested, told)
    tally.row(Ended(line=number, id=str(number), receipt=told, cached=number % 7 == 0))


def test_joined_tallies_are_one() -> None:
    whole, first, second = Tally(), Tally(), Tally()
    for number in range(1, 41):
        take(whole, number)
        take(first if number < 15 else second, number)

    first.join(second)

    assert first.all.total() == whole.all.total()
    assert {name: one.total() for name, one in first.models.items()} == {
        name: one.total() for name, one in whole.models.items()
    }
    assert first.latency.spread() == whole.latency.spread()
    assert first.waited.spread() == whole.waited.spread()
    for name in ("ended", "failed", "reused", "cached", "most_at_once"):
        assert getattr(first, name) == getattr(whole, name)


def test_nothing_joined_to_nothing_is_nothing() -> None:
    one = Times()
    one.join(Times())
    assert one.spread() == Times().spread()


def test_a_sum_has_the_costs_of_both_by_currency() -> None:
    """0.1 three times is 0.3, as money is counted."""
    one, other = Sum(), Sum()
    one.add(receipt(1))
    other.add(receipt(2))
    other.add(receipt(3))
    other.add(receipt(4))

    one.join(other)

    assert one.costs == {"USD": Decimal("0.3"), "RUB": Decimal("0.1")}
    assert one.requests == 4
