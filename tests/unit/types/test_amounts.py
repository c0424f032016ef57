"""Amounts as strangers state them."""

from decimal import Decimal

import pytest

from llmctl.types.amounts import plain, read_amount


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("0.10", "0.10"),
        (0.1, "0.1"),  # as it is spelt, not the binary fraction next to it
        (3, "3"),
        ("9999999999999999", "9999999999999999"),  # adjusted exponent 15
        ("1e-40", "1e-40"),
        ("0e-999999", "0"),
    ],
)
def test_amounts_are_exact(stated: object, expected: str) -> None:
    found = read_amount(stated)
    assert found == Decimal(expected)
    assert found is not None
    assert len(f"{found:f}") < 60


@pytest.mark.parametrize(
    "stated",
    ["1e100000000", "1e99999999999", "1e16", 10**16, "1e-41", "-1", -0.5, "NaN", "sNaN",
     "Infinity", float("inf"), "much", "", None, True, [1], {"amount": 1}],
)  # fmt: skip
def test_what_is_no_amount(stated: object) -> None:
    assert read_amount(stated) is None


def test_a_number_too_long_to_be_spelt() -> None:
    assert read_amount(10**5000) is None


@pytest.mark.parametrize(
    ("exact", "text"),
    [("0E-9", "0"), ("0.000000000", "0"), ("1.999972000", "1.999972"), ("2E+3", "2000"),
     ("100", "100"), ("2.80E-5", "0.000028"), ("-0.50", "-0.5")],
)  # fmt: skip
def test_an_amount_is_written_in_one_way(exact: str, text: str) -> None:
    assert plain(Decimal(exact)) == text
