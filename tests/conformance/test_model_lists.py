"""Lists, pulls and deletions of models against the providers' own descriptions: what we send is as
documented, what the simulator answers too, and documented examples are read as they are meant."""

import asyncio
import json
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.dialects import Frame, Listed, PullStep
from llmctl.dialects.ollama import Ollama
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.engine import server_pull
from llmctl.settings import ProviderSettings, Settings
from tests.simulator import Simulator
from tests.unit.dialects.documented import _api, _validator, check, needs_documents
from tests.unit.engine.weights_shared import Told

pytestmark = needs_documents


def test_pulls_and_deletions_of_ollama_are_as_documented() -> None:
    check(Ollama().pulling("qwen3:8b"), "ollama", "PullRequest")
    check(Ollama().removal("qwen3:8b"), "ollama", "DeleteRequest")
    check(Ollama().description("qwen3:8b"), "ollama", "ShowRequest")
    paths = _api("ollama")["paths"]
    assert "post" in paths["/api/pull"]
    assert "delete" in paths["/api/delete"]


def test_the_simulator_answers_as_ollama_documents(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Settings(providers={"ollama": ProviderSettings(base_url=sim.url)})
    seen: list[Any] = []
    pulled = Ollama.pulled

    def watched(self: Ollama, frame: Frame) -> PullStep:
        seen.append(json.loads(frame.data))
        return pulled(self, frame)

    monkeypatch.setattr(Ollama, "pulled", watched)
    told = Told()
    card = catalogue.card("ollama", own)
    asyncio.run(server_pull.pull(card, "mock", own, notice=told.notices.append, progress=told.bar))

    assert len(seen) == 8
    for step in seen:
        _validator("ollama", "StatusEvent").validate(step)


def test_the_documented_list_of_ollama() -> None:
    answers = _api("ollama")["paths"]["/api/tags"]["get"]["responses"]["200"]
    example = answers["content"]["application/json"]["example"]

    assert Ollama().published(example) == [
        Listed(
            name="gemma4",
            size=9_608_350_245,
            parameters="8.0B",
            quantisation="Q4_K_M",
            family="gemma4",
        )
    ]


def test_the_documented_list_of_openrouter() -> None:
    """0.00003 and 0.00006 dollars for a token are 30 and 60 for a million."""
    example = _api("openrouter")["components"]["schemas"]["ModelsListResponse"]["example"]

    [found] = OpenAIChat().published(example)

    assert (found.name, found.title, found.context) == ("openai/gpt-4", "GPT-4", 8192)
    assert (found.input, found.output, found.currency) == ("30", "60", "USD")
    assert found.retires is None


def test_a_model_of_mistral_as_documented() -> None:
    entry = {
        "id": "mistral-small-2603",
        "capabilities": {"completion_chat": True, "vision": True, "fine_tuning": False},
        "max_context_length": 262_144,
        "deprecation": "2027-03-31T12:00:00Z",
    }
    _validator("mistral", "BaseModelCard").validate(entry)

    assert OpenAIChat().published({"object": "list", "data": [entry]}) == [
        Listed(
            name="mistral-small-2603",
            context=262_144,
            retires="2027-03-31",
            capabilities=("completion_chat", "vision"),
        )
    ]


def test_a_model_of_openai_as_documented() -> None:
    entry = {"id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai",
             "shutdown_date": "2026-12-11"}  # fmt: skip
    _validator("openai", "Model").validate(entry)

    assert OpenAIChat().described(entry) == Listed(name="gpt-5", retires="2026-12-11")
