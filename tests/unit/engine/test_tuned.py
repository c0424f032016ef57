"""Tuned models are like their base where nothing else is said, and never cost what it costs."""

import pytest

from llmctl import catalogue
from llmctl.cards import Card, CardQuirks, Endpoint, Model, Price, Source
from llmctl.engine.names import find_model, split
from llmctl.settings import Settings

SOURCE = Source(title="made up", checked="2026-11-23")
PRICE = Price(since="2026-11-23", currency="USD", input="1", output="2", source=SOURCE)
BASE = Model(
    id="base-1",
    match=("base-1-2026*",),
    dialect="openai_chat",
    context=1000,
    output_limit=100,
    inputs=("text", "image"),
    tokenizer="o200k",
    quirks=CardQuirks(sampling=False, max_tokens_field="max_completion_tokens"),
    prices=(PRICE,),
    retires="2027-01-14",
    notes="about the base",
)
LISTED = Model(
    id="ft:base-1",
    match=("ft:base-1:*",),
    tuned_from="base-1",
    context=500,
    quirks=CardQuirks(sampling=True),
)
CARD = Card(
    card=1, id="a", name="A", kind="api", dialect="openai_chat",
    endpoint=Endpoint(base_url="https://api.example.com/v1"), models=(BASE, LISTED),
)  # fmt: skip


def test_an_entry_of_its_own_beats_that_of_its_base() -> None:
    found = find_model(CARD, "ft:base-1:acme::7p4l")

    assert found is not None
    assert (found.id, found.context, found.output_limit) == ("ft:base-1", 500, 100)
    assert (found.tokenizer, found.inputs) == ("o200k", ("text", "image"))
    assert found.quirks == CardQuirks(sampling=True, max_tokens_field="max_completion_tokens")
    assert (found.prices, found.retires, found.notes) == ((), None, None)


@pytest.mark.parametrize(
    "name", ["ft:base-1-2026-09-01:acme:law:7p4l", "ft:base-1-0613:acme::7p4l"]
)
def test_the_name_tells_the_base_where_there_is_no_entry(name: str) -> None:
    """By the patterns of the base, or its version by a date."""
    found = find_model(CARD, name)

    assert found is not None
    assert (found.id, found.tuned_from, found.context) == (name, "base-1", 1000)
    assert found.quirks == BASE.quirks
    assert found.prices == ()


@pytest.mark.parametrize(
    "name", ["ft:", "ft::", "ft:base-1.1:acme::x", "ft:base-1-mini:acme::x", "ft:ft:base-1:x",
             "xft:base-1:acme::x", "base-2"],
)  # fmt: skip
def test_a_name_that_only_looks_like_one_is_unknown(name: str) -> None:
    assert find_model(CARD, name) is None


def test_openais_own() -> None:
    card = catalogue.card("openai", Settings())
    base = find_model(card, "gpt-4.1")
    tuned = find_model(card, "ft:gpt-4.1-2025-04-14:acme:law:7p4l")
    other = find_model(card, "ft:gpt-6-luna:acme::7p4l")
    luna = find_model(card, "gpt-6-luna")

    assert base is not None
    assert tuned is not None
    assert tuned.tokenizer == base.tokenizer == "o200k"
    assert tuned.prices != base.prices
    assert other is not None
    assert luna is not None
    assert other.prices == ()
    assert (other.dialect, other.quirks) == (luna.dialect, luna.quirks)
    assert (other.context, other.output_limit) == (luna.context, luna.output_limit)


def test_a_bare_name_means_the_maker_of_the_base() -> None:
    name = "ft:gpt-6-luna:acme::7p4l"

    assert split(name, Settings()) == ("openai", name)


@pytest.mark.parametrize(
    "name",
    ["yandexgpt/latest@tamr4f", "gpt://b1g/yandexgpt/latest@tamr4f", "yandexgpt@tamr4f"],
)
def test_yandexs_suffixes(name: str) -> None:
    card = catalogue.card("yandexgpt", Settings())
    tuned, base = find_model(card, name), find_model(card, "yandexgpt")

    assert tuned is not None
    assert base is not None
    assert (tuned.tuned_from, tuned.prices, tuned.context) == ("yandexgpt", (), base.context)
