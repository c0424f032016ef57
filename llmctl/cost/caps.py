"""The caps that hold for a call, and what stands under each: spent, reserved, left.

What is counted stands under *scopes*: a day and a month of UTC, each for all providers and for one,
and a run. Amounts are kept in the currency of their price; a cap in another one looks at them at
the rate of the day and `MARGIN` per cent more.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from enum import StrEnum
from typing import TYPE_CHECKING

from llmctl.cost.money import Money, read_money
from llmctl.cost.rates import NoRate, Rate, Rates, dearer, known_rates
from llmctl.errors import BudgetRefused
from llmctl.messages import _
from llmctl.settings import Budget, ProviderSettings
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded, Origin
    from llmctl.store.reservations import Standing, Total

# What a rate may move until the bill comes, in per cent.
MARGIN = 5
UP = Context(prec=60, rounding=ROUND_CEILING)
DOWN = Context(prec=60, rounding=ROUND_FLOOR)
ZERO = Decimal(0)


class Window(StrEnum):
    """What a cap counts: one run (a command), a day or a month of UTC."""

    RUN = "run"
    DAY = "day"
    MONTH = "month"


SETTINGS = {Window.RUN: "per_call", Window.DAY: "per_day", Window.MONTH: "per_month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most under one scope; `provider` None for all, `origin` says who set it."""

    window: Window
    provider: str | None
    money: Money
    scope: str
    key: str
    origin: "Origin"

    def __str__(self) -> str:
        where = self.origin if self.origin.kind == "flag" else f"{self.key}, {self.origin}"
        match self.window:
            case Window.RUN:
                return _("the budget of {money} ({where})", money=self.money, where=where)
            case Window.DAY:
                return _("the budget of {money} a day ({where})", money=self.money, where=where)
            case Window.MONTH:
                return _("the budget of {money} a month ({where})", money=self.money, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What stands under a cap, in the cap's currency."""

    cap: Cap
    spent: Decimal
    reserved: Decimal

    @property
    def left(self) -> Decimal:
        """Negative where a bill was higher than its worst case."""
        with localcontext(DOWN):
            return self.cap.money.amount - self.spent - self.reserved


def is_limited(loaded: "Loaded", provider: str) -> bool:
    """Whether any cap holds for this provider."""
    return loaded.settings.budget.is_set or _own(loaded, provider).is_set


def allows_unknown(loaded: "Loaded", provider: str) -> bool:
    own = loaded.settings
    return own.budget.allow_unknown_cost or _own(loaded, provider).allow_unknown_cost


def said(budget: Budget) -> dict[Window, str | None]:
    return {window: getattr(budget, name) for window, name in SETTINGS.items()}


def _own(loaded: "Loaded", provider: str) -> Budget:
    return loaded.settings.providers.get(provider, ProviderSettings()).budget


def scopes_of(caps: Sequence[Cap], provider: str, at: datetime) -> tuple[str, ...]:
    """Everything that a call counts under: the windows of time, whether they have a cap by now or
    not, and the scopes of what has one."""
    always = (
        scope(window, one, "", at)
        for window in (Window.DAY, Window.MONTH)
        for one in (None, provider)
    )
    return tuple(dict.fromkeys((*always, *(cap.scope for cap in caps))))


def scope(window: Window, provider: str | None, run: str, at: datetime) -> str:
    """Such as `day 2026-11-25 openai`."""
    utc = at.astimezone(UTC)
    match window:
        case Window.RUN:
            what = f"run {run}"
        case Window.DAY:
            what = f"day {utc:%Y-%m-%d}"
        case Window.MONTH:
            what = f"month {utc:%Y-%m}"
    return f"{what} {provider}" if provider else what


def caps_of(loaded: "Loaded", provider: str, run: str, at: datetime) -> list[Cap]:
    """The caps that hold for a call."""
    places = ((None, loaded.settings.budget), (provider, _own(loaded, provider)))
    return [cap for one, budget in places for cap in _caps(loaded, one, budget, run, at)]


def all_caps(loaded: "Loaded", at: datetime) -> list[Cap]:
    """The caps of a day and a month, for all providers and for each."""
    places: list[tuple[str | None, Budget]] = [(None, loaded.settings.budget)]
    places += [(name, one.budget) for name, one in loaded.settings.providers.items()]
    return [
        cap
        for one, budget in places
        for cap in _caps(loaded, one, budget, "", at)
        if cap.window is not Window.RUN
    ]


def _caps(
    loaded: "Loaded", provider: str | None, budget: Budget, run: str, at: datetime
) -> Iterator[Cap]:
    for window, text in said(budget).items():
        if text is None:
            continue
        key = f"budget.{SETTINGS[window]}"
        key = f"providers.{provider}.{key}" if provider else key
        origin = loaded.origin(key)
        yield Cap(
            window=window,
            provider=provider,
            money=read_money(text),
            scope=scope(window, provider, run, at),
            key=key,
            origin=origin,
        )


class Exchange:
    """Looks at amounts from a cap's currency, always on the dear side. Rates are only read where
    two currencies meet."""

    def __init__(self, loaded: "Loaded", today: date) -> None:
        self.today = today
        self.used: dict[str, Rate] = {}
        self._loaded = loaded
        self._rates: Rates | None = None

    def rate(self, base: str, quote: str, cap: Cap) -> Rate:
        """Raises BudgetRefused where there is none."""
        if self._rates is None:
            self._rates = known_rates(self._loaded)
        try:
            found = self._rates.find(base, quote)
        except NoRate as missing:
            raise BudgetRefused(
                _("{cap} is in {quote}, and what the call costs in {base}: {why}", cap=cap,
                  base=base, quote=quote, why=missing.message),
                hint=missing.hint,
                reason="no-rate",
            ) from None  # fmt: skip
        self.used[found.pair] = found
        return found

    def counted(self, amount: Decimal, currency: str, cap: Cap) -> Decimal:
        """An amount as the cap counts it."""
        if currency == cap.money.currency or not amount:
            return amount
        used = self.rate(currency, cap.money.currency, cap)
        with localcontext(UP):
            return amount * dearer(used.rate, MARGIN)

    def left(self, stand: Stand, currency: str) -> Decimal:
        """What is left under a cap, in the currency of a price."""
        cap = stand.cap
        if currency == cap.money.currency:
            return stand.left
        used = self.rate(currency, cap.money.currency, cap)
        with localcontext(DOWN):
            return stand.left / dearer(used.rate, MARGIN)


def stand_of(cap: Cap, standing: "Standing", exchange: Exchange) -> Stand:
    """What stands under `cap`; raises BudgetRefused where a rate is missing."""
    totals: Mapping[str, Total] = standing.get(cap.scope, {})
    spent = reserved = ZERO
    with localcontext(UP):
        for currency, total in totals.items():
            spent += exchange.counted(total.spent, currency, cap)
            reserved += exchange.counted(total.reserved, currency, cap)
    return Stand(cap=cap, spent=spent, reserved=reserved)
