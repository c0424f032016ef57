"""Amounts of money as people write them, and those that mean two things."""

from decimal import Decimal

import pytest

from llmctl.cost.money import Money, read_money
from llmctl.errors import UsageError
from llmctl.settings.amounts import Amount


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("0.50 USD", "0.50", "USD"),
        ("12,5 rub", "12.5", "RUB"),
        ("$3", "3", "USD"),
        ("100₽", "100", "RUB"),
        ("€ 7", "7", "EUR"),
        ("1500 USD", "1500", "USD"),
        ("1 500 USD", "1500", "USD"),
        ("1\u00a0500\u202f000,25 RUB", "1500000.25", "RUB"),
        ("1 500,500 RUB", "1500.500", "RUB"),  # another sign parts the thousands
        ("0,500 USD", "0.500", "USD"),  # no thousands begin with a nought
        ("0.125USD", "0.125", "USD"),
        ("1.5000 USD", "1.5000", "USD"),
        ("1234,567 USD", "1234.567", "USD"),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount: str, currency: str) -> None:
    assert read_money(text) == Money(Decimal(amount), currency)
    assert Amount().allows(text)


@pytest.mark.parametrize("text", ["", " ", "abc", "1", "USD", "-1 USD", "1e3 USD", "1,000.50 USD",
                                  "15 00 USD", "٣ USD", "1 coin"])  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no amount of money"):
        read_money(text)
    assert not Amount().allows(text)


@pytest.mark.parametrize(
    ("text", "spellings"),
    [
        ("1,500 USD", ('"1500 USD"', '"1.5 USD"')),
        ("1.500 rub", ('"1500 RUB"', '"1.5 RUB"')),
        ("$12,345", ('"12345 USD"', '"12.3450 USD"')),
        ("999.001₽", ('"999001 RUB"', '"999.0010 RUB"')),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_both(
    text: str, spellings: tuple[str, str]
) -> None:
    with pytest.raises(UsageError, match="can be read in two ways") as caught:
        read_money(text)
    for one in spellings:
        assert one in (caught.value.hint or "")
        read_money(one.strip('"'))
