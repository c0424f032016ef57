"""When a machine of one's own has paid for itself, from what the ledger says was spent.

All money is in one currency here. A month is a twelfth of 365.25 days.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from enum import StrEnum

from llmctl.cost.report import ZERO, Exchange, happened
from llmctl.cost.what_if import TEXTS, is_own
from llmctl.store.spending import Spent
from llmctl.values import dataclass, field

MONTH_DAYS = Decimal("30.4375")
MONTH_HOURS = MONTH_DAYS * 24
DAY_S = 86400
# A shorter time says next to nothing about a month.
TELLING_DAYS = 7
ENOUGH = Context(prec=50)


@dataclass(slots=True)
class Traffic:
    """What would move to one's own machine: texts from others' servers. A watcher of a report.

    `speed_*` are the answers of the local model itself (`provider/model`), where the ledger has
    any: their tokens, and the seconds in which they were generated.
    """

    local_model: str
    runs: int = 0
    unpriced: int = 0
    without_counts: int = 0
    output_tokens: int = 0
    paid: dict[str, Decimal] = field(default_factory=dict)
    first: str | None = None
    speed_runs: int = 0
    speed_tokens: int = 0
    speed_s: float = 0.0

    def see(self, run: Spent, paid: Decimal | None) -> None:
        if run.kind not in TEXTS:
            return
        if is_own(run):
            if run.speed and run.output_tokens and self._is_meant(run):
                self.speed_runs += 1
                self.speed_tokens += run.output_tokens
                self.speed_s += run.output_tokens / run.speed
            return
        self.runs += 1
        self.output_tokens += run.output_tokens or 0
        self.without_counts += run.output_tokens is None and happened(run)
        if self.first is None or run.started_at < self.first:
            self.first = run.started_at
        if paid:
            code = run.currency or ""
            self.paid[code] = self.paid.get(code, ZERO) + paid
        elif paid is None:
            self.unpriced += happened(run)

    def _is_meant(self, run: Spent) -> bool:
        return self.local_model in (
            run.requested,
            f"{run.provider}/{run.requested}",
            f"{run.provider}/{run.resolved}",
        )

    @property
    def tokens_per_s(self) -> float | None:
        """Of all measured answers together, so that long ones count for more."""
        return self.speed_tokens / self.speed_s if self.speed_s else None

    def total(self, currency: str, exchange: Exchange) -> Decimal:
        """The money in one currency; raises what `exchange` raises."""
        return sum((exchange(amount, code) for code, amount in self.paid.items()), ZERO)


class Hours(StrEnum):
    """Where the hours of generation come from."""

    MEASURED = "measured"  # answers of the same model in the ledger
    GIVEN = "given"  # tokens per second on the command line
    ALWAYS = "always"  # it runs day and night: more than it can need


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What is bought: its price, and in watts what it takes while it generates; `kwh` is the price
    of a kilowatt-hour. Without power and kwh, energy is left out."""

    price: Decimal
    power_w: Decimal | None = None
    kwh: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """All per month: `api` is money now paid to others, `energy` what the machine takes (None where
    it was left out), `output_tokens` and `hours` of generation. `days` is what the ledger covers.
    `months` and `month` (YYYY-MM) are None where the machine never pays for itself; `months` is
    rounded up to a tenth."""

    days: Decimal
    api: Decimal
    energy: Decimal | None
    output_tokens: Decimal
    hours: Decimal
    hours_from: Hours
    tokens_per_s: Decimal | None
    months: Decimal | None
    month: str | None

    @property
    def is_guess(self) -> bool:
        return self.days < TELLING_DAYS

    @property
    def keeps_up(self) -> bool:
        """Whether one such machine generates as many tokens as the ledger's traffic has."""
        return self.hours <= MONTH_HOURS


def covered(first: str | None, until: datetime) -> Decimal:
    """The days from the first run to `until`, a day at the least."""
    if first is None:
        return Decimal(1)
    begun = datetime.fromisoformat(first).astimezone(UTC)
    return max(Decimal(1), Decimal(int((until - begun).total_seconds())) / DAY_S)


def break_even(
    paid: Decimal,
    output_tokens: int,
    days: Decimal,
    hardware: Hardware,
    *,
    tokens_per_s: Decimal | None,
    hours_from: Hours,
    today: date,
) -> BreakEven:
    """`paid` is money spent in `days` days, for `output_tokens` tokens of answers. Reading the
    prompts takes time on one's own machine too, which nothing here counts."""
    with localcontext(ENOUGH):
        share = MONTH_DAYS / days
        api, tokens = paid * share, output_tokens * share
        hours = MONTH_HOURS if tokens_per_s is None else tokens / tokens_per_s / 3600
        energy = None
        if hardware.power_w is not None and hardware.kwh is not None:
            energy = hardware.power_w / 1000 * hours * hardware.kwh
        saved = api - (energy or ZERO)
        exact = hardware.price / saved if saved > 0 else None
        months = None if exact is None else exact.quantize(Decimal("0.1"), ROUND_CEILING)
    return BreakEven(
        days=days,
        api=api,
        energy=energy,
        output_tokens=tokens,
        hours=hours,
        hours_from=hours_from,
        tokens_per_s=tokens_per_s,
        months=months,
        month=None if exact is None else _month_after(today, exact),
    )


def _month_after(today: date, months: Decimal) -> str | None:
    """The month (YYYY-MM) in which so many have gone by; None beyond the calendar."""
    try:
        return f"{today + timedelta(days=int(months * MONTH_DAYS)):%Y-%m}"
    except OverflowError:
        return None
