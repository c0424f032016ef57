"""Verdicts on pairs, by examples that can be worked out by hand, and how often they are wrong."""

import math
import time
from typing import Any

import pytest

from benchmarks.verdicts import (
    ANY,
    DIFFERENCES,
    FALSE_ALARMS,
    KINDS,
    LEAST_POWER,
    Times,
    false_alarms,
    power,
)
from llmctl.compare.figures import Metric, Pair
from llmctl.compare.shape import Candidate, Comparison, Ruling, Trial
from llmctl.compare.spending import Common
from llmctl.compare.verdicts import pairs
from llmctl.values import replace
from tests.unit.compare.made import FAILED, comparison, series, trial

DOLLARS = Common("USD")


def only(made: Comparison, metric: Metric, money: Common | None = DOLLARS) -> Pair:
    found = [pair for pair in pairs(made, money) if pair.metric is metric]
    assert len(found) == 1
    return found[0]


# ---- times -------------------------------------------------------------------------------------


def three(first: int = 0, second: int = 1) -> list[Trial]:
    """Logarithms of the ratios are 0.1, 0.2 and 0.3."""
    before = [1.0, 5.0, 0.2]
    after = [1.0 * math.exp(0.1), 5.0 * math.exp(0.2), 0.2 * math.exp(0.3)]
    return series(first, before) + series(second, after)


def test_the_paired_t_test_by_hand() -> None:
    pair = only(comparison(three()), Metric.TTFT)

    # Mean 0.2, standard deviation 0.1, its error 0.1 / √3; t = √12 with two degrees of freedom,
    # for which p = 1 - t / √(2 + t²). The limits are 4.302653 errors away.
    error = 0.1 / math.sqrt(3)
    assert pair.count == 3
    assert pair.ratio == pytest.approx(math.exp(0.2))
    assert pair.p == pytest.approx(1 - math.sqrt(12 / 14))
    assert pair.low == pytest.approx(math.exp(0.2 - 4.302653 * error))
    assert pair.high == pytest.approx(math.exp(0.2 + 4.302653 * error))
    assert (pair.clear, pair.better) == (False, None)
    # More than what would be seen every other time, and less than with 95 % instead of 80.
    assert pair.smallest is not None
    assert 4.302653 * error < math.log(pair.smallest) < (4.302653 + 2.919986) * error


def test_the_correction_is_for_all_pairs_of_a_metric() -> None:
    made = comparison(three() + three(0, 2)[3:], candidates=3)

    found = [pair for pair in pairs(made, None) if pair.metric is Metric.TTFT]

    # Two with the p of above, and two that are the same to the last digit.
    alone = 1 - math.sqrt(12 / 14)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (1, 2)]
    assert [pair.p for pair in found] == pytest.approx([alone * 3, alone * 3, 1.0])
    # A third of 5 % lies outside of 7.6488 errors, since 1 - 7.6488 / √(2 + 7.6488²) = 0.05 / 3:
    # nothing nearer would have been clear.
    assert found[0].smallest is not None
    assert math.log(found[0].smallest) > 7.6488 * 0.1 / math.sqrt(3)


@pytest.mark.parametrize(("metric", "better"), [(Metric.TOTAL, 0), (Metric.SPEED, 1)])
def test_whose_favour_a_clear_difference_is_in(metric: Metric, better: int) -> None:
    def times(value: float) -> dict[str, Any]:
        return {"total_s" if metric is Metric.TOTAL else "output_tokens_per_s": value}

    trials = [
        trial(candidate, repeat, **times(value * (1 + candidate)))
        for candidate in (0, 1)
        for repeat, value in enumerate((1.0, 1.1, 1.2, 1.15 + candidate / 100), 1)
    ]

    pair = only(comparison(trials), metric)

    assert (pair.clear, pair.better) == (True, better)
    assert pair.ratio == pytest.approx(2, rel=0.01)
    assert pair.smallest is None


def test_connecting_and_loading_are_no_difference_between_models() -> None:
    first = [trial(0, n, ttft_s=0.5 + n / 10, connect_s=n / 10) for n in (1, 2, 3)]
    second = [trial(1, n, ttft_s=0.5 + n, load_s=float(n)) for n in (1, 2, 3)]

    pair = only(comparison(first + second), Metric.TTFT)

    assert pair.ratio == pytest.approx(1)
    assert (pair.p, pair.clear) == (1.0, False)


def test_the_hard_case_is_hard_for_both() -> None:
    """Between cases times differ by a factor of 100; within each by a tenth, always."""
    trials = [
        trial(candidate, 1, case=case, ttft_s=100.0**case * (1.1 + case / 1000) ** candidate)
        for candidate in (0, 1)
        for case in range(4)
    ]

    assert only(comparison(trials, cases=4), Metric.TTFT).better == 0


@pytest.mark.parametrize(("cases", "count"), [(1, 4), (4, 16), (5, 5), (6, 6)])
def test_with_five_cases_a_case_is_one_observation(cases: int, count: int) -> None:
    trials = [
        trial(candidate, repeat, case=case, ttft_s=1.0 + candidate)
        for candidate in (0, 1)
        for case in range(cases)
        for repeat in range(1, 5)
    ]

    pair = only(comparison(trials, cases=cases), Metric.TTFT)

    assert pair.count == count
    assert pair.ratio == pytest.approx(2)


def test_the_repeats_of_a_case_are_averaged_as_logarithms() -> None:
    trials = [
        trial(candidate, repeat, case=case, ttft_s=ratio if candidate else 1.0)
        for candidate in (0, 1)
        for case in range(5)
        for repeat, ratio in ((1, 2.0), (2, 8.0))
    ]

    pair = only(comparison(trials, cases=5), Metric.TTFT)

    assert pair.count == 5
    assert pair.ratio == pytest.approx(4)  # √(2 × 8)


# ---- what cannot be compared -------------------------------------------------------------------


def test_two_runs_are_no_evidence() -> None:
    pair = only(comparison(series(0, [1, 1]) + series(1, [9, 9])), Metric.TTFT)

    assert pair.count == 2
    assert pair.ratio == pytest.approx(9)
    assert (pair.p, pair.clear, pair.low, pair.smallest) == (None, False, None, None)


def test_failed_runs_and_warm_ups_have_no_times() -> None:
    first = series(0, [1, 1, 1, 1])
    second = [*series(1, [2, 2, 2]), trial(1, 4, ttft_s=50.0, error=FAILED)]
    warming = [trial(0, 0, ttft_s=70.0), trial(1, 0, ttft_s=0.1)]

    pair = only(comparison(first + second + warming), Metric.TTFT)

    assert (pair.count, pair.better) == (3, 0)
    assert pair.ratio == pytest.approx(2)


@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_what_was_not_measured_is_left_out(bad: float | None) -> None:
    first = [*series(0, [1, 1, 1]), trial(0, 4, ttft_s=bad)]

    assert only(comparison(first + series(1, [1, 1, 1, 1])), Metric.TTFT).count == 3


def test_nothing_in_common() -> None:
    made = comparison([trial(0, 1, case=0, ttft_s=1.0), trial(1, 1, case=1, ttft_s=2.0)], cases=2)

    for pair in pairs(made, None):
        assert pair == Pair(first=0, second=1, metric=pair.metric)


def test_who_was_refused_is_in_no_pair() -> None:
    candidates = (
        Candidate(name="a", model="a"),
        Candidate(name="b", model="b", refused=FAILED),
        Candidate(name="c", model="c"),
    )
    trials = series(0, [1, 1, 1]) + series(2, [1, 1, 1])
    made = replace(comparison(trials), candidates=candidates)

    assert {(pair.first, pair.second) for pair in pairs(made, None)} == {(0, 2)}


@pytest.mark.parametrize("candidates", [0, 1])
def test_alone_there_is_no_pair(candidates: int) -> None:
    made = comparison(series(0, [1, 2, 3]) if candidates else [], candidates=candidates)

    assert pairs(made, None) == ()


def test_metrics_that_nobody_asked_for_are_not_compared() -> None:
    made = comparison(series(0, [1]) + series(1, [1]))
    always = [Metric.TTFT, Metric.TOTAL, Metric.SPEED, Metric.COST]

    assert [pair.metric for pair in pairs(made, None)] == always


def test_times_of_nothing_are_counted_by_sign() -> None:
    first, second = series(0, [0.0] * 6 + [1.0]), series(1, [0.1] * 6 + [2.0])

    pair = only(comparison(first + second), Metric.TTFT)

    assert (pair.ratio, pair.p, pair.better) == (None, 2 / 128, 0)


# ---- costs -------------------------------------------------------------------------------------


def paid(candidate: int, *costs: str | None, **more: Any) -> list[Trial]:
    return [trial(candidate, n, cost=one, **more) for n, one in enumerate(costs, 1)]


def test_prices_that_never_vary_are_clear_from_three_runs_on() -> None:
    pair = only(comparison(paid(0, *["0.03"] * 3) + paid(1, *["0.01"] * 3)), Metric.COST)

    assert (pair.count, pair.p, pair.clear, pair.better) == (3, 0.0, True, 1)
    assert pair.ratio == pytest.approx(1 / 3)
    two = only(comparison(paid(0, *["0.03"] * 2) + paid(1, *["0.01"] * 2)), Metric.COST)
    assert not two.clear


def test_the_same_prices_are_no_difference() -> None:
    pair = only(comparison(paid(0, "0.1", "0.3", "0.7") + paid(1, "0.1", "0.3", "0.7")),
                Metric.COST)  # fmt: skip

    assert (pair.p, pair.clear, pair.ratio, pair.smallest) == (1.0, False, 1.0, 1.0)


@pytest.mark.parametrize("free", [0, 1])
def test_who_is_free_is_better_without_a_ratio(free: int) -> None:
    trials = paid(free, "0", "0", "0") + paid(1 - free, "0.01", "0.02", "0.01")

    pair = only(comparison(trials), Metric.COST)

    assert (pair.count, pair.clear, pair.better, pair.ratio) == (3, True, free, None)


def test_two_that_are_free_do_not_differ() -> None:
    pair = only(comparison(paid(0, "0", "0", "0") + paid(1, "0", "0", "0")), Metric.COST)

    assert (pair.count, pair.p, pair.clear) == (3, 1.0, False)


def test_unknown_costs_and_other_currencies_are_not_compared() -> None:
    unknown = comparison(paid(0, "0.1", "0.1", "0.1") + paid(1, None, None, None))
    roubles = comparison(paid(0, "0.1", "0.1", "0.1") + paid(1, "9", "9", "9", currency="RUB"))

    assert only(unknown, Metric.COST).count == 0
    assert only(roubles, Metric.COST).count == 0
    assert only(roubles, Metric.COST, None).count == 0


# ---- right and wrong ---------------------------------------------------------------------------


def marked(candidate: int, passed: str, **more: Any) -> list[Trial]:
    """`+` passed, `-` not, `x` failed."""
    return [
        trial(candidate, n, passed=None if one == "x" else one == "+",
              error=FAILED if one == "x" else None, **more)
        for n, one in enumerate(passed, 1)
    ]  # fmt: skip


def test_quality_counts_the_runs_that_differ() -> None:
    pair = only(comparison(marked(0, "--------+") + marked(1, "++++++++-")), Metric.QUALITY)

    # 8 to 1: 2 × (1 + 9) / 512; the shares are 1/9 and 8/9.
    assert (pair.count, pair.p, pair.better) == (9, 2 * 10 / 512, 1)
    assert pair.ratio == pytest.approx(7 / 9)
    assert pair.low is not None
    assert pair.high is not None
    assert 0 < pair.low < 7 / 9 < pair.high < 1


def test_a_failed_run_has_not_passed() -> None:
    pair = only(comparison(marked(0, "xxxxxx"), checks=("contains=x",)), Metric.QUALITY)
    both = only(comparison(marked(0, "xxxxxx") + marked(1, "++++++")), Metric.QUALITY)

    assert pair.count == 0
    assert (both.count, both.p, both.better, both.ratio) == (6, 2 / 64, 1, 1.0)


def test_five_of_five_are_not_enough() -> None:
    pair = only(comparison(marked(0, "-----") + marked(1, "+++++")), Metric.QUALITY)

    assert (pair.p, pair.clear, pair.smallest) == (2 / 32, False, None)


def test_all_right_is_no_difference_with_what_would_have_been_one() -> None:
    pair = only(comparison(marked(0, "++++++") + marked(1, "++++++")), Metric.QUALITY)

    assert (pair.ratio, pair.p, pair.clear) == (0.0, 1.0, False)
    assert pair.smallest == pytest.approx(0.8 ** (1 / 6), abs=1e-4)  # all six, in four of five


def test_nine_small_gains_and_one_great_loss_are_no_verdict() -> None:
    """By signs the second wins 9 to 1 (p = 22/1024), by the share of runs that passed the first."""
    trials = []
    for case in range(10):
        first, second = ("+" * 10, "-" * 10) if case == 0 else ("-" * 10, "+" + "-" * 9)
        trials += marked(0, first, case=case) + marked(1, second, case=case)

    pair = only(comparison(trials, cases=10), Metric.QUALITY)

    assert (pair.count, pair.p) == (10, 22 / 1024)
    assert pair.ratio == pytest.approx((9 * 0.1 - 1) / 10)
    assert (pair.clear, pair.better) == (False, None)


def ruled(repeat: int, winner: int | None, *, swapped: bool = False, **more: Any) -> Ruling:
    first, second = (1, 0) if swapped else (0, 1)
    return Ruling(case=0, repeat=repeat, first=first, second=second, winner=winner, **more)


def test_the_judge_is_heard_whichever_answer_it_read_first() -> None:
    rulings = [ruled(n, 1, swapped=n % 2 == 0) for n in range(1, 8)]
    rulings += [ruled(8, None), ruled(9, 0, error=FAILED)]

    pair = only(comparison([], rulings=tuple(rulings), judge="j"), Metric.JUDGED)

    # 7 to 0 of 8, one of which is a draw.
    assert (pair.count, pair.p, pair.better) == (8, 2 / 128, 1)
    assert pair.ratio == pytest.approx(7 / 8)


# ---- how often they are wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "due"), [(KINDS[0], 0.03), (KINDS[1], 0.01)], ids=["log-normal", "heavy tail"]
)
def test_false_alarms_of_a_thousand_comparisons_stay_below_their_bound(
    kind: Times, due: float
) -> None:
    rates = false_alarms(1000, 10, kind.draw)

    assert rates[ANY] <= FALSE_ALARMS
    assert rates[ANY] >= due  # and the test is no coward: 5 % are its due


def test_four_identical_models_raise_no_more_false_alarms_than_two() -> None:
    rates = false_alarms(150, 10, KINDS[0].draw, models=4)

    # Six pairs without a correction: about 20 %.
    assert rates[ANY] <= 0.085  # 5 % and twice its error


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.5])
def test_stated_differences_are_seen(cv: float) -> None:
    assert power(300, 10, cv, DIFFERENCES[10][cv]) >= LEAST_POWER


def test_a_thousand_runs_are_judged_quickly() -> None:
    trials = [
        trial(candidate, repeat, ttft_s=1 + (repeat * 7 + candidate) % 11, total_s=9.0, cost="1",
              passed=(repeat * (candidate + 3)) % 7 > 2)
        for candidate in range(4)
        for repeat in range(1, 251)
    ]  # fmt: skip
    began = time.process_time()

    found = pairs(comparison(trials, candidates=4), DOLLARS)

    assert len(found) == 6 * 5
    assert time.process_time() - began < 1.5
