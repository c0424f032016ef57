"""Whether one candidate is really different from another, by each metric, and if nobody can tell,
how different it would have had to be.

Only runs of the same case are set against each other, so that a hard prompt is hard for both.
Times, speed and cost are compared by their ratio (a paired t test on logarithms), outcomes that are
right or wrong by how often one was better (exact sign test). However many pairs and metrics there
are, chance alone finds a difference in one comparison of twenty: Holm's correction over all tests.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from llmctl.compare.figures import MORE_IS_BETTER, Metric, Pair
from llmctl.compare.measures import measure
from llmctl.compare.shape import Comparison, Trial
from llmctl.compare.spending import Common, price
from llmctl.compare.statistics import (
    ALPHA,
    POWER,
    holm,
    sign_interval,
    sign_p,
    t_outside,
    t_quantile,
    visible_share,
    visible_shift,
)
from llmctl.values import dataclass, replace

# From so many cases on a case is one observation, however often it was repeated: what holds for
# them may hold for other prompts. Of fewer cases, only the repeats can tell anything.
MANY_CASES = 5
# Two runs that agree are no evidence.
LEAST_UNITS = 3
# So many that are exactly alike are no coincidence, and no coincidence of a token more or less is
# a cost that is so many times as high.
CONSTANT_UNITS, CONSTANT_RATIO = 5, 2.0
# Logarithms that differ by less differ by how they were computed.
SAME = 1e-9
# The greatest exponent whose power is a number.
LARGEST = 700.0

Unit = tuple[int, int]
Both = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the test of one pair says, before it is known how many others there are. `smallest` is
    worked out for a level of significance. `sign` is whose values are greater: 1 for the second's,
    -1 for the first's, 0 where the test and the figure disagree or there is no difference.
    `least_p` is the least that the test could have given with so many observations."""

    p: float
    sign: int
    least_p: float = 0.0
    low: float | None = None
    high: float | None = None
    smallest: Callable[[float], float | None] = lambda _alpha: None


def pairs(comparison: Comparison, money: Common | None) -> tuple[Pair, ...]:
    """The verdict on every two candidates that were not refused, by metric: QUALITY only where
    there are checks, JUDGED only with a judge. `money` is the currency costs are compared in, None
    where they cannot be. A pair that has no runs in common has a count of 0."""
    asked = [i for i, one in enumerate(comparison.candidates) if one.refused is None]
    tables = _measured(comparison, money)
    drafts: list[tuple[Pair, Outcome | None]] = []
    for metric in _metrics(comparison):
        judged = _judged(comparison) if metric is Metric.JUDGED else {}
        for first, second in combinations(asked, 2):
            if metric is Metric.JUDGED:
                units = judged.get((first, second), {})
            else:
                table = tables[metric]
                units = _together(table.get(first, {}), table.get(second, {}))
            drafts.append(_tested(first, second, metric, _grouped(comparison, units)))
    return tuple(_corrected(drafts))


def _metrics(comparison: Comparison) -> Iterator[Metric]:
    yield from (Metric.TTFT, Metric.TOTAL, Metric.SPEED, Metric.COST)
    if has_checks(comparison):
        yield Metric.QUALITY
    if comparison.judge is not None or comparison.rulings:
        yield Metric.JUDGED


def has_checks(comparison: Comparison) -> bool:
    return bool(comparison.checks) or any(trial.marks for trial in comparison.trials)


# ---- what is set against what ------------------------------------------------------------------


def _measured(
    comparison: Comparison, money: Common | None
) -> Mapping[Metric, Mapping[int, Mapping[Unit, float]]]:
    """By metric and candidate: what each case and repeat came to, where that is known."""
    tables: dict[Metric, dict[int, dict[Unit, float]]] = {metric: {} for metric in Metric}
    for trial in comparison.measured:
        for metric in (Metric.TTFT, Metric.TOTAL, Metric.SPEED, Metric.COST, Metric.QUALITY):
            value = _value(trial, metric, money)
            if value is not None:
                units = tables[metric].setdefault(trial.candidate, {})
                units[trial.case, trial.repeat] = value
    return tables


def _value(trial: Trial, metric: Metric, money: Common | None) -> float | None:
    if metric is Metric.QUALITY:
        return float(trial.passed)
    if metric is not Metric.COST:
        return measure(trial, metric)
    if money is None or not trial.succeeded:
        return None
    amount = money.amount(price(trial.receipt))
    return None if amount is None else float(amount)


def _together(first: Mapping[Unit, float], second: Mapping[Unit, float]) -> dict[Unit, Both]:
    return {unit: (value, second[unit]) for unit, value in first.items() if unit in second}


def _judged(comparison: Comparison) -> Mapping[Unit, dict[Unit, Both]]:
    """By two candidates, the lower place first: the points each won in a case and repeat."""
    found: dict[Unit, dict[Unit, Both]] = {}
    for ruling in comparison.rulings:
        if ruling.error is None:
            low, high = sorted((ruling.first, ruling.second))
            won = [0.5 if ruling.winner is None else float(ruling.winner == one)
                   for one in (low, high)]  # fmt: skip
            found.setdefault((low, high), {})[ruling.case, ruling.repeat] = (won[0], won[1])
    return found


def _grouped(comparison: Comparison, units: Mapping[Unit, Both]) -> list[list[Both]]:
    """The observations: with many cases one a case, of all its repeats, else one a run."""
    if len(comparison.cases) < MANY_CASES:
        return [[both] for both in units.values()]
    cases: dict[int, list[Both]] = {}
    for (case, _repeat), both in units.items():
        cases.setdefault(case, []).append(both)
    return list(cases.values())


# ---- the tests ---------------------------------------------------------------------------------


def _tested(
    first: int, second: int, metric: Metric, groups: Sequence[Sequence[Both]]
) -> tuple[Pair, Outcome | None]:
    pair = Pair(first=first, second=second, metric=metric, count=len(groups))
    if not groups:
        return pair, None
    if metric in (Metric.QUALITY, Metric.JUDGED):
        differences = [_mean(after - before for before, after in group) for group in groups]
        pair = replace(pair, ratio=_mean(differences))
        return pair, _signs(differences) if len(groups) >= LEAST_UNITS else None
    if any(value <= 0 for group in groups for both in group for value in both):
        return pair, _with_zeros(groups) if len(groups) >= LEAST_UNITS else None
    logs = [_mean(math.log(after / before) for before, after in group) for group in groups]
    pair = replace(pair, ratio=_power_of_e(_mean(logs)))
    return pair, _logs(logs) if len(groups) >= LEAST_UNITS else None


def _logs(logs: Sequence[float]) -> Outcome:
    """Paired t test on logarithms of ratios, of at least two. Where all are the same, as with
    prices, the test would see no chance at all: few that agree may do so by chance, though, as
    short answers of the same number of tokens do."""
    count, mean = len(logs), _mean(logs)
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in logs) / (count - 1) / count)
    if error <= SAME:  # prices: the same each time
        sign = 0 if abs(mean) <= SAME else int(math.copysign(1, mean))
        ratio = _power_of_e(mean)
        sure = count >= CONSTANT_UNITS or abs(mean) >= math.log(CONSTANT_RATIO)
        chance = 0.0 if sure else sign_p(count, 0)
        return Outcome(p=chance if sign else 1.0, sign=sign, low=ratio, high=ratio,
                    smallest=lambda _alpha: 1.0)  # fmt: skip
    half = t_quantile(1 - ALPHA / 2, count - 1) * error
    return Outcome(
        p=t_outside(mean / error, count - 1),
        sign=int(math.copysign(1, mean)),
        low=_power_of_e(mean - half),
        high=_power_of_e(mean + half),
        smallest=lambda alpha: _power_of_e(visible_shift(count - 1, alpha, POWER) * error),
    )


def _signs(differences: Sequence[float]) -> Outcome:
    """Sign test on differences of shares. The interval is that of how often the second wins, with
    how much it wins and loses by when it does."""
    up = [one for one in differences if one > SAME]
    down = [-one for one in differences if one < -SAME]
    count, differing = len(differences), len(up) + len(down)
    size = _mean([*up, *down]) if differing else 1.0
    low = high = None
    if differing:
        gain, loss = _mean(up) if up else size, _mean(down) if down else size
        low, high = (
            differing / count * (share * gain - (1 - share) * loss)
            for share in sign_interval(len(up), len(down))
        )
    leads = (len(up) > len(down)) - (len(up) < len(down))
    # Many small gains against a few great losses: one figure says so, the other the opposite.
    agree = leads * math.fsum(differences) > 0

    def smallest(alpha: float) -> float | None:
        share = visible_share(differing / count, count, alpha)
        return None if share is None else share * size

    return Outcome(p=sign_p(len(up), len(down)), sign=leads if agree else 0, low=low, high=high,
                smallest=smallest, least_p=sign_p(count, 0))  # fmt: skip


def _with_zeros(groups: Sequence[Sequence[Both]]) -> Outcome:
    """Where something is free, nothing can be divided. All of one free and nothing of the other is
    a matter of prices, not of chance; else only which one was less can be counted."""
    before = [both[0] for group in groups for both in group]
    after = [both[1] for group in groups for both in group]
    if not any(before) and all(after):
        return Outcome(p=0.0, sign=1)
    if not any(after) and all(before):
        return Outcome(p=0.0, sign=-1)
    differences = [_mean(two - one for one, two in group) for group in groups]
    up, down = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    return Outcome(p=sign_p(up, down), sign=(up > down) - (up < down))


def _corrected(drafts: Sequence[tuple[Pair, Outcome | None]]) -> Iterable[Pair]:
    """The verdicts: each test is one of as many as could be made. One that could not have shown
    anything, with so few observations, could not have given a false alarm either, and does not
    count (Tarone)."""
    made = [test for _pair, test in drafts if test is not None and test.least_p <= ALPHA]
    ps = iter(holm([test.p for test in made]))
    alpha = ALPHA / max(1, len(made))
    for pair, test in drafts:
        if test is None:
            yield pair
            continue
        p = next(ps) if test.least_p <= ALPHA else test.p
        clear = p <= ALPHA and test.sign != 0
        more = pair.second if test.sign > 0 else pair.first
        less = pair.first if test.sign > 0 else pair.second
        yield replace(
            pair,
            p=p,
            low=test.low,
            high=test.high,
            clear=clear,
            better=(more if pair.metric in MORE_IS_BETTER else less) if clear else None,
            smallest=None if clear else test.smallest(alpha),
        )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) / len(listed)


def _power_of_e(exponent: float) -> float | None:
    """None beyond all that can be told apart."""
    return math.exp(exponent) if abs(exponent) < LARGEST else None
