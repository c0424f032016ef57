"""Cards: every shipped one fits its schema, and those of users are checked like them."""

import json
from pathlib import Path

import pytest

from llmctl import catalogue, resources, settings
from llmctl.cards import Card
from llmctl.errors import ConfigError, NotFound
from llmctl.settings import ProviderSettings, Settings
from llmctl.structure import build, check

SHIPPED = sorted(one.name[:-5] for one in resources.providers().iterdir())

MINE = """
card = 1
id = "mine"
name = "Mine"
kind = "api"
dialect = "openai_chat"
any_model = true
[endpoint]
base_url = "https://llm.example.com/v1"
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", str(tmp_path / kind))
    for name in ("OPENAI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def mine(text: str, name: str = "mine") -> Path:
    file = settings.paths().config / "providers" / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("provider", SHIPPED)
def test_shipped_cards_fit(provider: str) -> None:
    table = catalogue.shipped_table(provider)
    fitting = check(Card, table)
    card = build(Card, fitting)

    assert provider == card.id
    assert list(catalogue.faults(card)) == []
    assert build(Card, table) == card  # what the start-up path reads unchecked is the same
    assert json.dumps(fitting)


@pytest.mark.parametrize("provider", SHIPPED)
def test_every_privacy_fact_and_price_has_a_source_and_a_date(provider: str) -> None:
    card = catalogue.card(provider, Settings())

    assert card.privacy
    for source in [one.source for one in card.privacy] + [
        price.source for model in card.models for price in model.prices
    ]:
        assert source.title
        assert source.checked.startswith("20")


def test_unknown_provider_gives_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        catalogue.card("opnai", Settings())
    assert "openai" in (caught.value.hint or "")


def test_a_card_of_ones_own() -> None:
    mine(MINE)

    assert catalogue.card("mine", Settings()).name == "Mine"
    assert "mine" in catalogue.provider_ids(Settings())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINE + "\n[qirks]\n", "qirks"),
        (MINE.replace("openai_chat", "klingon"), "klingon"),
        (MINE.replace('id = "mine"', 'id = "Mine-1"'), "Mine-1"),
        (MINE.replace('id = "mine"', 'id = "other"'), "other"),
        (MINE.replace('kind = "api"', 'kind = "cloud"'), "kind"),
        (MINE.replace("card = 1", "card = 2"), "card"),
        (MINE + '\n[[models]]\nid = "a"\n[[models]]\nid = "a"\n', "twice"),
        (
            MINE + '\n[[models]]\nid = "a"\n[[models.prices]]\nsince = "2026-01-01"\n'
            'currency = "USD"\ninput = "cheap"\nsource = { title = "t", checked = "2026-01-01" }\n',
            "cheap",
        ),
        (
            MINE + '\n[[privacy]]\nlevel = "device"\n'
            'source = { title = "t", checked = "last week" }\n',
            "last week",
        ),
        ("card = ", "TOML"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_is_named_with_its_fault(text: str, said: str) -> None:
    file = mine(text)

    with pytest.raises(ConfigError) as caught:
        catalogue.card("mine", Settings())
    assert said in caught.value.message
    assert str(file) in caught.value.message


def test_a_second_account_has_the_card_but_not_the_key_of_the_first() -> None:
    own = Settings(providers={"work": ProviderSettings(extends="openai")})

    card = catalogue.card("work", own)

    assert card.id == "work"
    assert card.auth.env == ()
    assert catalogue.card("openai", own).models == card.models
    assert "work" in catalogue.provider_ids(own)


def test_settings_the_card_does_not_have_are_refused() -> None:
    own = Settings(providers={"openai": ProviderSettings(extra={"folder": "x"})})

    with pytest.raises(ConfigError, match="folder"):
        catalogue.card("openai", own)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:8000", "http://box:8000"),
        ("http://box", "http://box"),
        ("https://box:1/", "https://box:1"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:99", "http://127.0.0.1:99"),
    ],
)
def test_the_address_from_the_environment(
    given: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv("OLLAMA_HOST", given)
    card = catalogue.card("ollama", Settings())

    assert url == catalogue.base_url(card, ProviderSettings())
    assert catalogue.base_url(card, ProviderSettings(base_url="http://set/")) == "http://set"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://evilapi.openai.com.example/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("http://127.0.0.1/v1", False),
    ],
)
def test_whose_host_it_is(url: str, own: bool) -> None:
    assert own == catalogue.is_own_host(catalogue.card("openai", Settings()), url)
