"""Rates of one's own, and moments for which prices are asked."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.estimating import moment
from llmctl.cli.rates import set_, update
from llmctl.cost.rates import known_rates
from llmctl.errors import UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


def day(ahead: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=ahead)


def test_a_rate_of_tomorrow_may_be_set() -> None:
    set_("usd/rub", "81,90", f"{day(1)}", "invoice")

    found = known_rates(settings.load()).find("USD", "RUB")
    assert (f"{found.rate}", found.day, found.source) == ("81.90", day(1), "invoice")


@pytest.mark.parametrize(
    ("rate", "on"), [("81.90", "2099-01-01"), ("1e999999", None), ("1_0", None), ("nan", None)]
)
def test_what_cannot_be_is_not_written(rate: str, on: str | None) -> None:
    with pytest.raises(UsageError):
        set_("USD/RUB", rate, on, None)
    assert not settings.user_file().exists()


def test_a_day_in_another_spelling_is_what_is_told_of() -> None:
    with pytest.raises(UsageError, match=r"31\.10\.2026 is no date \(YYYY-MM-DD\)"):
        set_("USD/RUB", "81.90", "31.10.2026", None)


@pytest.mark.parametrize(
    ("given", "utc"),
    [("2026-12-01", "2026-12-01 00:00"), ("2026-12-01T15:00+03:00", "2026-12-01 12:00")],
)
def test_a_moment_is_utc(given: str, utc: str) -> None:
    assert f"{moment(given):%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize("given", ["soon", "2026-13-01", "0001-01-01T00:00+10:00"])
def test_a_moment_nobody_understands(given: str) -> None:
    with pytest.raises(UsageError):
        moment(given)


@pytest.mark.parametrize("name", ["none.xml", "empty.xml"])
def test_a_file_that_is_no_list_is_an_error_of_usage(name: str, tmp_path: Path) -> None:
    """Nobody else was asked, whose failure it could be."""
    (tmp_path / "empty.xml").touch()

    with pytest.raises(UsageError):
        update(tmp_path / name)
