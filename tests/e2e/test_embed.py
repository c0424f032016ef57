"""`llmctl embed` as a process: texts in, vectors out, and what becomes of trouble."""

import json
import math
import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Llmctl, Result
from tests.llama_server import CONTEXT, NAME, LlamaServer, llama_server
from tests.simulator import Simulator
from tests.simulator.embeddings import GEMINI_SIZE, MOST_TOKENS, SIZE, vector

pytestmark = pytest.mark.usefixtures("warm")
OPENAI = "openai/mock"


def lines(result: Result) -> list[Any]:
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def texts(llmctl: Llmctl, *given: str, name: str = "texts.txt") -> str:
    path = llmctl.home / name
    path.write_text("".join(f"{one}\n" for one in given), encoding="utf-8")
    return str(path)


def near(values: list[float], text: str, size: int = SIZE) -> bool:
    return values == pytest.approx(vector(text, size), abs=1e-6)


def test_one_text(llmctl: Llmctl) -> None:
    [row] = lines(llmctl.run("embed", "-m", OPENAI, "two words"))

    assert (row["index"], row["line"], row["id"]) == (0, None, None)
    assert near(row["embedding"], "two words")


@pytest.mark.parametrize("model", [OPENAI, "gemini/mock", "ollama/mock", "llamacpp/mock"])
def test_a_file_in_several_requests(llmctl: Llmctl, sim: Simulator, model: str) -> None:
    given = [f"text {'x' * number}" for number in range(9)]
    path = texts(llmctl, *given[:4], "", *given[4:])

    rows = lines(llmctl.run("embed", "-m", model, "--file", path, "--batch-size", "2", "-j", "3"))

    size = GEMINI_SIZE if model.startswith("gemini") else SIZE
    assert [row["index"] for row in rows] == [*range(9)]
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert all(near(row["embedding"], text, size) for row, text in zip(rows, given, strict=True))
    assert len(sim.calls) == 5


def test_rows_with_ids_from_standard_input_and_the_whole_receipt(llmctl: Llmctl) -> None:
    rows = b'{"id": "k1", "body": "one"}\n{"id": "k2", "body": "and two"}\n'

    told = llmctl.run("embed", "-m", OPENAI, "--column", "body", "--json", stdin=rows).json

    assert [row["id"] for row in told["embeddings"]] == ["k1", "k2"]
    assert told["usage"] | {"input_tokens": 3, "source": "reported"} == told["usage"]
    assert told["details"] == {
        "texts": 2, "requests": 1, "dimensions": SIZE, "normalised": True, "lengths": [1.0, 1.0],
    }  # fmt: skip
    assert (told["version"], told["error"], told["finish_reason"]) == (1, None, "stop")


def test_raw_floats_and_their_shape(llmctl: Llmctl) -> None:
    output = llmctl.home / "o.f32"
    path = texts(llmctl, "one", "and two")

    result = llmctl.run(
        *("embed", "-m", OPENAI, "--file", path, "--format", "f32", "--output", str(output))
    )

    assert result.code == 0
    assert f"2 rows of {SIZE} little-endian floats" in result.err
    values = struct.unpack(f"<{2 * SIZE}f", output.read_bytes())
    assert near([*values[:SIZE]], "one")
    assert near([*values[SIZE:]], "and two")


def test_shorter_vectors_are_measured_and_made_1_long_on_demand(llmctl: Llmctl) -> None:
    """Gemini's, when they are shorter than its own."""
    short = ("embed", "-m", "gemini/mock", "--dimensions", "4", "--json", "a text")

    plain, made = (llmctl.run(*short, *more).json for more in ([], ["--normalize"]))

    assert plain["details"]["normalised"] is False
    assert plain["details"]["lengths"] == pytest.approx([0.5, 0.5])
    assert made["details"]["normalised"] is True
    assert math.hypot(*made["embeddings"][0]["embedding"]) == pytest.approx(1)
    assert plain["usage"]["source"] == "estimated"
    assert (plain["cost"]["amount"], plain["cost"]["kind"]) == (None, "unknown")


def test_the_likest_lines(llmctl: Llmctl, sim: Simulator) -> None:
    path = texts(llmctl, "aaaaaaaaaaaaaaaaaaaa", "a b c d", "a b c e", "x")

    table = llmctl.run("embed", "-m", "gemini/mock", "--file", path, "--similar", "q r s t",
                       "--top", "2")  # fmt: skip

    assert [line.split() for line in table.out.splitlines()] == [
        ["likeness", "line", "text"],
        ["1.0000", "2", "a", "b", "c", "d"],
        ["1.0000", "3", "a", "b", "c", "e"],
    ]
    kinds = [one.json["requests"][0]["taskType"] for one in sim.calls]
    assert kinds == ["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT"]


def test_nothing_is_sent_in_a_dry_run(llmctl: Llmctl, sim: Simulator) -> None:
    path = texts(llmctl, *["some words here"] * 10)

    told = llmctl.run(
        *("embed", "-m", "openai/text-embedding-3-small", "--file", path, "--batch-size", "4"),
        "--dry-run",
    ).json

    assert (told["texts"], told["requests"]) == (10, 3)
    assert told["body"]["input"] == ["some words here"] * 4
    assert told["estimate"]["input_tokens"] >= 30
    assert sim.requests == []


# ---- trouble


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("vectors-too-few", 10, "3 texts came back as 2 vectors"),
        ("vectors-too-many", 10, "3 texts came back as 4 vectors"),
        ("vectors-twice", 10, "numbers its vectors wrongly"),
        ("vectors-of-two-sizes", 10, "different lengths (8 and 7)"),
        ("vectors-not-a-number", 10, "no finite number"),
        ("short-body", 9, ""),
        ("no-json", 10, "not JSON"),
        ("key-echo", 6, "***"),
        ("rate-day", 8, "24 h"),
    ],
)
def test_an_answer_that_is_none(llmctl: Llmctl, fault: str, code: int, said: str) -> None:
    output = llmctl.home / "o.jsonl"
    path = texts(llmctl, "one", "and two", "three")

    result = llmctl.run(
        *("embed", "-m", f"openai/mock-fault-{fault}", "--file", path, "--output", str(output)),
        env={"LLMCTL_NETWORK__RETRIES": "1"},
    )

    assert result.code == code, result.err
    assert said in result.err
    assert "\n  at openai" in result.err
    assert sorted(one.name for one in llmctl.home.iterdir()) == ["texts.txt"]


def test_shuffled_answers_and_a_limit_are_no_trouble(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["rate-ms", "vectors-shuffled"])
    path = texts(llmctl, "one", "and two", "three")

    rows = lines(llmctl.run("embed", "-m", OPENAI, "--file", path))

    assert all(
        near(row["embedding"], text)
        for row, text in zip(rows, ("one", "and two", "three"), strict=True)
    )
    assert len(sim.calls) == 2


def test_a_text_that_is_too_long_is_named_and_what_came_before_is_kept(llmctl: Llmctl) -> None:
    output = llmctl.home / "o.jsonl"
    path = texts(llmctl, "one", "two", "word " * (MOST_TOKENS + 1), "four")

    result = llmctl.run(
        *("embed", "-m", OPENAI, "--file", path, "--batch-size", "1", "-j", "1"),
        *("--output", str(output)),
    )

    assert result.code == 16
    assert "line 3: " in result.err
    assert not output.exists()
    part = Path(f"{output}.part").read_text().splitlines()
    assert [json.loads(line)["line"] for line in part] == [1, 2]
    assert "o.jsonl.part" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-m", "openai/gpt-6-luna", "a"), 2, "makes no vectors"),
        (("-m", "anthropic/claude-sonnet-5-5", "a"), 2, "makes no vectors"),
        (("-m", "llamacpp/m", "--dimensions", "8", "a"), 2, "one length only"),
        (("-m", "openai/text-embedding-3-small", "--dimensions", "9000", "a"), 2, "at most 1536"),
        (("-m", OPENAI, "--file", "missing.txt"), 2, "missing.txt"),
        (("-m", OPENAI, "--file", "missing.txt", "--similar", "a"), 2, "missing.txt"),
        (("-m", "local/e5-small", "a", "-o", "bogus=1"), 16, "no option bogus"),
        (("-m", OPENAI, "--output", "no/where", "a"), 18, "no/where"),
        (("-m", OPENAI, "--max-cost", "0.01 USD", "a"), 5, "price is not known"),
        (("-m", OPENAI, "--local-only", "--privacy", "device", "a"), 4, "policy forbids"),
    ],
)
def test_what_is_refused_before_anything_is_sent(
    llmctl: Llmctl, sim: Simulator, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = llmctl.run("embed", *arguments)

    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert len(result.err.splitlines()) <= 4
    assert sim.requests == []


def test_ctrl_c_ends_it_and_nothing_half_made_is_left(llmctl: Llmctl, sim: Simulator) -> None:
    path = texts(llmctl, "one")
    running = llmctl.start(
        *("embed", "-m", "openai/mock-fault-no-head", "--file", path, "--output", "o.npy"),
        *("--format", "npy"),
    )
    with running:
        sim.wait_for()
        running.signal(signal.SIGINT)
        result = running.end()

    assert result.code == 130
    assert sorted(one.name for one in llmctl.home.iterdir()) == ["texts.txt"]


def test_the_ledger_knows_one_run_and_no_text_of_many(llmctl: Llmctl) -> None:
    path = texts(llmctl, "first secret plan", "second secret plan")
    llmctl.run("embed", "-m", OPENAI, "--file", path, "--batch-size", "1", "--tag", "t")
    llmctl.run("embed", "-m", OPENAI, "only this")

    runs = llmctl.run("logs", "list", "--json").json["runs"]

    assert [(one["log"]["kind"], one["prompt_start"]) for one in runs] == [
        ("embed", "only this"),
        ("embed", None),
    ]
    assert runs[1]["usage"]["input_tokens"] == 6
    assert runs[1]["log"]["tags"]["tag"] == "t"


# ---- a real llama.cpp server


@pytest.fixture(scope="module")
def vectors(weights: Path) -> Iterator[LlamaServer]:
    with llama_server(weights, vectors=True) as running:
        yield running


def test_a_real_server_makes_vectors(llmctl: Llmctl, vectors: LlamaServer) -> None:
    """SmolLM2's have 576 numbers; of three sentences the two alike are liker."""
    llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = vectors.openai_url
    llmctl.env["LLAMA_API_KEY"] = vectors.key
    path = texts(llmctl, "The cat sleeps on the sofa.", "Stock prices fell sharply on Monday.",
                 "A kitten is sleeping on the couch.")  # fmt: skip

    told = llmctl.run("embed", "-m", f"llamacpp/{NAME}", "--file", path, "--json").json
    ranked = llmctl.run("embed", "-m", f"llamacpp/{NAME}", "--file", path, "--json",
                        "--similar", "The cat sleeps on the sofa.").json  # fmt: skip

    assert told["details"]["dimensions"] == 576
    assert told["details"]["normalised"] is True
    assert told["usage"]["input_tokens"] > 15
    assert told["cost"]["amount"] == "0"
    assert [one["line"] for one in ranked["results"]] == [1, 3, 2]
    assert ranked["results"][0]["score"] == pytest.approx(1, abs=1e-3)


def test_a_real_server_refuses_a_text_that_is_too_long(
    llmctl: Llmctl, vectors: LlamaServer
) -> None:
    llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = vectors.openai_url
    llmctl.env["LLAMA_API_KEY"] = vectors.key
    path = texts(llmctl, "fine", "word " * (CONTEXT + 50))

    result = llmctl.run("embed", "-m", f"llamacpp/{NAME}", "--file", path, "--batch-size", "1")

    assert (result.code, result.out.count("\n")) == (16, 1), result.err
    assert "line 2: " in result.err


def test_a_dry_run_has_the_question_and_holds_no_money(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    """A secret in the question is found, too; ten requests that fit one by one need not fit
    together; and nothing stays reserved."""
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"line {number}\n" for number in range(10)), encoding="utf-8")
    model = ("-m", "openai/text-embedding-3-small")
    llmctl.env["LLMCTL_PROVIDERS__OPENAI__FACTS"] = "inherit"

    asked = ("embed", *model, "--file", str(lines), "--batch-size", "1", "--dry-run")
    whole = llmctl.run(*asked, "--similar", "line")
    assert (whole.code, whole.json["texts"], whole.json["requests"]) == (0, 11, 11)
    assert whole.json["body"]["input"] == ["line"]
    # 2 or 3 tokens a line at 0.02 USD a million: each is below the cap, all are above it
    refused = llmctl.run(*asked, "--max-cost", "0.0000003 USD")
    assert refused.code == 5, refused.err
    llmctl.env["LLMCTL_BUDGET__PER_DAY"] = "1 USD"
    assert llmctl.run(*asked).code == 0
    [day] = llmctl.run("cost", "budgets", "--json").json["budgets"]
    assert day["reserved"] in ("0", "0.000000"), day
    assert sim.calls == []


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--similar", "line")])
def test_the_time_is_also_that_of_reading(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...]
) -> None:
    """Somebody holds the pipe open and writes no more."""
    read, write = os.pipe()
    try:
        os.write(write, b"one\n")
        result = llmctl.run("embed", "-m", "openai/mock", "--timeout", "1.5", *flags, stdin=read)
    finally:
        os.close(read)
        os.close(write)

    assert (result.code, result.out) == (9, ""), result.err
    assert "not all vectors within 1.5 s" in result.err
    assert result.seconds < 6


def test_a_model_of_vectors_is_not_talked_to(llmctl: Llmctl, sim: Simulator) -> None:
    refused = llmctl.run("-m", "openai/text-embedding-3-small", "hello")

    assert refused.code == 2
    assert "llmctl embed" in refused.err
    counted = llmctl.run("tokens", "-m", "openai/text-embedding-3-small", "hello")
    assert (counted.code, counted.out) == (0, "1\n")
    estimate = llmctl.run("cost", "estimate", "-m", "openai/text-embedding-3-small", "hello")
    assert "without a bound" not in estimate.out
    assert sim.calls == []


def test_files_of_lora_are_loaded_for_vectors_too(llmctl: Llmctl, tmp_path: Path) -> None:
    missing = llmctl.run("embed", "-m", "local/smollm2-135m", "-o", "lora=nofile.gguf", "hi")

    assert missing.code == 7, missing.err
    assert "nofile.gguf" in missing.err
