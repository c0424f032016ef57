"""Figures in words: how many digits, and what is said of nothing."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from llmctl import messages
from llmctl.cost.money import Money
from llmctl.output.report import words


@pytest.fixture(autouse=True)
def _language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    messages.lookup.cache_clear()
    yield
    messages.lookup.cache_clear()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0.000 s"),
        (0.0004, "under 1 ms"),  # 0.000 s would read as nothing
        (0.0005, "0.001 s"),
        (0.0994, "0.099 s"),
        (0.1, "0.10 s"),
        (9.5, "9.50 s"),
        (10.0, "10.0 s"),
        (59.94, "59.9 s"),
        (60.0, "1 min 0 s"),
        (3725.4, "62 min 5 s"),
    ],
)
def test_seconds_have_the_digits_that_mean_something(seconds: float, expected: str) -> None:
    assert words.seconds(seconds) == expected


def test_values_side_by_side_have_the_same_places() -> None:
    assert words.alike((0.3, 0.341), 2) == ["0.30", "0.34"]
    assert words.alike((9.61, 12.34), 2) == ["9.6", "12.3"]
    assert words.alike((12.0, 1234.0), 2) == ["12", "1,234"]
    assert words.alike((0.2, 0.2), 2) == ["0.2", "0.2"]


def test_what_costs_nothing_is_free_in_every_currency() -> None:
    assert words.price(Money(Decimal("0.00"), "RUB")) == "free"
    assert words.price(Money(Decimal("1.5"), "RUB")) == "1.50\u00a0RUB"


def test_not_all_is_never_all() -> None:
    """999 of 1,000 are 99.9 %, 1 of 1,000 is 0.1 %."""
    assert words.share(1.0) == "100\u00a0%"
    assert words.share(0.999) == "99.9\u00a0%"
    assert words.share(0.001) == "0.1\u00a0%"
    assert words.share(0.0) == "0\u00a0%"


def test_of_many_items_the_others_are_counted() -> None:
    assert words.listed("abc", most=2) == "a, b and 1 more"
    assert words.listed("ab", most=2) == "a, b"


def test_a_comma_stands_with_the_name_before_it() -> None:
    assert words.named(3, "a/b", after=",") == (
        '<span class="named"><span class="chip">3</span> <span><bdi>a/<wbr>b</bdi>,</span></span>'
    )
