"""Models by a server's own word."""

import asyncio

import pytest

from llmctl import catalogue
from llmctl.engine.listing import models_of
from llmctl.errors import LlmctlError
from llmctl.settings import ProviderSettings, Settings
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
