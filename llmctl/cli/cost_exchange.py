"""Money of a report in one currency, each rate remembered when it is used."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from llmctl.cost.money import Money
from llmctl.cost.rates import STALE, Rate, convert, known_rates, told
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.settings import Loaded
from llmctl.types import Json
from llmctl.types.amounts import EXACT

CODE = re.compile(r"[A-Z]{3}")
# A rate is often the inverse of another, with no end to its digits.
SMALLEST = Decimal("1e-10")


class Exchanging:
    """Converts into one currency, to ten decimals; what is in that currency is left as it is.
    `used` are the rates, by the currency they lead from."""

    def __init__(self, currency: str, loaded: Loaded, today: date) -> None:
        """Raises UsageError for what is no code of a currency."""
        self.currency = currency.strip().upper()
        if not CODE.fullmatch(self.currency):
            raise UsageError(
                _("{text} is no currency", text=currency), hint=_("its code, such as RUB or USD")
            )
        self.used: dict[str, Rate] = {}
        self._rates = known_rates(loaded)
        self._today = today

    def __call__(self, amount: Decimal, code: str) -> Decimal:
        """Raises NoRate."""
        done = convert(Money(amount, code), self.currency, self._rates, self._today)
        if done.used is None:
            return amount
        self.used[code] = done.used
        return done.money.amount.quantize(SMALLEST, context=EXACT)

    def notes(self) -> Iterator[str]:
        """What is to be said of old rates."""
        for rate in self.used.values():
            if (notice := told(rate, self._today)) is not None:
                yield notice.text

    def json(self) -> list[dict[str, Json]]:
        return [
            {
                "from": code,
                "to": self.currency,
                "rate": f"{round(rate.rate, 10).normalize():f}",
                "date": rate.day.isoformat(),
                "source": rate.source,
                "age_days": rate.age(self._today),
                "stale": rate.age(self._today) > STALE,
            }
            for code, rate in sorted(self.used.items())
        ]
