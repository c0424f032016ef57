"""Percentiles of what was measured, and how many measurements stand behind them."""

from collections.abc import Sequence

from llmctl.values import dataclass

# Of fewer values the tail is that of the few slowest by chance; then it is not known.
LEAST_P95, LEAST_P99 = 20, 100


@dataclass(frozen=True, slots=True)
class Spread:
    """`count` values and their percentiles; None where there are too few values for one."""

    count: int = 0
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


def spread(values: Sequence[float]) -> Spread:
    ordered = sorted(values)
    count = len(ordered)
    if not ordered:
        return Spread()
    return Spread(
        count,
        quantile(ordered, 0.50),
        quantile(ordered, 0.90),
        quantile(ordered, 0.95) if count >= LEAST_P95 else None,
        quantile(ordered, 0.99) if count >= LEAST_P99 else None,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """By linear interpolation between the two nearest of at least one value: the least stands at
    share 0, the greatest at 1, all others at equal steps between (NumPy's default, Excel's
    PERCENTILE.INC). At 0.5 that is the median."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
