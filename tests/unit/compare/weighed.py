"""Candidates with figures given, for what is decided by them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from llmctl.compare.figures import Figure, Line, Metric, Pair, Summary
from llmctl.compare.shape import Candidate, Comparison
from llmctl.cost.money import Money
from llmctl.types import Failure, Level, Verdict
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`cost` is that of a run in `currency`, `dollars` the same where it could be converted."""

    name: str = "m"
    total: float | None = 1.0
    ttft: float | None = None
    cost: str | None = "0.01"
    currency: str = "USD"
    dollars: str | None = None
    runs: int = 10
    succeeded: int = 10
    passed: int | None = None
    judged: float | None = None
    level: Level | None = Level.NO_TRAINING
    days: int | None = None
    region: str | None = None
    refused: Failure | None = None


def weighed(
    models: Sequence[Model], pairs: Sequence[Pair] = (), **more: Any
) -> tuple[Comparison, Summary]:
    comparison = Comparison(
        id="c1", started_at="2026-11-25T10:00:00Z", seed=1,
        candidates=tuple(map(_candidate, models)), **more,
    )  # fmt: skip
    lines = tuple(_line(place, one) for place, one in enumerate(models))
    return comparison, Summary(lines=lines, pairs=tuple(pairs), currency="USD")


def _candidate(one: Model) -> Candidate:
    verdict = None
    if one.level is not None:
        verdict = Verdict(allowed=True, level=one.level, retention_days=one.days, region=one.region)
    return Candidate(name=one.name, model=one.name, verdict=verdict, refused=one.refused)


def _line(place: int, one: Model) -> Line:
    dollars = one.dollars or (one.cost if one.currency == "USD" else None)
    return Line(
        candidate=place,
        runs=one.runs,
        succeeded=one.succeeded,
        passed=one.passed,
        judged=one.judged,
        total=Figure(count=one.succeeded, median=one.total),
        ttft=Figure(count=one.succeeded, median=one.ttft),
        cost=None if one.cost is None else Money(Decimal(one.cost), one.currency),
        converted=None if dollars is None else Decimal(dollars),
    )


def unclear(first: int, second: int, count: int = 10, metric: Metric = Metric.TOTAL) -> Pair:
    return Pair(first=first, second=second, metric=metric, count=count)


def clear(first: int, second: int, better: int, count: int = 10) -> Pair:
    return Pair(
        first=first, second=second, metric=Metric.TOTAL, count=count, clear=True, better=better
    )
