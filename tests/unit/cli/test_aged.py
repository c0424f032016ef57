"""When a price counts as old; the day is the test's."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmctl.cards import Model, Price, Source
from llmctl.cli.aged import aged


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_CACHE_DIR", str(tmp_path / "cache"))


def price(checked: str, *, since: str = "2026-01-01", expires: str | None = None) -> Price:
    source = Source(title="Pricing", checked=checked, expires=expires)
    return Price(since=since, currency="USD", source=source, input="1", output="2")


def route(*prices: Price, url: str = "https://api.acme.test/v1", **more: Any) -> Any:
    endpoint = SimpleNamespace(base_url="https://api.acme.test/v1", hosts=())
    card = SimpleNamespace(kind="api", name="Acme", endpoint=endpoint)
    return SimpleNamespace(
        card=card,
        model_card=Model(id="m", prices=prices),
        quirks=SimpleNamespace(settings={}),
        target=SimpleNamespace(base_url=url),
        inherited=False,
        **more,
    )


def told(where: Any, day: str) -> list[str]:
    return [one.text for one in aged(where, datetime.fromisoformat(day).replace(tzinfo=UTC))]


def test_ninety_days_are_relied_on() -> None:
    """23 November and 90 days are 21 February."""
    where = route(price("2026-11-23"))

    assert told(where, "2027-02-21") == []
    [note] = told(where, "2027-02-22")
    assert "Acme" in note
    assert "2026-11-23" in note
    assert told(where, "2027-02-22") == []  # once a day
    assert len(told(where, "2027-02-23")) == 1


def test_a_day_that_the_source_names_comes_first() -> None:
    where = route(price("2026-11-23", expires="2026-11-30"))

    assert told(where, "2026-11-30") == []
    assert len(told(where, "2026-12-01")) == 1


def test_only_the_row_in_force_counts() -> None:
    new, old = price("2027-01-10", since="2027-01-01"), price("2026-01-01")

    assert told(route(new, old), "2027-03-01") == []
    assert len(told(route(new, old), "2026-12-31")) == 1


def test_no_price_is_never_old() -> None:
    assert told(route(), "2030-01-01") == []
    assert told(replace_kind(route(price("2026-01-01"))), "2030-01-01") == []
    # At an address that is not the provider's the price is not known anyway.
    elsewhere = route(price("2026-01-01"), url="https://gateway.test/v1")
    assert told(elsewhere, "2030-01-01") == []
    elsewhere.inherited = True
    assert len(told(elsewhere, "2030-01-01")) == 1


def replace_kind(where: Any) -> Any:
    where.card.kind = "local"
    return where


def test_models_that_no_card_describes() -> None:
    where = route(price("2026-01-01"))
    where.model_card = None
    assert told(where, "2030-01-01") == []
    where.model_card = replace(Model(id="m"), prices=())
    assert told(where, "2030-01-01") == []


def test_a_stamp_that_cannot_be_kept_keeps_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMCTL_CACHE_DIR", str(tmp_path / "file"))

    assert told(route(price("2026-01-01")), "2030-01-01") == []
