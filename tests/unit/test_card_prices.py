"""The prices on the cards: what may stand in a row, and what the shipped ones say."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from llmctl import catalogue, resources
from llmctl.cards import Card, Model, Price, Source
from llmctl.engine.resolve import find_model
from llmctl.settings import Settings
from llmctl.structure import Misfit, build, check

SHIPPED = sorted(one.name.removesuffix(".toml") for one in resources.providers().iterdir())
SOURCE = {"title": "t", "checked": "2026-01-01"}
ROW: dict[str, Any] = {"since": "2026-01-01", "currency": "USD", "input": "1", "source": SOURCE}


def card(*models: dict[str, Any], **entries: Any) -> Card:
    table = {
        "card": 1, "id": "acme", "name": "Acme", "kind": "api", "dialect": "openai_chat",
        "endpoint": {"base_url": "https://a.example"}, "models": models,
        "settings": [{"name": "scope", "help": "h"}], **entries,
    }  # fmt: skip
    return build(Card, check(Card, table))


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ({"currency": "rubles"}, "the currency rubles is not written like USD"),
        ({"currency": "$"}, "the currency $ is not written like USD"),
        ({"unit": 0}, "a price per 0 tokens says nothing"),
        ({"since": "soon"}, "soon is no date (YYYY-MM-DD)"),
        ({"input": "-1"}, "the price -1 is negative"),
        ({"audio_input": "a lot"}, "the price a lot is no number"),
        ({"request": "NaN"}, "the price NaN is no number"),
        ({"search": "Infinity"}, "the price Infinity is no number"),
        ({"input": ""}, "the price  is no number"),
        (
            {"tiers": [{"above_input_tokens": 1, "cache_write_1h": "-2"}]},
            "the price -2 is negative",
        ),
        (
            {"tiers": [{"above_input_tokens": 2}, {"above_input_tokens": 1}]},
            "the tiers of a price are not in the order of their sizes",
        ),
        (
            {"tiers": [{"above_input_tokens": 1}, {"above_input_tokens": 1}]},
            "the tiers of a price are not in the order of their sizes",
        ),
        ({"modes": {"batch": {"cache_write": "x"}}}, "the price x is no number"),
        ({"modes": {"batch": {"factor": "0"}}}, "a factor of 0 would make everything free"),
        ({"modes": {"batch": {"cache_factor": "half"}}}, "the price half is no number"),
        (
            {"windows": [{"utc": "1:00-4:00", "factor": "2"}]},
            "the time of day 1:00-4:00 is not written like 16:30-00:30",
        ),
        (
            {"windows": [{"utc": "00:00-24:00", "factor": "2"}]},
            "the time of day 00:00-24:00 is not written like 16:30-00:30",
        ),
        ({"when": {"tier": "free"}}, "there is no setting tier for a price of m to depend on"),
    ],
)
def test_what_a_row_may_not_say(entries: dict[str, Any], fault: str) -> None:
    found = card({"id": "m", "prices": [{**ROW, **entries}]})

    assert list(catalogue.faults(found)) == [fault]


@pytest.mark.parametrize(
    "entries",
    [
        {"input": "0", "cache_read": "0"},  # free, which is not the same as unknown
        {"windows": [{"utc": "22:00-06:00", "factor": "0.5", "days": ["sat", "sun"]}]},
        {"when": {"scope": "B2B"}},
        {"unit": 1000, "currency": "RUB", "modes": {"async": {"output": "1.00"}}},
    ],
)
def test_what_a_row_may_say(entries: dict[str, Any]) -> None:
    assert list(catalogue.faults(card({"id": "m", "prices": [{**ROW, **entries}]}))) == []


@pytest.mark.parametrize("figure", [0.5, 1, True])
def test_an_amount_is_a_text(figure: object) -> None:
    """A number of TOML would come as a binary fraction."""
    with pytest.raises(Misfit):
        card({"id": "m", "prices": [{**ROW, "input": figure}]})


def test_a_price_for_each_value_of_a_setting_begins_on_the_same_day() -> None:
    rows = [{**ROW, "when": {"scope": one}} for one in ("B2B", "CORP")]

    assert list(catalogue.faults(card({"id": "m", "prices": rows}))) == []
    assert list(catalogue.faults(card({"id": "m", "prices": [*rows, rows[0]]}))) == [
        "m has two prices since 2026-01-01"
    ]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        (
            {"free_when": {"tier": "free"}},
            "there is no setting tier under which nothing is charged",
        ),
        (
            {"price_factors": [{"hosts": ["a.example"], "factor": "-1", "source": SOURCE}]},
            "the price -1 is negative",
        ),
        (
            {"price_factors": [{"hosts": ["a.example"], "factor": "1.1",
                                "source": {"title": "t", "checked": "never"}}]},
            "never is no date (YYYY-MM-DD)",
        ),
        (
            {"source": {**SOURCE, "expires": "later"}},
            "later is no date (YYYY-MM-DD)",
        ),
        (
            {"models": [{"id": "m@tuned", "tuned_from": "m"}]},
            "m@tuned was made from m, which is no model of the card",
        ),
    ],
)  # fmt: skip
def test_what_a_card_may_not_say_of_prices(entries: dict[str, Any], fault: str) -> None:
    assert list(catalogue.faults(card(**entries))) == [fault]


# ---- what is shipped ---------------------------------------------------------------------------


def shipped(name: str) -> Card:
    return catalogue.card(name, Settings())


def priced(name: str, model: str) -> Price:
    """The one row of a model, or the newest."""
    found = find_model(shipped(name), model)
    assert found is not None
    return found.prices[0]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_row_charges_something_in_the_cards_currency(name: str) -> None:
    found = shipped(name)
    for model in found.models:
        for price in model.prices:
            assert price.currency == found.currency, model.id
            assert Decimal(price.input or 0) > 0, model.id
            if model.kind == "chat":
                assert price.output is not None, model.id
            assert date.fromisoformat(price.source.checked) >= date(2026, 11, 23), model.id


@pytest.mark.parametrize(
    "name",
    ["anthropic", "deepseek", "gemini", "groq", "mistral", "openai", "perplexity", "xai"],
)
def test_what_has_no_price_is_known_by_name(name: str) -> None:
    """In no price list, as of 2026-11-25; the list gets shorter, not longer."""
    unpriced = {
        one.id for one in shipped(name).models if not one.prices and one.status != "retired"
    }

    assert unpriced == {
        "gemini": {"gemini-4-carbon", "gemini-4-hydrogen", "gemini-omni-1.2-flash"},
        "openai": {
            "gpt-6.2-astra",
            "gpt-6.2-sol",
            "gpt-image-2.6-flare",
            "gpt-image-2.6-sunburst",
        },
    }.get(name, set())


def test_a_model_that_no_list_prices_has_no_row_and_not_one_of_zeros() -> None:
    assert all(
        Decimal(price.output or 1) > 0
        for name in SHIPPED
        for model in shipped(name).models
        for price in model.prices
    )


# Official page of 2026, per thousand tokens with VAT; Alice's answers are not half price later.
@pytest.mark.parametrize(
    ("model", "input_price", "output", "later"),
    [
        ("yandexgpt", "1.20", "1.20", ("0.5", None)),
        ("yandexgpt/rc", "0.80", "0.80", ("0.5", None)),
        ("yandexgpt-lite/latest", "0.20", "0.20", ("0.5", None)),
        ("aliceai-llm", "0.50", "1.20", (None, "1.00")),
    ],
)
def test_rubles_of_yandex(
    model: str, input_price: str, output: str, later: tuple[str | None, str | None]
) -> None:
    row = priced("yandexgpt", model)
    mode = row.modes["async"]

    assert (row.unit, row.currency, row.vat) == (1000, "RUB", "included")
    assert (row.input, row.output) == (input_price, output)
    assert (mode.factor, mode.output) == later


@pytest.mark.parametrize(
    ("model", "figure"), [("GigaChat-2", "0.065"), ("GigaChat-2-Pro", "0.50"),
                          ("GigaChat-2-Max", "0.65")],
)  # fmt: skip
def test_rubles_of_gigachat_are_those_of_companies(model: str, figure: str) -> None:
    found = find_model(shipped("gigachat"), model)
    assert found is not None

    assert [(one.input, one.output, one.cache_read, one.vat) for one in found.prices] == [
        (figure, figure, "0", "unknown")
    ] * 2
    assert {one.when["scope"] for one in found.prices} == {"GIGACHAT_API_B2B", "GIGACHAT_API_CORP"}
    assert all(one.source.confidence != "high" for one in found.prices)


def test_the_sizes_from_which_prompts_cost_more() -> None:
    """A prompt of exactly 272,000 tokens still pays the lower price; xAI's 200,000 the higher."""
    sizes = {
        name: priced(*name.split("/")).tiers[0].above_input_tokens
        for name in ("openai/gpt-6-luna", "openai/gpt-5.4", "anthropic/claude-haiku-5-5",
                     "gemini/gemini-2.5-pro", "xai/grok-4.7")
    }  # fmt: skip

    assert list(sizes.values()) == [272_000, 272_000, 100_000, 200_000, 199_999]


def test_where_the_same_model_costs_more() -> None:
    (openai,) = shipped("openai").price_factors
    (mistral,) = shipped("mistral").price_factors

    assert (openai.hosts, openai.factor) == (("*.api.openai.com",), "1.1")
    assert "gpt-5.4*" in openai.models  # the first since 2026-03-05
    assert not any(one.startswith(("gpt-4", "o3")) for one in openai.models)
    assert (mistral.hosts, mistral.factor, mistral.models) == (
        ("api.eu.mistral.ai", "api.us.mistral.ai"), "1.1", ()
    )  # fmt: skip


def test_the_same_weights_have_one_name_on_all_cards() -> None:
    """What is said of weights does not depend on who serves them."""
    said: dict[str, set[tuple[object, ...]]] = {}
    for name in SHIPPED:
        for model in shipped(name).models:
            if model.weights_of and model.weights is None:
                assert model.open_weights, model.id
                facts = (model.licence, model.parameters, model.memory)
                said.setdefault(model.weights_of, set()).add(facts)

    assert len(said) >= 10
    assert {weights: facts for weights, facts in said.items() if len(facts) > 1} == {}


def test_a_usual_answer_fits_the_limit_of_each_model() -> None:
    for name in SHIPPED:
        found = shipped(name)
        for model in found.models:
            usual = model.expected_output or found.expected_output
            assert not usual or not model.output_limit or usual <= model.output_limit, model.id


def test_a_tuning_is_made_from_a_model_of_the_card() -> None:
    tuned = [
        (found, model)
        for found in map(shipped, SHIPPED)
        for model in found.models
        if model.tuned_from is not None
    ]

    assert {found.id for found, _model in tuned} == {"openai", "yandexgpt"}
    for found, model in tuned:
        assert find_model(found, model.tuned_from or "") != model


def test_a_fact_that_is_left_out_is_unknown() -> None:
    row = Price(since="2026-01-01", currency="USD", source=Source(title="t", checked="2026-01-01"))

    assert (row.cache_write_1h, row.audio_input, row.image_output, row.request) == (None,) * 4
    assert (Model(id="m").tunable, Model(id="m").weights_of) == ("unknown", None)


# As answers of the live service name themselves, in recordings of 2026.
@pytest.mark.parametrize(
    ("said", "model"),
    [
        ("GigaChat-2:2.0.28.2", "GigaChat-2"),
        ("GigaChat-2-Max:2.0.28.2", "GigaChat-2-Max"),
        ("GigaChat-3-Ultra:32.3.18.5", "GigaChat-3-Ultra"),
        ("GigaChat:v1.2.19.2", "GigaChat"),
    ],
)
def test_the_version_that_answered_is_priced_as_its_model(said: str, model: str) -> None:
    found = find_model(shipped("gigachat"), said)

    assert found is not None
    assert found.id == model
