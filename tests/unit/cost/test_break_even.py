"""A month is 30.4375 days, so 10 days of traffic stand for 3.04375 times as much."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from llmctl.cost.break_even import BreakEven, Hardware, Hours, Traffic, break_even, covered
from llmctl.cost.report import reported
from tests.unit.cost.spent import nothing_came, priced, spent

TODAY = date(2026, 11, 25)


def found(
    paid: str = "100",
    tokens: int = 0,
    days: str = "30.4375",
    *,
    price: str = "1500",
    power_w: str | None = None,
    kwh: str | None = None,
    speed: str | None = None,
) -> BreakEven:
    return break_even(
        Decimal(paid),
        tokens,
        Decimal(days),
        Hardware(
            price=Decimal(price),
            power_w=None if power_w is None else Decimal(power_w),
            kwh=None if kwh is None else Decimal(kwh),
        ),
        tokens_per_s=None if speed is None else Decimal(speed),
        hours_from=Hours.ALWAYS if speed is None else Hours.GIVEN,
        today=TODAY,
    )


def test_without_energy() -> None:
    """1500 / 100 = 15 months; 15 × 30.4375 = 456 days after 2026-11-25 is in February 2028."""
    one = found()

    assert (one.api, one.energy) == (Decimal(100), None)
    assert (one.months, one.month) == (Decimal("15.0"), "2028-02")


def test_ten_days_are_taken_for_a_month() -> None:
    """20 × 3.04375 = 60.875 a month; 1500 / 60.875 = 24.64…, rounded up to 24.7."""
    one = found("20", 1000, "10")

    assert (one.api, one.output_tokens) == (Decimal("60.875"), Decimal("3043.75"))
    assert one.months == Decimal("24.7")


def test_energy_of_the_hours_in_which_it_generates() -> None:
    """3.6 million tokens at 20 a second are 50 h; 0.2 kW × 50 h × 0.3 = 3; 970 / 97 = 10."""
    one = found(tokens=3_600_000, power_w="200", kwh="0.3", speed="20", price="970")

    assert (one.hours, one.energy) == (Decimal(50), Decimal("3.00"))
    assert one.months == Decimal("10.0")
    assert one.keeps_up


def test_day_and_night_is_the_most_it_takes() -> None:
    """730.5 h × 0.2 kW × 0.2 = 29.22 a month; 1500 / 70.78 = 21.19…, rounded up."""
    one = found(tokens=3_600_000, power_w="200", kwh="0.2")

    assert (one.hours, one.energy) == (Decimal("730.5"), Decimal("29.22"))
    assert (one.months, one.hours_from) == (Decimal("21.2"), Hours.ALWAYS)


@pytest.mark.parametrize("paid", ["29.22", "5", "0"])
def test_never_where_energy_takes_as_much(paid: str) -> None:
    one = found(paid, power_w="200", kwh="0.2")

    assert (one.months, one.month) == (None, None)


def test_a_saving_too_small_for_the_calendar_still_has_a_number() -> None:
    one = found("0.0001")

    assert one.months == Decimal("15000000.0")
    assert one.month is None


def test_more_tokens_than_a_month_has_time_for() -> None:
    """At one token a second 730.5 h make 2,629,800 tokens."""
    assert found(tokens=2_629_800, speed="1").keeps_up
    assert not found(tokens=2_629_801, speed="1").keeps_up


@pytest.mark.parametrize(
    ("first", "days"),
    [
        ("2026-11-15T12:00:00Z", "10"),
        ("2026-11-24T00:00:00Z", "1.5"),
        ("2026-11-25T11:59:00Z", "1"),  # a minute is no day, and stands for one
        (None, "1"),
    ],
)
def test_the_days_that_the_ledger_covers(first: str | None, days: str) -> None:
    assert covered(first, datetime(2026, 11, 25, 12, tzinfo=UTC)) == Decimal(days)


@pytest.mark.parametrize(("days", "guess"), [("6.9", True), ("7", False)])
def test_less_than_a_week_is_a_guess(days: str, guess: bool) -> None:
    assert found(days=days).is_guess is guess


def test_traffic_is_what_others_answered() -> None:
    one = Traffic("local/x")
    reported(
        [
            priced("1.5", output_tokens=100, started_at="2026-11-03T00:00:00Z"),
            priced("40", "RUB", output_tokens=50, started_at="2026-11-02T00:00:00Z"),
            spent(output_tokens=None),
            nothing_came(),
            priced("9")._replace(kind="embed"),
            spent(level="device", requested="local/x", provider="local", output_tokens=1000),
        ],
        [one],
    )

    assert one.paid == {"USD": Decimal("1.5"), "RUB": Decimal(40)}
    assert (one.runs, one.output_tokens, one.first) == (4, 150, "2026-11-02T00:00:00Z")
    assert (one.unpriced, one.without_counts) == (1, 1)
    assert one.total("USD", lambda amount, code: amount / (80 if code == "RUB" else 1)) == 2


def test_the_speed_is_that_of_the_same_model_weighed_by_tokens() -> None:
    """100 tokens at 10/s and 300 at 60/s are 400 tokens in 10 s + 5 s, 26.67/s."""
    one = Traffic("local/x")
    here = {"level": "device", "provider": "local"}
    reported(
        [
            spent(**here, requested="local/x", output_tokens=100, speed=10.0),
            spent(**here, requested="fast", resolved="x", output_tokens=300, speed=60.0),
            spent(**here, requested="local/other", output_tokens=300, speed=1.0),
            spent(requested="local/x", output_tokens=9, speed=1.0),  # not here
        ],
        [one],
    )

    assert one.tokens_per_s == pytest.approx(400 / 15)
    assert one.speed_runs == 2
    assert Traffic("local/x").tokens_per_s is None
