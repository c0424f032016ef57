"""A new OpenAI-compatible provider is one TOML file in the user's settings folder, and no code."""

from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

CARD = """\
card = 1
id = "acme"
name = "Acme AI"
kind = "api"
dialect = "openai_chat"
default_model = "mock-acme"

[endpoint]
base_url = "{url}"

[auth]
kind = "key"
env = ["ACME_API_KEY"]

[quirks]
max_tokens_field = "max_tokens"

[[privacy]]
level = "no-training"
trains = "no"
retention_days = 0
regions = ["RU"]
source = {{ title = "Acme, terms of service", checked = "2026-11-01" }}

[[models]]
id = "mock-acme"
"""


@pytest.fixture
def card(llmctl: Llmctl, sim: Simulator) -> Path:
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CARD.format(url=sim.openai_url), encoding="utf-8")
    llmctl.env["ACME_API_KEY"] = "acme" + "7" * 20
    return file


@pytest.mark.usefixtures("card")
def test_it_answers(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "acme/mock-acme", "--max-tokens", "9", "hello there")

    assert (result.code, result.out, result.err) == (0, TEXT + "\n", "")
    assert sim.calls[-1].headers["authorization"] == "Bearer acme" + "7" * 20
    assert (sim.calls[-1].json["model"], sim.calls[-1].json["max_tokens"]) == ("mock-acme", 9)
    # A model that only one card has needs no provider before it.
    assert llmctl.run("-m", "mock-acme", "hello there").code == 0


@pytest.mark.usefixtures("card")
def test_its_facts_count(llmctl: Llmctl) -> None:
    rules = ("--require", "region=RU,max-retention=0,no-training", "--json")
    found = llmctl.run("-m", "acme/mock-acme", *rules, "hello there")
    assert found.code == 0
    privacy = found.json["privacy"]
    assert (privacy["level"], privacy["region"], privacy["retention_days"]) == (
        "no-training", "RU", 0
    )  # fmt: skip
    assert privacy["facts_checked"] == "2026-11-01"

    assert llmctl.run("-m", "acme/mock-acme", "--local-only", "hello there").code == 4


@pytest.mark.usefixtures("card")
def test_it_is_known_everywhere(llmctl: Llmctl) -> None:
    assert "Acme AI" in llmctl.run("providers", "list").out
    assert "ACME_API_KEY" in llmctl.run("keys", "list").out
    assert llmctl.run("doctor", "acme", "--live").code == 0
    del llmctl.env["ACME_API_KEY"]
    missing = llmctl.run("-m", "acme/mock-acme", "hello there")
    assert missing.code == 6
    assert "llmctl keys set acme" in missing.err
    assert "ACME_API_KEY" in missing.err


def test_a_second_account_extends_a_provider(llmctl: Llmctl, sim: Simulator) -> None:
    settings = f'[providers.openaiwork]\nextends = "openai"\nbase_url = "{sim.openai_url}"\n'
    llmctl.config.mkdir()
    (llmctl.config / "config.toml").write_text(settings, encoding="utf-8")
    key = "work" + "3" * 20
    stored = llmctl.run("keys", "set", "openaiwork", "--storage", "file", stdin=key.encode())
    assert stored.code == 0

    assert llmctl.run("-m", "openaiwork/mock", "hello there").out == TEXT + "\n"
    assert sim.calls[-1].headers["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize(
    ("wrong", "right", "key"),
    [
        ('kind = "api"', 'kind = "cloud"', "kind"),
        ('[endpoint]\nbase_url = "', '[endpoint]\nbase_ulr = "', "endpoint"),
        ("retention_days = 0", 'retention_days = "none"', "retention_days"),
        ('dialect = "openai_chat"', 'dialect = "acme_chat"', "acme_chat"),
        ('checked = "2026-11-01"', 'checked = "yesterday"', "yesterday"),
        ('id = "acme"', 'id = "other"', "other"),
        ("card = 1", "card = ", "line 1"),
    ],
)
def test_a_broken_card_is_named_with_file_and_key(
    llmctl: Llmctl, sim: Simulator, card: Path, wrong: str, right: str, key: str
) -> None:
    text = card.read_text("utf-8")
    assert wrong in text
    card.write_text(text.replace(wrong, right, 1), encoding="utf-8")

    result = llmctl.run("-m", "acme/mock-acme", "hello there")

    assert (result.code, result.out, sim.requests) == (3, "", [])
    assert str(card) in result.err
    assert key in result.err
    assert "hint:" in result.err
