"""What lists of models publish; the documents have the shape of the providers' own."""

import pytest

from llmctl.dialects import Listed
from llmctl.dialects.anthropic import Anthropic
from llmctl.dialects.huggingface import HuggingFace
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.dialects.price_lists import per_million
from llmctl.types import Json


@pytest.mark.parametrize(
    ("amount", "unit", "price"),
    [
        # Texts, US dollars for one token.
        ("0.0000025", 1, "2.5"),
        ("0.00000015", 1, "0.15"),
        ("0.000000123456789", 1, "0.123456789"),
        ("0.00006", 1, "60"),
        ("0", 1, "0"),
        ("1e-6", 1, "1"),
        # Numbers for a million: 0.1 is no binary fraction, and is 0.1 all the same.
        (0.1, 1_000_000, "0.1"),
        (3, 1_000_000, "3"),
        (1e-07, 1_000_000, "0.0000001"),
        # No prices.
        ("-1", 1, None),
        (-0.5, 1, None),
        (None, 1, None),
        (True, 1, None),
        ("", 1, None),
        ("free", 1, None),
        ("NaN", 1, None),
        (float("inf"), 1, None),
        ("1e999999", 1, None),
        ("1e-999999", 1, None),
        ("0." + "1" * 200, 1, None),
        ({"usd": 1}, 1, None),
    ],
)
def test_prices_are_exact(amount: Json, unit: int, price: str | None) -> None:
    assert per_million(amount, unit) == price


def test_openrouters_list() -> None:
    answer = {
        "data": [
            {
                "id": "openai/gpt-4o",
                "context_length": 128000,
                "pricing": {
                    "prompt": "0.0000025",
                    "completion": "0.00001",
                    "request": "0",
                    "image": "0.003613",
                    "input_cache_read": "0.00000125",
                },
                "top_provider": {"context_length": 128000, "max_completion_tokens": 16384},
            },
            {"id": "org/free:free", "pricing": {"prompt": "0", "completion": "0"}},
            {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
            {"id": "half", "pricing": {"prompt": "0.000001"}, "context_length": None},
            {"id": ""},
            "no table",
        ]
    }
    assert OpenAIChat().published(answer) == [
        Listed(
            name="openai/gpt-4o",
            input="2.5",
            output="10",
            cache_read="1.25",
            currency="USD",
            context=128000,
            output_limit=16384,
        ),
        Listed(name="org/free:free", input="0", output="0", currency="USD"),
        Listed(name="openrouter/auto"),
        Listed(name="half", input="1", currency="USD"),
    ]
    assert [one.name for one in OpenAIChat().published(answer)] == OpenAIChat().listed(answer)


@pytest.mark.parametrize(
    "entry",
    [{"context_length": 8192}, {"context_window": 8192}, {"max_context_length": 8192},
     {"max_model_len": 8192}],
)  # fmt: skip
def test_a_context_by_any_of_its_names(entry: dict[str, int]) -> None:
    [found] = OpenAIChat().published({"data": [{"id": "m", **entry}]})
    assert found == Listed(name="m", context=8192)


def test_the_routers_partners() -> None:
    """The document of the router's own reference, and a partner of which only the name is known."""
    together = {
        "provider": "together",
        "status": "live",
        "context_length": 131072,
        "pricing": {"input": 0.1, "output": 0.4},
        "supports_tools": True,
        "first_token_latency_ms": 600,
        "throughput": 40.1,
    }
    bare, down = {"provider": "groq", "status": "live"}, {"provider": "novita", "status": "error"}
    answer = {"data": [{"id": "org/m", "providers": [together, bare, down, {}, 3]}, {"id": "x"}]}

    assert HuggingFace().published(answer) == [
        Listed(
            name="org/m",
            offers=(
                Listed(
                    name="org/m:together",
                    input="0.1",
                    output="0.4",
                    currency="USD",
                    context=131072,
                    ttft_s=0.6,
                    output_tokens_per_s=40.1,
                ),
                Listed(name="org/m:groq"),
            ),
        ),
        Listed(name="x"),
    ]


@pytest.mark.parametrize("answer", [None, {}, {"data": 3}, [], {"data": {}}])
def test_a_list_that_is_none(answer: Json) -> None:
    assert OpenAIChat().published(answer) == HuggingFace().published(answer) == []


def test_a_format_that_tells_names_only() -> None:
    assert Anthropic().published({"data": [{"id": "a"}]}) == [Listed(name="a")]
