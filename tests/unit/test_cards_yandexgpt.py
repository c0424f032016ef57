"""What the card of YandexGPT arranges: headers, names, which API has a model, what is kept."""

from datetime import date

import pytest

from llmctl import catalogue, settings
from llmctl.cards import Card, Endpoint, Header
from llmctl.engine.resolve import card_headers, find_model, resolve
from llmctl.errors import ConfigError
from llmctl.privacy.policy import judge
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.types import Level

FOLDER = "b1gown"
REFUSED = {"x-folder-id": FOLDER, "OpenAI-Project": FOLDER, "x-data-logging-enabled": "false"}


@pytest.fixture
def card() -> Card:
    return catalogue.card("yandexgpt", Settings())


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.setenv("YC_API_KEY", "AQVN" + "0" * 20)
    monkeypatch.setenv("YC_FOLDER_ID", FOLDER)


@pytest.mark.usefixtures("home")
def test_what_goes_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("yandexgpt/yandexgpt", settings.load()).target.headers == REFUSED
    monkeypatch.setenv("LLMCTL_PROVIDERS__YANDEXGPT__DATA_LOGGING", "allow")
    assert resolve("yandexgpt/yandexgpt", settings.load()).target.headers == {
        "x-folder-id": FOLDER, "OpenAI-Project": FOLDER
    }  # fmt: skip


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["data_logging", "mode", "login"])
def test_a_choice_that_there_is_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"LLMCTL_PROVIDERS__YANDEXGPT__{name.upper()}", "maybe")

    with pytest.raises(ConfigError, match="maybe"):
        resolve("yandexgpt/yandexgpt", settings.load())


@pytest.mark.usefixtures("home")
def test_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YC_FOLDER_ID")

    with pytest.raises(ConfigError, match="folder") as caught:
        resolve("yandexgpt/yandexgpt", settings.load())
    assert caught.value.hint is not None
    assert "YC_FOLDER_ID" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "found", "dialect"),
    [
        ("yandexgpt", "yandexgpt", None),
        ("yandexgpt/latest", "yandexgpt", None),
        ("yandexgpt/rc", "yandexgpt/rc", None),
        ("gpt://b1gother/yandexgpt/rc", "yandexgpt/rc", None),
        ("yandexgpt-lite/latest@tamr4vupta1rql2em5su", "yandexgpt-lite@tuned", None),
        ("gpt://b1g/yandexgpt-lite/latest@tamr4", "yandexgpt-lite@tuned", None),
        ("yandexgpt@tamr4", "yandexgpt@tuned", None),
        ("yandexgpt/rc@tamr4", "yandexgpt/rc@tuned", None),
        ("qwen3-235b-a22b-fp8/latest", "qwen3-235b-a22b-fp8", "openai_chat"),
        ("gpt://b1g/gemma-3-27b-it/latest", "gemma-3-27b-it", "openai_chat"),
    ],
)
def test_names(card: Card, name: str, found: str, dialect: str | None) -> None:
    model = find_model(card, name)

    assert model is not None
    assert (model.id, model.dialect) == (found, dialect)


def test_what_a_tuning_costs_is_not_known_whatever_its_base_costs(card: Card) -> None:
    tuned = [one for one in card.models if one.tuned_from is not None]

    assert len(tuned) == 8
    for one in tuned:
        base = find_model(card, one.tuned_from or "")
        assert base is not None
        assert base.prices
        assert one.prices == ()
        assert one.context == base.context


def test_a_branch_that_the_card_does_not_know_is_not_taken_for_another(card: Card) -> None:
    assert find_model(card, "yandexgpt/deprecated") is None


@pytest.mark.usefixtures("home")
def test_bare_names() -> None:
    """Of its own models; those of others mean their makers."""
    assert resolve("yandexgpt", settings.load()).provider == "yandexgpt"
    assert resolve("aliceai-llm", settings.load()).provider == "yandexgpt"


@pytest.mark.parametrize(
    ("stated", "level", "days"),
    [
        ({}, Level.ZERO_RETENTION, 0),
        ({"mode": "async"}, Level.UNKNOWN, 3),
        ({"data_logging": "allow"}, Level.UNKNOWN, None),
        ({"data_logging": "allow", "mode": "async"}, Level.UNKNOWN, None),
    ],
)
def test_what_is_kept_follows_the_settings(
    card: Card, stated: dict[str, str], level: Level, days: int | None
) -> None:
    own = Settings(providers={"yandexgpt": ProviderSettings(extra=stated)})
    day = date(2026, 11, 25)
    url = card.endpoint.base_url
    verdict = judge(card, None, base_url=url, loaded=Loaded(own, {}), today=day)

    assert (verdict.level, verdict.retention_days, verdict.region) == (level, days, "RU")


def test_a_header_waits_for_the_settings_it_names() -> None:
    one = Card(
        card=1, id="a", name="A", kind="api", dialect="openai_chat",
        endpoint=Endpoint(base_url="https://a.example"),
        headers=(
            Header(name="x-both", value="{one}/{two}"),
            Header(name="x-when", value="yes", when={"one": "1"}),
            Header(name="x-always", value="always"),
        ),
    )  # fmt: skip

    assert card_headers(one, {}) == {"x-always": "always"}
    assert card_headers(one, {"one": "2"}) == {"x-always": "always"}
    assert card_headers(one, {"one": "1", "two": "{one}"}) == {
        "x-both": "1/{one}", "x-when": "yes", "x-always": "always"
    }  # fmt: skip
