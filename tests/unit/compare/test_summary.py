"""The lines of a comparison and what it has cost, by examples worked out by hand."""

import math
import time
from decimal import Decimal

import pytest

from llmctl.compare.figures import Figure, Line, Metric
from llmctl.compare.shape import Candidate, Ruling
from llmctl.compare.summary import summarised
from llmctl.cost.money import Money
from llmctl.cost.rates import NoRate
from llmctl.types import Failure, Level, Usage, Verdict
from llmctl.values import replace
from tests.unit.compare.made import FAILED, comparison, series, trial


def money(amount: str, currency: str = "USD") -> Money:
    return Money(Decimal(amount), currency)


class Roubles:
    """80 roubles a dollar, and no other rate."""

    currency = "RUB"

    def __call__(self, amount: Decimal, code: str, /) -> Decimal:
        if code != "USD":
            raise NoRate(code, "RUB")
        return amount * 80


# ---- lines -------------------------------------------------------------------------------------


def test_times_are_those_of_the_model() -> None:
    trials = [
        trial(0, 1, ttft_s=0.9, total_s=3.9, connect_s=0.4, waited_s=2.0, auth_s=9.0),
        trial(0, 2, ttft_s=6.5, total_s=8.5, load_s=6.0, reused=True, waited_s=0.5),
        trial(0, 3, ttft_s=0.3, total_s=2.3, load_s=0.004, reused=True, output_tokens_per_s=40.0),
    ]

    line = summarised(comparison(trials, candidates=1)).lines[0]

    assert line.ttft.values == pytest.approx((0.5, 0.5, 0.296))
    assert line.ttft.median == pytest.approx(0.5)
    assert line.total.values == pytest.approx((3.5, 2.5, 2.296))
    assert (line.speed.count, line.speed.median) == (1, 40.0)
    # One connected, one loaded: a few milliseconds are what servers state for a model in memory.
    assert (line.connect_s, line.load_s, line.waited_s) == (0.4, 6.0, 2.5)


def test_what_a_warm_up_took_is_no_time_but_what_connecting_and_loading_took() -> None:
    trials = [
        trial(0, 0, ttft_s=5.0, connect_s=0.3, load_s=4.0, waited_s=1.0, cost="0.5"),
        trial(0, 1, ttft_s=0.2, cost="0.25"),
    ]

    summary = summarised(comparison(trials, candidates=1))

    line = summary.lines[0]
    assert (line.runs, line.succeeded, line.ttft.values) == (1, 1, (0.2,))
    assert (line.connect_s, line.load_s, line.waited_s) == (0.3, 4.0, 0.0)
    assert (line.cost, line.spent) == (money("0.25"), money("0.75"))
    assert summary.spent == (money("0.75"),)


@pytest.mark.parametrize("load", [0.5 - 1e-9, 0.5, 0.6])
def test_a_load_that_leaves_nothing_of_the_time_makes_nobody_the_fastest(load: float) -> None:
    first = [trial(0, n, ttft_s=0.5, total_s=2.0, load_s=load) for n in (1, 2, 3)]
    made = comparison(first + series(1, [0.1, 0.2, 0.3], total_s=2.0))

    summary = summarised(made)

    assert summary.lines[0].ttft == Figure()
    assert summary.lines[0].total.values == pytest.approx([2.0 - load] * 3)
    (ttft,) = (pair for pair in summary.pairs if pair.metric is Metric.TTFT)
    assert (ttft.count, ttft.clear) == (0, False)


def test_a_time_of_zero_without_any_part_is_what_was_measured() -> None:
    made = comparison([trial(0, 1, ttft_s=0.0, connect_s=0.0)], candidates=1)

    assert summarised(made).lines[0].ttft.values == (0.0,)


def test_a_schema_alone_is_something_to_pass() -> None:
    """What does not match is a failed run, and nothing is marked."""
    mismatch = Failure("schema-mismatch", 13, "at $: 'a' is missing")
    trials = [
        *(trial(0, n) for n in range(1, 8)),
        *(trial(1, n, error=mismatch) for n in range(1, 8)),
    ]
    made = comparison(trials, checks=("schema",))

    summary = summarised(made)

    assert [(line.passed, line.quality) for line in summary.lines] == [(7, 1.0), (0, 0.0)]
    (quality,) = (pair for pair in summary.pairs if pair.metric is Metric.QUALITY)
    assert (quality.count, quality.p, quality.better) == (7, 2 / 128, 0)
    assert summarised(comparison(trials)).lines[0].passed is None


def test_failures_are_counted_by_their_name_and_have_no_times() -> None:
    cut = Failure("cut-off", 11, "cut")
    trials = [
        trial(0, 1, ttft_s=1.0, passed=True),
        trial(0, 2, ttft_s=50.0, error=cut),
        trial(0, 3, error=FAILED),
        trial(0, 4, ttft_s=70.0, error=cut),
        trial(0, 5, ttft_s=2.0, passed=False),
    ]

    line = summarised(comparison(trials, candidates=1)).lines[0]

    assert (line.runs, line.succeeded) == (5, 2)
    assert line.failures == {"cut-off": 2, "network": 1}
    assert line.ttft.values == (1.0, 2.0)
    assert (line.passed, line.pass_rate, line.quality) == (1, 0.2, 0.2)


def test_the_uncertainty_of_few_and_of_many_runs() -> None:
    one = summarised(comparison(series(0, [3.0]), candidates=1)).lines[0].ttft
    five = summarised(comparison(series(0, [3, 1, 2, 5, 4]), candidates=1)).lines[0].ttft
    twenty = summarised(comparison(series(0, range(1, 21)), candidates=1)).lines[0].ttft

    assert one == Figure(count=1, median=3.0, values=(3.0,))
    assert (five.median, five.low, five.high, five.p95) == (3, 1, 5, None)
    assert five.values == (3, 1, 2, 5, 4)
    assert twenty.median == 10.5
    assert twenty.p95 == pytest.approx(19.05)
    assert twenty.low is not None
    assert twenty.high is not None
    assert 1 < twenty.low < 10.5 < twenty.high < 20


def test_the_same_comparison_has_the_same_figures() -> None:
    made = comparison(series(0, [math.sqrt(n) for n in range(30)]) + series(1, [1.0] * 30))

    assert summarised(made) == summarised(made)
    assert summarised(made).lines[1].ttft.low == summarised(made).lines[1].ttft.high == 1.0


def test_what_is_no_number_is_left_out() -> None:
    made = comparison([*series(0, [1.0, math.nan, math.inf, 3.0]), trial(0, 5)], candidates=1)

    assert summarised(made).lines[0].ttft == Figure(count=2, median=2.0, values=(1.0, 3.0))


def test_nothing_was_run() -> None:
    summary = summarised(comparison([], candidates=1))

    assert summary.lines == (Line(candidate=0),)
    assert (summary.pairs, summary.spent, summary.currency) == ((), (), None)
    assert (summary.front, summary.advice) == ((), None)
    assert summarised(comparison([], candidates=0, cases=0)).lines == ()


def test_who_was_refused_has_a_line_without_figures() -> None:
    made = comparison(series(0, [1.0]))
    refused = Candidate(name="no", model="no", refused=Failure("privacy-refused", 4, "no"))
    made = replace(made, candidates=(made.candidates[0], refused))

    summary = summarised(made)

    assert summary.lines[1] == Line(candidate=1)
    assert summary.pairs == ()


def test_tokens_and_prompts_that_the_provider_remembered() -> None:
    trials = [
        trial(0, 0, usage=Usage(1000, 10, 900)),
        trial(0, 1, usage=Usage(100, 10)),
        trial(0, 2, usage=Usage(100, 20, 0)),
        trial(0, 3, usage=Usage(200, 60, 150)),
        trial(0, 4),
    ]

    line = summarised(comparison(trials, candidates=1)).lines[0]

    assert (line.input_tokens, line.output_tokens) == (100, 20)
    assert (line.cached, line.cached_share) == (1, 150 / 400)


# ---- money -------------------------------------------------------------------------------------


def test_the_cost_of_a_run_is_exact() -> None:
    trials = [trial(0, n, cost=one) for n, one in enumerate(("0.0000001", "0.3", "0.1", "0.2"), 1)]

    line = summarised(comparison(trials, candidates=1)).lines[0]

    assert line.cost == money("0.15")
    assert line.spent == money("0.6000001")
    assert line.converted == Decimal("0.15")


def test_a_run_at_an_unknown_price() -> None:
    trials = [
        trial(0, 1, cost="0.1"),
        trial(0, 2, ttft_s=1.0),
        trial(1, 1, error=FAILED),  # nothing came, so nobody wants money
        trial(1, 2, ttft_s=0.3, error=FAILED),  # something came
        trial(1, 3, cost="0.4", error=FAILED),
    ]

    summary = summarised(comparison(trials))

    first, second = summary.lines
    assert summary.unpriced == 2
    assert (first.cost, first.spent) == (money("0.1"), None)
    assert (second.cost, second.spent, second.converted) == (None, None, None)
    assert summary.spent == (money("0.5"),)


def test_a_failed_run_may_cost_and_an_unsent_one_does_not() -> None:
    trials = [trial(0, 1, cost="0.4", error=FAILED), trial(0, 2, error=FAILED)]

    summary = summarised(comparison(trials, candidates=1))

    assert (summary.lines[0].spent, summary.lines[0].cost) == (money("0.4"), None)
    assert summary.unpriced == 0


def test_two_currencies_without_rates_are_not_compared() -> None:
    trials = [
        trial(candidate, n, cost=cost, currency=currency)
        for candidate, cost, currency in ((0, "0.5", "USD"), (1, "8", "RUB"))
        for n in (1, 2, 3)
    ]

    summary = summarised(comparison(trials))

    assert summary.currency is None
    assert [line.cost for line in summary.lines] == [money("0.5"), money("8", "RUB")]
    assert [line.converted for line in summary.lines] == [None, None]
    assert summary.spent == (money("24", "RUB"), money("1.5"))
    costs = [pair for pair in summary.pairs if pair.metric is Metric.COST]
    assert [(pair.count, pair.clear) for pair in costs] == [(0, False)]


def test_two_currencies_are_compared_by_the_rates_there_are() -> None:
    trials = [
        trial(candidate, n, cost=cost, currency=currency)
        for candidate, cost, currency in ((0, "0.5", "USD"), (1, "8", "RUB"), (2, "0", "CNY"))
        for n in (1, 2, 3)
    ]

    summary = summarised(comparison(trials, candidates=3), rates=Roubles())

    assert summary.currency == "RUB"
    assert [line.converted for line in summary.lines] == [Decimal("40.0"), Decimal(8), Decimal(0)]
    costs = {(one.first, one.second): one for one in summary.pairs if one.metric is Metric.COST}
    assert costs[0, 1].ratio == pytest.approx(0.2)
    assert costs[0, 1].better == 1


def test_where_one_rate_is_missing_no_costs_are_compared() -> None:
    """Else the model whose currency has none would look dear, or cheap."""
    trials = [
        trial(candidate, n, cost=cost, currency=currency)
        for candidate, cost, currency in ((0, "0.5", "USD"), (1, "8", "RUB"), (2, "1", "CNY"))
        for n in (1, 2, 3)
    ]

    summary = summarised(comparison(trials, candidates=3), rates=Roubles())

    assert summary.currency is None
    assert [line.converted for line in summary.lines] == [None] * 3
    costs = [one for one in summary.pairs if one.metric is Metric.COST]
    assert [one.count for one in costs] == [0, 0, 0]


def test_nothing_is_converted_where_all_share_a_currency() -> None:
    trials = [trial(0, 1, cost="0.5"), trial(1, 1, cost="0.7")]

    summary = summarised(comparison(trials), rates=Roubles())

    assert (summary.currency, summary.lines[0].converted) == ("USD", Decimal("0.5"))


def test_what_is_free_is_free_in_any_currency() -> None:
    trials = [trial(0, 1, cost="0"), trial(1, 1, cost="8", currency="RUB")]

    summary = summarised(comparison(trials))

    assert (summary.currency, summary.spent) == ("RUB", (money("8", "RUB"),))
    assert [line.converted for line in summary.lines] == [Decimal(0), Decimal(8)]


def test_what_ran_on_this_machine_is_free_even_if_nobody_says_so() -> None:
    here = trial(0, 1, ttft_s=1.0)
    verdict = Verdict(True, Level.DEVICE)
    here = replace(here, receipt=replace(here.receipt, verdict=verdict))

    summary = summarised(comparison([here], candidates=1))

    assert summary.lines[0].spent == money("0")
    assert (summary.spent, summary.unpriced) == ((money("0"),), 0)


def test_the_judge_is_paid_and_its_share_is_told() -> None:
    judging = (trial(cost="3", currency="RUB").receipt, trial(cost="0.1").receipt)
    silent = trial(ttft_s=1.0).receipt
    ruling = Ruling(case=0, repeat=1, first=0, second=1, winner=1, receipts=judging)
    draw = Ruling(case=0, repeat=2, first=0, second=1)
    broken = Ruling(case=0, repeat=3, first=0, second=1, error=FAILED, receipts=(silent,))
    trials = [trial(0, 1, cost="0.2"), trial(1, 1, cost="0.3")]
    made = comparison(trials, rulings=(ruling, draw, broken), judge="j")

    summary = summarised(made)

    assert summary.judge_spent == (money("3", "RUB"), money("0.1"))
    assert summary.spent == (money("3", "RUB"), money("0.6"))
    assert summary.unpriced == 1
    assert [line.judged for line in summary.lines] == [0.25, 0.75]
    assert [line.passed for line in summary.lines] == [None, None]
    assert summary.lines[1].quality == 0.75
    assert summary.currency == "USD"


@pytest.mark.parametrize("candidates", [4, 20])
def test_a_thousand_runs_are_summed_up_quickly(candidates: int) -> None:
    trials = [
        trial(candidate, repeat, ttft_s=1 + (repeat * 7 + candidate) % 11, total_s=9.0 + repeat,
              output_tokens_per_s=5.0 + repeat % 9, cost=f"0.00{repeat}",
              passed=(repeat * (candidate + 3)) % 7 > 2)
        for candidate in range(candidates)
        for repeat in range(1, 1000 // candidates + 1)
    ]  # fmt: skip
    began = time.process_time()

    summary = summarised(comparison(trials, candidates=candidates))

    assert [line.runs for line in summary.lines] == [1000 // candidates] * candidates
    assert time.process_time() - began < 0.7
