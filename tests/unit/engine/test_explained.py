"""`llmctl privacy list|explain` as data: nothing left out, and nothing claimed."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue, settings
from llmctl.engine.explained import FACTS, explained, overview
from llmctl.errors import NotFound, UsageError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("llmctl.privacy.standing.utc_today", lambda: date(2026, 11, 25))
    config = tmp_path / "CONFIG"
    config.mkdir()
    return config / "config.toml"


def told(name: str) -> dict[str, Any]:
    return explained(name, settings.load())


def test_every_provider_has_a_line_for_each_of_its_tiers() -> None:
    loaded = settings.load()
    lines = [(one["provider"], one["tier"]) for one in overview(loaded)]

    assert {provider for provider, _tier in lines} == set(catalogue.provider_ids(loaded.settings))
    assert [tier for provider, tier in lines if provider == "gemini"] == ["free", "paid"]
    assert len(lines) == len(set(lines))


def test_a_line_says_what_it_rests_on() -> None:
    for line in overview(settings.load()):
        assert date.fromisoformat(line["checked"]) <= date.fromisoformat(line["expires"])
        assert line["confidence"] in ("high", "medium", "low")


def test_a_stated_tier_has_the_only_line(home: Path) -> None:
    home.write_text('[providers.gemini]\ntier = "paid"\n', encoding="utf-8")

    lines = [one for one in overview(settings.load()) if one["provider"] == "gemini"]
    assert [(one["tier"], one["level"]) for one in lines] == [("paid", "no-training")]


def test_facts_have_their_sources_and_unknown_ones_are_null() -> None:
    known = told("openai/gpt-6-luna")
    facts = {one["fact"]: one for one in known["facts"]}

    assert tuple(facts) == FACTS
    assert (facts["trains"]["value"], facts["trains"]["scope"]) == ("no", "account")
    assert facts["retention_days"]["value"] == 30
    assert facts["regions"]["value"] is None
    assert "trust centre" in facts["certificates"]["source"]["title"]
    assert facts["trains"]["source"]["checked"] == "2026-11-23"


def test_controls_are_told_with_whether_they_are_sent(home: Path) -> None:
    controls = {one["name"]: one for one in told("openrouter/a/b")["controls"]}
    assert [(one["sent"], one["level"]) for one in controls.values()] == [
        (True, "no-training"), (False, "zero-retention"),
    ]  # fmt: skip
    assert controls["provider.zdr=true"]["cost"]

    home.write_text("[privacy]\nallow_logging = true\n", encoding="utf-8")
    quiet = told("openrouter/a/b")
    assert [one["sent"] for one in quiet["controls"]] == [False, False]
    assert quiet["level"] == "unknown"


def test_a_policy_that_forbids_it_is_told_and_not_obeyed(home: Path) -> None:
    home.write_text('[policy]\nno_training = true\ndeny = ["gemini"]\n', encoding="utf-8")

    known = told("gemini/gemini-4-argon")
    assert not known["allowed"]
    assert len(known["reasons"]) == 2
    assert all(str(home) in one for one in known["reasons"])
    assert known["would_help"] == [], "the tier alone would not help"
    home.write_text("[policy]\nno_training = true\n", encoding="utf-8")
    assert "tier = paid" in told("gemini/gemini-4-argon")["would_help"][0]["what"]


def test_a_contract_of_the_users_is_in_it(home: Path) -> None:
    home.write_text(
        '[providers.gigachat.attest]\ntraining = "no"\nregions = ["RU"]\n'
        'until = "2026-11-24"\n', encoding="utf-8",
    )  # fmt: skip
    over = told("gigachat/GigaChat-2-Max")
    assert (over["level"], over["attested"]) == ("unknown", [])
    assert "2026-11-24" in over["notes"][0]

    home.write_text(home.read_text("utf-8").replace("11-24", "11-25"), encoding="utf-8")
    now = told("gigachat/GigaChat-2-Max")
    assert (now["level"], now["attested"], now["regions"]) == (
        "no-training", ["training=no", "regions=RU"], ["RU"],
    )  # fmt: skip


def test_where_the_cards_facts_do_not_hold_none_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", "https://gateway.example/v1")

    known = told("openai/gpt-6-luna")
    assert (known["level"], known["facts"], known["source"]) == ("unknown", [], None)
    assert known["host"] == "gateway.example"


def test_a_cloud_model_of_a_local_server_is_not_local() -> None:
    assert told("ollama/gpt-oss:120b-cloud")["level"] == "unknown"
    assert told("ollama/gpt-oss:20b")["level"] == "device"


def test_a_name_that_means_nothing_is_an_error() -> None:
    with pytest.raises((NotFound, UsageError)):
        told("no-such-model-anywhere")
