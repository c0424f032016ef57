"""Rates of exchange: which layer has its way, cross rates, ages. Figures are worked out by hand."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from llmctl import resources, settings
from llmctl.cost.money import Money
from llmctl.cost.rates import (
    FILE,
    NoRate,
    Rate,
    Rates,
    convert,
    dearer,
    known_rates,
    read_rate,
    shipped,
    store,
    stored_file,
    told,
)
from llmctl.errors import ConfigError

TODAY = date(2026, 11, 25)


def rate(pair: str, value: str, day: str = "2026-11-20", origin: str = "stored") -> Rate:
    return read_rate(pair, {"rate": value, "date": day, "source": "bank"}, origin)


def table(*layers: dict[str, str]) -> Rates:
    return Rates(tuple({pair: rate(pair, one) for pair, one in layer.items()} for layer in layers))


def dollars(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def test_money_is_converted_exactly_by_the_pair() -> None:
    done = convert(dollars("0.0000022"), "RUB", table({"USD/RUB": "81.9012"}), TODAY)

    # 22 × 819012 = 18018264, of 7 + 4 decimals
    assert done.money == Money(Decimal("0.00018018264"), "RUB")
    assert done.used == rate("USD/RUB", "81.9012")
    assert str(done.used) == "1 USD = 81.9012 RUB (2026-11-20, bank)"
    assert done.note is None


def test_the_same_currency_needs_no_rate() -> None:
    done = convert(dollars("3"), "USD", table({}), TODAY)

    assert (done.money, done.used, done.note) == (dollars("3"), None, None)


def test_the_inverse_serves_as_well() -> None:
    done = convert(Money(Decimal(160), "RUB"), "USD", table({"USD/RUB": "80"}), TODAY)

    assert done.money == dollars("2.0000")
    assert done.used is not None
    assert (done.used.pair, done.used.rate) == ("RUB/USD", Decimal("0.0125"))


def test_two_rates_with_the_rouble_make_a_third() -> None:
    """A euro is 92 roubles, a dollar 80: 1.15 dollars. The older day counts."""
    euro, dollar = rate("EUR/RUB", "92", "2026-11-20"), rate("USD/RUB", "80", "2026-11-12")
    rates = Rates(({"EUR/RUB": euro, "USD/RUB": dollar},))

    done = convert(Money(Decimal(100), "EUR"), "USD", rates, TODAY)

    assert done.money == dollars("115.0000")
    assert done.used is not None
    assert (done.used.pair, done.used.day, done.used.source) == (
        "EUR/USD",
        date(2026, 11, 12),
        "bank",
    )
    assert done.note is not None
    assert done.note.code == "old-rate"


def test_without_a_rate_it_says_how_to_get_one() -> None:
    with pytest.raises(NoRate) as caught:
        convert(dollars("1"), "EUR", table({"USD/RUB": "80"}), TODAY)

    assert caught.value.exit_code == 3
    assert caught.value.hint is not None
    assert "llmctl cost rates update" in caught.value.hint
    assert "llmctl cost rates set USD/EUR" in caught.value.hint


def test_the_stronger_layer_wins_also_by_the_inverse() -> None:
    rates = table({"RUB/USD": "0.01"}, {"USD/RUB": "80", "EUR/RUB": "90"})

    assert rates.find("USD", "RUB").rate == 100
    assert rates.find("EUR", "RUB").rate == 90


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2026-11-26", None),
        ("2026-11-18", None),
        ("2026-11-17", "old-rate"),
        ("2026-10-11", "old-rate"),
        ("2026-10-10", "stale-rate"),
    ],
)
def test_a_rate_is_old_after_a_week_and_stale_after_45_days(day: str, code: str | None) -> None:
    notice = told(rate("USD/RUB", "80", day), TODAY)

    assert (notice and notice.code) == code


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("USD-RUB", {"rate": "80", "date": "2026-11-20"}),
        ("usd/rub", {"rate": "80", "date": "2026-11-20"}),
        ("USD/USD", {"rate": "1", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "0", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "-80", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "NaN", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "Infinity", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "eighty", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "1e999999", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "1_0", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "٨٠", "date": "2026-11-20"}),
        ("USD/RUB", {"rate": "80", "date": "20.11.2026"}),
        ("USD/RUB", {"rate": "80"}),
        ("USD/RUB", "80"),
    ],
)
def test_what_is_no_rate_is_refused(pair: str, said: object) -> None:
    with pytest.raises(ConfigError):
        read_rate(pair, said, "stored")


def test_a_dearer_rate_is_never_rounded_down() -> None:
    assert dearer(Decimal(80), 5) == 84
    long = Decimal("0." + "3" * 70)  # more digits than it is reckoned with
    assert (
        0 <= Fraction(dearer(long, 5)) - Fraction(long) * Fraction(105, 100) < Fraction(1, 10**49)
    )


# ---- files -------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def user_file(text: str) -> None:
    settings.user_file().parent.mkdir(parents=True, exist_ok=True)
    settings.user_file().write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("home")
def test_what_is_stored_is_read_again_and_the_settings_beat_it() -> None:
    store({"USD/RUB": rate("USD/RUB", "80.5"), "EUR/RUB": rate("EUR/RUB", "0.00000012")})
    assert stored_file().stat().st_mode & 0o077 == 0
    user_file('[rates]\n"USD/RUB" = { rate = "99", date = "2026-11-25" }')

    found = known_rates(settings.load())

    assert found.find("EUR", "RUB") == rate("EUR/RUB", "0.00000012")
    own = found.find("USD", "RUB")
    assert (own.rate, own.origin, own.day) == (Decimal(99), "settings", TODAY)


@pytest.mark.usefixtures("home")
def test_a_rate_of_the_settings_that_is_none_is_said_with_its_place() -> None:
    user_file('[rates]\n"USD/RUB" = { rate = "much", date = "2026-11-25" }')

    with pytest.raises(ConfigError) as caught:
        known_rates(settings.load())

    assert str(settings.user_file()) in caught.value.message
    assert "USD/RUB" in caught.value.message


def test_what_ships_is_dated_and_says_where_it_is_from() -> None:
    text = (resources.config() / FILE).read_text(encoding="utf-8")

    assert "cbr.ru" in text
    for one in shipped().values():
        assert one.source.startswith("Bank of Russia")
        assert one.day <= date.today()
