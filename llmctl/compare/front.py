"""The candidates that no other beats in everything at once: cost, time, quality, privacy."""

from collections.abc import Mapping
from math import inf

from llmctl.compare.figures import Line, Metric, Pair, Summary
from llmctl.compare.shape import Comparison
from llmctl.types import Level

# From so many pairs on a difference can be clear at all; before, the bare figures are compared.
EVIDENCE = 3


def front(comparison: Comparison, summary: Summary) -> tuple[int, ...]:
    """Those that are not beaten: another one is better in one thing and worse in none. In time it
    is better only where the difference is clear, and worse where its median is longer, clearly or
    not: no evidence is not evidence of likeness. What is not known of one is worse than what is.
    Candidates without an answer are not on it."""
    clear = {
        frozenset((one.first, one.second)): one
        for one in summary.pairs
        if one.metric is Metric.TOTAL
    }
    answering = [one for one in summary.lines if one.succeeded]
    return tuple(
        one.candidate
        for one in answering
        if not any(_beats(comparison, other, one, clear) for other in answering if other is not one)
    )


def _beats(
    comparison: Comparison, one: Line, other: Line, clear: Mapping[frozenset[int], Pair]
) -> bool:
    dearer = _dearer(one, other)
    if dearer is None:
        return False
    sides = [
        dearer,
        _slower(one, other, clear.get(frozenset((one.candidate, other.candidate)))),
        _sign(-(one.quality or 0.0), -(other.quality or 0.0)),
        _sign(rank(comparison, one), rank(comparison, other)),
    ]
    return min(sides) < 0 and max(sides) <= 0


def _dearer(one: Line, other: Line) -> int | None:
    """None where both costs are known and nobody can compare them, for want of a rate."""
    if one.converted is None and other.converted is None and one.cost and other.cost:
        if one.cost.currency != other.cost.currency:
            return None
        return _sign(float(one.cost.amount), float(other.cost.amount))
    return _sign(_or_worst(one.converted), _or_worst(other.converted))


def _sign(one: float, other: float) -> int:
    """-1 where the first is less, and so better."""
    return (one > other) - (one < other)


def _or_worst(value: object) -> float:
    return inf if value is None else float(str(value))


def _slower(one: Line, other: Line, pair: Pair | None) -> int:
    by_median = _sign(_or_worst(one.total.median), _or_worst(other.total.median))
    if pair is None or pair.count < EVIDENCE:
        return by_median
    if pair.clear and pair.better is not None:
        return -1 if pair.better == one.candidate else 1
    return max(0, by_median)


def rank(comparison: Comparison, line: Line) -> int:
    """Of the privacy level, 0 the best."""
    verdict = comparison.candidates[line.candidate].verdict
    return (verdict.level if verdict else Level.UNKNOWN).rank
