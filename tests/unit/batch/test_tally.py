"""Sums of a run, by hand, and percentiles that are nearly those of a sorted list."""

import math
import random
from collections.abc import Callable, Mapping

import pytest

from llmctl.batch.shape import Ended, Spread, Total
from llmctl.batch.tally import Sum, Tally, Times
from llmctl.errors import CutOff, LlmctlError, NetworkFailed, ProviderFailed, RateLimited, Rejected
from llmctl.types import Cost, CostKind, Latency, Receipt, Usage
from llmctl.values import replace
from tests.unit.batch.lanes import MAIN, receipt, route


def exact(found: list[float], share: float) -> float:
    """Nearest rank: the smallest that so many of all do not exceed."""
    return sorted(found)[max(1, math.ceil(share * len(found))) - 1]


def spread_of(*seconds: float) -> Spread:
    times = Times()
    for one in seconds:
        times.add(one)
    return times.spread()


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 99, 100, 101, 5000])
@pytest.mark.parametrize("shape", ["even", "heavy", "two"])
def test_percentiles_are_within_one_per_cent(count: int, shape: str) -> None:
    chance = random.Random(count)
    draw: dict[str, Callable[[], float]] = {
        "even": lambda: chance.uniform(0.05, 3.0),
        "heavy": lambda: chance.lognormvariate(-1, 2),
        "two": lambda: chance.choice([0.2, 40.0]),
    }
    found = [draw[shape]() for _one in range(count)]
    spread = spread_of(*found)

    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        assert getattr(spread, name) == pytest.approx(exact(found, share), rel=0.01)
    assert spread.most == max(found)


def test_nothing_measured_has_none() -> None:
    assert spread_of() == Spread()


def test_no_percentile_is_beyond_the_longest() -> None:
    spread = spread_of(1.0, 1.0, 1.0)

    assert spread.p50 == spread.p99 == spread.most == 1.0


@pytest.mark.parametrize("short", [0.0, 1e-9, 1e-4])
def test_times_of_nothing_are_times(short: float) -> None:
    spread = spread_of(short, short)

    assert spread.p50 is not None
    assert 0.0 <= spread.p50 <= 1e-4
    assert spread.most == short


def test_times_of_two_runs_are_those_of_both() -> None:
    chance = random.Random(1)
    found = [chance.expovariate(1.0) for _one in range(1000)]
    one, two, both = Times(), Times(), Times()
    for place, seconds in enumerate(found):
        (one if place % 3 else two).add(seconds)
        both.add(seconds)
    one.join(two)

    assert one.spread() == both.spread()
    empty = Times()
    empty.join(Times())
    assert empty.spread() == Spread()


def paid(amount: str | None, currency: str | None = "USD", **more: object) -> Receipt:
    cost = Cost(amount, currency if amount else None, CostKind.COMPUTED)
    return replace(receipt(MAIN, "fine"), cost=cost, **more)  # type: ignore[arg-type]


def test_requests_are_added_up() -> None:
    total = Sum()
    total.add(paid("0.1", usage=Usage(10, 2, 4)))
    total.add(paid("0.2", usage=Usage(20, 3)))
    total.add(paid("7", "RUB", usage=Usage(1, 1)))

    assert total.total() == Total(
        requests=3, input_tokens=31, output_tokens=6, cached_tokens=4,
        costs={"USD": "0.3", "RUB": "7"},
    )  # fmt: skip
    assert total.provider == "a"


def test_money_is_exact_over_many_rows() -> None:
    total = Sum()
    for _row in range(10_000):
        total.add(paid("0.0000001"))
    total.add(paid("100000000000000"))

    assert total.total().costs == {"USD": "100000000000000.001"}


def test_what_nobody_knows_is_counted_and_not_taken_for_nothing() -> None:
    total = Sum()
    total.add(paid(None, usage=Usage()))
    total.add(paid("0.5"))
    found = total.total()

    assert (found.unpriced, found.uncounted, found.requests) == (1, 1, 2)
    assert found.costs == {"USD": "0.5"}


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (CutOff("no end"), True),
        (NetworkFailed("fell silent", reason="idle"), True),
        (ProviderFailed("a gateway gave up", status=504), True),
        (NetworkFailed("nobody there", reason="connect"), False),
        (RateLimited("slow down", status=429), False),
        (ProviderFailed("busy", status=503), False),
        (Rejected("too long", status=400), False),
        (ProviderFailed("the batch ended before", reason="expired"), False),
    ],
)
def test_a_request_whose_answer_was_lost_may_be_billed_and_a_refused_one_is_not(
    error: LlmctlError, billed: bool
) -> None:
    total = Sum()
    total.add(receipt(MAIN, error=error))
    found = total.total()

    assert (found.requests, found.unpriced, found.uncounted) == (1, billed, billed)
    assert found.costs == {}


def test_what_was_lost_after_its_price_was_told_has_that_price() -> None:
    total = Sum()
    total.add(paid("0.5", error=CutOff("no end").failure()))

    assert total.total().costs == {"USD": "0.5"}
    assert (total.unpriced, total.uncounted) == (0, 0)


def test_an_error_after_the_answer_was_begun_may_be_billed_whatever_its_status() -> None:
    total = Sum()
    total.add(replace(receipt(MAIN, error=ProviderFailed("busy", status=503)), text="Bl"))

    assert total.unpriced == 1


def test_what_was_never_sent_counts_for_nothing() -> None:
    total = Sum()
    total.add(replace(receipt(MAIN), attempts=0))

    assert total.total() == Total()


def row(found: Receipt, **more: object) -> Ended:
    return Ended(line=1, id="1", receipt=found, **more)  # type: ignore[arg-type]


def test_a_run_counts_rows_and_requests_apart() -> None:
    tally = Tally()
    for model in ("a/m", "a/m", "b/n"):
        tally.began()
        found = replace(receipt(route(model), "x"), latency=Latency(total_s=2.0, waited_s=0.5))
        tally.tried(model, found)
        tally.row(row(found))
    tally.began()
    tally.tried("a/m", receipt(MAIN, error=CutOff("no end")))  # tried again later
    bad = receipt(MAIN, error=CutOff("no end"))
    tally.row(row(replace(bad, attempts=0)))
    tally.row(row(replace(receipt(MAIN, "x"), attempts=0), same_as="1"))
    tally.row(row(replace(receipt(MAIN, "x"), attempts=0), cached=True))

    assert (tally.ended, tally.failed, tally.reused, tally.cached) == (6, 1, 1, 1)
    assert tally.all.total().requests == 4
    assert tally.all.total().rows == 6
    models = {name: (one.rows, one.requests) for name, one in tally.models.items()}
    assert models == {"a/m": (5, 3), "b/n": (1, 1)}
    # Times are those of answers: not of errors, not of what was there already.
    assert tally.latency.spread().most == 2.0
    assert tally.waited.spread().most == 0.5
    assert tally.under_way == 0


def test_the_most_at_once_is_remembered() -> None:
    tally = Tally()
    for _request in range(3):
        tally.began()
    tally.tried("a/m", receipt(MAIN, "x"))
    tally.began()

    assert (tally.under_way, tally.most_at_once) == (3, 3)


def test_two_runs_together() -> None:
    both, tallies = Tally(), [Tally(), Tally()]
    for tally in tallies:
        tally.began()
        tally.tried("a/m", paid("0.25", usage=Usage(10, 2)))
        tally.row(row(paid("0.25")))
        both.join(tally)

    assert both.all.total() == Total(rows=2, requests=2, input_tokens=20, output_tokens=4,
                                     costs={"USD": "0.5"})  # fmt: skip
    assert both.models["a/m"].total().rows == 2
    assert (both.ended, both.most_at_once) == (2, 1)


def test_news_are_told_once() -> None:
    tally = Tally()

    def paid(amount: str) -> dict[str, Mapping[str, str]]:
        tally.began()
        cost = Cost(amount, "USD", CostKind.COMPUTED)
        tally.tried("a/b", replace(receipt(MAIN), attempts=1, cost=cost))
        return {name: one.total().costs for name, one in tally.news().items()}

    assert paid("0.25") == {"a/b": {"USD": "0.25"}}
    assert paid("0.5") == {"a/b": {"USD": "0.5"}}
    assert tally.news() == {}
    assert tally.models["a/b"].total().costs == {"USD": "0.75"}
