"""What a model's name tells by itself."""

from typing import Any

import pytest

from llmctl.cards import Card, Endpoint
from llmctl.engine.names import runs_elsewhere


def card(kind: Any) -> Card:
    return Card(
        card=1, id="a", name="A", kind=kind, dialect="openai_chat",
        endpoint=Endpoint(base_url="http://127.0.0.1:11434/v1"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "elsewhere"),
    [
        ("gpt-oss:120b-cloud", True),
        ("gpt-oss:120b-CLOUD", True),
        ("kimi-k2:cloud", True),
        ("llama3.2", False),
        ("llama3.2:latest", False),
        ("cloud", False),
        ("cloudy:7b", False),
        ("my-cloud-model:7b", False),
    ],
)
def test_names_of_models_that_a_local_server_passes_on(model: str, elsewhere: bool) -> None:
    """Whatever card is taken for it: Ollama speaks the format of others, too."""
    assert runs_elsewhere(card("local"), model) is elsewhere
    assert not runs_elsewhere(card("api"), model)
    assert not runs_elsewhere(card("embedded"), model)
