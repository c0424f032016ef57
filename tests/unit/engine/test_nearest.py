"""What a refusal says would be allowed instead."""

import socket
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.errors import PrivacyRefused


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "YC_API_KEY", "ANTHROPIC_API_KEY",
                 "GEMINI_API_KEY", "GIGACHAT_CREDENTIALS", "MISTRAL_API_KEY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    # Facts get old, and then every level is one step worse.
    monkeypatch.setattr("llmctl.privacy.standing.utc_today", lambda: date(2026, 11, 25))


def hint(name: str, flags: dict[str, Any]) -> str:
    with pytest.raises(PrivacyRefused) as caught:
        resolve(name, settings.load(flags))
    assert caught.value.hint is not None
    return caught.value.hint


def allowed(told: str) -> list[str]:
    """The models that a hint names."""
    listed = told.partition("allowed: ")[2].partition("; ")[0]
    return [one.removeprefix("-m ") for one in listed.split(", ")]


def test_a_provider_with_a_key_comes_before_one_without(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"policy.max_level": "no-training"}

    assert len(allowed(hint("deepseek/deepseek-v4-pro", rules))) == 3
    monkeypatch.setenv("XAI_API_KEY", "0" * 24)
    assert allowed(hint("deepseek/deepseek-v4-pro", rules))[0].startswith("xai/")


def test_only_models_that_every_rule_allows_are_named() -> None:
    told = hint("openai/gpt-6-luna", {"policy.regions": ["RU"]})

    names = allowed(told)
    assert names
    assert "a model that stays here: llmctl models list local" in told
    assert {one.partition("/")[0] for one in names} <= {"yandexgpt", "local", "ollama", "llamacpp",
                                                       "lmstudio", "vllm"}  # fmt: skip


def test_the_tier_that_would_help_is_named() -> None:
    told = hint("gemini/gemini-4-argon", {"policy.no_training": True})

    assert "providers.gemini.tier = paid, if your account is one, would reach no-training" in told


def test_the_contract_that_would_help_is_named_and_no_more_of_it_than_needed() -> None:
    told = hint("gigachat/GigaChat-2-Max", {"policy.no_training": True})
    assert '[providers.gigachat.attest] training = "no", if your contract says so,' in told

    told = hint("openai/gpt-6-luna", {"policy.max_retention_days": 0, "policy.regions": ["EU"]})
    assert '[providers.openai.attest] retention = 0, regions = ["EU"], if your' in told

    told = hint("openai/gpt-6-luna", {"policy.regions": ["РОССИЯ"]})
    assert 'regions = ["РОССИЯ"]' in told


def test_where_nothing_of_the_users_would_help_nothing_is_said() -> None:
    told = hint("deepseek/deepseek-v4-pro", {"policy.deny": ["deepseek"]})

    assert "attest" not in told
    assert told.startswith("allowed: -m ")


def test_where_nothing_at_all_is_allowed_that_is_said() -> None:
    told = hint("openai/gpt-6-luna", {"policy.allow": []})
    assert told == "no model of any card is allowed: llmctl privacy list"


def test_no_socket_is_opened_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_where: object, **_how: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connected)
    monkeypatch.setattr(socket.socket, "connect", connected)

    assert "-m llamacpp/MODEL" in hint("openai/gpt-6-luna", {"policy.max_level": "device"})


def test_a_server_whose_address_is_set_comes_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__VLLM__BASE_URL", "http://127.0.0.1:9/v1")

    names = allowed(hint("openai/gpt-6-luna", {"policy.max_level": "device"}))
    assert names[0] == "vllm/MODEL"
