"""The schema of cards: it mirrors what the program reads, and every shipped fact has a source."""

from dataclasses import fields
from datetime import date
from typing import Any, get_args, get_type_hints

import pytest

from llmctl import catalogue, resources
from llmctl.cards import Card, CardQuirks, Limits, Model, Price, Source
from llmctl.dialects import DIALECTS
from llmctl.settings import Settings
from llmctl.structure import Misfit, build, check
from llmctl.types import Level, Quirks

SHIPPED = sorted(one.name.removesuffix(".toml") for one in resources.providers().iterdir())
# What a model's entry says that is a fact of the world and not a name or an arrangement of ours.
FACTS = ("context", "output_limit", "expected_output", "reasoning", "tools", "schema",
         "open_weights", "licence", "languages", "parameters", "weights")  # fmt: skip


@pytest.fixture(params=SHIPPED)
def card(request: pytest.FixtureRequest) -> Card:
    found: str = request.param
    return catalogue.card(found, Settings())


def test_every_shipped_card_fits_and_has_no_fault(card: Card) -> None:
    table = catalogue.shipped_table(card.id)

    assert build(Card, check(Card, table)) == build(Card, table) == card
    assert list(catalogue.faults(card)) == []


def test_what_is_done_with_data_is_stated_with_its_source(card: Card) -> None:
    assert card.privacy
    for fact in card.privacy:
        dated(fact.source)


def test_limits_models_and_prices_have_a_source(card: Card) -> None:
    if card.limits != Limits():
        dated(card.source)
    for model in card.models:
        if any(getattr(model, fact) for fact in FACTS):
            dated(model.source or card.source)
        for price in model.prices:
            dated(price.source)
            assert date.fromisoformat(price.since) <= date(2100, 1, 1)


def test_no_level_is_better_than_what_is_done_with_the_data(card: Card) -> None:
    """A level says three things at once: who trains on the data, keeps them, reads them."""
    for fact in card.privacy:
        promises = [(fact.level, fact.trains, fact.retention_days, fact.human_review)]
        promises += [
            (
                one.level,
                one.trains or fact.trains,
                fact.retention_days if one.retention_days is None else one.retention_days,
                one.human_review or fact.human_review,
            )
            for one in fact.controls.values()
        ]
        for level, trains, days, review in promises:
            if card.kind == "api":
                assert level not in (Level.DEVICE, Level.NETWORK)
            if level.rank <= Level.NO_TRAINING.rank:
                assert trains == "no"
                assert review != "yes"
            if level.rank <= Level.ZERO_RETENTION.rank:
                assert days == 0


def test_what_is_sent_for_privacy_is_stated_with_its_source(card: Card) -> None:
    for one in card.controls:
        dated(one.source)
        assert one.effect
        assert one.default is (one.cost is None), "what costs nothing is on by default"


def dated(source: Source | None) -> None:
    assert source is not None, "a fact without a source"
    assert source.title.strip()
    checked = date.fromisoformat(source.checked)
    assert date(2025, 1, 1) <= checked <= date(2100, 1, 1)


def test_names_and_addresses_of_a_shipped_card(card: Card) -> None:
    assert catalogue.ID.fullmatch(card.id)
    assert card.dialect in DIALECTS
    assert card.docs is None or card.docs.startswith("https://")
    if card.default_model is not None:
        assert card.default_model in {model.id for model in card.models}
    match card.kind:
        case "api":
            assert card.endpoint.base_url.startswith("https://")
            assert card.auth.kind != "none"
            assert card.auth.env
            assert catalogue.is_own_host(card, card.endpoint.base_url)
        case "local":
            assert card.endpoint.base_url.startswith("http://127.0.0.1:")
        case "embedded":
            assert card.endpoint.base_url.startswith("llama://")


def test_names_of_models_do_not_collide(card: Card) -> None:
    names = [name for model in card.models for name in (model.id, *model.aliases)]

    assert len(names) == len(set(names))


def test_quirks_of_cards_are_those_that_dialects_read() -> None:
    """Field by field, each with the type of its twin or None for what the card leaves open."""
    read, stated = get_type_hints(Quirks), get_type_hints(CardQuirks)
    del read["settings"]  # the user's, not the card's
    del read["inline_bytes"]  # one of the card's limits

    assert list(read) == list(stated)
    for name, kind in read.items():
        allowed = set(get_args(stated[name]))
        assert type(None) in allowed, name
        default = getattr(CardQuirks(), name)
        assert default is None, name
        if kind is bool:
            assert allowed == {bool, type(None)}, name


def test_a_fact_that_nobody_stated_is_unknown_and_never_zero() -> None:
    model = Model(id="m")
    source = Source(title="t", checked="2026-01-01")
    price = Price(since="2026-01-01", currency="USD", source=source)

    unknown = {one.name: getattr(price, one.name) for one in fields(Price)}
    for name in ("input", "output", "cache_read", "cache_write", "image", "request", "search"):
        assert unknown[name] is None
    assert price.vat == "unknown"
    for name in ("context", "output_limit", "open_weights", "reasoning", "tools", "schema"):
        assert getattr(model, name) is None


WHOLE: dict[str, Any] = {
    "card": 1, "id": "whole", "name": "Whole", "kind": "api", "dialect": "openai_chat",
    "docs": "https://docs.example", "country": "RU", "currency": "RUB", "default_model": "m",
    "any_model": True, "reseller": True,
    "endpoint": {
        "base_url": "https://a.example/v1", "hosts": ["a.example", "*.a.example"],
        "urls": {"auth_url": "https://auth.a.example"}, "base_url_env": "A_URL",
    },
    "auth": {"kind": "key", "env": ["A_KEY"], "header": "Api-Key", "scheme": "", "help_url": "x",
             "key_prefixes": ["a-"]},
    "dialect_by": {"folder": {"f": "openai_responses"}},
    "settings": [{"name": "folder", "help": "h", "env": ["A_FOLDER"], "required": True}],
    "quirks": {"max_tokens_field": "max_completion_tokens", "extra_body": {"store": False}},
    "limits": {"concurrency": 4, "requests_per_minute": 60, "body_bytes": 1000},
    "privacy": [{
        "level": "may-train", "source": {"title": "t", "checked": "2026-01-01", "url": "u"},
        "tier": "free", "regions": ["RU"], "retention_days": 30, "trains": "yes",
        "controls": {"store=false": {"level": "no-training", "retention_days": 0}},
        "zero_retention": "contract",
        "lowered": [{"feature": "batch", "level": "unknown", "note": "n"}],
    }],
    "controls": [{
        "name": "store=false", "value": False, "body": "store", "effect": "e",
        "source": {"title": "t", "checked": "2026-01-01"},
    }],
    "models": [{
        "id": "m", "aliases": ["n"], "match": ["m-*"], "kind": "chat", "context": 8192,
        "weights": {"hub": "org/m", "file": "m.gguf", "size": 5, "sha256": "00"},
        "prices": [{
            "since": "2026-01-01", "currency": "RUB", "input": "0.1", "vat": "included",
            "source": {"title": "t", "checked": "2026-01-01", "confidence": "low"},
            "tiers": [{"above_input_tokens": 1000, "rule": "marginal", "input": "0.2"}],
            "modes": {"batch": {"factor": "0.5"}}, "windows": [{"utc": "16:30-00:30",
            "factor": "0.5"}], "disagrees": {"litellm": "0.3"},
        }],
    }],
}  # fmt: skip


def test_the_whole_schema_can_be_written_down() -> None:
    card = build(Card, check(Card, WHOLE))

    assert card.endpoint.urls == {"auth_url": "https://auth.a.example"}
    effect = card.privacy[0].controls["store=false"]
    assert (effect.level, effect.retention_days, effect.trains) == (Level.NO_TRAINING, 0, None)
    assert card.models[0].prices[0].tiers[0].rule == "marginal"
    assert card.models[0].prices[0].modes["batch"].factor == "0.5"
    assert list(catalogue.faults(card)) == []


@pytest.mark.parametrize(
    ("picked", "fault"),
    [
        ({"folder": {"f": "no_such"}}, "there is no dialect no_such"),
        ({"tier": {"f": "openai_chat"}}, "there is no setting tier to pick a dialect by"),
    ],
)
def test_a_dialect_that_cannot_be_picked_is_a_fault(picked: Any, fault: str) -> None:
    card = build(Card, check(Card, {**WHOLE, "dialect_by": picked}))

    assert list(catalogue.faults(card)) == [fault]


@pytest.mark.parametrize("path", [
    (), ("endpoint",), ("auth",), ("settings", 0), ("quirks",), ("limits",), ("privacy", 0),
    ("privacy", 0, "source"), ("models", 0), ("models", 0, "weights"), ("models", 0, "prices", 0),
    ("models", 0, "prices", 0, "tiers", 0), ("models", 0, "prices", 0, "modes", "batch"),
    ("models", 0, "prices", 0, "windows", 0), ("controls", 0), ("privacy", 0, "lowered", 0),
    ("privacy", 0, "controls", "store=false"),
])  # fmt: skip
def test_an_unknown_key_is_an_error_at_every_depth(path: tuple[str | int, ...]) -> None:
    with pytest.raises(Misfit) as caught:
        check(Card, odd(WHOLE, path))
    assert caught.value.reason == "unknown key"
    assert caught.value.path == (*path, "odd")


def odd(value: Any, path: tuple[str | int, ...]) -> Any:
    """`value` with one more key in the table at `path`."""
    if not path:
        return {**value, "odd": 1}
    if isinstance(value, list):
        return [odd(one, path[1:]) if at == path[0] else one for at, one in enumerate(value)]
    return {**value, path[0]: odd(value[path[0]], path[1:])}
