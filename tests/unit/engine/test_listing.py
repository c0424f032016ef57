"""Models by a server's own word."""

import asyncio
from contextlib import nullcontext

import pytest

from llmctl import catalogue
from llmctl.engine.listing import models_of, refuse_to_ask
from llmctl.errors import AuthFailed, ConfigError, LlmctlError, PrivacyRefused, UsageError
from llmctl.settings import Loaded, Policy, ProviderSettings, Settings
from llmctl.types import Level
from tests.simulator import Simulator


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
