"""Quirks of hosts that are cards only: what a card's entry does to a request, and that requests of
shipped cards are what the hosts document."""

import json
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.dialects import DIALECTS, HttpCall
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.engine.resolve import merged
from llmctl.privacy.controls import planned, with_controls
from llmctl.settings import ProviderSettings, Settings
from llmctl.types import Chat, Quirks, Tool
from tests.unit.dialects.documented import (
    ANSWER,
    CALLS,
    QUESTION,
    RESULTS,
    SCHEMA,
    SYSTEM,
    WEATHER,
    check,
    needs_documents,
)

FULL = Chat(
    "m",
    (SYSTEM, QUESTION, ANSWER, CALLS, RESULTS),
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("\n", "END"),
    schema=SCHEMA,
    tools=(Tool("weather", "Tells the weather", WEATHER),),
)


def body(call: Chat, **quirks: Any) -> Any:
    return OpenAIChat().encode(call, Quirks(**quirks)).body


def of_card(provider: str, call: Chat) -> HttpCall:
    """The request as the shipped card has it."""
    card = catalogue.card(provider, Settings())
    asked = planned(card, card.dialect, ProviderSettings(), Settings())
    return DIALECTS[card.dialect]().encode(call, with_controls(merged(card.quirks), asked))


def test_a_seed_by_another_name() -> None:
    sent = body(Chat("m", (QUESTION,), seed=7), seed_field="random_seed")

    assert (sent["random_seed"], "seed" in sent) == (7, False)
    assert "random_seed" not in body(Chat("m", (QUESTION,), seed=7), seed_field="x", seed=False)


@pytest.mark.parametrize("mode", ["json_object", "none"])
def test_a_schema_that_the_host_cannot_be_given_stands_in_the_instructions(mode: str) -> None:
    sent = body(Chat("m", (SYSTEM, QUESTION), schema=SCHEMA), schema=mode)

    assert sent.get("response_format") == (None if mode == "none" else {"type": mode})
    told = sent["messages"][0]
    assert told["role"] == "system"
    assert json.dumps(SCHEMA) in told["content"]
    assert sent["messages"][1:] == [
        {"role": "system", "content": SYSTEM.text},
        {"role": "user", "content": QUESTION.text},
    ]


def test_a_schema_that_it_can_be_given_is_said_once() -> None:
    sent = body(Chat("m", (QUESTION,), schema=SCHEMA))

    assert len(sent["messages"]) == 1
    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA


@needs_documents
@pytest.mark.parametrize("streamed", [False, True])
def test_mistral_gets_what_it_documents_and_nothing_else(streamed: bool) -> None:
    """Its description forbids further fields, as the service does."""
    http = of_card("mistral", Chat("m", FULL.messages, 5, 0.5, 7, ("END",), SCHEMA, FULL.tools,
                                   stream=streamed))  # fmt: skip

    check(http, "mistral", "ChatCompletionRequest")
    assert http.body is not None
    assert http.body["random_seed"] == 7


@needs_documents
@pytest.mark.parametrize("streamed", [False, True])
def test_openrouter_gets_what_it_documents(streamed: bool) -> None:
    http = of_card("openrouter", Chat("m", FULL.messages, 5, 0.5, 7, ("END",), SCHEMA, FULL.tools,
                                      stream=streamed))  # fmt: skip

    check(http, "openrouter", "ChatRequest")
    assert http.body is not None
    assert http.body["provider"] == {"data_collection": "deny"}
