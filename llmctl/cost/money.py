"""Amounts of money with their currency, exact, read from and written as text."""

from decimal import Decimal

from llmctl.settings.amounts import read_written
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of a currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def read_money(text: str) -> Money:
    """`0.50 USD`, `12,5 RUB`, `$3`, `100₽`, `1 500 USD`; raises UsageError for anything else."""
    digits, currency = read_written(text)
    return Money(Decimal(digits), currency)
