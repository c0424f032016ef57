import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from llmctl.cli.cost_report import ending, report
from llmctl.cli.cost_report_shown import harmless
from llmctl.cli.cost_what_if import watts
from llmctl.cost.rates import NoRate
from llmctl.errors import LlmctlError, NotFound, UsageError
from llmctl.store.ledger import Ledger
from llmctl.types import Cost, CostKind, Latency, Level, Usage, Verdict
from tests.unit.store.shared import chat, failed, receipt

app = typer.Typer()
app.command()(report)

CARD = """
card = 1
id = "shop"
name = "Shop"
kind = "api"
dialect = "openai_chat"

[endpoint]
base_url = "https://shop.example/v1"

[source]
title = "made for a test"
checked = "2026-11-01"

[[models]]
id = "big"
tokenizer = "one"

[[models.prices]]
since = "2026-01-01"
currency = "USD"
vat = "excluded"
input = "2"
output = "10"
source = { title = "price list", checked = "2026-11-01" }

[[models]]
id = "same"
tokenizer = "one"

[[models.prices]]
since = "2026-01-01"
currency = "USD"
input = "1"
output = "5"
source = { title = "price list", checked = "2026-11-01" }

[[models]]
id = "other"
tokenizer = "two"

[[models.prices]]
since = "2026-01-01"
currency = "USD"
input = "1"
output = "5"
source = { title = "price list", checked = "2026-11-01" }

[[models]]
id = "free-to-guess"
"""
HERE = Verdict(allowed=True, level=Level.DEVICE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANGUAGE", "en")
    (tmp_path / "config" / "providers").mkdir(parents=True)
    (tmp_path / "config" / "providers" / "shop.toml").write_text(CARD)
    return tmp_path


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with Ledger(home / "data" / "ledger.db", retention_days=None) as opened:
        yield opened


@pytest.fixture
def kept(ledger: Ledger) -> Ledger:
    """Two days of two models: 0.3 USD, of which 0.1 reported, 12.5 RUB, one price unknown, one
    answer from this machine, one that never came."""
    tags = {"project": "shop", "tag": "nightly"}
    big = {"requested": "shop/big", "provider": "shop", "resolved": "big"}
    ledger.record(
        receipt(
            "a", **big, started_at="2026-11-01T23:59:59Z", usage=Usage(1000, 500, 100, None, 20),
            cost=Cost("0.1", "USD", CostKind.REPORTED),
        ),
        chat(), tags=tags,
    )  # fmt: skip
    ledger.record(
        receipt(
            "b", **big, started_at="2026-11-02T00:00:00Z", usage=Usage(1000, 500),
            cost=Cost("0.2", "USD", CostKind.COMPUTED),
        ),
        chat(), tags={"project": "shop"},
    )  # fmt: skip
    ledger.record(
        receipt("c", started_at="2026-11-02T10:00:00Z", usage=Usage(10, 5),
                cost=Cost("12.5", "RUB", CostKind.COMPUTED)),
        chat(),
    )  # fmt: skip
    ledger.record(receipt("d", started_at="2026-11-02T11:00:00Z"), chat())
    ledger.record(
        receipt("e", started_at="2026-11-02T12:00:00Z", requested="local/x", provider="local",
                verdict=HERE, usage=Usage(10, 100), latency=Latency(output_tokens_per_s=50.0),
                cost=Cost("0", "USD", CostKind.COMPUTED)),
        chat(),
    )  # fmt: skip
    ledger.record(failed("f"), chat())
    return ledger


def printed(*arguments: str) -> str:
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False, terminal_width=80)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def document(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--json"))


def refused(kind: type[LlmctlError], *arguments: str) -> LlmctlError:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    return caught.value


def test_the_table_has_a_line_a_day_and_one_of_all(kept: Ledger) -> None:
    lines = printed().splitlines()

    assert lines[0].split() == [
        "day", "runs", "failed", "in", "cached", "out", "reasoning", "cost"
    ]  # fmt: skip
    assert lines[1].split() == ["2026-11-01", "1", "0", "1000", "100", "500", "20", "0.10", "USD"]
    assert lines[2].split()[:6] == ["2026-11-02", "4", "0", "1020", "0", "605"]
    assert lines[2].endswith("≥ 12.50 RUB + 0.20 USD")
    assert lines[4].split()[:2] == ["total", "6"]
    assert lines[6] == "Cost: ≥ 12.50 RUB + 0.30 USD, runs unpriced: 1"
    assert lines[7] == (
        "Stated by providers: 0.10 USD (runs: 1); computed from prices: 12.50 RUB + 0.20 USD"
        " (runs: 3)"
    )
    assert max(map(len, lines[:5])) <= 80


def test_json_has_every_key_and_money_as_text(kept: Ledger) -> None:
    told = document("--by", "provider")

    assert told["version"] == 1
    assert (told["by"], told["currency"], told["rates"]) == ("provider", None, [])
    assert (told["first"], told["last"]) == ("2026-11-01T23:59:59Z", "2026-11-24T10:00:00Z")
    assert [line["key"] for line in told["lines"]] == ["local", "openai", "shop"]
    assert told["lines"][1] == {
        "key": "openai",
        "runs": 3,
        "failed": 1,
        "unpriced": 1,
        "uncounted": 1,
        "input_tokens": 10,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
        "output_tokens": 5,
        "reasoning_tokens": 0,
        "reported_runs": 0,
        "computed_runs": 1,
        "cost": [
            {"currency": "RUB", "amount": "12.5", "reported": "0", "computed": "12.5", "runs": 1}
        ],
    }
    assert [one["amount"] for one in told["total"]["cost"]] == ["12.5", "0.3"]
    assert (told["what_if"], told["break_even"]) == ([], None)


@pytest.mark.parametrize(
    ("narrowed", "runs"),
    [
        (["--since", "2026-11-02"], 5),
        (["--until", "2026-11-01"], 1),  # that day included
        (["--until", "2026-11-02T00:00:00Z"], 1),  # that moment not
        (["-m", "BIG"], 2),
        (["--provider", "openai"], 3),
        (["--project", "shop"], 2),
        (["--tag", "nightly"], 1),
        (["--project", "shop", "--since", "2026-11-02"], 1),
    ],
)
def test_a_report_can_be_narrowed(kept: Ledger, narrowed: list[str], runs: int) -> None:
    assert document(*narrowed)["total"]["runs"] == runs


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("month", ["2026-11"]),
        ("model", ["local/x", "openai/m", "shop/big"]),
        ("project", [None, "shop"]),
        ("tag", [None, "nightly"]),
    ],
)
def test_lines_by(kept: Ledger, by: str, keys: list[str | None]) -> None:
    assert [line["key"] for line in document("--by", by)["lines"]] == keys


def test_csv_has_a_line_for_each_currency_and_can_be_summed(kept: Ledger) -> None:
    text = printed("--by", "project", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["project"], row["currency"], row["runs"], row["amount"]) for row in rows] == [
        ("", "", "3", ""),  # the one here, the one that failed, the one of an unknown price
        ("", "RUB", "1", "12.5"),
        ("shop", "USD", "2", "0.3"),
    ]
    assert sum(int(row["output_tokens"]) for row in rows) == 1105


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_name_becomes_a_formula(ledger: Ledger, name: str) -> None:
    ledger.record(receipt("a", requested="x"), chat(), tags={"tag": f'{name},"2"'})

    [row] = csv.DictReader(io.StringIO(printed("--by", "tag", "--format", "csv"), newline=""))
    assert row["tag"] == f'\'{name},"2"'
    assert harmless("gpt-6=") == "gpt-6="


def test_what_is_said_to_be_at_least_is_rounded_down(ledger: Ledger) -> None:
    for id_, amount in (("a", "1.239"), ("b", None)):
        ledger.record(receipt(id_, cost=Cost(amount, amount and "USD")), chat())

    assert "≥ 1.23 USD, runs unpriced: 1" in printed()
    assert "1.24 USD" not in printed().split("Stated", maxsplit=1)[0]


def test_a_name_cannot_drive_the_terminal(ledger: Ledger) -> None:
    ledger.record(receipt("a", requested="\x1b[2Jm", provider=None), chat())

    assert "\x1b" not in printed("--by", "model")


def test_long_names_are_cut_in_their_middle_and_figures_never(ledger: Ledger) -> None:
    name = "vendor/" + "a-very-long-name-" * 6 + "v2"
    ledger.record(
        receipt("a", requested=name, provider=None, usage=Usage(123456, 7890, 55, None, 66),
                cost=Cost("0.5", "USD", CostKind.COMPUTED)),
        chat(),
    )  # fmt: skip

    lines = printed("--by", "model").splitlines()
    assert max(map(len, lines[:3])) <= 80
    assert lines[1].startswith("vendor/")
    assert lines[1].split()[0].endswith("v2")
    assert lines[1].endswith("0.50 USD")
    assert document("--by", "model")["lines"][0]["key"] == name


def test_an_empty_ledger_is_said_to_be_so(home: Path) -> None:
    assert "holds no such run" in printed()
    assert document()["lines"] == []
    assert not (home / "data" / "ledger.db").exists()


def test_a_report_goes_into_a_file(kept: Ledger, home: Path) -> None:
    assert printed("--format", "csv", "--output", "costs.csv") == ""
    lines = (home / "costs.csv").read_bytes().split(b"\r\n")  # as RFC 4180 ends them
    assert lines[0].startswith(b"day,runs,")
    assert (lines[1].count(b","), lines[-1]) == (lines[0].count(b","), b"")


# --------------------------------------------------------------------------------------- currencies


def test_conversion_states_its_rate(
    kept: Ledger, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "config" / "config.toml").write_text(
        '[rates."USD/RUB"]\nrate = "80.5"\ndate = "2026-01-02"\nsource = "a bank"\n'
    )

    told = document("--currency", "rub")
    # 12.5 + 0.3 × 80.5
    [cost] = told["total"]["cost"]
    assert (cost["amount"], cost["currency"]) == ("36.65", "RUB")
    [rate] = told["rates"]
    assert (rate["from"], rate["to"], rate["rate"]) == ("USD", "RUB", "80.5")
    assert (rate["date"], rate["source"], rate["stale"]) == ("2026-01-02", "a bank", True)

    ran = CliRunner().invoke(app, ["--currency", "RUB"], catch_exceptions=False)
    assert "Converted: 1 USD = 80.5 RUB (2026-01-02, a bank)" in ran.stdout
    assert "days old" in ran.stderr


def test_without_a_rate_nothing_is_converted(kept: Ledger) -> None:
    error = refused(NoRate, "--currency", "CHF")
    assert "llmctl cost rates" in str(error.hint)
    refused(UsageError, "--currency", "roubles")


# ------------------------------------------------------------------------------------------ what if


def test_what_if_compares_with_what_was_paid(kept: Ledger) -> None:
    """1,000 in at 1 and 500 out at 5 USD a million are 0.0035; two such runs cost 0.3."""
    [told] = document("--project", "shop", "--what-if", "shop/same")["what_if"]

    assert (told["model"], told["currency"], told["price_date"]) == (
        "shop/same", "USD", "2026-11-01"
    )  # fmt: skip
    [paid] = told["paid"]
    assert paid == {
        "currency": "USD", "runs": 2, "amount": "0.3", "would": "0.007", "difference": "-0.293"
    }  # fmt: skip
    assert (told["approximate"], told["without_counts"]) == (0, 0)  # the same tokenizer


def test_counts_of_another_tokenizer_are_marked(kept: Ledger) -> None:
    [told] = document("--what-if", "shop/same")["what_if"]
    assert (told["runs"], told["approximate"], told["without_counts"]) == (4, 2, 1)
    [told] = document("--what-if", "shop/other")["what_if"]
    assert (told["runs"], told["approximate"]) == (4, 4)
    [told] = document("--what-if", "shop/big", "--project", "shop")["what_if"]
    assert (told["runs"], told["approximate"]) == (2, 0)

    text = printed("--what-if", "shop/same")
    assert "± counts of another tokenizer" in text
    assert "left out, without token counts: 1" in text
    [roubles] = [line for line in text.splitlines() if line.startswith("  RUB")]
    assert roubles.split()[-1] == "-"  # nothing to subtract from roubles


def test_a_model_without_a_price_is_said_to_have_none(kept: Ledger) -> None:
    [told] = document("--what-if", "shop/free-to-guess")["what_if"]
    assert (told["runs"], told["would"], told["without_price"]) == (0, None, 4)
    assert "its price is unknown" in printed("--what-if", "shop/free-to-guess")

    refused(NotFound, "--what-if", "shop/none")
    refused(UsageError, "--what-if", "nowhere")


def test_break_even_from_the_ledger(kept: Ledger) -> None:
    """The dollars alone: 0.3 USD for 1,000 tokens out; the local run of the ledger had 50 a
    second, so generating takes 20 s for every 0.3 USD."""
    narrowed = ("--project", "shop", "--until", "2026-11-10")
    flags = ("--what-if", "local/x", "--hardware", "15 USD", "--power", "200W", "--kwh", "0.9 USD")
    even = document(*narrowed, *flags)["break_even"]

    # From 2026-11-01T23:59:59 to the end of the 10th are 777,601 s, 9.0000116 days; a month of
    # 30.4375 days is 3.381940 times as much.
    assert (even["days"], even["is_guess"], even["currency"]) == (9.0, False, "USD")
    assert even["api_per_month"] == "1.014582"
    assert even["output_tokens_per_month"] == 3381
    assert (even["hours_from"], even["tokens_per_s"]) == ("always", None)  # none of that project
    # Day and night: 730.5 h × 0.2 kW × 0.9 = 131.49, more than it saves.
    assert (even["energy_per_month"], even["months"], even["month"]) == ("131.49", None, None)
    assert "never" in printed(*narrowed, *flags)

    even = document(*narrowed, *flags, "--tokens-per-s", "50")["break_even"]
    # 3381.94 / 50 / 3600 h × 0.2 × 0.9 = 0.003382 a month; 15 / (1.014582 - 0.003382) = 14.83…
    assert (even["hours_from"], even["energy_per_month"]) == ("given", "0.003382")
    assert even["months"] == "14.9"


def test_the_speed_comes_from_runs_of_the_same_model(kept: Ledger) -> None:
    flags = ("--what-if", "local/x", "--hardware", "15 RUB", "--provider")
    even = document(*flags, "local")["break_even"]

    assert (even["hours_from"], even["tokens_per_s"], even["api_per_month"]) == (
        "measured", 50.0, "0"
    )  # fmt: skip
    assert even["energy_per_month"] is None
    assert "not counted: give --power and --kwh" in printed(*flags, "local")


def test_hardware_and_traffic_of_two_currencies_need_a_rate(kept: Ledger) -> None:
    flags = ("--what-if", "local/x", "--hardware", "1500 USD")

    error = refused(UsageError, *flags)
    assert "--currency USD" in str(error.hint)
    assert "llmctl cost rates" in str(error.hint)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--by", "weather"],
        ["--format", "xml"],
        ["--format", "csv", "--json"],
        ["--format", "csv", "--what-if", "shop/big"],
        ["--since", "yesterday"],
        ["--until", "yesterday"],
        ["--hardware", "1500 USD"],  # of which model?
        ["--hardware", "1500 USD", "--what-if", "shop/big"],  # one that runs elsewhere
        ["--hardware", "much", "--what-if", "local/x"],
        ["--hardware", "1500 USD", "--what-if", "local/x", "--power", "200W"],
        ["--hardware", "1500 USD", "--what-if", "local/x", "--power", "hot", "--kwh", "1 USD"],
        ["--power", "200W"],
    ],
)
def test_flags_that_make_no_sense(home: Path, arguments: list[str]) -> None:
    assert refused(UsageError, *arguments).hint


@pytest.mark.parametrize(
    ("text", "power"), [("200W", 200), ("0.2 kW", 200), ("200", 200), ("0,35 кВт", 350)]
)
def test_powers(text: str, power: float) -> None:
    assert float(watts(text)) == power


def test_a_day_ends_at_its_midnight() -> None:
    assert ending("2026-11-30") == "2026-12-01T00:00:00Z"
    assert ending("2026-11-30T12:00Z") == "2026-11-30T12:00:00Z"
    assert ending("9999-12-31") == "9999-12-31T00:00:00Z"  # there is no day behind it
    assert ending(None) is None
