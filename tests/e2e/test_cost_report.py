"""From prompts under a tag and in a project to what they cost, by the real command."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator

# Two million tokens in cost 6 USD and out 16, of "dear" 100 times as much; "mock-bare" has no
# price.
CARD = """\
card = 1
id = "acme"
name = "Acme AI"
kind = "api"
dialect = "openai_chat"

[endpoint]
base_url = "{url}"

[source]
title = "made for a test"
checked = "2026-11-01"

[[models]]
id = "mock-acme"
match = ["mock*"]

[[models.prices]]
since = "2026-01-01"
currency = "USD"
unit = 2_000_000
input = "6"
output = "16"
source = {{ title = "Acme, prices", checked = "2026-11-01" }}

[[models]]
id = "dear"

[[models.prices]]
since = "2026-01-01"
currency = "USD"
input = "300"
output = "800"
source = {{ title = "Acme, prices", checked = "2026-11-01" }}

[[models]]
id = "mock-bare"
"""
MODEL = ("-m", "acme/mock-acme")


@pytest.fixture(autouse=True)
def card(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CARD.format(url=sim.openai_url), encoding="utf-8")


def priced(usage: dict[str, int]) -> Decimal:
    return (usage["input_tokens"] * Decimal(6) + usage["output_tokens"] * Decimal(16)) / 2_000_000


def test_a_run_keeps_its_tag_and_its_project(llmctl: Llmctl, tmp_path: Path) -> None:
    """The runs' working directory is a repository, their home folder another."""
    (llmctl.home / ".git").mkdir()
    llmctl.env["HOME"] = str(tmp_path / "elsewhere")
    llmctl.run(*MODEL, "--tag", "nightly", "hello")
    llmctl.run(*MODEL, "--log", "meta", "--tag", " nightly ", "hello")
    llmctl.run(*MODEL, "hello")

    plain, meta, full = llmctl.run("logs", "list", "--json").json["runs"]
    assert plain["log"]["tags"] == {"tag": None, "project": "home"}
    assert meta["log"]["tags"] == full["log"]["tags"] == {"tag": "nightly", "project": "home"}
    assert meta["log"]["mode"] == "meta"
    shown = llmctl.run("logs", "show", full["id"], "--json").json
    assert shown["log"]["tags"]["tag"] == "nightly"
    assert str(llmctl.home).encode() not in (llmctl.data / "ledger.db").read_bytes()

    told = llmctl.run("cost", "report", "--by", "tag", "--json").json
    assert [(line["key"], line["runs"]) for line in told["lines"]] == [(None, 1), ("nightly", 2)]
    assert "--tag" in llmctl.run("logs", "explain").out
    assert llmctl.run(*MODEL, "--tag", " ", "hello").code == 2


def test_outside_a_repository_there_is_no_project(llmctl: Llmctl) -> None:
    (llmctl.home / ".git").mkdir()  # the home folder itself is none
    llmctl.run(*MODEL, "hello")

    [run] = llmctl.run("logs", "list", "--json").json["runs"]
    assert run["log"]["tags"] == {"tag": None, "project": None}


def test_the_report_sums_what_the_answers_said(llmctl: Llmctl) -> None:
    runs = [llmctl.run(*MODEL, "--json", text).json for text in ("one", "two words", "three")]
    llmctl.run("-m", "acme/mock-bare", "four")
    llmctl.run("-m", "acme/mock-fault-no-model", "five")
    exact = sum((priced(run["usage"]) for run in runs), Decimal(0))
    assert exact > 0

    told = llmctl.run("cost", "report", "--json")
    assert (told.code, told.err) == (0, "")
    total = told.json["total"]
    assert (total["runs"], total["failed"], total["unpriced"]) == (5, 1, 1)
    [cost] = total["cost"]
    assert (Decimal(cost["amount"]), cost["currency"]) == (exact, "USD")

    text = llmctl.run("cost", "report", "--by", "provider").out
    assert "≥ " in text
    assert "runs unpriced: 1" in text

    rows = csv.DictReader(io.StringIO(llmctl.run("cost", "report", "--format", "csv").out))
    amounts = [Decimal(row["amount"]) for row in rows if row["currency"]]
    assert amounts == [exact]


def test_the_same_tokens_at_another_price(llmctl: Llmctl) -> None:
    cost = priced(llmctl.run(*MODEL, "--json", "hello").json["usage"])

    [told] = llmctl.run("cost", "report", "--what-if", "acme/dear", "--json").json["what_if"]
    [paid] = told["paid"]
    assert Decimal(paid["amount"]) == cost
    assert Decimal(paid["would"]) == cost * 100
    assert Decimal(paid["difference"]) == cost * 99


def test_when_a_machine_is_paid_off(llmctl: Llmctl) -> None:
    """One run on one day: a day of it stands for 30.4375."""
    cost = priced(llmctl.run(*MODEL, "--json", "hello").json["usage"])

    flags = ("--what-if", "local/smollm2-135m", "--hardware", "1 USD")
    even = llmctl.run("cost", "report", *flags, "--json").json["break_even"]
    assert (even["days"], even["is_guess"], even["hours_from"]) == (1.0, True, "always")
    monthly = cost * Decimal("30.4375")
    assert abs(Decimal(even["api_per_month"]) - monthly) < Decimal("0.000001")
    assert abs(Decimal(even["months"]) - 1 / monthly) <= Decimal("0.1")
    assert "so this is a guess" in llmctl.run("cost", "report", *flags).out


def test_a_currency_without_a_rate_names_the_command_for_rates(llmctl: Llmctl) -> None:
    llmctl.run(*MODEL, "hello")

    refused = llmctl.run("cost", "report", "--currency", "XAU")
    assert refused.code == 3
    assert "llmctl cost rates" in refused.err
    assert refused.out == ""


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_report_on_a_terminal_fits_it(llmctl: Llmctl, language: str) -> None:
    llmctl.run("-m", "acme/mock-a-model-with-quite-a-long-name-to-be-cut-somewhere-2026-11", "hi")
    llmctl.env["LANGUAGE"] = language

    shown = llmctl.on_terminal("cost", "report", "--by", "model").out
    table = shown.splitlines()[:3]
    assert max(map(len, table)) <= 80
    assert table[1].startswith("acme/mock")
    assert table[1].endswith(" USD")
    assert any("а" <= letter <= "я" for letter in table[0]) == (language == "ru")


def test_help_has_examples(llmctl: Llmctl) -> None:
    shown = llmctl.run("cost", "report", "--help")

    assert shown.code == 0
    for flag in ("--what-if", "--hardware", "--currency", "--by", "--format"):
        assert flag in shown.out
    assert "llmctl cost report --by" in shown.out
