"""Works everything out of a comparison but the advice: a line of figures for each candidate, the
verdicts on pairs, and what all of it has cost."""

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from llmctl.compare.figures import Figure, Line, Metric, Summary
from llmctl.compare.measures import measure
from llmctl.compare.shape import Comparison, Trial
from llmctl.compare.spending import Common, Exchange, common, is_unpriced, middle, price, total
from llmctl.compare.statistics import bootstrap, finite, median, p95
from llmctl.compare.verdicts import has_checks, pairs
from llmctl.cost.money import Money
from llmctl.store.figures import LOADED_S
from llmctl.types import Receipt


def summarised(comparison: Comparison, *, rates: Exchange | None = None) -> Summary:
    """The summary without `front` and `advice`. Where candidates are charged in several currencies
    costs are compared in that of `rates`; without any, they are not compared."""
    refused = {i for i, one in enumerate(comparison.candidates) if one.refused is not None}
    trials: list[list[Trial]] = [[] for _one in comparison.candidates]
    for trial in comparison.trials:
        trials[trial.candidate].append(trial)
    money = common(
        (price(trial.receipt) for trial in comparison.measured
         if trial.succeeded and trial.candidate not in refused),
        rates,
    )  # fmt: skip
    judging = [receipt for ruling in comparison.rulings for receipt in ruling.receipts]
    receipts = [trial.receipt for trial in comparison.trials] + judging
    return Summary(
        lines=tuple(_line(comparison, i, own, money) for i, own in enumerate(trials)),
        pairs=pairs(comparison, money),
        spent=total(receipts),
        judge_spent=total(judging),
        unpriced=sum(map(is_unpriced, receipts)),
        currency=None if money is None else money.currency,
    )


def _line(
    comparison: Comparison, candidate: int, trials: Sequence[Trial], money: Common | None
) -> Line:
    runs = [trial for trial in trials if not (trial.is_warm_up or trial.is_broken_off)]
    whole = [trial for trial in runs if trial.succeeded]
    everything = [trial.receipt for trial in trials]
    cost = middle([one for trial in whole if (one := price(trial.receipt)) is not None])
    usages = [trial.receipt.usage for trial in whole]
    loads = finite(one.latency.load_s for one in everything)
    cached, share = _cached([trial.receipt for trial in runs])
    return Line(
        candidate=candidate,
        runs=len(runs),
        succeeded=len(whole),
        failures=dict(Counter(trial.receipt.error.code for trial in runs if trial.receipt.error)),
        passed=sum(trial.passed for trial in runs) if has_checks(comparison) else None,
        judged=_judged(comparison, candidate),
        ttft=_figure(comparison, candidate, Metric.TTFT, whole),
        total=_figure(comparison, candidate, Metric.TOTAL, whole),
        speed=_figure(comparison, candidate, Metric.SPEED, whole),
        connect_s=median(finite(one.latency.connect_s for one in everything)),
        load_s=median([load for load in loads if load >= LOADED_S]),
        waited_s=sum(finite(trial.receipt.latency.waited_s for trial in runs)),
        input_tokens=median(finite(one.input_tokens for one in usages)),
        output_tokens=median(finite(one.output_tokens for one in usages)),
        cost=cost,
        spent=None if any(map(is_unpriced, everything)) else middle(total(everything)),
        converted=_converted(cost, money),
        cached=cached,
        cached_share=share,
    )


def _converted(cost: Money | None, money: Common | None) -> Decimal | None:
    """Nothing is nothing in any currency."""
    if cost is not None and not cost.amount:
        return cost.amount
    return None if money is None else money.amount(cost)


def _figure(
    comparison: Comparison, candidate: int, metric: Metric, trials: Sequence[Trial]
) -> Figure:
    """The same figures for the same comparison whenever they are worked out: chance has a seed."""
    values = finite(measure(trial, metric) for trial in trials)
    limits = bootstrap(values, random.Random(f"{comparison.seed} {candidate} {metric}"))
    low, high = limits if limits is not None else (None, None)
    return Figure(count=len(values), median=median(values), low=low, high=high, p95=p95(values),
                  values=values)  # fmt: skip


def _cached(receipts: Sequence[Receipt]) -> tuple[int, float]:
    """In how many runs the provider had the prompt, or its beginning, in its cache, and the share
    of all input tokens that it had."""
    usages = [one.usage for one in receipts if one.usage.input_tokens is not None]
    read = [usage.cached_tokens or 0 for usage in usages]
    sent = sum(usage.input_tokens or 0 for usage in usages)
    return sum(map(bool, read)), min(1.0, sum(read) / sent) if sent else 0.0


def _judged(comparison: Comparison, candidate: int) -> float | None:
    """The share of the judge's rulings won, draws by half; None of none."""
    points = [
        0.5 if ruling.winner is None else float(ruling.winner == candidate)
        for ruling in comparison.rulings
        if ruling.error is None and candidate in (ruling.first, ruling.second)
    ]
    return sum(points) / len(points) if points else None
