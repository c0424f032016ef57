"""Models by a server's own word."""

import asyncio
from contextlib import nullcontext

import pytest

from llmctl import catalogue
from llmctl.engine.listing import described, models_of, published, refuse_to_ask
from llmctl.errors import (
    AuthFailed,
    ConfigError,
    LlmctlError,
    NotFound,
    PrivacyRefused,
    ProviderFailed,
    UsageError,
)
from llmctl.settings import Loaded, Policy, ProviderSettings, Settings
from llmctl.types import Level
from tests.simulator import Simulator
from tests.simulator.hosts import host_url


def at(provider: str, url: str) -> Settings:
    return Settings(providers={provider: ProviderSettings(base_url=url)})


@pytest.mark.parametrize("provider", ["ollama", "llamacpp", "vllm"])
def test_a_server_says_what_it_has(provider: str, sim: Simulator) -> None:
    own = at(provider, sim.url if provider == "ollama" else sim.openai_url)
    names = asyncio.run(models_of(catalogue.card(provider, own), own))

    assert names == list(sim.models)
    assert [one.method for one in sim.requests] == ["GET"]


def test_something_else_on_the_port_is_an_error(sim: Simulator) -> None:
    own = at("ollama", f"{sim.url}/nosuch")

    with pytest.raises(LlmctlError):
        asyncio.run(models_of(catalogue.card("ollama", own), own))


def test_an_error_says_whose_it_is_and_not_the_key(sim: Simulator) -> None:
    key = "listing" + "8" * 24
    sim.key = "another"
    own = Settings(
        providers={"openai": ProviderSettings(base_url=sim.openai_url, key_command=("printf", key))}
    )

    with pytest.raises(AuthFailed) as caught:
        asyncio.run(models_of(catalogue.card("openai", own), own))

    error = caught.value
    assert (error.provider, error.host) == ("openai", f"127.0.0.1:{sim.port}")
    assert "llmctl keys set openai" in (error.hint or "")
    assert key not in str(error)


def test_an_account_without_an_address_is_not_asked() -> None:
    with pytest.raises(ConfigError, match="another address for every account"):
        asyncio.run(models_of(catalogue.card("azure", Settings()), Settings()))


@pytest.mark.parametrize(
    ("provider", "policy", "allowed"),
    [
        ("openai", Policy(), True),
        ("openai", Policy(max_level=Level.DEVICE), False),
        ("openai", Policy(max_level=Level.NETWORK), False),
        ("openai", Policy(max_level=Level.ZERO_RETENTION), True),
        ("openai", Policy(regions=("RU",), no_training=True, max_retention_days=0), True),
        ("openai", Policy(deny=("openai",)), False),
        ("openai", Policy(allow=("ollama",)), False),
        ("ollama", Policy(max_level=Level.DEVICE), True),
        ("ollama", Policy(deny=("ollama",)), False),
    ],
)
def test_which_policies_hold_for_a_question_without_a_prompt(
    provider: str, policy: Policy, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    loaded = Loaded(Settings(policy=policy), {})
    card = catalogue.card(provider, loaded.settings)

    with nullcontext() if allowed else pytest.raises(PrivacyRefused):
        refuse_to_ask(card, loaded)


def test_what_has_no_server_cannot_be_asked() -> None:
    loaded = Loaded(Settings(), {})

    with pytest.raises(UsageError, match="local cannot be asked"):
        refuse_to_ask(catalogue.card("local", loaded.settings), loaded)


# ---- pages and single models


@pytest.mark.parametrize("provider", ["gemini", "anthropic"])
def test_every_page_of_a_list_is_asked_for(
    provider: str, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", "k" * 20)
    sim.models, sim.page = tuple(f"m{number}" for number in range(5)), 2
    own = at(provider, sim.url if provider == "gemini" else sim.anthropic_url)

    assert asyncio.run(models_of(catalogue.card(provider, own), own)) == list(sim.models)
    assert len(sim.requests) == 3
    assert len({one.connection for one in sim.requests}) == 1


@pytest.mark.parametrize("provider", ["gemini", "anthropic"])
def test_a_list_that_leads_in_a_circle(
    provider: str, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", "k" * 20)
    sim.circular = True
    own = at(provider, sim.url if provider == "gemini" else sim.anthropic_url)

    with pytest.raises(ProviderFailed) as caught:
        asyncio.run(models_of(catalogue.card(provider, own), own))

    assert (caught.value.reason, caught.value.provider) == ("repeated-page", provider)
    assert len(sim.requests) == 2


@pytest.mark.parametrize(
    ("provider", "path", "context"),
    [("gemini", "/v1beta/models/mock", 1_048_576), ("anthropic", "/v1/models/mock", 1_000_000),
     ("ollama", "/api/show", 4096)],
)  # fmt: skip
def test_what_a_provider_says_of_one_model(
    provider: str, path: str, context: int, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k" * 20)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k" * 20)
    own = at(provider, sim.anthropic_url if provider == "anthropic" else sim.url)

    said = asyncio.run(described(catalogue.card(provider, own), "mock", own))

    assert (said.name, said.context) == ("mock", context)
    [request] = sim.requests
    assert request.path.endswith(path)


def test_a_server_without_such_a_page_has_its_list(sim: Simulator) -> None:
    own = at("vllm", sim.openai_url)
    card = catalogue.card("vllm", own)

    assert asyncio.run(described(card, "mock", own)).name == "mock"
    assert [one.path for one in sim.requests] == ["/v1/models/mock", "/v1/models"]
    with pytest.raises(NotFound, match="vllm has no model nosuch"):
        asyncio.run(described(card, "nosuch", own))


def test_a_list_open_to_everybody_needs_no_key(sim: Simulator) -> None:
    own = at("huggingface", host_url(sim.url, "huggingface"))

    found = asyncio.run(published(catalogue.card("huggingface", own), own, keyless=True))

    assert [one.name for one in found] == list(sim.models)
    assert "authorization" not in sim.requests[0].headers
