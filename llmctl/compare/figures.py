"""What is worked out of a comparison: figures with their uncertainty, and verdicts on pairs."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from llmctl.cost.money import Money
from llmctl.values import NOTHING, dataclass, field


class Metric(StrEnum):
    """What candidates are compared by. Times are those of the model: opening a connection, loading
    a model into memory, waiting for one's turn and failed tries are apart."""

    TTFT = "ttft"  # seconds to the first token; less is better
    TOTAL = "total"  # seconds to the last; less is better
    SPEED = "tokens_per_s"  # more is better
    COST = "cost"  # money a run; less is better
    QUALITY = "quality"  # share of runs that passed all checks, 0 to 1; more is better
    JUDGED = "judged"  # share of the judge's rulings won, a draw is half a win; more is better


# Of these more is better.
MORE_IS_BETTER = frozenset({Metric.SPEED, Metric.QUALITY, Metric.JUDGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of one candidate over `count` runs in which it was known: the median, between
    which limits it lies (95 %, bootstrap; None for fewer than 5 runs), and the 95th percentile
    (None for fewer than 20). `values` are the measurements themselves, in the order of trials."""

    count: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    p95: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line of one candidate in the table. `candidate` is its place.

    `runs` were sent and `succeeded` of them gave a whole answer; `failures` counts the others by
    the name of their exit code. `passed` counts runs that passed every check, None without checks;
    `judged` is the share of rulings won, None without a judge. `connect_s` and `load_s` are medians
    over the runs that connected or loaded, warm-ups included, `waited_s` the sum of all waiting for
    turns and of failed tries. `cost` is the median of a run whose price is known, `spent` what all
    runs cost, warm-up included: None where any price is unknown. `converted` is `cost` in the
    comparison's common currency, None where it is unknown or there is no rate. Tokens are medians.
    `cached` counts runs whose prompt was read from the provider's cache, `cached_share` is the
    share of input tokens that were.
    """

    candidate: int
    runs: int = 0
    succeeded: int = 0
    failures: Mapping[str, int] = NOTHING
    passed: int | None = None
    judged: float | None = None
    ttft: Figure = Figure()
    total: Figure = Figure()
    speed: Figure = Figure()
    connect_s: float | None = None
    load_s: float | None = None
    waited_s: float = 0.0
    input_tokens: float | None = None
    output_tokens: float | None = None
    cost: Money | None = None
    spent: Money | None = None
    converted: Decimal | None = None
    cached: int = 0
    cached_share: float = 0.0

    @property
    def pass_rate(self) -> float | None:
        """Of all runs, failed ones included; None without checks or runs."""
        return None if self.passed is None or not self.runs else self.passed / self.runs

    @property
    def quality(self) -> float | None:
        """From 0 to 1: by checks, else by the judge, else unknown."""
        return self.pass_rate if self.passed is not None else self.judged

    def value(self, metric: Metric) -> float | None:
        """What stands for the candidate by that metric; costs in the common currency."""
        match metric:
            case Metric.TTFT:
                return self.ttft.median
            case Metric.TOTAL:
                return self.total.median
            case Metric.SPEED:
                return self.speed.median
            case Metric.COST:
                return None if self.converted is None else float(self.converted)
            case Metric.QUALITY:
                return self.pass_rate
            case Metric.JUDGED:
                return self.judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The verdict on two candidates by one metric, from `count` pairs of runs of the same case.

    `ratio` is by how much the second differs from the first (1.25: a quarter more), within `low`
    and `high` (95 %); for QUALITY and JUDGED it is the difference of the shares; None where one of
    them is free. `p` is corrected for the number of tests. `clear` says that there is a difference,
    `better` whose favour it is in. Where there is none, `smallest` is the least ratio (above 1; for
    shares the least difference) that so many runs would have shown in four cases of five, 1 where
    the values do not vary at all; None where there are too few to say.
    """

    first: int
    second: int
    metric: Metric
    count: int = 0
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    clear: bool = False
    better: int | None = None
    smallest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Which candidate is recommended, None where nothing fits. `reasons` are sentences; `wanted`
    is what was asked for (`--prefer`, `--where`); `nearest` the candidate that misses least, and
    `misses` what it misses, where nothing fits. `excluded` says why, by candidate."""

    chosen: int | None = None
    wanted: str | None = None
    reasons: tuple[str, ...] = ()
    nearest: int | None = None
    misses: tuple[str, ...] = ()
    excluded: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that is worked out of a comparison. `front` are the candidates that no other one beats in
    cost, latency, quality and privacy at once. `spent` is everything that was paid, one amount a
    currency, the judge's share in `judge_spent`; `unpriced` counts runs that answered at an unknown
    price. `currency` is the one in which costs are compared, None where they cannot be; `exchanged`
    are the rates that were used for it, in sentences."""

    lines: tuple[Line, ...]
    pairs: tuple[Pair, ...] = ()
    front: tuple[int, ...] = ()
    advice: Advice | None = None
    spent: tuple[Money, ...] = ()
    judge_spent: tuple[Money, ...] = ()
    unpriced: int = 0
    currency: str | None = None
    exchanged: tuple[str, ...] = ()
