"""Rates between currencies, each with its day and source, and the one way to convert money.

Three layers, the first that has a pair wins: `[rates]` of the settings, what
`llmctl cost rates update` has stored in the data folder, and what ships in config/rates.toml.
A pair `USD/RUB` says what one dollar costs in roubles; its inverse serves as well, and two pairs
with the rouble make a cross rate. Nothing here is fetched, and nothing is converted unasked:

    table = known_rates(loaded)
    done = convert(Money(Decimal("0.5"), "USD"), "RUB", table, date.today())
    done.money    # the amount, not rounded
    done.used     # the rate with pair, day and source: to be shown; None in the same currency
    done.note     # what to say of the age of that rate, None where it is young
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import resources, settings
from llmctl.cost.money import Money
from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.settings.layers import read_toml
from llmctl.types import Json, Notice
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# The currency that two rates share when none is there for a pair itself.
BRIDGE = "RUB"
# Days after which the age of a rate is mentioned, and after which it is warned of.
OLD, STALE = 7, 45
FILE = "rates.toml"
PAIR = re.compile(r"([A-Z]{3})/([A-Z]{3})")
EXACT = Context(prec=50)
ONE = Decimal(1)
WRITTEN = re.compile(r"[0-9]{1,16}([.,][0-9]{1,40})?")
# The currencies whose rates people ask for first, for short lists.
COMMON = ("USD", "EUR", "CNY")


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` units of `quote` for one of `base`, on `day`; `origin` says which layer has it:
    settings, stored or shipped (of a cross rate, that of its first leg)."""

    base: str
    quote: str
    rate: Decimal
    day: date
    source: str
    origin: str

    @property
    def pair(self) -> str:
        return f"{self.base}/{self.quote}"

    def age(self, today: date) -> int:
        """In days; a rate of tomorrow, as a bank sets it in the afternoon, has none."""
        return max(0, (today - self.day).days)

    def __str__(self) -> str:
        return _("1 {base} = {rate} {quote} ({day}, {source})", base=self.base,
                 rate=f"{self.rate.normalize(Context(prec=6)):f}", quote=self.quote, day=self.day,
                 source=self.source)  # fmt: skip


class NoRate(ConfigError):
    """There is no rate between two currencies. Exit code 3, 5 where a budget needs it."""

    def __init__(self, base: str, quote: str) -> None:
        super().__init__(
            _("no rate between {base} and {quote} is known", base=base, quote=quote),
            hint=_("fetch those of the Bank of Russia: llmctl cost rates update; or:"
                   " llmctl cost rates set {base}/{quote} RATE", base=base, quote=quote),
            reason="no-rate",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rates:
    """The layers, the strongest first, each with its rates by pair."""

    layers: tuple[Mapping[str, Rate], ...]

    def all(self) -> dict[str, Rate]:
        """Every pair, as it holds."""
        found: dict[str, Rate] = {}
        for layer in reversed(self.layers):
            found.update(layer)
        return dict(sorted(found.items()))

    def find(self, base: str, quote: str) -> Rate:
        """Raises NoRate where no pair, inverse or cross by the rouble leads there."""
        if (direct := self._pair(base, quote)) is not None:
            return direct
        first, second = self._pair(base, BRIDGE), self._pair(BRIDGE, quote)
        if first is None or second is None:
            raise NoRate(base, quote)
        with localcontext(EXACT):
            crossed = first.rate * second.rate
        sources = dict.fromkeys((first.source, second.source))
        return Rate(
            base, quote, crossed, min(first.day, second.day), ", ".join(sources), first.origin
        )

    def _pair(self, base: str, quote: str) -> Rate | None:
        for layer in self.layers:
            if (found := layer.get(f"{base}/{quote}")) is not None:
                return found
            if (found := layer.get(f"{quote}/{base}")) is not None:
                with localcontext(EXACT):
                    inverse = ONE / found.rate
                return Rate(base, quote, inverse, found.day, found.source, found.origin)
        return None


@dataclass(frozen=True, slots=True)
class Converted:
    """Money in the currency asked for, exact; `used` is None where it was in that one already,
    `note` what to say of an old rate."""

    money: Money
    used: Rate | None = None
    note: Notice | None = None


def convert(money: Money, currency: str, rates: Rates, today: date) -> Converted:
    """`money` in `currency`, by the rate there is, however old; raises NoRate."""
    if money.currency == currency:
        return Converted(money)
    used = rates.find(money.currency, currency)
    with localcontext(EXACT):
        amount = money.amount * used.rate
    return Converted(Money(amount, currency), used, told(used, today))


def told(used: Rate, today: date) -> Notice | None:
    """What is to be said of an old rate: a note after a week, a warning after 45 days."""
    age = used.age(today)
    if age > STALE:
        return Notice(
            "stale-rate",
            _("warning: the rate {rate} is {days} days old; fetch new ones:"
              " llmctl cost rates update", rate=used, days=age),
        )  # fmt: skip
    if age > OLD:
        return Notice("old-rate", _("the rate {rate} is {days} days old", rate=used, days=age))
    return None


def known_rates(loaded: "Loaded") -> Rates:
    """The rates of all layers; raises ConfigError for one of the settings or of the stored file
    that is no rate."""
    own: dict[str, Json] = {
        pair: {"rate": one.rate, "date": one.date, "source": one.source}
        for pair, one in loaded.settings.rates.items()
    }
    where = {pair: str(loaded.origin(f"rates.{pair}.rate")) for pair in own}
    return Rates((_layer(own, "settings", where), _layer(stored(), "stored"), shipped()))


def stored_file() -> Path:
    return settings.paths().data / FILE


def stored() -> dict[str, Json]:
    return read_toml(stored_file())


def shipped() -> dict[str, Rate]:
    import tomllib

    text = (resources.config() / FILE).read_text(encoding="utf-8")
    return _layer(tomllib.loads(text), "shipped")


def store(rates: Mapping[str, Rate]) -> None:
    """Put rates into the stored file in place of those there; raises IoFailed."""
    from llmctl.files import write_private

    tables = (
        f'["{pair}"]\nrate = "{one.rate:f}"\ndate = "{one.day}"\nsource = "{one.source}"\n'
        for pair, one in sorted(rates.items())
    )
    write_private(stored_file(), "\n".join(tables).encode())


def _layer(
    table: Mapping[str, Json], origin: str, where: Mapping[str, str] | None = None
) -> dict[str, Rate]:
    return {
        pair: read_rate(pair, one, origin, (where or {}).get(pair)) for pair, one in table.items()
    }


def lies_ahead(day: date, today: date) -> bool:
    """Whether no rate can be known for that day yet: a bank sets tomorrow's today."""
    return day > today + timedelta(days=1)


def read_rate(pair: str, said: Json, origin: str, where: str | None = None) -> Rate:
    """A rate from its table; raises ConfigError naming the place (`where`, else the file)."""
    codes = PAIR.fullmatch(pair)
    try:
        written = str(said["rate"]).strip()
        if not WRITTEN.fullmatch(written):
            raise ValueError
        rate = Decimal(written.replace(",", "."))
        day = date.fromisoformat(str(said["date"]))
    except (TypeError, KeyError, ValueError):
        codes = None
    if codes is not None and codes[1] != codes[2] and rate > 0:
        return Rate(codes[1], codes[2], rate, day, str(said.get("source") or _("not said")), origin)
    raise ConfigError(
        _("{where}: {pair} is no rate of exchange", where=where or stored_file(), pair=pair),
        hint=_('such as: [rates] "USD/RUB" = { rate = "81.90", date = "2026-11-20" }')
        if where
        else _("fetch them anew: llmctl cost rates update"),
    )


def dearer(rate: Decimal, percent: int) -> Decimal:
    """`rate` and so many per cent more, never rounded down."""
    with localcontext(Context(prec=50, rounding=ROUND_CEILING)):
        return rate * (100 + percent) / 100
