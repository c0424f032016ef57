"""The note that prices are old: once a day, never with -q, and never in the way of an answer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

CARD = """\
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
any_model = true
endpoint = {{ base_url = "{url}" }}
auth = {{ kind = "key", env = ["ACME_API_KEY"] }}

[[models]]
id = "mock"

[[models.prices]]
since = "2026-01-01"
currency = "USD"
input = "1"
output = "2"
source = {{ title = "Acme, Pricing", checked = "{checked}" }}
"""
NOTE = "the prices of Acme were checked on {}"


@pytest.fixture
def card(llmctl: Llmctl, sim: Simulator) -> Path:
    llmctl.env["ACME_API_KEY"] = KEY
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    return file


def checked(card: Path, sim: Simulator, days: int) -> str:
    """Write the card as if it had been checked so many days ago; the day."""
    day = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    card.write_text(CARD.format(url=sim.openai_url, checked=day), encoding="utf-8")
    return day


def test_it_is_said_once_a_day(llmctl: Llmctl, sim: Simulator, card: Path) -> None:
    day = checked(card, sim, 100)

    quiet = llmctl.run("-q", "-m", "acme/mock", "hello there")
    first = llmctl.run("-m", "acme/mock", "hello there")
    second = llmctl.run("-m", "acme/mock", "hello there")

    assert [one.out for one in (quiet, first, second)] == [TEXT + "\n"] * 3
    assert NOTE.format(day) in first.err
    assert "llmctl cards update" in first.err
    assert "checked on" not in quiet.err + second.err
    [stamp] = (llmctl.cache / "told").iterdir()
    assert stamp.stat().st_mode & 0o077 == 0
    stamp.rename(stamp.with_name("stale-prices-2026-01-01"))  # it was another day
    assert NOTE.format(day) in llmctl.run("-m", "acme/mock", "hello there").err
    assert len(list((llmctl.cache / "told").iterdir())) == 1


def test_young_prices_say_nothing(llmctl: Llmctl, sim: Simulator, card: Path) -> None:
    checked(card, sim, 80)

    assert llmctl.run("-m", "acme/mock", "hello there").err == ""


def test_trouble_with_the_stamp_is_no_trouble_of_the_answer(
    llmctl: Llmctl, sim: Simulator, card: Path
) -> None:
    checked(card, sim, 100)
    llmctl.cache.write_text("in the way", encoding="utf-8")

    result = llmctl.run("-m", "acme/mock", "hello there")

    assert (result.code, result.out) == (0, TEXT + "\n")
