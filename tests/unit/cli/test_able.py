"""Who has a format for a call that the provider at hand has none for."""

from typing import Any

import pytest

from llmctl import catalogue, settings
from llmctl.cli.able import advise, refuse_unable
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.errors import NetworkFailed, NotFound, UsageError
from llmctl.settings import Settings
from llmctl.transport.target import Target
from llmctl.types import Call, Complete, Fill, Level, Quirks, Verdict


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for kind in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path_factory.mktemp(kind)))


def refused(
    provider: str, call: Call, flags: dict[str, Any] | None = None, **quirks: str
) -> UsageError | None:
    card = catalogue.card(provider, Settings())
    route = Route(
        requested=f"{provider}/m", provider=provider, model="m", card=card, model_card=None,
        dialect=DIALECTS[card.dialect](), quirks=Quirks(settings=quirks),
        target=Target(provider=provider, base_url=card.endpoint.base_url),
        verdict=Verdict(True, Level.UNKNOWN),
    )  # fmt: skip
    try:
        refuse_unable(route, call, settings.load(flags or {}))
    except UsageError as error:
        return error
    return None


@pytest.mark.parametrize("provider", ["anthropic", "gemini", "gigachat", "yandexgpt"])
def test_who_only_chats_names_models_that_continue_texts(provider: str) -> None:
    error = refused(provider, Complete("m", "Once"))

    assert error is not None
    assert error.message == f"{provider} only chats: it continues no texts"
    hint = error.hint or ""
    base = next(one.id for one in catalogue.card("local", Settings()).models if one.kind == "base")
    for name in (f"local/{base}", "ollama/MODEL", "llamacpp/MODEL", "huggingface/ORG/MODEL"):
        assert f"-m {name}" in hint
    assert "groq" not in hint  # nobody has said that it does


def test_only_models_that_policy_allows_are_named() -> None:
    here = {"policy.max_level": "device"}
    error = refused("anthropic", Complete("m", "Once"), here)
    assert error is not None
    assert "-m llamacpp/MODEL" in (error.hint or "")
    assert "huggingface" not in (error.hint or "")

    error = refused("openai", Fill("m", "a [MASK]"), here)
    assert error is not None
    assert error.hint == "no model of any card is allowed: llmctl privacy list"


@pytest.mark.parametrize("provider", ["ollama", "llamacpp", "vllm", "lmstudio", "local", "groq"])
def test_whose_format_has_it_is_not_refused(provider: str) -> None:
    assert refused(provider, Complete("m", "Once")) is None


@pytest.mark.parametrize("provider", ["openai", "ollama", "local", "anthropic", "groq"])
def test_a_gap_is_filled_by_encoders_alone(provider: str) -> None:
    error = refused(provider, Fill("m", "a [MASK]"))

    assert error is not None
    assert error.hint == "what does: -m huggingface/google-bert/bert-base-uncased"
    assert refused("huggingface", Fill("m", "a [MASK]"), text_generation="router") is None


def test_a_dialects_own_advice_stands() -> None:
    error = refused("huggingface", Complete("org/m:groq", "Once"), text_generation="router")

    assert error is not None
    assert "featherless-ai" in (error.hint or "")


def test_the_refusal_of_a_host_names_them_too() -> None:
    said = "This is a chat model and not supported in the v1/completions endpoint."
    loaded = settings.load()
    refusal, no_model = NotFound(said), NotFound("the model m does not exist", hint="see")

    advise(refusal, Complete("m", "Once"), loaded)
    advise(no_model, Complete("m", "Once"), loaded)

    assert "-m ollama/MODEL" in (refusal.hint or "")
    assert no_model.hint == "see"


def test_other_calls_and_other_errors_are_left_alone() -> None:
    said = "no such endpoint"
    for error in (NetworkFailed(said), None):
        advise(error, Complete("m", "Once"), settings.load())
        assert error is None or error.hint is None
    chat = NotFound(said)
    advise(chat, Fill("m", "a [MASK]"), settings.load())
    assert chat.hint is None
