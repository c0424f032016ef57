"""Keys of another provider, told before they are sent."""

import json
from pathlib import Path

import pytest

from llmctl import catalogue, settings
from llmctl.cards import Card
from llmctl.errors import AuthFailed
from llmctl.keys import Secret
from llmctl.keys.foreign import refuse_foreign
from llmctl.settings import ProviderSettings
from llmctl.values import replace
from tests.generated import CONFIG

TAIL = "7f" * 20
HOME = "https://api.openai.com/v1"
OWN = ProviderSettings()


def refuse(card: Card, prefix: str, own: ProviderSettings = OWN, url: str = HOME) -> None:
    refuse_foreign(card, own, url, Secret(prefix + TAIL, "OPENAI_API_KEY"))


@pytest.mark.parametrize(
    ("prefix", "owner"), [("sk-ant-", "anthropic"), ("AIza", "gemini"), ("hf_", "huggingface"),
                          ("gsk_", "groq"), ("xai-", "xai"), ("sk-or-", "openrouter")]
)  # fmt: skip
def test_a_key_of_another_provider_is_refused(card: Card, prefix: str, owner: str) -> None:
    with pytest.raises(
        AuthFailed, match=f"from OPENAI_API_KEY looks like one of {owner}"
    ) as caught:
        refuse(card, prefix)

    assert caught.value.reason == "foreign-key"
    assert f"-m {owner}/MODEL" in (caught.value.hint or "")
    assert TAIL not in str(caught.value) + (caught.value.hint or "")


@pytest.mark.parametrize("prefix", ["sk-proj-", "sk-svcacct-", "sk-", "", "SK-ANT-", " sk-ant-"])
def test_a_key_of_its_own_or_of_nobodys_shape_is_taken(card: Card, prefix: str) -> None:
    refuse(card, prefix)


def test_an_address_of_ones_own_may_want_any_key(card: Card) -> None:
    refuse(card, "sk-ant-", url="https://gateway.example/v1")
    refuse(card, "sk-ant-", url="http://127.0.0.1:4000/v1")


def test_a_local_server_is_not_looked_at(card: Card) -> None:
    refuse(replace(card, kind="local"), "sk-ant-")


def test_a_card_of_the_users_is_believed(card: Card) -> None:
    file = settings.paths().config / "providers" / "mine.toml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    silent = replace(card.auth, key_prefixes=())
    mine = replace(card, id="mine", auth=silent)

    refuse(mine, "sk-ant-")
    refuse(replace(mine, id="second"), "sk-ant-", ProviderSettings(extends="mine"))
    with pytest.raises(AuthFailed):  # which says how its keys begin
        refuse(replace(mine, auth=card.auth), "sk-ant-")
    with pytest.raises(AuthFailed):  # one that ships with us, and has keys of every shape
        refuse(replace(card, auth=silent), "sk-ant-")


def test_beginnings_do_not_overlap() -> None:
    known = json.loads((CONFIG / "key-prefixes.json").read_text("utf-8"))
    stated = [
        prefix
        for name in catalogue.provider_ids(settings.Settings())
        for prefix in catalogue.card(name, settings.Settings()).auth.key_prefixes
    ]

    assert sorted(known) == sorted(stated)
    assert not [(a, b) for a in stated for b in stated if a != b and a.startswith(b)]
    assert "sk-" not in known  # half of the world uses it


def test_a_second_account_is_looked_at_too(card: Card, folders: Path) -> None:
    account = replace(card, id="work")
    refuse(account, "sk-proj-", ProviderSettings(extends="openai"))
    with pytest.raises(AuthFailed, match="for work"):
        refuse(account, "sk-ant-", ProviderSettings(extends="openai"))
    assert not (folders / "config" / "providers").exists()
