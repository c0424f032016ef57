"""Where an answer goes: the envelope of `--json`, events, files, the ledger, a terminal."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from llmctl import __version__
from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

NONE = type(None)
NUMBER = (int, float)
MAYBE_TEXT, MAYBE_COUNT, MAYBE_SECONDS = (str, NONE), (int, NONE), (int, float, NONE)

# Key by key what the documentation promises; a mapping holds exactly these keys.
SHAPE: Mapping[str, Any] = {
    "version": int,
    "llmctl": str,
    "id": str,
    "started_at": str,
    "text": str,
    "reasoning": MAYBE_TEXT,
    "media": list,
    "model": {"requested": MAYBE_TEXT, "resolved": MAYBE_TEXT, "provider": MAYBE_TEXT},
    "finish_reason": MAYBE_TEXT,
    "tool_calls": list,
    "usage": {
        "input_tokens": MAYBE_COUNT,
        "output_tokens": MAYBE_COUNT,
        "cached_tokens": MAYBE_COUNT,
        "cache_write_tokens": MAYBE_COUNT,
        "reasoning_tokens": MAYBE_COUNT,
        "source": MAYBE_TEXT,
    },
    "cost": {
        "amount": MAYBE_TEXT,
        "currency": MAYBE_TEXT,
        "kind": str,
        "price_source": MAYBE_TEXT,
        "price_date": MAYBE_TEXT,
        "unknown_because": MAYBE_TEXT,
    },
    "latency": {
        "auth_s": MAYBE_SECONDS,
        "connect_s": MAYBE_SECONDS,
        "reused": bool,
        "first_byte_s": MAYBE_SECONDS,
        "ttft_s": MAYBE_SECONDS,
        "total_s": MAYBE_SECONDS,
        "waited_s": NUMBER,
        "load_s": MAYBE_SECONDS,
        "output_tokens_per_s": MAYBE_SECONDS,
        "server": (dict, NONE),
    },
    "privacy": {
        "level": MAYBE_TEXT,
        "region": MAYBE_TEXT,
        "retention_days": MAYBE_COUNT,
        "controls": list,
        "attested": list,
        "redactions": dict,
        "facts_checked": MAYBE_TEXT,
    },
    "request_id": MAYBE_TEXT,
    "attempts": int,
    "details": dict,
    "error": (dict, NONE),
}
FAILURE: Mapping[str, Any] = {
    "code": str,
    "exit_code": int,
    "reason": MAYBE_TEXT,
    "retryable": bool,
    "provider": MAYBE_TEXT,
    "status": MAYBE_COUNT,
    "message": str,
    "retry_after_s": MAYBE_SECONDS,
    "request_id": MAYBE_TEXT,
    "hint": MAYBE_TEXT,
}


@pytest.fixture(autouse=True)
def default_model(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_DEFAULTS__MODEL"] = "openai/mock"


def check(value: Mapping[str, Any], shape: Mapping[str, Any] = SHAPE, path: str = "") -> None:
    assert set(value) == set(shape), path
    for key, kind in shape.items():
        if isinstance(kind, Mapping):
            check(value[key], kind, f"{path}.{key}")
        else:
            assert isinstance(value[key], kind), f"{path}.{key}"


def test_the_envelope_of_a_success(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "openai/gpt-6-luna", "--json", "hello there")

    assert (result.code, result.err) == (0, "")
    assert result.stdout.count(b"\n") == 1
    found = result.json
    check(found)
    assert (found["version"], found["llmctl"], found["text"]) == (1, __version__, TEXT)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["started_at"])
    assert found["model"] == {
        "requested": "openai/gpt-6-luna",
        "resolved": "gpt-6-luna-2026-09-01",
        "provider": "openai",
    }
    assert (found["finish_reason"], found["attempts"], found["error"]) == ("stop", 1, None)
    usage = found["usage"]
    # The simulator counts a token for eight bytes of the request, and one for each of its pieces.
    assert usage["input_tokens"] == len(sim.calls[-1].body) // 8
    assert (usage["output_tokens"], usage["cached_tokens"]) == (4, 0)
    assert (usage["cache_write_tokens"], usage["source"]) == (None, "reported")
    assert (found["cost"]["amount"], found["cost"]["kind"]) == (None, "unknown")
    latency = found["latency"]
    steps = [latency[name] for name in ("connect_s", "first_byte_s", "ttft_s", "total_s")]
    assert steps == sorted(steps)
    assert 0 < latency["total_s"] < result.seconds
    assert found["privacy"]["level"] == "unknown"  # an address of one's own


def test_the_envelope_of_a_local_server(llmctl: Llmctl) -> None:
    found = llmctl.run("-m", "ollama/mock", "--json", "hello there").json

    check(found)
    assert (found["cost"]["amount"], found["cost"]["currency"]) == ("0", "USD")
    assert (found["privacy"]["level"], found["privacy"]["retention_days"]) == ("device", 0)
    # Ollama's last line says 400, 100 and 80 ms of 900, and four tokens in those 80 ms.
    assert found["latency"]["load_s"] == 0.4
    assert found["latency"]["server"] == {"prompt_s": 0.1, "output_s": 0.08, "total_s": 0.9}
    assert found["latency"]["output_tokens_per_s"] == 50.0


def test_the_envelope_of_a_failure_at_the_provider(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "openai/mock-fault-quota", "--json", "hello there")

    assert result.code == 8
    check(result.json)
    check(result.json["error"], FAILURE)
    error = result.json["error"]
    assert (error["code"], error["exit_code"], error["reason"]) == ("rate-limited", 8, "quota")
    assert (error["retryable"], error["provider"], error["status"]) == (False, "openai", 429)
    assert "exceeded your current quota" in error["message"]
    assert error["request_id"] == "req-sim-1"
    assert (result.json["text"], result.json["finish_reason"]) == ("", None)
    assert "exceeded your current quota" in result.err


def test_the_envelope_of_an_answer_cut_off_has_its_text(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "openai/mock-fault-cut", "--json", "hello there")

    assert result.code == 11
    check(result.json)
    assert result.json["text"] == "Blue light scatters "
    assert result.json["error"]["code"] == "cut-off"


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (("-m", "opnai/x", "hello there"), 2, "usage"),
        (("--bogus", "hello there"), 2, "usage"),
        (("--schema", "[", "hello there"), 2, "usage"),
        (("-t", "nothing-like-it", "hello there"), 7, "not-found"),
        (("--local-only", "hello there"), 4, "privacy-refused"),
        (("--output", "no/such/folder/x", "hello there"), 18, "io"),
        ((), 2, "usage"),
    ],
)
def test_the_envelope_of_what_was_never_sent(
    llmctl: Llmctl, sim: Simulator, arguments: tuple[str, ...], code: int, name: str
) -> None:
    result = llmctl.run("--json", *arguments)

    assert (result.code, sim.requests) == (code, [])
    check(result.json)
    check(result.json["error"], FAILURE)
    assert (result.json["error"]["code"], result.json["error"]["exit_code"]) == (name, code)
    assert (result.json["text"], result.json["attempts"]) == ("", 0)
    assert result.err.startswith("llmctl: ")


def test_events_are_lines_between_a_start_and_a_receipt(llmctl: Llmctl) -> None:
    result = llmctl.run("--events", "hello there")
    events = [json.loads(line) for line in result.out.splitlines()]

    assert events[0]["type"] == "start"
    assert "".join(one["text"] for one in events if one["type"] == "text") == TEXT
    last = events[-1]
    assert last.pop("type") == "receipt"
    check(last)

    refused = llmctl.run("--events", "--local-only", "hello there")
    kinds = [json.loads(line)["type"] for line in refused.out.splitlines()]
    assert (refused.code, kinds) == (4, ["start", "receipt"])


def test_output_is_a_file(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--output", "answer.txt", "hello there")
    assert (result.code, result.out) == (0, "")
    assert (llmctl.home / "answer.txt").read_text("utf-8") == TEXT + "\n"

    llmctl.run("--output", "broken.txt", "-m", "openai/mock-fault-cut", "hello there")
    assert not (llmctl.home / "broken.txt").exists()
    assert (llmctl.home / "broken.txt.part").read_text("utf-8").startswith("Blue light scatters ")

    refused = llmctl.run("--output", "no/such/x", "hello there")
    assert (refused.code, len(sim.calls)) == (18, 2)
    assert "mkdir -p no/such" in refused.err


@pytest.mark.parametrize(
    ("flags", "mode"),
    [((), "full"), (("--log", "meta"), "meta"), (("--log", "off"), None), (("--no-log",), None)],
)
def test_the_ledger_keeps_what_was_said(
    llmctl: Llmctl, flags: tuple[str, ...], mode: str | None
) -> None:
    llmctl.run(*flags, "a secret question")
    kept = llmctl.run("logs", "show", "--json")

    if mode is None:
        assert kept.code == 7
    else:
        assert kept.json["log"]["mode"] == mode
        assert kept.json["text"] == (TEXT if mode == "full" else "")
    written = b"".join(one.read_bytes() for one in llmctl.data.glob("ledger*"))
    assert (b"a secret question" in written) is (mode == "full")


def test_no_key_and_no_prompt_stands_where_others_read(llmctl: Llmctl, sim: Simulator) -> None:
    prompt = "Repeat: tetrachromacy"
    results = [
        llmctl.run("-m", f"openai/mock-fault-{fault}", "-v", *flags, prompt)
        for fault in ("key-echo", "html")
        for flags in ((), ("--json",))
    ]
    llmctl.run(prompt)

    assert {one.code for one in results} == {6, 10}
    assert sim.calls[-1].headers["authorization"] == f"Bearer {KEY}"
    for one in results:
        assert KEY not in one.out + one.err
        assert "tetrachromacy" not in one.err
    files = [
        one
        for folder in (llmctl.config, llmctl.data, llmctl.cache)
        for one in (folder, *folder.rglob("*"))
        if one.exists()
    ]
    assert any(file.name == "ledger.db" for file in files)
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file
        assert file.is_dir() or KEY.encode() not in file.read_bytes(), file


def test_limits_of_time(llmctl: Llmctl) -> None:
    whole = llmctl.run("--timeout", "0.4", "-m", "openai/mock-fault-endless", "hello there")
    assert whole.code == 11
    assert (
        "--timeout"
        in llmctl.run("--timeout", "0.3", "-m", "openai/mock-fault-no-head", "hello there").err
    )

    silent = llmctl.run("--idle-timeout", "0.3", "-m", "openai/mock-fault-no-head", "hello there")
    assert silent.code == 9
    assert "--idle-timeout" in silent.err


def test_verbose_adds_a_traceback_and_nothing_else_does(llmctl: Llmctl) -> None:
    flags = ("-m", "openai/mock-fault-no-model", "hello there")

    assert "Traceback" not in llmctl.run(*flags).err
    assert "Traceback" in llmctl.run("-v", *flags).err


# --------------------------------------------------------------------------------------- a terminal


def test_a_terminal_gets_one_dim_line_after_the_answer(llmctl: Llmctl) -> None:
    shown = llmctl.on_terminal("-m", "ollama/mock", "hello there").stdout.decode()

    # model · cost · time · privacy level
    line = re.search(r"\x1b\[2m(.*?)\x1b\[0m\r\n$", shown)
    assert line is not None
    assert re.fullmatch(r"ollama/mock · 0 USD \(runs here\) · \d\.\d\d s · device", line[1])
    assert TEXT in shown

    assert "ollama/mock" not in llmctl.on_terminal("-q", "-m", "ollama/mock", "hi you").out
    llmctl.env["LLMCTL_OUTPUT__RECEIPT"] = "false"
    assert "ollama/mock" not in llmctl.on_terminal("-m", "ollama/mock", "hi you").out


def test_colour_is_for_terminals_that_want_it(llmctl: Llmctl) -> None:
    prompt = "Repeat: **bold** and `code`"
    # Select Graphic Rendition of ECMA-48 that sets a colour; bold and dim are none.
    colour = re.compile(r"\x1b\[(?:\d+;)*(?:[349]\d|10\d)(?:;\d+)*m")

    assert colour.search(llmctl.on_terminal(prompt).out)
    assert not colour.search(llmctl.on_terminal("--no-color", prompt).out)
    piped = llmctl.run("-m", "openai/mock-thinks", prompt)
    assert piped.out == "**bold** and `code`\n"
    assert "\x1b" not in piped.err
    llmctl.env["NO_COLOR"] = "1"
    assert not colour.search(llmctl.on_terminal(prompt).out)


def test_alone_on_a_terminal_it_says_what_there_is_and_what_to_type(
    llmctl: Llmctl, sim: Simulator
) -> None:
    shown = llmctl.on_terminal()

    assert shown.code == 0
    assert "OPENAI_API_KEY" in shown.out
    assert sim.url in shown.out
    assert 'llmctl -m openai/mock "Why is the sky blue?"' in shown.out
    assert "llmctl --help" in shown.out
    assert sim.requests == []
