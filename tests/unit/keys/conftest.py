"""Folders of our own, no key in the environment, and a keyring in memory."""

from pathlib import Path

import keyring
import pytest

from llmctl import catalogue, settings
from llmctl.cards import Card
from tests.unit.keys.shared import Ring


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", str(tmp_path / kind))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def card() -> Card:
    return catalogue.card("openai", settings.Settings())


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """The system's keyring from now on."""
    made = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made
