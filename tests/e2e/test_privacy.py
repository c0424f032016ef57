"""Privacy from the command line: what is refused, what is sent, what receipts and ledger say."""

from typing import Any

import pytest

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

PROMPT = "a question of mine"
# A card of the user's own, whose facts do not get old.
CARD = """
card = 1
id = "mine"
name = "Mine"
kind = "api"
dialect = "openai_chat"
any_model = true
[endpoint]
base_url = "{url}"
[auth]
kind = "optional-key"
env = ["MINE_KEY"]
[[controls]]
name = "keep=no"
body = "metadata.keep"
value = "no"
effect = "nothing is kept"
source = {{ title = "terms", checked = "2026-11-01" }}
[[privacy]]
level = "may-train"
trains = "yes"
retention_days = 30
human_review = "yes"
regions = ["US"]
source = {{ title = "terms", checked = "2026-11-01", expires = "2999-12-31" }}
[privacy.controls."keep=no"]
level = "no-training"
trains = "no"
retention_days = 7
human_review = "flagged"
"""

pytestmark = pytest.mark.usefixtures("warm")


@pytest.fixture(autouse=True)
def card(llmctl: Llmctl, sim: Simulator) -> None:
    folder = llmctl.config / "providers"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(CARD.format(url=sim.openai_url), encoding="utf-8")


def settings(llmctl: Llmctl, text: str) -> None:
    (llmctl.config / "config.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        (("--privacy", "zero-retention"), "its privacy level is no-training"),
        (("--local-only",), "at worst device is allowed"),
        (("--require", "region=RU"), "its region is US, not RU"),
        (("--require", "max-retention=6"), "it keeps data for 7 days, at most 6 are allowed"),
        (("--require", "no-human-review"), "people may read what is reported as abuse"),
        (("--require", "open-weights"), "its weights are not known to be open"),
        (("--require", "licence=MIT"), "the licence of its weights is unknown, not MIT"),
        (("--require", "tunable"), "not known to be trained further"),
        (("--require", "no-training", "--allow-logging"), "it may train on the data"),
        (("--require", "no-training", "-o", 'metadata={"keep": "yes"}'), "may train on the data"),
    ],
)
def test_a_refusal_names_the_rule_and_sends_nothing(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], rule: str
) -> None:
    result = llmctl.run(*flags, "-m", "mine/mock", PROMPT)

    assert (result.code, result.out, sim.requests) == (4, "", [])
    assert rule in result.err
    assert "flag --" in result.err
    assert "hint: " in result.err


def test_every_broken_rule_is_named_with_its_place(llmctl: Llmctl, sim: Simulator) -> None:
    settings(llmctl, '[policy]\nregions = ["RU"]\ndeny = ["mine"]\n')
    result = llmctl.run("--privacy", "network", "-m", "mine/mock", PROMPT)

    assert (result.code, sim.requests) == (4, [])
    for place in ("flag --privacy", "config.toml:2", "config.toml:3"):
        assert place in result.err


def test_what_is_sent_counts_and_is_on_the_receipt(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--require", "no-training", "-m", "mine/mock", "--json", PROMPT)

    privacy = result.json["privacy"]
    assert (result.code, result.json["text"]) == (0, TEXT)
    assert sim.calls[0].json["metadata"] == {"keep": "no"}
    assert (privacy["level"], privacy["controls"], privacy["retention_days"]) == (
        "no-training", ["keep=no"], 7,
    )  # fmt: skip


def test_a_flag_leaves_it_out_and_the_receipt_says_so(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--allow-logging", "-m", "mine/mock", "--json", PROMPT)

    assert "metadata" not in sim.calls[0].json
    assert (result.json["privacy"]["level"], result.json["privacy"]["controls"]) == (
        "may-train", [],
    )  # fmt: skip


def test_a_contract_is_on_every_receipt(llmctl: Llmctl) -> None:
    settings(
        llmctl,
        '[providers.mine.attest]\ntraining = "no"\nretention = 0\ndocument = "DPA 2026-03"\n'
        'until = "2999-01-01"\n',
    )
    strict = ("--privacy", "zero-retention", "-m", "mine/mock", PROMPT)
    result = llmctl.run(*strict, "--json")

    assert (result.code, result.json["privacy"]["level"]) == (0, "zero-retention")
    assert result.json["privacy"]["attested"] == [
        "training=no", "retention=0", "document=DPA 2026-03",
    ]  # fmt: skip
    settings(
        llmctl,
        '[providers.mine.attest]\ntraining = "no"\nretention = 0\nuntil = "2026-01-01"\n',
    )
    assert llmctl.run(*strict).code == 4
    assert "in force until 2026-01-01" in llmctl.run("-m", "mine/mock", PROMPT).err


def test_a_claim_of_a_card_of_ones_own_does_not_make_it_local(
    llmctl: Llmctl, sim: Simulator
) -> None:
    claims = CARD.format(url=sim.openai_url).replace('level = "may-train"', 'level = "device"')
    (llmctl.config / "providers" / "mine.toml").write_text(claims, encoding="utf-8")

    result = llmctl.run("--privacy", "network", "-m", "mine/mock", PROMPT)
    assert (result.code, sim.requests) == (4, [])


def test_a_project_may_not_speak_for_the_user(llmctl: Llmctl, sim: Simulator) -> None:
    project = llmctl.home / ".llmctl.toml"
    project.write_text('[providers.mine.attest]\ntraining = "no"\n', encoding="utf-8")
    assert (llmctl.run("-m", "mine/mock", PROMPT).code, sim.requests) == (3, [])

    project.write_text('[policy]\nregions = ["RU"]\n', encoding="utf-8")
    assert (llmctl.run("-m", "mine/mock", PROMPT).code, sim.requests) == (4, [])


def test_the_ledger_keeps_to_whom_and_where(llmctl: Llmctl) -> None:
    import sqlite3
    from contextlib import closing

    assert llmctl.run("-m", "mine/mock", PROMPT).code == 0
    with closing(sqlite3.connect(next(llmctl.data.glob("*.db")))) as ledger:
        (packed,) = ledger.execute("SELECT facts FROM runs").fetchone()

    import json

    verdict: Any = json.loads(packed)["verdict"]
    assert (verdict["host"], verdict["level"], verdict["regions"]) == (
        "127.0.0.1", "no-training", ["US"],
    )  # fmt: skip


def test_list_and_explain(llmctl: Llmctl, sim: Simulator) -> None:
    listed = llmctl.run("privacy", "list", "--json").json
    assert listed["version"] == 1
    mine = next(one for one in listed["providers"] if one["provider"] == "mine")
    assert (mine["level"], mine["regions"], mine["trains"]) == ("no-training", ["US"], "no")

    table = llmctl.run("privacy", "list")
    assert table.code == 0
    assert len(table.out.splitlines()) == len(listed["providers"]) + 3

    told = llmctl.run("privacy", "explain", "mine/mock")
    assert told.code == 0
    for text in ("no-training", "keep=no (sent)", "US", "terms", "your own card"):
        assert text in told.out
    known = llmctl.run("privacy", "explain", "mine/mock", "--json").json
    assert (known["version"], known["level"], known["allowed"]) == (1, "no-training", True)
    assert sim.requests == []


def test_explain_of_nothing_names_the_next_command(llmctl: Llmctl) -> None:
    result = llmctl.run("privacy", "explain", "nobody/nothing")

    assert result.code in (2, 7)
    assert "hint: " in result.err


CLOUD = "gpt-oss:120b-cloud"


@pytest.mark.parametrize(
    ("flags", "around", "said"),
    [
        (
            ("--require", "no-training", "-m", "openai/gpt-6-luna"),
            {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": " HTTP://api.openai.com/v1 "},
            "its privacy level is unknown",
        ),
        (("--local-only", "-m", f"vllm/{CLOUD}"), {}, "only passes this model on to a cloud"),
        (("--local-only", "-m", f"lmstudio/{CLOUD}"), {}, "only passes this model on to a cloud"),
        (
            ("--require", "region=US", "-m", "mine/mock", "-o", "plugins={}"), {},
            "its region is unknown, not US",
        ),
        (
            ("--privacy", "may-train", "-m", "mine/mock", "-o", 'tools=[{"type": "web_search"}]'),
            {}, "llmctl does not know the option tools: web_search",
        ),
    ],
)  # fmt: skip
def test_a_claim_that_is_too_good_lets_nothing_through(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], around: dict[str, str], said: str
) -> None:
    for name in ("OPENAI", "VLLM", "LMSTUDIO"):
        base_url = sim.openai_url
        llmctl.env[f"LLMCTL_PROVIDERS__{name}__BASE_URL"] = base_url
    llmctl.env |= around
    result = llmctl.run(*flags, PROMPT)

    assert (result.code, result.out, sim.requests) == (4, "", [])
    assert said in result.err


def test_an_allowed_name_at_another_address_is_not_allowed(llmctl: Llmctl, sim: Simulator) -> None:
    settings(llmctl, '[policy]\nallow = ["openai"]\n')
    llmctl.env["LLMCTL_PROVIDERS__OPENAI__BASE_URL"] = sim.openai_url
    result = llmctl.run("-m", "openai/mock", PROMPT)

    assert (result.code, sim.requests) == (4, [])
    assert "is not a host of OpenAI" in result.err


@pytest.mark.parametrize("option", ['models=["a/b"]', "preset=fast"])
def test_no_option_sends_to_another_model(llmctl: Llmctl, sim: Simulator, option: str) -> None:
    result = llmctl.run("-m", "mine/mock", "-o", option, PROMPT)

    assert (result.code, sim.requests) == (2, [])
    assert "is no option" in result.err
