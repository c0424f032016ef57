"""`models show` and `models list`: prices, and what people weigh when they choose a model."""

import json

import pytest

from tests.e2e.harness import Llmctl

pytestmark = pytest.mark.usefixtures("warm", "at_home")


@pytest.fixture
def at_home(llmctl: Llmctl) -> None:
    """Addresses are the providers' own, for which alone their prices hold; nothing is sent."""
    for name in [one for one in llmctl.env if one.endswith("__BASE_URL")]:
        del llmctl.env[name]


def shown(llmctl: Llmctl, model: str) -> list[str]:
    result = llmctl.run("models", "show", model)
    assert result.code == 0, result.err
    return [line.strip() for line in str(result.out).splitlines()]


def test_a_model_with_open_weights_that_others_serve_too(llmctl: Llmctl) -> None:
    result = llmctl.run("models", "show", "groq/openai/gpt-oss-20b", "--json")

    assert result.code == 0, result.err
    model = result.json["model"]
    assert (result.json["version"], model["open_weights"]) == (1, True)
    assert model["weights_of"] == "openai/gpt-oss-20b"
    assert model["served_by"] == ["huggingface", "yandexgpt"]
    assert (model["memory"], model["memory_from"]) == (16_000_000_000, "stated")
    assert (model["tunable"], model["tunable_by"]) == ("yes", "owner")
    assert (model["made"], model["family"], model["licence"]) == (
        "instructed", "gpt-oss", "Apache-2.0"
    )  # fmt: skip
    price = model["price"]
    assert (price["input"], price["output"], price["cache_read"]) == ("0.075", "0.3", "0.0375")
    assert (price["currency"], price["cache_write"], price["search"]) == ("USD", None, None)
    assert price["source"]["confidence"] == "medium"


def test_for_people(llmctl: Llmctl) -> None:
    lines = shown(llmctl, "openai/gpt-6-luna")

    assert "price        input 0.1, output 0.5, read from cache 0.01, written to cache 0.125 USD" \
        " per million tokens, since 2026-11-23" in lines  # fmt: skip
    assert "from 272001 tokens of input on: input 0.2, output 0.75, read from cache 0.02," \
        " written to cache 0.25" in lines  # fmt: skip
    assert "batch: times 0.5" in lines
    assert "served_by    unknown" in lines
    assert "memory       unknown" in lines
    assert "made         instructed" in lines
    assert any(line.startswith("privacy      no-training") for line in lines)


def test_what_follows_from_a_rule_says_the_rule(llmctl: Llmctl) -> None:
    """27 billion parameters at three quarters of a byte: 20.25 GB."""
    lines = shown(llmctl, "yandexgpt/gemma-3-27b-it")

    assert "memory       about 20.2 GB: four-bit weights (5 bits each with their scales) and a" \
        " fifth more to work with" in lines  # fmt: skip
    assert "served_by    huggingface, the same weights (google/gemma-3-27b-it)" in lines
    assert "tunable      yes, on hardware of your own: the weights are open" in lines


def test_a_price_that_nobody_knows_is_said_to_be_unknown(llmctl: Llmctl) -> None:
    assert "price        unknown" in shown(llmctl, "openai/gpt-6.2-sol")
    tuned = llmctl.run("models", "show", "yandexgpt/yandexgpt-lite@abc", "--json").json["model"]
    assert (tuned["made"], tuned["price"]) == ("tuned", None)


def test_a_price_that_depends_on_a_setting(llmctl: Llmctl) -> None:
    assert "price        unknown" in shown(llmctl, "gigachat/GigaChat-2")

    llmctl.run("config", "set", "providers.gigachat.scope", "GIGACHAT_API_CORP")

    price = llmctl.run("models", "show", "gigachat/GigaChat-2", "--json").json["model"]["price"]
    assert (price["input"], price["currency"], price["cache_read"]) == ("65", "RUB", "0")


def test_elsewhere_neither_price_nor_privacy_is_known(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_PROVIDERS__OPENAI__BASE_URL"] = "https://gw.example/v1"

    lines = shown(llmctl, "openai/gpt-6-luna")

    assert any(line.startswith("price        unknown: the address is not") for line in lines)
    assert any(line.startswith("privacy      unknown") for line in lines)
    listed = str(llmctl.run("models", "list", "openai").out)
    assert "USD" not in listed
    assert "no-training" not in listed


def test_a_local_model_costs_nothing_but_memory(llmctl: Llmctl) -> None:
    model = llmctl.run("models", "show", "local/ministral-3-8b", "--json").json["model"]

    assert (model["price"]["input"], model["price"]["currency"]) == ("0", None)
    assert model["served_by"] == ["mistral"]
    assert (model["memory"], model["memory_from"]) == (6_100_000_000, "stated")


def test_prices_are_a_column_of_the_list(llmctl: Llmctl) -> None:
    lines = str(llmctl.run("models", "list", "openai").out).splitlines()
    of = {line.split()[0]: line for line in lines}

    assert "price per million" in lines[0]
    assert "0.1 / 0.5 USD" in of["openai/gpt-6-luna"]
    assert "0.13 USD" in of["openai/text-embedding-3-large"]
    assert "unknown" in of["openai/gpt-6.2-sol"]


def test_a_list_of_one_provider_still_knows_who_else_serves_the_weights(llmctl: Llmctl) -> None:
    rows = json.loads(llmctl.run("models", "list", "groq", "--json").out)["models"]

    assert rows[0]["id"] == "openai/gpt-oss-120b"
    assert rows[0]["served_by"] == ["huggingface", "together", "yandexgpt"]
