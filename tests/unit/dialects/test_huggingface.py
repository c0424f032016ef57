"""Requests at Hugging Face: chats as at OpenAI, and texts continued by whoever continues them."""

from typing import Any

import pytest

from llmctl.dialects import Framing, HttpCall
from llmctl.dialects.huggingface import HuggingFace
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.errors import ProviderFailed, UsageError
from llmctl.types import Call, Chat, Complete, Embed, Quirks
from tests.unit.dialects.documented import QUESTION

ROUTER, TGI, COMPLETIONS = "router", "tgi", "completions"


def encoded(call: Call, way: str | None = ROUTER, **quirks: Any) -> HttpCall:
    settings = {} if way is None else {"text_generation": way}
    return HuggingFace().encode(call, Quirks(settings=settings, **quirks))


def test_a_chat_is_openais_whoever_continues_texts() -> None:
    chat = Chat("org/m:cheapest", (QUESTION,), max_tokens=5)

    for way in (ROUTER, TGI, COMPLETIONS):
        assert encoded(chat, way) == OpenAIChat().encode(chat, Quirks())


@pytest.mark.parametrize(
    ("model", "path", "name"),
    [
        ("org/m:featherless-ai", "../featherless-ai/v1/completions", "org/m"),
        ("org/m:together", "../together/v1/completions", "org/m"),
        ("org/m:novita", "../novita/v3/openai/completions", "org/m"),
        ("org/m:deepinfra", "../deepinfra/v1/openai/completions", "org/m"),
    ],
)
def test_the_paths_of_partners(model: str, path: str, name: str) -> None:
    """Those of huggingface_hub 2.4.0, below the router's root instead of its /v1."""
    http = encoded(Complete(model, "Once", max_tokens=5))

    assert (http.path, http.framing) == (path, Framing.SSE)
    assert http.body is not None
    assert (http.body["model"], http.body["prompt"], http.body["max_tokens"]) == (name, "Once", 5)


@pytest.mark.parametrize("model", ["org/m", "org/m:hf-inference"])
def test_nobody_named_is_hf_inference(model: str) -> None:
    http = encoded(Complete(model, "Once", stream=False))

    assert (http.path, http.framing) == ("../hf-inference/models/org/m", Framing.WHOLE)
    assert http.body == {
        "inputs": "Once",
        "stream": False,
        "parameters": {"return_full_text": False, "details": True},
    }


def test_tuning_goes_by_the_names_of_text_generation() -> None:
    call = Complete(
        "m", "Once", 5, 0.7, 3, ("\n", "END"),
        options={"top_k": 4, "temperature": 0.1, "stream": False},
    )  # fmt: skip

    body = encoded(call, TGI, extra_body={"repetition_penalty": 1.1, "top_k": 9}).body

    assert body is not None
    assert body["parameters"] == {
        "return_full_text": False,
        "details": True,
        "max_new_tokens": 5,
        "temperature": 0.1,  # the option, not the flag
        "seed": 3,
        "stop": ["\n", "END"],
        "repetition_penalty": 1.1,
        "top_k": 4,  # the option, not the card
    }


def test_the_format_of_an_endpoint_is_openais_unless_told() -> None:
    call = Complete("m", "Once")

    assert encoded(call, COMPLETIONS).path == encoded(call, None).path == "completions"
    assert encoded(call, TGI).path == "../"


@pytest.mark.parametrize("partner", ["fastest", "cheapest", "preferred", "groq", "nobody"])
def test_who_continues_no_texts_is_refused_with_those_who_do(partner: str) -> None:
    with pytest.raises(UsageError, match=partner) as caught:
        encoded(Complete(f"org/m:{partner}", "Once"))

    assert caught.value.hint is not None
    assert "org/m:deepinfra, :featherless-ai, :hf-inference, :novita, :together" in (
        caught.value.hint
    )


def test_what_a_partner_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError):
        encoded(Embed("org/m:groq", ("a",)))


def test_the_time_that_loading_will_take_is_kept() -> None:
    body = '{"error": "Model org/m is currently loading", "estimated_time": 20.5}'

    error = HuggingFace().failure(503, {}, body)

    assert isinstance(error, ProviderFailed)
    assert (error.reason, error.retryable, error.retry_after_s) == ("loading", True, 20.5)


def test_the_router_lists_its_models_as_openai_does() -> None:
    http = HuggingFace().listing()

    assert http is not None
    assert (http.method, http.path) == ("GET", "models")
    assert HuggingFace().listed({"data": [{"id": "org/m", "providers": []}]}) == ["org/m"]
