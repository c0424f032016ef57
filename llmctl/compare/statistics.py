"""What chance does, without libraries: medians and how sure they are, the t distribution, tests of
pairs, the correction for many of them, and which differences a test can see.

Shares and probabilities are from 0 to 1. Nothing here knows what was measured.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from llmctl.store.percentiles import LEAST_P95, quantile

# Two-sided; a test that finds nothing is expected to miss the difference it names once in five.
ALPHA, POWER = 0.05, 0.8
# Of fewer values a bootstrap only says again which the least and the greatest are.
LEAST_BOOTSTRAP = 5
RESAMPLES = 2000
# With so many terms the continued fraction has settled for the numbers of runs there can be.
TERMS, SETTLED, TINY = 10_000, 1e-15, 1e-300
# Steps of halving after which a number of double precision does not change any more.
HALVINGS = 60
# Steps that leave less than a hundredth of a per cent, where nothing finer is ever shown.
COARSE = 14


def finite(values: Iterable[float | None]) -> tuple[float, ...]:
    """What was measured: None, NaN and infinities are left out."""
    return tuple(one for one in values if one is not None and math.isfinite(one))


def median(values: Sequence[float]) -> float | None:
    """None of no values."""
    return quantile(sorted(values), 0.5) if values else None


def p95(values: Sequence[float]) -> float | None:
    """None of fewer than 20 values."""
    return quantile(sorted(values), 0.95) if len(values) >= LEAST_P95 else None


def bootstrap(values: Sequence[float], chance: random.Random) -> tuple[float, float] | None:
    """Between which limits the median lies (95 %, percentile bootstrap); None below 5 values.

    A resample takes `count` of the values at random, each time from all of them; sorted, its middle
    stands where the middle one of `count` uniform numbers does, and that one is drawn at once, from
    the beta distribution. The outcome is that of drawing all of them, without the work.
    """
    count = len(values)
    if count < LEAST_BOOTSTRAP:
        return None
    ordered = sorted(values)
    middle = (count + 1) // 2
    medians = []
    for _resample in range(RESAMPLES):
        place = chance.betavariate(middle, count - middle + 1)
        found = ordered[min(int(place * count), count - 1)]
        if count % 2 == 0:  # the mean of two: the next one is the least of those that lie above
            place += (1 - place) * (1 - chance.random() ** (1 / (count - middle)))
            found += (ordered[min(int(place * count), count - 1)] - found) / 2
        medians.append(found)
    medians.sort()
    return quantile(medians, 0.025), quantile(medians, 0.975)


# ---- distributions -------------------------------------------------------------------------------


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), regularised: the share of the beta distribution that lies below `x`."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # The fraction settles quickly on the near side of the mean only.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    c, value = 1.0, d
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            step = c * d
            value *= step
        if abs(step - 1) < SETTLED:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def beta_quantile(share: float, a: float, b: float) -> float:
    """The number below which that share of the beta distribution lies."""
    return _halved(lambda x: incomplete_beta(x, a, b) < share)


def _halved(below: Callable[[float], bool], steps: int = HALVINGS) -> float:
    """Where between 0 and 1 `below` turns from true to false."""
    low, high = 0.0, 1.0
    for _step in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def t_outside(t: float, df: float) -> float:
    """How probable a value at least as far from 0 as `t` is, on either side, with `df` degrees of
    freedom."""
    return incomplete_beta(df / (df + t * t), df / 2, 0.5)


def t_cdf(t: float, df: float) -> float:
    outside = t_outside(t, df) / 2
    return outside if t < 0 else 1 - outside


@lru_cache(maxsize=1024)
def t_quantile(share: float, df: float) -> float:
    """The value below which that share (between 0 and 1) of the distribution lies."""
    if share == 0.5:
        return 0.0
    x = beta_quantile(2 * min(share, 1 - share), df / 2, 0.5)
    return math.copysign(math.sqrt(df * (1 / x - 1)), share - 0.5)


@lru_cache(maxsize=256)
def _spreads(df: float) -> tuple[tuple[float, float], ...]:
    """By how much an estimated standard deviation misses the true one: factors and their weights,
    which are Simpson's times the chi density and sum up to 1."""
    wide = 8 / math.sqrt(2 * df)
    low, panels = max(0.0, 1 - wide), 200
    step = (1 + wide - low) / panels
    front = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
    weights = []
    for place in range(panels + 1):
        s = low + place * step
        share = 1 if place in (0, panels) else 4 if place % 2 else 2
        density = math.exp(front + (df - 1) * math.log(s) - df * s * s / 2) if s else 0.0
        weights.append((s, share * step / 3 * density))
    return tuple(weights)


def t_power(shift: float, df: float, alpha: float = ALPHA) -> float:
    """How often a two-sided t test finds a difference that is `shift` standard errors large (the
    non-central t distribution; finding it the wrong way round is no finding)."""
    limit = t_quantile(1 - alpha / 2, df)
    return math.fsum(
        weight * 0.5 * math.erfc((limit * s - shift) / math.sqrt(2)) for s, weight in _spreads(df)
    )


# ---- pairs ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def visible_shift(df: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """The least difference, in standard errors, that a t test finds as often as `power`."""
    most = 4 * t_quantile(1 - alpha / 2, df)
    return most * _halved(lambda share: t_power(share * most, df, alpha) < power)


def sign_p(one: int, other: int) -> float:
    """Exact two-sided sign test: of `one` + `other` units that differ, so many do either way."""
    count = one + other
    tail = sum(math.comb(count, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * tail / (1 << count))


@lru_cache(maxsize=4096)
def sign_interval(one: int, other: int) -> tuple[float, float]:
    """Between which limits (95 %, Clopper and Pearson) the share of `one` among at least one unit
    that differs lies: without 1/2 exactly where the sign test finds a difference."""
    low = beta_quantile(ALPHA / 2, one, other + 1) if one else 0.0
    return low, beta_quantile(1 - ALPHA / 2, one + 1, other) if other else 1.0


@lru_cache(maxsize=4096)
def _least_signs(count: int, alpha: float) -> int:
    """How many of `count` units have to differ in the same way for the sign test to see it; more
    than there are where all of them would not do."""
    tail, limit = 0, alpha / 2
    for other in range(count + 1):
        tail += math.comb(count, other)
        if tail / (1 << count) > limit:
            return count - other + 1
    return count + 1


def _at_least(least: int, count: int, share: float) -> float:
    """How probable `least` or more of `count` are, each with probability `share`."""
    if least > count:
        return 0.0
    return 1.0 if least <= 0 else incomplete_beta(share, least, count - least + 1)


def sign_power(difference: float, differing: float, count: int, alpha: float = ALPHA) -> float:
    """How often the sign test finds that one of two wins in a greater share of `count` units than
    the other, by `difference`, where a share of `differing` (at least as much) is no draw."""
    if differing <= 0:
        return 0.0
    wins = min(1.0, (differing + difference) / 2 / differing)
    # How many units differ is chance, too: all numbers of them that are at all probable, where
    # there are many in blocks.
    spread = math.sqrt(count * differing * (1 - differing))
    first = max(1, int(count * differing - 5 * spread) - 1)
    last = min(count, int(count * differing + 5 * spread) + 1)
    wide = max(1, int(spread / 6))
    found, above = 0.0, _at_least(first, count, differing)
    for block in range(first, last + 1, wide):
        after = _at_least(block + wide, count, differing)
        units = min(block + wide // 2, count)
        least = _least_signs(units, alpha)
        if least <= units:
            found += (above - after) * _at_least(least, units, wins)
        above = after
    return found


@lru_cache(maxsize=4096)
def visible_share(differing: float, count: int, alpha: float = ALPHA) -> float | None:
    """The least difference of shares that the sign test finds in four cases of five, where as many
    units differ by chance as did; None where even 1 would not be found."""
    if sign_power(1.0, 1.0, count, alpha) < POWER:
        return None
    return _halved(
        lambda share: sign_power(share, max(differing, share), count, alpha) < POWER, COARSE
    )


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for the number of them (Holm's step-down), in the order given."""
    corrected = [0.0] * len(ps)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - rank)))
        corrected[place] = highest
    return corrected
