"""What a job will take, before it is sent: tokens, money, time, from some of its rows.

    found = estimated_job(samples, {"openai/gpt-6-luna": 1_000_000}, at=now, pace=620.0)
    found.models[0].low, found.models[0].high, found.models[0].currency     # "41.2", "118", "USD"
    found.sums["USD"].high, found.unpriced, found.seconds

Nothing is sent for it. What is not known is None, never nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from llmctl.cost.estimate import (
    ESTIMATE,
    EXACT_LOCAL,
    EXACT_REMOTE,
    GIVEN,
    Estimate,
    estimated,
)
from llmctl.cost.money import Money
from llmctl.engine.route import Route
from llmctl.types import Call
from llmctl.types.amounts import plain
from llmctl.values import NOTHING, dataclass

# Characters of all samples together up to which they are counted with the model's own vocabulary:
# some seconds of work.
COUNTED = 1_000_000
# Digits of an amount that is multiplied up from a sample.
DIGITS = 6
# The surest first.
METHODS = (GIVEN, EXACT_LOCAL, EXACT_REMOTE, ESTIMATE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a job as it would be sent, and the characters of its texts."""

    route: Route
    call: Call
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Amounts in one currency as decimals: of the inputs alone, with usual answers, at most (the
    longest answers there may be, at the highest prices). None where nobody can say."""

    low: str | None = None
    usual: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfModel:
    """The rows of one model. `samples` is how many of them were looked at, `sampled` whether the
    others were taken to be like them. `input_tokens` stands between `input_least` and `input_most`,
    `method` says how they were counted (that of the least sure row); `input_most` is None where
    parts of a row are not counted (`left_out`). `currency` is None where the price is not known
    (`why`, a stable word) and where nothing is charged (`is_free`)."""

    model: str
    rows: int
    samples: int
    sampled: bool
    input_tokens: int | None = None
    input_least: int | None = None
    input_most: int | None = None
    method: str | None = None
    left_out: tuple[str, ...] = ()
    spending: Spending = Spending()
    currency: str | None = None
    is_free: bool = False
    why: str | None = None

    @property
    def low(self) -> str | None:
        return self.spending.low

    @property
    def usual(self) -> str | None:
        return self.spending.usual

    @property
    def high(self) -> str | None:
        return self.spending.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A job: its `rows`, what those of each model take, `sums` by currency over the models whose
    price is known, `unpriced` rows of the others. `seconds` is how long it takes at the pace that
    was given."""

    rows: int
    models: tuple[OfModel, ...] = ()
    sums: Mapping[str, Spending] = NOTHING
    unpriced: int = 0
    seconds: float | None = None

    @property
    def sampled(self) -> bool:
        return any(one.sampled for one in self.models)


def pace_of(limit: int, median_seconds: float | None) -> float | None:
    """Rows a second with so many under way at once; None where no latency was measured."""
    return limit / median_seconds if median_seconds else None


def estimated_job(
    samples: Iterable[Sample],
    rows: Mapping[str, int],
    *,
    at: datetime,
    mode: str | None = None,
    pace: float | None = None,
) -> Estimated:
    """`rows` is how many each model has, by the name it was asked for; those without a sample get
    no figures. `at` is a moment of UTC, whose prices hold; `mode` a way of processing (`batch`),
    else that of each call; `pace` is in rows a second."""
    taken = [*samples]
    exact = sum(one.characters for one in taken) <= COUNTED
    by_model: dict[str, list[Estimate]] = {}
    for one in taken:
        found = estimated(
            one.route.card,
            one.route.model_card,
            one.call,
            at=at,
            mode=mode,
            terms=one.route.terms(one.call),
            exact=exact,
        )
        by_model.setdefault(one.route.requested, []).append(found)
    models = tuple(_of_model(name, count, by_model.get(name, [])) for name, count in rows.items())
    total = sum(rows.values())
    return Estimated(
        rows=total,
        models=models,
        sums=_sums(models),
        unpriced=sum(one.rows for one in models if one.low is None),
        seconds=total / pace if pace else None,
    )


def _of_model(name: str, rows: int, found: list[Estimate]) -> OfModel:
    known = OfModel(model=name, rows=rows, samples=len(found), sampled=len(found) < rows)
    if not found or not rows:
        return known
    factor = Decimal(rows) / len(found)

    def tokens(counts: Iterable[int]) -> int:
        return int((sum(counts) * factor).to_integral_value(ROUND_HALF_EVEN))

    is_bounded = all(one.is_bounded for one in found)
    spending, currency = _spending(found, rows)
    return OfModel(
        model=name,
        rows=rows,
        samples=len(found),
        sampled=known.sampled,
        input_tokens=tokens(one.input_tokens for one in found),
        input_least=tokens(one.input_least for one in found),
        input_most=tokens(one.input_most for one in found) if is_bounded else None,
        method=max((one.method for one in found), key=METHODS.index),
        left_out=tuple(dict.fromkeys(kind for one in found for kind in one.left_out)),
        spending=spending,
        currency=currency if spending.high != "0" else None,
        is_free=spending.high == "0",
        why=next((one.why for one in found if one.why is not None), None),
    )


def _spending(found: list[Estimate], rows: int) -> tuple[Spending, str | None]:
    low = _whole([one.low for one in found], rows, ROUND_FLOOR)
    usual = _whole([one.usual for one in found], rows, ROUND_HALF_EVEN)
    high = _whole([one.high for one in found], rows, ROUND_CEILING)
    currency = found[0].low.currency if low is not None and found[0].low is not None else None
    return Spending(low=low, usual=usual, high=high), currency


def _whole(parts: list[Money | None], rows: int, rounding: str) -> str | None:
    """What all rows cost, where these do; exact where these are all of them, else rounded to the
    careful side."""
    known = [one for one in parts if one is not None]
    if len(known) < len(parts) or len({one.currency for one in known}) > 1:
        return None
    total = sum((one.amount for one in known), Decimal(0))
    if len(parts) != rows:
        context = Context(prec=50)
        total = context.divide(context.multiply(total, Decimal(rows)), Decimal(len(parts)))
        total = Context(prec=DIGITS, rounding=rounding).plus(total)
    return plain(total)


def _sums(models: Iterable[OfModel]) -> dict[str, Spending]:
    by_currency: dict[str, list[OfModel]] = {}
    for one in models:
        if one.currency is not None:
            by_currency.setdefault(one.currency, []).append(one)
    return {
        currency: Spending(
            low=_sum([one.low for one in those]),
            usual=_sum([one.usual for one in those]),
            high=_sum([one.high for one in those]),
        )
        for currency, those in by_currency.items()
    }


def _sum(parts: list[str | None]) -> str | None:
    known = [Decimal(one) for one in parts if one is not None]
    return plain(sum(known, Decimal(0))) if len(known) == len(parts) else None
