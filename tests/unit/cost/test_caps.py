"""Rounding at a cap: always on the side on which less may be spent, by exact fractions."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from llmctl.cost.caps import Cap, Exchange, Stand, Window
from llmctl.cost.money import Money
from llmctl.cost.rates import Rate, Rates
from llmctl.settings import Loaded, Origin, Settings

TODAY = date(2026, 11, 25)
LONG = Decimal("0." + "3" * 70)  # more digits than are reckoned with


def cap(currency: str) -> Cap:
    return Cap(
        window=Window.DAY, provider=None, money=Money(Decimal(1), currency), scope="day",
        key="budget.per_day", origin=Origin("user"),
    )  # fmt: skip


def stand(currency: str, spent: Decimal = Decimal(0)) -> Stand:
    return Stand(cap=cap(currency), spent=spent, reserved=Decimal(0))


def at_80() -> Exchange:
    """80 roubles for a dollar; with the five per cent on top, 84."""
    exchange = Exchange(Loaded(Settings(), {}), TODAY)
    exchange._rates = Rates(
        ({"USD/RUB": Rate("USD", "RUB", Decimal(80), TODAY, "bank", "stored")},)
    )
    return exchange


def test_what_is_left_is_never_more_than_there_is() -> None:
    left = Fraction(stand("USD", LONG).left)
    exact = 1 - Fraction(LONG)

    assert exact - Fraction(1, 10**59) < left < exact


def test_nor_in_another_currency() -> None:
    left = Fraction(at_80().left(stand("RUB"), "USD"))

    assert Fraction(1, 84) - Fraction(1, 10**59) < left < Fraction(1, 84)


def test_what_was_spent_never_counts_less_than_it_was() -> None:
    counted = Fraction(at_80().counted(LONG, "USD", cap("RUB")))
    exact = 84 * Fraction(LONG)

    assert exact < counted < exact + Fraction(1, 10**57)
