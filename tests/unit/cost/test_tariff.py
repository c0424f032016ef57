"""What a call is charged by, and every reason for which that is not known."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Endpoint, Mode, Model, Price, PriceFactor, Source
from llmctl.cost.tariff import Terms, mode_of, tariff
from llmctl.settings import Settings
from llmctl.types import Cost, CostKind, Usage

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = Source(title="price list", checked="2026-11-20", confidence="medium")
HOME = "https://api.a.example/v1"
USAGE = Usage(1_000_000, 0)


def model(**given: Any) -> Model:
    row = Price(
        since="2026-11-01", currency="RUB", source=SOURCE, input="2", output="10",
        modes={"flex": Mode(factor="0.5")}, **given,
    )  # fmt: skip
    return Model(id="m", prices=(row,))


def card(**given: Any) -> Card:
    given = {"kind": "api", "currency": "RUB", **given}
    return Card(card=1, id="a", name="A", dialect="openai_chat",
                endpoint=Endpoint(base_url=HOME), **given)  # fmt: skip


def cost(
    own: Card | None = None,
    of: Model | None = None,
    usage: Usage | None = USAGE,
    at: datetime = NOON,
    details: Mapping[str, Any] | None = None,
    **terms: Any,
) -> Cost:
    terms = {"url": HOME, **terms}
    charged = tariff(own or card(), of or model(), Terms(**terms), at, details=details)
    return charged.cost(usage)


def test_a_cost_says_where_its_price_is_from() -> None:
    assert cost() == Cost(
        "2", "RUB", CostKind.COMPUTED, "price list (confidence: medium)", "2026-11-20"
    )


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("embedded", "llama://local"),
        ("local", "http://127.0.0.1:8000/v1"),
        ("local", "http://192.168.1.7:8000/v1"),
        ("local", "https://gpu.lan/v1"),
    ],
)
def test_hardware_of_ones_own_costs_nothing(kind: str, url: str) -> None:
    here = cost(card(kind=kind), usage=None, url=url)

    assert (here.amount, here.kind, here.price_source) == ("0", CostKind.COMPUTED, "own hardware")


@pytest.mark.parametrize("kind", ["local", "embedded"])
@pytest.mark.parametrize("url", [HOME, "https://ollama.com", "http://8.8.8.8/v1"])
def test_a_machine_of_somebody_else_is_not_free_whatever_runs_there(kind: str, url: str) -> None:
    """Not even at the address in the card, which may be the user's own."""
    assert cost(card(kind=kind), url=url).why == "other-host"
    assert cost(card(kind=kind), url=url, inherit=True).amount == "0"


def test_a_tier_that_is_free_by_the_users_word_costs_nothing() -> None:
    own = card(free_when={"tier": "free"})

    assert cost(own, settings={"tier": "free"}).amount == "0"
    assert cost(own, settings={"tier": "free"}).currency == "RUB"
    assert cost(own, settings={"tier": "paid"}).amount == "2"
    assert cost(own).amount == "2"


def test_elsewhere_a_price_is_unknown_unless_the_user_says_it_holds() -> None:
    elsewhere = cost(url="https://proxy.example/v1")

    assert (elsewhere.amount, elsewhere.kind, elsewhere.why) == (
        None, CostKind.UNKNOWN, "other-host"
    )  # fmt: skip
    assert cost(url="https://proxy.example/v1", inherit=True).amount == "2"
    assert cost(card(kind="local"), passed_on=True).why == "passed-on"


def test_what_is_missing_is_named() -> None:
    before = datetime(2026, 10, 1, tzinfo=UTC)

    assert tariff(card(), None, Terms(url=HOME), NOON).why == "model-not-listed"
    assert cost(at=before).why == "no-price"
    assert cost(of=Model(id="m")).why == "no-price"
    assert cost(usage=None).why == "usage-not-reported"
    assert cost(usage=Usage(5, None)).why == "usage-not-reported"
    assert cost(usage=Usage(5, 0, cached_tokens=1)).why == "price-incomplete"
    assert cost(card(mode_by={"tier": {"slow": "slow"}}), options={"tier": "slow"}).why == (
        "mode-not-priced"
    )


def test_the_mode_is_what_the_answer_says_before_what_was_asked_for() -> None:
    own = card(mode_by={"service_tier": {"flex": "flex", "default": "standard"}})

    assert cost(own, options={"service_tier": "flex"}).amount == "1"
    assert cost(own, settings={"service_tier": "flex"}).amount == "1"
    asked: dict[str, Any] = {"options": {"service_tier": "flex"}}
    assert cost(own, details={"service_tier": "default"}, **asked).amount == "2"
    assert cost(own, details={"service_tier": "gold"}, **asked).why == "mode-not-priced"
    assert cost(options={"service_tier": "flex"}).amount == "2"  # means nothing on such a card


def test_two_modes_at_once_have_no_price() -> None:
    own = card(mode_by={"a": {"x": "flex"}, "b": {"y": "fast", "n": "standard"}})

    assert mode_of(own, Terms(options={"a": "x", "b": "n"})) == "flex"
    assert mode_of(own, Terms(options={"a": "x", "b": "y"})) is None


def test_a_host_with_a_factor() -> None:
    own = card(price_factors=(PriceFactor(hosts=("*.a.example",), factor="1.1", source=SOURCE),))

    assert cost(own).amount == "2.2"


def test_what_is_priced_apart_is_found_in_the_answer() -> None:
    own = card(counts={"search": "tools.searches", "image_output": "kinds.IMAGE.tokens"})
    searching = model(search="0.5")

    assert cost(own, searching, details={"tools": {"searches": 3}}).amount == "3.5"
    assert cost(own, searching, details={"tools": {"searches": ["a", "b"]}}).amount == "3"
    assert cost(own, searching, details={}).amount == "2"
    assert cost(own, details={"tools": {"searches": 1}}).why == "price-incomplete"

    drawing = model(image_output="100")
    usage = Usage(0, 1_000_000)
    kinds = [{"kind": "TEXT", "tokens": 900_000}, {"kind": "IMAGE", "tokens": 100_000}]
    assert cost(own, drawing, usage, details={"kinds": kinds}).amount == "19"  # 9 + 10
    assert cost(own, drawing, usage, details={}).why == "price-incomplete"


def test_sounds_that_were_sent_have_to_be_told_apart() -> None:
    own = card(counts={"audio_input": "audio"})
    hearing = model(audio_input="7")

    assert cost(own, hearing, details={}).amount == "2"
    assert cost(own, hearing, details={}, media=frozenset({"audio"})).amount is None
    told = cost(own, hearing, details={"audio": 1_000_000}, media=frozenset({"audio"}))
    assert told.amount == "7"


@pytest.mark.parametrize("provider", catalogue.provider_ids(Settings()))
def test_modes_that_a_card_can_be_asked_for_are_priced_by_one_of_its_rows(provider: str) -> None:
    own = catalogue.card(provider, Settings())
    priced = {mode for one in own.models for row in one.prices for mode in row.modes}
    asked = {mode for modes in own.mode_by.values() for mode in modes.values()}

    if provider != "azure":  # which has no prices at all
        assert asked - {"standard"} <= priced


@pytest.mark.parametrize("searches", [-3, 10**400])
def test_numbers_that_cannot_be_change_no_price(searches: int) -> None:
    own = card(counts={"search": "tools.searches"})
    assert cost(own, model(search="0.5"), details={"tools": {"searches": searches}}).amount == "2"
