"""Folders of its own for every test of comparisons, and every provider at the simulator."""

from base64 import b64encode
from pathlib import Path

import pytest

from tests.simulator import Simulator


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sim: Simulator) -> Simulator:
    """The simulator, with addresses and keys that lead to it."""
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))
    places = {
        "OPENAI__BASE_URL": sim.openai_url,
        "ANTHROPIC__BASE_URL": sim.anthropic_url,
        "GEMINI__BASE_URL": sim.url,
        "OLLAMA__BASE_URL": sim.url,
        "VLLM__BASE_URL": sim.openai_url,
        "GIGACHAT__BASE_URL": f"{sim.url}/gigachat/v1",
        "GIGACHAT__AUTH_URL": f"{sim.url}/gigachat/oauth",
    }
    for name, value in places.items():
        monkeypatch.setenv(f"LLMCTL_PROVIDERS__{name}", value)
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-" + "5mJq9Zt2" * 5)
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", b64encode(b"client:" + b"s" * 20).decode())
    monkeypatch.setenv("LLMCTL_NETWORK__BACKOFF", "0.01")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("HOME", str(tmp_path))
    return sim
