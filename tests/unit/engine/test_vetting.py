"""The verdict on what is really sent: read from the encoded request, not from what was planned."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.engine.vetting import really_sent, vetted
from llmctl.errors import PrivacyRefused
from llmctl.privacy.screening import Screened
from llmctl.types import Chat, Complete, Level, Media, Message, Role, Text, message

HI = (message(Role.USER, "hi"),)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.chdir(tmp_path)
    # Facts get old, and then every level is one step worse.
    monkeypatch.setattr("llmctl.privacy.standing.utc_today", lambda: date(2026, 11, 25))
    for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "0" * 24)
    monkeypatch.setenv("YC_API_KEY", "AQVN" + "0" * 20)
    monkeypatch.setenv("YC_FOLDER_ID", "b1gown")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def screened(call: Chat, **found: Any) -> Screened:
    return Screened(call=call, before=call, **found)


def sent(
    name: str, flags: dict[str, Any] | None = None, messages: Any = HI, **options: Any
) -> Route:
    """The route of a prompt with `-o` options, after vetting."""
    loaded = settings.load(flags)
    route = resolve(name, loaded)
    return vetted(route, screened(Chat(route.model, messages, options=options)), loaded)


OPENROUTER = "openrouter/acme/m"
DENY, ZDR = "provider.data_collection=deny", "provider.zdr=true"
LOGGED = "x-data-logging-enabled=false"
ALLOWED = {"privacy.allow_logging": True}


@pytest.mark.parametrize(
    ("name", "flags", "options", "controls", "level"),
    [
        (OPENROUTER, {}, {}, (DENY,), Level.NO_TRAINING),
        (OPENROUTER, {}, {"provider": {"zdr": True}}, (DENY, ZDR), Level.ZERO_RETENTION),
        (OPENROUTER, {}, {"provider": {"order": ["a"]}}, (DENY,), Level.NO_TRAINING),
        (OPENROUTER, {}, {"provider": {"data_collection": "allow"}}, (), Level.UNKNOWN),
        (OPENROUTER, {}, {"provider": None}, (), Level.UNKNOWN),
        (OPENROUTER, {}, {"provider": {"zdr": 1}}, (DENY,), Level.NO_TRAINING),
        (OPENROUTER, ALLOWED, {}, (), Level.UNKNOWN),
        (OPENROUTER, ALLOWED, {"provider": {"zdr": True}}, (ZDR,), Level.ZERO_RETENTION),
        ("yandexgpt/yandexgpt", {}, {}, (LOGGED,), Level.ZERO_RETENTION),
        ("yandexgpt/yandexgpt", ALLOWED, {}, (), Level.UNKNOWN),
        # A model that is reached through the format of chat completions gets the header, too.
        ("yandexgpt/qwen3-235b-a22b-fp8", {}, {}, (LOGGED,), Level.ZERO_RETENTION),
        ("openai/gpt-6-luna", {}, {}, ("store=false",), Level.NO_TRAINING),
        ("openai/gpt-6-luna", {}, {"store": True}, (), Level.NO_TRAINING),
        ("openai/gpt-6-luna", ALLOWED, {}, (), Level.NO_TRAINING),
        ("openai/gpt-6-luna", {}, {"tools": [{"type": "mcp"}]}, ("store=false",), Level.UNKNOWN),
    ],
)
def test_a_control_counts_when_it_is_in_the_request(
    name: str, flags: Any, options: Any, controls: tuple[str, ...], level: Level
) -> None:
    verdict = sent(name, flags, **options).verdict

    assert (verdict.controls, verdict.level) == (controls, level)


def test_of_yandexgpt_the_setting_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__YANDEXGPT__DATA_LOGGING", "allow")
    route = sent("yandexgpt/yandexgpt")

    assert (route.verdict.controls, route.verdict.level) == ((), Level.UNKNOWN)
    assert "x-data-logging-enabled" not in route.target.headers


@pytest.mark.parametrize("flags", [{}, ALLOWED])
def test_responses_ask_that_nothing_is_stored_unless_it_may_be(
    flags: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__API", "responses")
    route = sent("openai/gpt-6-luna", flags)
    body = route.dialect.encode(Chat(route.model, HI), route.quirks).body

    assert body is not None
    assert ("store" in body) is not bool(flags)
    assert route.verdict.controls == (() if flags else ("store=false",))


def test_a_server_behind_the_card_gets_no_field_that_it_may_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__OPENAI__BASE_URL", "http://127.0.0.1:9/v1")
    route = sent("openai/m")

    assert "store" not in (route.dialect.encode(Chat("m", HI), route.quirks).body or {})
    assert (route.verdict.controls, route.verdict.level) == ((), Level.UNKNOWN)


def test_what_an_option_takes_away_is_refused_and_what_it_adds_is_let_through() -> None:
    strict = {"policy.max_level": "zero-retention"}

    assert sent(OPENROUTER, strict, provider={"zdr": True}).verdict.allowed
    with pytest.raises(PrivacyRefused, match="no-training, at worst zero-retention") as caught:
        sent(OPENROUTER, strict)
    assert "-o 'provider={\"zdr\": true}' would reach zero-retention" in (caught.value.hint or "")
    with pytest.raises(PrivacyRefused):
        sent(OPENROUTER, {"policy.no_training": True}, provider={"data_collection": "allow"})


def test_leaving_controls_out_is_refused_where_policy_needs_them() -> None:
    with pytest.raises(PrivacyRefused, match="its privacy level is unknown") as caught:
        sent("yandexgpt/yandexgpt", {**ALLOWED, "policy.no_training": True})

    assert "leave --allow-logging out" in (caught.value.hint or "")


def test_a_setting_that_would_help_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__YANDEXGPT__DATA_LOGGING", "allow")
    with pytest.raises(PrivacyRefused) as caught:
        sent("yandexgpt/yandexgpt", {"policy.max_level": "zero-retention"})

    hint = caught.value.hint or ""
    assert "providers.yandexgpt.data_logging = refuse would reach zero-retention" in hint


def test_grounding_is_seen_in_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = "LLMCTL_PROVIDERS__GEMINI__"
    monkeypatch.setenv(f"{prefix}TIER", "paid")
    monkeypatch.setenv(f"{prefix}ATTEST__RETENTION", "0")
    strict = {"policy.max_level": "zero-retention"}

    assert sent("gemini/gemini-4-argon", strict).verdict.level is Level.ZERO_RETENTION
    with pytest.raises(PrivacyRefused, match="no-training"):
        sent("gemini/gemini-4-argon", strict, tools=[{"google_search": {}}])


def test_a_picture_by_its_url_is_looked_at_in_the_call() -> None:
    seen = Message(
        Role.USER, (Text("what is it?"), Media("image/png", url="https://pictures.example/a.png"))
    )

    assert sent("openai/gpt-6-luna", messages=(seen,)).verdict.level is Level.UNKNOWN
    with pytest.raises(PrivacyRefused, match="unknown, at worst no-training"):
        sent("openai/gpt-6-luna", {"policy.max_level": "no-training"}, messages=(seen,))
    inside = Message(Role.USER, (Media("image/png", data=b"\x89PNG"),))
    assert sent("openai/gpt-6-luna", messages=(inside,)).verdict.level is Level.NO_TRAINING


def test_personal_data_that_is_left_is_refused_abroad() -> None:
    loaded = settings.load({"policy.pii_regions": ["RU"]})
    route = resolve("openai/gpt-6-luna", loaded)
    call = Chat(route.model, HI)

    assert vetted(route, screened(call, found={"email": 1}, left={}), loaded).verdict.allowed
    assert vetted(route, screened(call, left={"secret": 1}), loaded).verdict.allowed
    with pytest.raises(PrivacyRefused, match=r"personal data in it: email \(1\)"):
        vetted(route, screened(call, found={"email": 1}, left={"email": 1}), loaded)
    at_home = resolve("yandexgpt/yandexgpt", loaded)
    there = vetted(at_home, screened(Chat(at_home.model, HI), left={"email": 1}), loaded)
    assert there.verdict.allowed


def test_personal_data_make_it_worth_asking_a_local_server_where_the_model_runs() -> None:
    loaded = settings.load({"policy.pii_regions": ["RU"]})
    route = resolve("ollama/m", loaded)
    call = Chat(route.model, HI)

    assert route.elsewhere is not None
    assert route.elsewhere.allowed
    then = vetted(route, screened(call, left={"email": 1}), loaded)
    assert then.verdict.allowed
    assert then.elsewhere is not None
    assert not then.elsewhere.allowed


def test_a_call_that_cannot_be_written_is_left_to_fail_as_it_does() -> None:
    loaded = settings.load()
    route = resolve("yandexgpt/yandexgpt", loaded)
    odd = Complete(route.model, "hi")  # the format has none

    assert really_sent(route, Screened(call=odd, before=odd), loaded).controls == ()
    assert vetted(route, Screened(call=odd, before=odd), loaded).verdict.level is Level.UNKNOWN


def test_the_key_is_none_of_what_is_looked_at() -> None:
    loaded = settings.load()
    route = resolve("yandexgpt/yandexgpt", loaded)
    looked_at = really_sent(route, screened(Chat(route.model, HI)), loaded)

    assert looked_at.headers["x-data-logging-enabled"] == "false"
    plain = resolve("openai/gpt-6-luna", loaded)
    assert any("0" * 24 in value for value in plain.target.headers.values())
    looked_at = really_sent(plain, screened(Chat(plain.model, HI)), loaded)
    assert not any("0" * 24 in value for value in looked_at.headers.values())


@pytest.mark.parametrize("provider", ["ollama", "vllm", "lmstudio", "llamacpp"])
def test_a_model_that_is_passed_on_is_not_here_whatever_card_it_is_asked_by(provider: str) -> None:
    name = f"{provider}/gpt-oss:120b-cloud"

    assert resolve(name, settings.load()).verdict.level is Level.UNKNOWN
    with pytest.raises(PrivacyRefused, match="only passes this model on to a cloud"):
        resolve(name, settings.load({"policy.max_level": "device"}))


@pytest.mark.parametrize("options", [{"web_search_options": {}}, {"tools": [{"type": "mcp"}]}])
def test_an_option_that_leads_elsewhere_breaks_every_rule_that_asks_where(options: Any) -> None:
    for rule in ({"policy.no_training": True}, {"policy.max_retention_days": 30},
                 {"policy.human_review": "flagged"}, {"policy.unknown": "deny"}):  # fmt: skip
        assert sent("yandexgpt/yandexgpt", {"policy.regions": ["RU"]}).verdict.allowed
        with pytest.raises(PrivacyRefused):
            sent("yandexgpt/yandexgpt", {"policy.regions": ["RU"]}, **options)
        with pytest.raises(PrivacyRefused):
            sent("openrouter/acme/m", rule, **options)
