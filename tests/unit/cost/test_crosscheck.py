"""Our rows in US dollars against another list, the package `genai-prices`, which reads the
providers' pages on its own. It needs no network: the list is in the package.

A difference of more than 1 % needs a reason in the row, `disagrees = { "genai-prices" = "…" }`, and
a reason needs a difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelPrice, TieredPrices

from llmctl import catalogue, resources
from llmctl.cards import Card, Model, Price
from llmctl.cost.prices import hour_factor, row_at
from llmctl.settings import Settings

OTHER = "genai-prices"
TOLERATED = Decimal("0.01")
TODAY = date(2026, 11, 25)
# Their names for ours; cards in other currencies, and those without prices, have none there.
THEIRS = {
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "gemini": "google",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "perplexity": "perplexity",
    "together": "together",
    "xai": "x-ai",
}
# Ours to theirs; both are per million tokens, except searches, which they count by the thousand.
FIGURES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
}
MODES = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"speed": "fast"},
}
# In no list of theirs, under no name: what we say stands on another source alone.
UNKNOWN_TO_THEM = {
    "anthropic/claude-mythos-5",
    "anthropic/claude-mythos-5-1",
    "openai/ft:gpt-4.1",
    "openai/ft:gpt-4.1-mini",
}


@dataclass(frozen=True)
class Compared:
    """One of our rows at a moment of UTC at which it is in force."""

    card: Card
    model: Model
    row: Price
    at: datetime

    def __str__(self) -> str:
        return f"{self.card.id}/{self.model.id} at {self.at:%Y-%m-%dT%H:%M}"


def _cards() -> list[Card]:
    names = sorted(one.name.removesuffix(".toml") for one in resources.providers().iterdir())
    return [catalogue.card(name, Settings()) for name in names]


def _moments(row: Price) -> Iterator[datetime]:
    """When the row holds: today, or the day it begins; and before, in and behind its windows. They
    know no days of the week, so that it is a working day."""
    day = max(TODAY, date.fromisoformat(row.since))
    while day.weekday() > 4:
        day += timedelta(days=1)
    yield datetime.combine(day, time(12), UTC)
    for window in row.windows:
        start, _dash, end = window.utc.partition("-")
        for clock in (start, end):
            edge = datetime.combine(day, time.fromisoformat(clock), UTC)
            yield edge
            yield edge.replace(hour=edge.hour - 1, minute=59)


@cache
def rows() -> tuple[Compared, ...]:
    """Every row of every card in US dollars that is in force today or will be."""
    return tuple(
        Compared(card, model, row, at)
        for card in _cards()
        for model in card.models
        for row in model.prices
        if row.currency == "USD"
        for at in _moments(row)
        if row_at(model, at, row.when) is row
    )


@cache
def their_model(card: str, model: str) -> object | None:
    found = next(one for one in providers if one.id == THEIRS[card])
    # They price tunings by the snapshot they were made from.
    names = {
        "ft:gpt-4o": "ft:gpt-4o-2024-08-06:org:name:id",
        "ft:gpt-4o-mini": "ft:gpt-4o-mini-2024-07-18:org:name:id",
    }
    return found.find_model(names.get(model, model))


def their_price(one: Compared, mode: str | None = None) -> ModelPrice | None:
    found = their_model(one.card.id, one.model.id)
    price: ModelPrice | None = (
        found.get_prices(one.at, MODES[mode] if mode else None)  # type: ignore[attr-defined]
        if found
        else None
    )
    return price


def ours(row: Price, at: datetime) -> dict[tuple[str, int], Decimal]:
    """By figure and the size of the prompt above which it holds, 0: from the first token."""
    found = {}
    factor = hour_factor(row, at) * 1_000_000 / row.unit
    for name in FIGURES:
        for size, stated in [(0, row), *((one.above_input_tokens, one) for one in row.tiers)]:
            if (figure := getattr(stated, name, None)) is not None:
                found[name, size] = Decimal(figure) * factor
    return found


def theirs(price: ModelPrice) -> dict[tuple[str, int], Decimal]:
    found = {}
    for name, key in FIGURES.items():
        value = getattr(price, key, None)
        if isinstance(value, TieredPrices):
            found[name, 0] = value.base
            found.update({(name, tier.start): tier.price for tier in value.tiers})
        elif value is not None:
            found[name, 0] = value
    return found


def differences(
    one: Mapping[tuple[str, int], Decimal], other: Mapping[tuple[str, int], Decimal]
) -> list[str]:
    """What differs by more than is tolerated, or is in one of the lists only."""
    return [
        f"{name} above {size}: {one.get((name, size))}, there {other.get((name, size))}"
        for name, size in sorted({*one, *other})
        if not alike(one.get((name, size)), other.get((name, size)))
    ]


def alike(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(abs(one), abs(other)) * TOLERATED


@pytest.mark.parametrize("one", rows(), ids=str)
def test_a_row_agrees_with_the_other_list_or_says_why_not(one: Compared) -> None:
    reason = one.row.disagrees.get(OTHER)
    price = their_price(one)
    if price is None:
        assert f"{one.card.id}/{one.model.id}" in UNKNOWN_TO_THEM
        assert reason is None, "there is nothing to disagree with"
        return

    differ = differences(ours(one.row, one.at), theirs(price))
    if reason is None:
        assert differ == []
    else:
        assert reason.strip()
        assert differ != [], f"a needless reason: {reason}"


@pytest.mark.parametrize("one", rows(), ids=str)
def test_searches_cost_the_same(one: Compared) -> None:
    price = their_price(one)
    if price is None or OTHER in one.row.disagrees:
        return
    by_the_thousand = getattr(price, "web_searches_kcount", None)

    assert alike(Decimal(one.row.search) * 1000 if one.row.search else None, by_the_thousand)


@pytest.mark.parametrize(
    ("one", "mode"),
    [(one, mode) for one in rows() for mode in one.row.modes if mode in MODES],
    ids=str,
)
def test_a_way_of_processing_costs_the_same(one: Compared, mode: str) -> None:
    """Where they say something of it: below all tiers, tokens of text."""
    standard, special = their_price(one), their_price(one, mode)
    way = one.row.modes[mode]
    if standard is None or special is None or theirs(standard) == theirs(special):
        return
    there = theirs(special)

    for name in ("input", "output", "cache_read", "cache_write"):
        base = getattr(one.row, name)
        if base is None or ((name, 0) not in there and OTHER in one.row.disagrees):
            continue
        own = getattr(way, name)
        factor = (way.cache_factor if name == "cache_read" else None) or way.factor
        expected = Decimal(own) if own else Decimal(base) * Decimal(factor or "NaN")
        # They round what is read from a cache to whole cents.
        assert abs(expected - there[name, 0]) <= max(
            expected * TOLERATED, Decimal("0.005") if name == "cache_read" else Decimal(0)
        ), name


def test_how_much_was_compared() -> None:
    found = {f"{one.card.id}/{one.model.id}" for one in rows()}
    compared = {f"{one.card.id}/{one.model.id}" for one in rows() if their_price(one)}
    print(f"{len(rows())} rows and moments of {len(found)} models, {len(compared)} of them there")

    assert found - compared == UNKNOWN_TO_THEM
    assert len(compared) > 60
    assert {one.card.id for one in rows()} == set(THEIRS)


def test_the_peak_hours_of_a_weekday() -> None:
    """DeepSeek, 00:59 and 01:00 UTC: theirs and ours double at the same minute."""
    card = catalogue.card("deepseek", Settings())
    model = next(one for one in card.models if one.id == "deepseek-flash")
    seen = {}
    for clock in ("00:59", "01:00", "03:59", "04:00", "05:59", "06:00", "09:59", "10:00"):
        at = datetime.combine(TODAY, time.fromisoformat(clock), UTC)
        row = row_at(model, at)
        assert row is not None
        one = Compared(card, model, row, at)
        price = their_price(one)
        assert price is not None
        assert differences(ours(row, at), theirs(price)) == []
        seen[clock] = ours(row, at)["input", 0]

    cheap, dear = Decimal("0.15"), Decimal("0.3")
    assert list(seen.values()) == [cheap, dear, dear, cheap, cheap, dear, dear, cheap]


@pytest.mark.parametrize(
    ("name", "day", "input_price"),
    [
        ("gemini-4-argon", "2026-11-22", None),
        ("gemini-4-argon", "2026-11-30", "2"),
        ("gemini-4-argon", "2026-12-01", "4"),
        ("gemini-3.6-flash", "2026-12-31", "0.75"),
        ("gemini-3.6-flash", "2027-01-01", "1.5"),
        ("gemini-3.7-flash", "2027-01-01", "1.5"),
        ("gemini-3.8-flash", "2026-12-31", "0.75"),
        ("gemini-3.8-flash", "2027-01-01", "1.5"),
    ],
)
def test_announced_changes(name: str, day: str, input_price: str | None) -> None:
    """The last minute of the day, and unknown before the day the price was first seen."""
    card = catalogue.card("gemini", Settings())
    model = next(one for one in card.models if one.id == name)
    row = row_at(model, datetime.fromisoformat(f"{day}T23:59:59+00:00"))

    assert (row.input if row else None) == input_price
