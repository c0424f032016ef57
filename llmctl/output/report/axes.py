"""Axes of charts: where they begin and end, which values they name, where a value stands."""

import math
from collections.abc import Iterable

from llmctl.values import dataclass

# From such a ratio of the greatest to the least on, an even scale would show the least as nothing.
WIDE = 40.0
# The share of a logarithmic axis that is kept for values that are zero.
FOR_ZERO = 0.12
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From `low` to `high`; with `log` equal distances are equal ratios, and with `zero` there is a
    place for 0 before its beginning."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    zero: bool = False

    def place(self, value: float) -> float:
        """From 0 (where the axis begins) to 1."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        start = FOR_ZERO if self.zero else 0.0
        if value <= 0:
            return 0.0
        low = math.log(self.low)
        along = (math.log(value) - low) / (math.log(self.high) - low)
        return start + (1 - start) * along


def axis(values: Iterable[float], *, even: bool = False, count: int = 4) -> Axis:
    """An axis that all values (0 or more) fit on, with about `count` steps; an `even` one begins
    at 0 and is never logarithmic."""
    every = [value for value in values if math.isfinite(value) and value >= 0]
    positive = [value for value in every if value > 0]
    if not positive:
        return Axis(low=0.0, high=1.0, ticks=(0.0,))
    if even or max(positive) < WIDE * min(positive):
        return _even(max(positive), count)
    return _logarithmic(min(positive), max(positive), len(positive) < len(every), count)


def _even(greatest: float, count: int) -> Axis:
    step = _round_up(greatest / count)
    steps = max(1, math.ceil(greatest / step - 1e-9))
    ticks = tuple(step * number for number in range(steps + 1))
    return Axis(low=0.0, high=ticks[-1], ticks=ticks)


def _logarithmic(least: float, greatest: float, zero: bool, count: int) -> Axis:
    low, high = _round_down(least), _round_up(greatest)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [10.0**power for power in decades]
    if len(every) <= 3:
        every = [step * ten for ten in every for step in (1.0, 3.0)]
    within = [tick for tick in every if low * 0.999 <= tick <= high * 1.001]
    thinned = within[:: math.ceil(len(within) / (count + 1))]
    ticks = (0.0, *thinned) if zero else tuple(thinned)
    return Axis(low=low, high=high, ticks=ticks, log=True, zero=zero)


def _round_up(value: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `value`."""
    ten = 10.0 ** math.floor(math.log10(value))
    return next(step * ten for step in (*_STEPS, 20.0) if step * ten >= value * (1 - 1e-9))


def _round_down(value: float) -> float:
    ten = 10.0 ** math.floor(math.log10(value))
    return max(step * ten for step in _STEPS if step * ten <= value * (1 + 1e-9))
