"""`llmctl compare` as it is typed: real models on this machine beside providers that the simulator
plays at a known pace."""

import csv
import io
import json
import os
import signal
import time
from pathlib import Path
from statistics import median
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.harness import Llmctl
from tests.llama_server import NAME, LlamaServer
from tests.simulator import Simulator

LOCAL = "local/smollm2-135m"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
QUICK = "openai/mock-fault-timed:100-10-5"
SLOW = "openai/mock-fault-timed:400-10-5"


def pair(*more: str) -> tuple[str, ...]:
    return ("compare", "Why is the sky blue?", "-m", QUICK, "-m", SLOW, *more)


@pytest.fixture
def here(llmctl: Llmctl, weights: Path, llama: LlamaServer, warm: None) -> Llmctl:
    """The command with a model pulled already, and a real llama.cpp server beside it."""
    place = Path(llmctl.env["LLMCTL_DATA_DIR"]) / "models" / "smollm2-135m" / FILE
    place.parent.mkdir(parents=True)
    os.link(weights, place)
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"
    llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = llama.openai_url
    llmctl.env["LLAMA_API_KEY"] = llama.key
    return llmctl


def test_real_models_and_providers_in_one_comparison(here: Llmctl, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    names = [LOCAL, f"llamacpp/{NAME}", QUICK, "gigachat/mock", "yandexgpt/mock"]
    models = [part for name in names for part in ("-m", name)]

    done = here.run(
        "compare", "Столица Австралии?", *models, "--repeat", "2", "--max-tokens", "12",
        "--check", "contains=word", "--prefer", "fastest", "--output", str(report), timeout=120,
    )  # fmt: skip

    assert done.code == 0, done.err
    page = report.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert all(name in page for name in names)
    assert done.stdout == b""
    shown = here.run("compare", "--show", "last", "--json")
    told = shown.json
    assert [one["name"] for one in told["summary"]] == names
    runs = [one for one in told["runs"] if not one["compare"]["warm_up"]]
    assert len(runs) == 2 * len(names)
    assert all(one["text"].strip() for one in runs)
    loads = {one["model"]["requested"]: one["latency"]["load_s"] for one in told["runs"]
             if one["latency"]["load_s"]}  # fmt: skip
    assert LOCAL in loads  # once, and in no figure
    assert len([one for one in told["runs"] if one["latency"]["load_s"]]) == 1
    levels = {one["name"]: one["privacy"]["level"] for one in told["summary"]}
    assert levels[LOCAL] == levels[f"llamacpp/{NAME}"] == "device"


def test_times_are_those_of_the_model(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    """About 100 and 400 ms to the first word and nine more of 5 ms each, as the server itself has
    measured it; the best of the runs, since a busy machine disturbs most of them."""
    begun = time.monotonic()
    done = llmctl.run(*pair("--repeat", "6", "--json"))
    seconds = time.monotonic() - begun

    assert done.code == 0, done.err
    calls = [one for one in sim.requests if "chat/completions" in one.path]
    for name in (QUICK, SLOW):
        sent = [one for one in calls if one.json["model"] == name.partition("/")[2]]
        runs = [one["latency"] for one in done.json["runs"] if one["compare"]["candidate"] == name]
        assert len(sent) == len(runs) == 7  # the warm-up with them
        connects = [one["connect_s"] or 0.0 for one in runs]
        for field, word in (("ttft_s", 0), ("total_s", -1)):
            truth = [one.sent[word] - one.at for one in sent]
            off = [abs(one[field] - connect - true)
                   for one, connect, true in zip(runs, connects, truth, strict=True)]  # fmt: skip
            assert min(off) <= max(0.010, 0.05 * median(truth)), (name, field, off)
    verdict = next(one for one in done.json["verdict"]["pairs"] if one["metric"] == "total")
    assert verdict["clear"]
    assert verdict["better"] == QUICK
    assert seconds < 7 * 0.5 * 1.05 + 3.0  # both at once, the warm-up with them, and a start


def test_a_model_against_itself(llmctl: Llmctl, warm: None) -> None:
    llmctl.env["LLMCTL_PROVIDERS__OPENAIWORK__EXTENDS"] = "openai"
    llmctl.env["LLMCTL_PROVIDERS__OPENAIWORK__BASE_URL"] = llmctl.env[
        "LLMCTL_PROVIDERS__OPENAI__BASE_URL"
    ]
    same = "openaiwork/mock-fault-timed:100-10-5"
    done = llmctl.run("compare", "hi", "-m", QUICK, "-m", same, "--repeat", "5", "--json")

    assert done.code == 0, done.err
    told = {one["metric"]: one for one in done.json["verdict"]["pairs"]}
    assert set(told) == {"ttft", "total", "tokens_per_s", "cost"}
    # That one comparison in twenty sees a difference is the promise, so this cannot ask for none.
    assert 0.8 < told["total"]["ratio"] < 1.25
    for one in told.values():
        assert one["clear"] or one["pairs"] == 0 or one["smallest"] is not None


def test_one_failure_sinks_nobody(llmctl: Llmctl, warm: None) -> None:
    done = llmctl.run("compare", "hi", "-m", QUICK, "-m", "openai/mock-fault-cut",
                      "--repeat", "2", "--format", "csv")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.out)))

    assert done.code == 15
    assert "2 of 4 runs failed (2 × cut-off)" in done.err
    assert [row["succeeded"] for row in rows] == ["2", "0"]


def test_what_failed_all_is_the_exit_code(llmctl: Llmctl, warm: None) -> None:
    done = llmctl.run(
        "compare", "hi", "-m", "openai/mock-fault-401", "-m", "openai/mock-fault-401b"
    )

    assert done.code in (6, 7), done.err


def test_policy_keeps_a_model_out_and_nothing_reaches_it(
    llmctl: Llmctl, sim: Simulator, warm: None
) -> None:
    done = llmctl.run("compare", "hi", "-m", "ollama/mock", "-m", "openai/mock", "--local-only")

    assert done.code == 0, done.err
    assert "openai/mock" in done.out
    assert not [one for one in sim.requests if "chat/completions" in one.path]

    nobody = llmctl.run("compare", "hi", "-m", "openai/mock", "-m", "gemini/mock", "--local-only")
    assert nobody.code == 4


def test_a_threshold_for_ci(llmctl: Llmctl, tmp_path: Path, warm: None) -> None:
    rows = tmp_path / "cases.jsonl"
    rows.write_text(
        '{"id":"a","prompt":"one","expected":"word"}\n'
        "not json\n"
        '{"id":"b","prompt":"two","expected":"never"}\n'
    )
    results = tmp_path / "results.xml"
    done = llmctl.run(
        "compare", "--prompts", str(rows), "-m", QUICK, "--check", "contains=@expected",
        "--min-pass", "95%", "--output", str(results),
    )  # fmt: skip

    assert done.code == 17, done.err
    suite = ET.fromstring(results.read_bytes())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_a_bad_row_is_named_and_the_others_go_on(
    llmctl: Llmctl, tmp_path: Path, warm: None
) -> None:
    rows = tmp_path / "cases.jsonl"
    rows.write_text('{"prompt":"one"}\nnot json\n{"prompt":"two"}\n')
    done = llmctl.run("compare", "--prompts", str(rows), "-m", QUICK, "-m", SLOW)

    assert done.code == 15
    assert "line 2" in done.out
    assert "1 rows were left out" in done.err


def test_variants_are_compared(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    done = llmctl.run(
        "compare", "sky", "-m", QUICK, "--variant", "Briefly: {{ input }}",
        "--variant", "At length: {{ input }}", "--json",
    )  # fmt: skip

    assert done.code == 0, done.err
    assert [one["variant"] for one in done.json["summary"]] == [
        "Briefly: {{ input }}", "At length: {{ input }}",
    ]  # fmt: skip
    sent = {one.json["messages"][-1]["content"] for one in sim.requests
            if "chat/completions" in one.path}  # fmt: skip
    assert sent == {"Briefly: sky", "At length: sky"}


def test_nothing_is_sent_by_a_dry_run(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    done = llmctl.run("compare", "hi", "-m", "openai/gpt-6-luna", "-m", "gigachat/GigaChat-2",
                      "--repeat", "3", "--dry-run", "--json")  # fmt: skip

    assert done.code == 0, done.err
    assert not sim.requests
    assert [one["runs"] for one in done.json["candidates"]] == [4, 4]


def test_what_is_kept_can_be_shown_and_repeated(llmctl: Llmctl, warm: None) -> None:
    first = llmctl.run(*pair("--json"))
    assert first.code == 0, first.err

    listed = llmctl.run("compare", "--list", "--json")
    shown = llmctl.run("compare", "--show", "last", "--json")
    again = llmctl.run("compare", "--rerun", "last", "--repeat", "2", "--json")

    assert [one["id"] for one in listed.json["comparisons"]] == [first.json["id"]]
    assert shown.json["runs"] == first.json["runs"]
    assert again.code == 0, again.err
    assert again.json["id"] != first.json["id"]
    measured = [one for one in again.json["runs"] if not one["compare"]["warm_up"]]
    assert len(measured) == 4


def test_ctrl_c_shows_what_there_is(llmctl: Llmctl, warm: None) -> None:
    running = llmctl.start(
        "compare", "hi", "-m", QUICK, "-m", "openai/mock-fault-timed:60000-2-1", "--json"
    )
    time.sleep(2.5)
    running.process.send_signal(signal.SIGINT)
    done = running.end()

    assert done.code == 130, done.err
    told = json.loads(done.stdout)
    assert told["complete"] is False
    assert [one["error"] is None for one in told["runs"]] == [True, False]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("-m", QUICK, "-m", QUICK), 2, "named twice"),
        (("-m", QUICK, "--check", "nonsense=1"), 2, "no check"),
        (("-m", QUICK, "--check", "regex=("), 2, "regular expression"),
        (("-m", QUICK, "--prefer", "prettiest"), 2, "--prefer"),
        (("-m", QUICK, "--where", "beauty>1"), 2, "--where"),
        (("-m", QUICK, "--format", "pdf"), 2, "--format"),
        (("-m", QUICK, "--min-pass", "95%"), 2, "--min-pass"),
        ((), 2, "-m"),
        (("-m", QUICK, "--output", "/proc/nowhere/r.html"), 18, "r.html"),
    ],
)
def test_bad_input_costs_nothing(
    llmctl: Llmctl, sim: Simulator, warm: None, more: tuple[str, ...], code: int, said: str
) -> None:
    done = llmctl.run("compare", "hi", *more)

    assert done.code == code, done.err
    assert said in done.err
    assert "Traceback" not in done.err
    assert not sim.requests


def test_a_judge_is_asked_twice_and_paid_apart(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    long = "openai/mock-fault-timed:10-40-1"
    done = llmctl.run(
        "compare", "hi", "-m", QUICK, "-m", long, "--judge", "gemini/mock-judges", "--json"
    )  # fmt: skip

    assert done.code == 0, done.err
    (ruling,) = done.json["rulings"]
    assert ruling["winner"] == long  # by length, whichever stands first
    assert len(ruling["runs"]) == 2
    asked = [one for one in sim.requests if "mock-judges" in one.path]
    assert len(asked) == 2
    assert [one["judged"] for one in done.json["summary"]] == [0.0, 1.0]


def test_a_judge_that_fails_is_an_error_of_its_own(llmctl: Llmctl, warm: None) -> None:
    other = "openai/mock-fault-timed:10-40-1"
    done = llmctl.run(
        "compare", "hi", "-m", QUICK, "-m", other, "--judge", "gemini/mock", "--json"
    )  # fmt: skip

    assert done.code == 15, done.err
    assert "1 of 1 pairs of answers were not judged" in done.err
    assert all(one["error"] is None for one in done.json["runs"])


def test_the_judge_is_under_the_same_policy(llmctl: Llmctl, sim: Simulator, warm: None) -> None:
    done = llmctl.run(
        "compare", "hi", "-m", "ollama/mock", "--judge", "gemini/mock-judges", "--local-only"
    )

    assert done.code == 4, done.err
    assert not sim.requests
