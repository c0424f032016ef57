"""Budgets and rates as the user meets them: what is refused before a byte leaves, what is counted,
and what stays counted. A card of the test's own has prices that are easy to multiply: a token of
the prompt costs 0.0001 USD, one of the answer 0.001."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Llmctl, Result, Running
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT

CARD = """\
card = 1
id = "acme"
name = "Acme AI"
kind = "api"
dialect = "openai_chat"
expected_output = 500

[endpoint]
base_url = "{url}"

[auth]
kind = "key"
env = ["ACME_API_KEY"]

[quirks]
max_tokens_field = "max_tokens"

[[models]]
id = "mock"
match = ["mock-fault-*"]
output_limit = 64000

[[models.prices]]
since = "2020-01-01"
currency = "USD"
input = "100"
output = "1000"
source = {{ title = "Acme, prices", checked = "2026-11-01" }}

[[models]]
id = "unpriced"
"""
SCHEMA = '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'
ZERO = Decimal(0)
ENDLESS = ("--max-tokens", "100", "-m", "acme/mock-fault-endless", "hello there")
USUAL = 500  # tokens, as the card says

pytestmark = pytest.mark.usefixtures("warm", "card")


@pytest.fixture
def card(llmctl: Llmctl, sim: Simulator) -> None:
    file = llmctl.config / "providers" / "acme.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CARD.format(url=sim.openai_url), encoding="utf-8")
    llmctl.env["ACME_API_KEY"] = "acme" + "7" * 20
    llmctl.env["LLMCTL_DEFAULTS__MODEL"] = "acme/mock"


def per_day(llmctl: Llmctl, amount: str) -> None:
    (llmctl.config / "config.toml").write_text(f'[budget]\nper_day = "{amount}"\n')


def stands(llmctl: Llmctl) -> tuple[Decimal, Decimal]:
    """What the budget of the day has spent and reserved."""
    [one] = [
        one
        for one in llmctl.run("cost", "budgets", "--json").json["budgets"]
        if (one["window"], one["provider"]) == ("day", None)
    ]
    return Decimal(one["spent"]), Decimal(one["reserved"])


def cost_of(result: Result) -> Decimal:
    """By the tokens that the answer reports."""
    usage = result.json["usage"]
    read, written = Decimal(usage["input_tokens"]), Decimal(usage["output_tokens"])
    return read * Decimal("0.0001") + written * Decimal("0.001")


def test_without_a_budget_there_is_no_file(llmctl: Llmctl) -> None:
    assert llmctl.run("hello there").code == 0
    assert not (llmctl.data / "state.db").exists()


def test_a_local_model_needs_no_money(llmctl: Llmctl) -> None:
    per_day(llmctl, "0 USD")

    result = llmctl.run("-m", "llamacpp/mock", "--max-cost", "0 USD", "hello there")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert not (llmctl.data / "state.db").exists()


def test_what_answers_cost_adds_up(llmctl: Llmctl) -> None:
    per_day(llmctl, "2 USD")

    costs = [cost_of(llmctl.run("--json", "--max-tokens", "50", "hello there")) for _n in range(2)]

    assert costs[0] > Decimal("0.001") * len(PIECES)
    assert stands(llmctl) == (sum(costs), ZERO)
    shown = llmctl.run("cost", "budgets")
    assert shown.code == 0
    assert "config.toml:2" in shown.out


def test_what_does_not_fit_is_refused_and_not_sent(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--max-cost", "0.05 USD", "--max-tokens", "60", "hello there")

    assert (result.code, result.out, sim.calls) == (5, "", [])
    assert "0.05 USD (flag --max-cost)" in result.err
    fits = int(result.err.partition("--max-tokens ")[2].split()[0])
    assert 16 <= fits < 50
    flags = ("--max-cost", "0.05 USD", "--max-tokens")
    assert llmctl.run(*flags, str(fits + 1), "hello there").code == 5
    assert llmctl.run(*flags, str(fits), "hello there").code == 0
    assert [one.json["max_tokens"] for one in sim.calls] == [fits]


def test_the_answer_is_bounded_by_what_is_left(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--max-cost", "0.05 USD", "hello there")
    assert (result.code, result.out) == (0, TEXT + "\n")
    sent = sim.calls[-1].json["max_tokens"]
    assert 16 <= sent < 50
    assert f"at most {sent} tokens" in result.err

    per_day(llmctl, "100 USD")
    result = llmctl.run("-q", "hello there")
    assert sim.calls[-1].json["max_tokens"] == USUAL


def test_an_answer_cut_by_such_a_limit_is_incomplete(llmctl: Llmctl) -> None:
    cut = llmctl.run("--max-cost", "1 USD", "-m", "acme/mock-fault-length", "hello there")
    assert (cut.code, cut.out) == (12, TEXT + "\n")
    assert f"cut at {USUAL} tokens" in cut.err
    assert "budget" in cut.err

    own = (
        "--max-cost",
        "1 USD",
        "--max-tokens",
        "9",
        "-m",
        "acme/mock-fault-length",
        "hello there",
    )
    assert llmctl.run(*own).code == 0


def test_an_unknown_price_is_refused_unless_allowed(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("-m", "acme/unpriced", "--max-cost", "1 USD", "hello there")

    result = llmctl.run(*flags)
    assert (result.code, sim.calls) == (5, [])
    assert "--allow-unknown-cost" in result.err
    assert llmctl.run("--allow-unknown-cost", *flags).code == 7  # it was asked: no such model
    assert len(sim.calls) == 1


def test_a_cap_in_roubles_wants_a_rate(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("--max-cost", "8.4 RUB", "--max-tokens", "90", "hello there")

    refused = llmctl.run(*flags)
    assert (refused.code, sim.calls) == (5, [])
    assert "llmctl cost rates" in refused.err

    assert llmctl.run("cost", "rates", "set", "USD/RUB", "80", "--date", "2026-01-01").code == 0
    result = llmctl.run(*flags)  # 84 roubles a dollar: 0.1 USD
    assert result.code == 0
    assert "1 USD = 80 RUB (2026-01-01, set by hand)" in result.err
    assert "days old" in result.err
    assert llmctl.run("--max-cost", "8.4 RUB", "--max-tokens", "101", "hello there").code == 5


# ---- what is never known -----------------------------------------------------------------------


def test_a_refused_key_costs_nothing(llmctl: Llmctl) -> None:
    per_day(llmctl, "1 USD")

    assert llmctl.run("-m", "acme/mock-fault-forbidden", "hello there").code == 6
    assert stands(llmctl) == (ZERO, ZERO)


def test_an_answer_cut_off_keeps_its_worst_case(llmctl: Llmctl) -> None:
    per_day(llmctl, "1 USD")

    assert llmctl.run("-m", "acme/mock-fault-cut", "--max-tokens", "100", "hello there").code == 11
    spent, reserved = stands(llmctl)
    assert (0 < spent - Decimal("0.1") < Decimal("0.01"), reserved) == (True, ZERO)


def test_a_killed_run_stays_reserved_and_is_shown(llmctl: Llmctl, sim: Simulator) -> None:
    per_day(llmctl, "0.15 USD")
    with llmctl.start(
        "-m", "acme/mock-fault-endless", "--max-tokens", "100", "hello there"
    ) as running:
        running.read_until(b" ")
        running.signal(signal.SIGKILL)
        running.end()

    spent, reserved = stands(llmctl)
    assert (spent, 0 < reserved - Decimal("0.1") < Decimal("0.01")) == (ZERO, True)
    [left] = llmctl.run("cost", "budgets", "--json").json["open"]
    assert (left["provider"], left["model"], left["process"]) == (
        "acme",
        "mock-fault-endless",
        running.process.pid,
    )
    assert "acme/mock-fault-endless" in llmctl.run("cost", "budgets").out
    sim.reset()
    assert llmctl.run("--max-tokens", "60", "hello there").code == 5
    assert sim.calls == []


def test_an_interrupted_run_counts_its_worst_case(llmctl: Llmctl) -> None:
    per_day(llmctl, "1 USD")
    with llmctl.start(
        "-m", "acme/mock-fault-endless", "--max-tokens", "100", "hello there"
    ) as running:
        running.read_until(b" ")
        running.signal(signal.SIGINT)
        assert running.end().code == 130

    spent, reserved = stands(llmctl)
    assert (spent > Decimal("0.1"), reserved) == (True, ZERO)


def test_trying_again_needs_money_where_the_first_try_may_be_billed(
    llmctl: Llmctl, sim: Simulator
) -> None:
    flags = ("--max-tokens", "100", "-m", "acme/mock-fault-504-once", "hello there")

    refused = llmctl.run("--max-cost", "0.15 USD", *flags)
    assert (refused.code, len(sim.calls)) == (10, 1)
    assert "may be billed" in refused.err

    sim.reset()
    per_day(llmctl, "1 USD")
    before = stands(llmctl)[0]
    assert 0 < before - Decimal("0.1") < Decimal("0.01")
    done = llmctl.run("--json", *flags)
    assert (done.code, len(sim.calls)) == (0, 2)
    spent = stands(llmctl)[0] - before - cost_of(done)
    assert 0 < spent - Decimal("0.1") < Decimal("0.01")

    sim.reset()
    busy = ("--max-tokens", "100", "-m", "acme/mock-fault-503-once", "hello there")
    assert llmctl.run("--max-cost", "0.15 USD", *busy).code == 0
    assert len(sim.calls) == 2


def test_repair_shares_the_limit_of_its_command(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("--repair", "--schema", SCHEMA, "--max-tokens", "100", "Name a fruit")
    model = ("-m", "acme/mock-fault-no-schema")

    assert llmctl.run("--max-cost", "0.5 USD", *model, *flags).code == 0
    assert len(sim.calls) == 2

    sim.reset()
    once = llmctl.run("--max-cost", "0.12 USD", *model, *flags)
    assert (once.code, len(sim.calls)) == (14, 1)
    assert "0.12 USD" in once.err


# ---- many at once ------------------------------------------------------------------------------


def test_eight_processes_keep_to_the_budget(llmctl: Llmctl, sim: Simulator) -> None:
    """Each may cost a little over 0.1 USD, and three times that fit into 0.35. Their answers do not
    end, so none is settled while the others ask."""
    per_day(llmctl, "0.35 USD")
    with ExitStack() as stack:
        started = [stack.enter_context(llmctl.start(*ENDLESS)) for _number in range(8)]
        answered = [one for one in started if begins(one)]
        assert len(answered) == 3
        assert len(sim.calls) == 3
        assert stands(llmctl)[1] <= Decimal("0.35")
        for one in answered:
            one.signal(signal.SIGINT)
        codes = sorted(one.end().code for one in started)

    assert codes == [5] * 5 + [130] * 3
    spent, reserved = stands(llmctl)
    assert Decimal("0.3") < spent <= Decimal("0.35")
    assert reserved == 0


def begins(running: Running) -> bool:
    """Whether text comes, and not the end."""
    try:
        running.read_until(b" ")
    except TimeoutError:
        assert running.process.wait(30) == 5
        return False
    return True


# ---- a dear prompt -----------------------------------------------------------------------------

LONG = "word " * 12_000  # over 10,000 tokens at 0.0001


def test_a_script_is_told_what_a_long_prompt_may_cost(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run(stdin=LONG.encode())

    assert (result.code, len(sim.calls)) == (0, 1)
    assert "the prompt alone may cost" in result.err
    assert "--max-cost" in result.err
    assert llmctl.run("-q", stdin=LONG.encode()).err == ""


@pytest.mark.parametrize(
    ("typed", "code", "asked"), [(b"n\n", 5, 0), (b"y\n", 0, 1), (b"\n", 5, 0)]
)
def test_on_a_terminal_it_is_asked_about(
    llmctl: Llmctl, sim: Simulator, typed: bytes, code: int, asked: int
) -> None:
    result = llmctl.on_terminal(LONG, typed=typed)

    assert b"the prompt alone may cost" in result.stdout
    assert b"[y/N]" in result.stdout
    assert (result.code, len(sim.calls)) == (code, asked)


def test_on_a_terminal_it_is_not_asked_with_no_input(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.on_terminal("--no-input", LONG)

    assert b"[y/N]" not in result.stdout
    assert (result.code, len(sim.calls)) == (0, 1)


# ---- rates -------------------------------------------------------------------------------------

LIST = (
    '<?xml version="1.0" encoding="windows-1251"?>'
    '<ValCurs Date="21.11.2026" name="Foreign Currency Market">'
    '<Valute ID="R01235"><NumCode>840</NumCode><CharCode>USD</CharCode><Nominal>1</Nominal>'
    "<Name>Доллар США</Name><Value>81,9012</Value><VunitRate>81,9012</VunitRate></Valute>"
    '<Valute ID="R01375"><NumCode>156</NumCode><CharCode>CNY</CharCode><Nominal>10</Nominal>'
    "<Name>Юаней</Name><Value>114,2030</Value><VunitRate>11,4203</VunitRate></Valute>"
    "</ValCurs>"
).encode("windows-1251")


@contextmanager
def bank(document: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A server of the list: its address, and what it was asked."""
    asked: list[str] = []

    class Serving(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-type", "application/xml; charset=windows-1251")
            self.send_header("content-length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Serving) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/scripts/XML_daily.asp", asked
        server.shutdown()
        thread.join()


def rates(llmctl: Llmctl) -> list[tuple[str, str, str, str]]:
    found = llmctl.run("cost", "rates", "list", "--json").json["rates"]
    return [(one["pair"], one["rate"], one["date"], one["origin"]) for one in found]


def test_rates_are_fetched_and_kept(llmctl: Llmctl) -> None:
    assert rates(llmctl) == []
    with bank(LIST) as (url, asked):
        result = llmctl.run("cost", "rates", "update", env={"LLMCTL_NETWORK__RATES_URL": url})

    assert (result.code, asked) == (0, ["/scripts/XML_daily.asp"])
    assert "1 USD = 81.9012 RUB (2026-11-21, Bank of Russia)" in result.out
    stored = [
        ("CNY/RUB", "11.4203", "2026-11-21", "stored"),
        ("USD/RUB", "81.9012", "2026-11-21", "stored"),
    ]
    assert rates(llmctl) == stored
    llmctl.run("cost", "rates", "set", "USD/RUB", "90", "--date", "2026-11-25")
    assert rates(llmctl) == [stored[0], ("USD/RUB", "90", "2026-11-25", "settings")]


def test_rates_are_read_from_a_file(llmctl: Llmctl, tmp_path: Path) -> None:
    file = tmp_path / "XML_daily.xml"
    file.write_bytes(LIST)

    assert llmctl.run("cost", "rates", "update", "--from", str(file)).code == 0
    assert [pair for pair, *_rest in rates(llmctl)] == ["CNY/RUB", "USD/RUB"]
    assert llmctl.run("cost", "rates", "update", "--from", str(tmp_path / "none")).code == 2


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [(b"<html>Sign in</html>", 200, 10), (b"", 200, 10), (LIST, 503, 10), (LIST, 404, 7)],
)
def test_what_is_no_list_leaves_the_rates_alone(
    llmctl: Llmctl, tmp_path: Path, document: bytes, status: int, code: int
) -> None:
    file = tmp_path / "XML_daily.xml"
    file.write_bytes(LIST)
    llmctl.run("cost", "rates", "update", "--from", str(file))

    with bank(document, status) as (url, _asked):
        result = llmctl.run("cost", "rates", "update", env={"LLMCTL_NETWORK__RATES_URL": url})

    assert result.code == code
    assert "hint:" in result.err
    assert len(rates(llmctl)) == 2


def test_a_policy_that_lets_nothing_leave_forbids_the_question(llmctl: Llmctl) -> None:
    (llmctl.config / "config.toml").write_text('[policy]\nmax_level = "device"\n')

    result = llmctl.run("cost", "rates", "update")

    assert (result.code, result.out) == (4, "")
    assert "config.toml:2" in result.err
    assert "www.cbr.ru" in result.err
