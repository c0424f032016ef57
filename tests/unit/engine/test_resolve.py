"""From a model's name to a route: which provider it means, with which key, under which policy."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue, settings
from llmctl.cards import CardQuirks
from llmctl.engine.resolve import (
    find_model,
    key_headers,
    merged,
    resolve,
    split,
    unalias,
)
from llmctl.engine.route import Route
from llmctl.errors import AuthFailed, ConfigError, NotFound, PrivacyRefused, UsageError
from llmctl.keys import Secret
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.types import Level
from llmctl.values import replace

KEY = "sk-" + "w" * 24

MAKER = """
card = 1
id = "{id}"
name = "{id}"
kind = "api"
dialect = "openai_chat"
{more}
[endpoint]
base_url = "https://{id}.example/v1"
hosts = ["{id}.example"]
[auth]
kind = "key"
env = ["{upper}_KEY"]
[[models]]
id = "wise-1"
aliases = ["wise"]
match = ["wise-1-*"]
[[models]]
id = "only-{id}"
quirks = {{ sampling = false }}
"""


def card(name: str, more: str = "") -> None:
    folder = settings.paths().config / "providers"
    folder.mkdir(parents=True, exist_ok=True)
    text = MAKER.format(id=name, upper=name.upper(), more=more)
    (folder / f"{name}.toml").write_text(text)


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One maker of models with a key, and no policy of the machine."""
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("ACME_KEY", KEY)
    card("acme")


def loaded(**flags: Any) -> Loaded:
    return settings.load({key.replace("__", "."): value for key, value in flags.items()})


def parted(name: str, own: Settings | None = None) -> tuple[str, str]:
    return split(name, own or Settings())


# -------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("acme/wise-1", "acme", "wise-1"),
        ("acme/org/name:x", "acme", "org/name:x"),
        ("ollama/qwen3:8b", "ollama", "qwen3:8b"),
        ("local/./a/b.gguf", "local", "./a/b.gguf"),
        ("only-acme", "acme", "only-acme"),
        ("wise", "acme", "wise"),
    ],
)
def test_a_name_is_split_at_the_first_slash_or_means_the_provider_that_has_it(
    name: str, provider: str, model: str
) -> None:
    assert (provider, model) == parted(name)


def test_several_makers_are_all_named() -> None:
    card("boxer")

    with pytest.raises(UsageError) as caught:
        parted("wise-1")
    assert "acme/wise-1, boxer/wise-1" in (caught.value.hint or "")


def test_a_bare_name_means_the_maker_before_a_reseller() -> None:
    card("reseller", "reseller = true")

    assert parted("wise-1") == ("acme", "wise-1")
    assert parted("only-reseller") == ("reseller", "only-reseller")


def test_a_second_account_does_not_make_bare_names_ambiguous() -> None:
    own = Settings(providers={"work": ProviderSettings(extends="acme")})

    assert parted("wise-1", own) == ("acme", "wise-1")
    assert parted("work/wise-1", own) == ("work", "wise-1")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("wise-2", "acme/wise-1"),
        ("acmee/wise-1", "acme/wise-1"),
        ("zzzzzzzz", "llmctl models list"),
        ("acme", "-m acme/MODEL"),
        ("openai", "-m openai/gpt-6-luna"),
        ("acme/", "llmctl models list acme"),
    ],
)
def test_a_name_that_means_nothing_gives_what_to_type(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parted(name)
    assert hint in (caught.value.hint or "")


def test_a_model_that_the_card_rules_out_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        resolve("acme/wise-9", loaded())
    assert "acme/wise-1" in (caught.value.hint or "")


def test_aliases_lead_on_and_never_in_circles() -> None:
    own = Settings(aliases={"fast": "quick", "quick": "acme/wise-1", "a": "b", "b": "c", "c": "b"})

    assert unalias("fast", own) == "acme/wise-1"
    assert unalias("acme/wise-1", own) == "acme/wise-1"
    with pytest.raises(UsageError, match="leads back"):
        unalias("a", own)


def test_models_are_found_by_id_then_alias_then_pattern() -> None:
    acme = catalogue.card("acme", Settings())

    for name in ("wise-1", "wise", "wise-1-2026-09-01"):
        found = find_model(acme, name)
        assert found is not None
        assert found.id == "wise-1"
    assert find_model(acme, "wise-2") is None


@pytest.mark.parametrize(
    ("given", "sent"), [("wise", "wise-1"), ("wise-1-2026-09-01", "wise-1-2026-09-01")]
)
def test_an_alias_is_sent_as_the_id_and_a_dated_name_as_it_stands(given: str, sent: str) -> None:
    route = resolve(f"acme/{given}", loaded())

    assert sent == route.model
    assert f"acme/{given}" == route.requested


def test_settings_of_a_provider_that_there_is_not_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__ACMEE__PROXY", "none")

    with pytest.raises(ConfigError, match="LLMCTL_PROVIDERS__ACMEE__PROXY") as caught:
        resolve("acme/wise-1", loaded())
    assert "acme" in (caught.value.hint or "")


# -------------------------------------------------------------------------------------------- route


def test_a_route_has_all_that_a_call_needs() -> None:
    route = resolve("only-acme", loaded(network__idle_timeout=7.0, network__proxy="http://p:1"))

    assert (route.provider, route.model, route.host) == ("acme", "only-acme", "acme.example")
    assert route.target.headers == {"Authorization": f"Bearer {KEY}"}
    assert (route.target.idle_timeout, route.target.proxy) == (7.0, "http://p:1")
    assert Level.UNKNOWN is route.verdict.level
    assert not route.quirks.sampling
    assert KEY not in repr(route)


def test_what_a_provider_is_told_beats_the_network_section() -> None:
    route = resolve(
        "acme/wise-1",
        loaded(
            network__idle_timeout=7.0,
            network__ca_file="all.pem",
            providers__acme__idle_timeout=3.0,
            providers__acme__ca_file="own.pem",
            providers__acme__proxy="none",
        ),
    )

    target = route.target
    assert (target.idle_timeout, target.ca_file, target.proxy) == (3.0, "own.pem", "none")


def test_policy_is_asked_before_a_key_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY")

    with pytest.raises(PrivacyRefused) as caught:
        resolve("acme/wise-1", loaded(policy__max_level="device"))
    assert caught.value.provider == "acme"


def test_no_key_says_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY")

    with pytest.raises(AuthFailed) as caught:
        resolve("acme/wise-1", loaded())
    assert caught.value.reason == "no-key"
    assert "llmctl keys set acme or set ACME_KEY" in (caught.value.hint or "")


def test_what_is_only_shown_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the headers that the call would have."""
    monkeypatch.delenv("ACME_KEY")

    assert list(resolve("acme/wise-1", loaded(), shown=True).target.headers) == ["Authorization"]


@pytest.mark.parametrize("provider", ["gigachat", "yandexgpt"])
def test_a_key_that_would_be_exchanged_is_not_needed_either(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = catalogue.card(provider, Settings())
    for name in found.auth.env:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("YC_FOLDER_ID", "b1g")
    monkeypatch.setenv("PATH", "")  # where no command of the provider lies

    route = resolve(f"{provider}/{found.models[0].id}", loaded(), shown=True)

    assert route.target.auth is not None


def test_a_server_of_ones_own_is_asked_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY")

    route = resolve("acme/wise-1", loaded(providers__acme__base_url="http://127.0.0.1:1/v1"))

    assert route.secret is None
    assert route.target.headers == {}


def test_a_key_that_a_server_wants_only_perhaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert resolve("vllm/any", loaded()).secret is None

    monkeypatch.setenv("VLLM_API_KEY", KEY)
    assert resolve("vllm/any", loaded()).target.headers == {"Authorization": f"Bearer {KEY}"}


def test_the_key_goes_where_the_card_says() -> None:
    found = catalogue.card("acme", Settings())
    auth = replace(found.auth, header="Api-Key", scheme="")

    headers = key_headers(replace(found, auth=auth), Secret(KEY, "somewhere"))

    assert headers == {"Api-Key": KEY}


def test_quirks_are_laid_over_each_other() -> None:
    quirks = merged(
        CardQuirks(sampling=False, seed=False, schema="none"), CardQuirks(sampling=True)
    )

    assert (quirks.sampling, quirks.seed, quirks.schema) == (True, False, "none")
    assert quirks.max_tokens_field == "max_tokens"


# ------------------------------------------------------------------------------------ the dialect

TWO_APIS = """
[dialect_by.api]
responses = "openai_responses"
[[settings]]
name = "api"
help = "which of the two"
choices = ["chat", "responses"]
env = ["ACME_API"]
"""


def spoken(route: Route) -> str:
    return type(route.dialect).__name__


def test_a_setting_picks_the_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    card("acme", TWO_APIS)

    assert spoken(resolve("acme/wise-1", loaded())) == "OpenAIChat"
    monkeypatch.setenv("ACME_API", "responses")
    assert spoken(resolve("acme/wise-1", loaded())) == "OpenAIResponses"
    monkeypatch.setenv("LLMCTL_PROVIDERS__ACME__API", "chat")
    assert spoken(resolve("acme/wise-1", loaded())) == "OpenAIChat"
    monkeypatch.setenv("LLMCTL_PROVIDERS__ACME__API", "both")
    with pytest.raises(ConfigError, match="not one of: chat, responses"):
        resolve("acme/wise-1", loaded())


def test_a_models_own_dialect_beats_the_setting() -> None:
    card("acme", TWO_APIS)
    found = catalogue.card("acme", Settings())
    model = replace(found.models[0], dialect="ollama")

    assert (
        catalogue.dialect_of(found, model, ProviderSettings(extra={"api": "responses"})) == "ollama"
    )
    assert catalogue.dialect_of(found, None, ProviderSettings()) == "openai_chat"


def test_what_a_format_has_no_word_for_is_no_knob_of_any_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card("acme", TWO_APIS)
    chat = resolve("acme/wise-1", loaded()).quirks
    monkeypatch.setenv("ACME_API", "responses")
    responses = resolve("acme/wise-1", loaded()).quirks

    assert (chat.seed, chat.stop) == (True, True)
    assert (responses.seed, responses.stop, responses.tools) == (False, False, True)


def test_the_longest_answer_of_a_model_is_a_quirk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    assert resolve("anthropic/claude-haiku-4-5", loaded()).quirks.output_limit == 64_000
    assert resolve("anthropic/claude-of-tomorrow", loaded()).quirks.output_limit is None


def test_another_providers_key_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ant-" + KEY)

    with pytest.raises(AuthFailed, match="anthropic"):
        resolve("openai/gpt-6-luna", loaded())
