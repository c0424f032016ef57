"""Which layer is broken: the checks without a network, and what one request proves."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.engine.diagnose import WIRE, State, layer_of, offline, wire_checks
from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NetworkFailed,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
)

KEY = "sk-" + "t" * 24


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def checks(**flags: Any) -> dict[str, tuple[State, str, int | None]]:
    """What is checked without a network: state, text and exit code by layer."""
    loaded = settings.load({key.replace("__", "."): value for key, value in flags.items()})
    return {
        one.layer: (one.state, one.text, one.error.exit_code if one.error else None)
        for one in offline("openai", loaded)
    }


def test_all_is_well() -> None:
    found = checks()

    assert list(found) == ["card", "address", "certificates", "policy", "key"]
    assert {state for state, _text, _code in found.values()} == {State.OK}
    assert "OPENAI_API_KEY" in found["key"][1]
    assert KEY not in str(found)


def test_facts_that_the_settings_inherit_are_not_called_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gw.example/v1")
    assert "price and privacy are unknown" in checks()["address"][1]

    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__FACTS", "inherit")
    found = checks()
    assert "unknown" not in found["address"][1]
    assert "hold by your settings" in found["address"][1]
    assert "unknown" not in found["policy"][1]


def test_no_key_is_the_keys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    state, _text, code = checks()["key"]

    assert (state, code) == (State.FAILED, 6)


def test_policy_is_named_and_the_rest_still_checked() -> None:
    found = checks(policy__max_level="device")

    assert found["policy"][0] is State.FAILED
    assert found["policy"][2] == 4
    assert found["key"][0] is State.OK


def test_certificates_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    for name in ("ca.pem", "missing.pem"):
        state, _text, code = checks(network__ca_file=str(tmp_path / name))["certificates"]
        assert (state, code) == (State.FAILED, 3)


def test_another_host_is_said_to_be_one() -> None:
    found = checks(providers__openai__base_url="https://gateway.example/v1")

    assert "not a host of the provider" in found["address"][1]
    assert "unknown" in found["policy"][1]


@pytest.mark.parametrize(
    ("error", "layer"),
    [
        (NetworkFailed("", reason="proxy"), "proxy"),
        (NetworkFailed("", reason="dns"), "dns"),
        (NetworkFailed("", reason="connect"), "tcp"),
        (NetworkFailed("", reason="tls"), "tls"),
        (NetworkFailed("", reason="reset"), "answer"),
        (NetworkFailed("", reason="idle"), "answer"),
        (AuthFailed(""), "auth"),
        (RateLimited("", reason="quota"), "quota"),
        (NotFound(""), "model"),
        (ProviderFailed(""), "answer"),
        (Rejected(""), "answer"),
    ],
)
def test_an_error_lies_in_its_layer_and_proves_those_before(error: LlmctlError, layer: str) -> None:
    assert layer == layer_of(error)

    found = {one.layer: one for one in wire_checks(error, "answered")}

    broken = WIRE.index(layer)
    # A fault of the provider or of the way says nothing of the key, the quota and the model.
    told = not isinstance(error, NetworkFailed | ProviderFailed)
    before = [
        State.OK if told or one not in ("auth", "quota", "model") else State.UNKNOWN
        for one in WIRE[:broken]
    ]
    assert [found[one].state for one in WIRE[:broken]] == before
    assert found[layer].state is State.FAILED
    assert found[layer].error is error
    assert {found[one].state for one in WIRE[broken + 1 :]} <= {State.SKIPPED}


def test_an_answer_proves_every_layer() -> None:
    found = list(wire_checks(None, "answered in 0.1 s"))

    assert tuple(one.layer for one in found) == WIRE
    assert {one.state for one in found} == {State.OK}
    assert found[-1].text == "answered in 0.1 s"
