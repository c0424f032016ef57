"""The command against a real llama.cpp server with a real model, over HTTP on this machine.

What it must print comes from the same server, asked by the standard library alone.
"""

import json
import signal
import time
import urllib.request
from typing import Any

import jsonschema
import pytest

from tests.e2e.harness import Llmctl
from tests.llama_server import NAME, LlamaServer

MODEL = f"llamacpp/{NAME}"
PROMPT = "Name three colours of the rainbow."
# What was read for an earlier question stays in the server's memory and changes rounding.
FRESH = ("-o", "cache_prompt=false")
FRUIT = {
    "type": "object",
    "properties": {
        "fruit": {"enum": ["apple", "pear"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["fruit", "count"],
    "additionalProperties": False,
}


@pytest.fixture
def smol(llmctl: Llmctl, llama: LlamaServer) -> Llmctl:
    """The command, three providers of which lead to the server."""
    for provider, key in (
        ("LLAMACPP", "LLAMA_API_KEY"),
        ("VLLM", "VLLM_API_KEY"),
        ("LMSTUDIO", "LM_API_TOKEN"),
    ):
        llmctl.env[f"LLMCTL_PROVIDERS__{provider}__BASE_URL"] = llama.openai_url
        llmctl.env[key] = llama.key
    return llmctl


def asked(llama: LlamaServer, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{llama.url}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {llama.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read())


def chat(llama: LlamaServer, **fields: Any) -> Any:
    """The whole answer to PROMPT, by the most direct way."""
    messages = [{"role": "user", "content": PROMPT}]
    body = {"model": NAME, "messages": messages, "cache_prompt": False, **fields}
    return asked(llama, "/v1/chat/completions", body)


def is_busy(llama: LlamaServer) -> bool:
    (slot,) = asked(llama, "/slots")
    assert isinstance(slot["is_processing"], bool)
    return bool(slot["is_processing"])


# ---- answers


@pytest.mark.parametrize(
    ("provider", "how"),
    [
        ("llamacpp", ()),
        ("llamacpp", ("--no-stream",)),
        ("llamacpp", ("--local-only",)),
        ("vllm", ()),
        ("lmstudio", ()),
    ],
)
def test_the_answer_is_what_the_server_says(
    smol: Llmctl, llama: LlamaServer, provider: str, how: tuple[str, ...]
) -> None:
    said = chat(llama, temperature=0, max_tokens=12)["choices"][0]["message"]["content"]

    limits = ("--temperature", "0", "--max-tokens", "12", *FRESH)
    done = smol.run("-m", f"{provider}/{NAME}", *limits, *how, PROMPT)

    assert done.code == 0, done.err
    assert len(said) > 12
    assert done.out == f"{said}\n"
    assert "your limit of 12 tokens" in done.err


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_the_envelope_holds_the_servers_own_figures(
    smol: Llmctl, llama: LlamaServer, how: tuple[str, ...]
) -> None:
    usage = chat(llama, temperature=0, max_tokens=8)["usage"]

    limits = ("--temperature", "0", "--max-tokens", "8", *FRESH)
    done = smol.run("-m", MODEL, "--json", *limits, *how, PROMPT)
    told = done.json

    assert done.code == 0, done.err
    assert told["model"] == {"requested": MODEL, "resolved": NAME, "provider": "llamacpp"}
    assert told["finish_reason"] == "length"
    assert told["usage"]["input_tokens"] == usage["prompt_tokens"] > 8
    assert told["usage"]["output_tokens"] == usage["completion_tokens"] == 8
    assert told["usage"]["cached_tokens"] == 0
    assert told["usage"]["source"] == "reported"
    timings = told["details"]["timings"]
    assert timings["predicted_n"] == 8
    assert told["latency"]["server"] == {
        "prompt_s": pytest.approx(timings["prompt_ms"] / 1000, abs=1e-4),
        "output_s": pytest.approx(timings["predicted_ms"] / 1000, abs=1e-4),
    }
    assert told["latency"]["connect_s"] is not None
    assert (told["latency"]["ttft_s"] is None) == bool(how)
    assert told["latency"]["total_s"] > told["latency"]["server"]["output_s"]
    assert told["latency"]["load_s"] is None
    assert told["cost"]["amount"] == "0"
    assert told["privacy"]["level"] == "device"
    assert told["request_id"].startswith("chatcmpl-")
    assert told["attempts"] == 1
    assert told["error"] is None


def test_what_was_read_before_is_told_as_cached(smol: Llmctl) -> None:
    ask = ("-m", MODEL, "--json", "--max-tokens", "2", PROMPT)
    smol.run(*ask)
    usage = smol.run(*ask).json["usage"]

    # All but the last token, which is read again to go on from it.
    assert usage["cached_tokens"] == usage["input_tokens"] - 1


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_a_schema_is_enforced(smol: Llmctl, how: tuple[str, ...]) -> None:
    """At a temperature at which this model says anything."""
    ask = ("-m", MODEL, "--temperature", "1.5", "--seed", "3", "--schema", json.dumps(FRUIT))
    done = smol.run(*ask, *how, "Tell me about the sea.")

    assert done.code == 0, done.err
    jsonschema.validate(json.loads(done.stdout), FRUIT)


def test_a_text_is_continued(smol: Llmctl, llama: LlamaServer) -> None:
    start = "The capital of France is"
    body = {"prompt": start, "temperature": 0, "max_tokens": 2, "cache_prompt": False}
    said = asked(llama, "/v1/completions", {"model": NAME, **body})["choices"][0]["text"]

    limits = ("--temperature", "0", "--max-tokens", "2", *FRESH)
    done = smol.run("-m", MODEL, "--complete", *limits, start)

    assert done.code == 0, done.err
    assert "Paris" in done.out
    assert done.out == f"{said}\n"


def test_a_seed_decides_the_text(smol: Llmctl) -> None:
    ask = ("-m", MODEL, "--max-tokens", "16", "--temperature", "1.5", *FRESH)
    one, again, other = (
        smol.run(*ask, "--seed", seed, "Tell a story.").out for seed in ("5", "5", "6")
    )

    assert one == again
    assert one != other


# ---- refusals


@pytest.mark.parametrize(
    ("key", "hint"),
    [("wrong", "store the right key: llmctl keys set llamacpp"),
     (None, "it wants a key: llmctl keys set llamacpp")],
)  # fmt: skip
def test_a_key_that_is_not_the_servers(smol: Llmctl, key: str | None, hint: str) -> None:
    done = smol.run("-m", MODEL, "hi", env={"LLAMA_API_KEY": key})

    assert done.code == 6
    assert done.out == ""
    assert "Invalid API Key" in done.err
    assert hint in done.err


def test_a_prompt_longer_than_the_context(smol: Llmctl) -> None:
    done = smol.run("-m", MODEL, "--json", stdin=b"word " * 2000)

    assert done.code == 16
    error = done.json["error"]
    assert (error["code"], error["reason"], error["status"]) == ("rejected", "context", 400)
    assert "context size (512 tokens)" in error["message"]
    assert "shorten the prompt" in done.err


def test_a_context_that_fills_up_on_the_way(smol: Llmctl) -> None:
    """The prompt fits and the answer does not: nobody asked for an end there."""
    done = smol.run("-m", MODEL, "--json", "-o", "ignore_eos=true", stdin=b"word " * 440)

    assert done.code == 12
    told = done.json
    assert told["finish_reason"] == "length"
    assert told["usage"]["input_tokens"] + told["usage"]["output_tokens"] == 512
    assert told["text"]


# ---- leaving


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_leaving_frees_the_server(
    smol: Llmctl, llama: LlamaServer, number: signal.Signals, code: int
) -> None:
    ask = ("-m", MODEL, "-o", "ignore_eos=true", "Tell a very long story.")
    with smol.start(*ask) as running:
        running.read_until(b" ")
        assert is_busy(llama)  # it is shown as it comes
        running.signal(number)
        done = running.end()
    end = time.monotonic() + 2.0  # a whole answer takes longer
    while is_busy(llama) and time.monotonic() < end:
        time.sleep(0.02)

    assert done.code == code
    assert done.seconds < 2.0
    assert not is_busy(llama)


def test_the_count_before_is_the_count_afterwards(smol: Llmctl) -> None:
    asked = ("-m", "llamacpp/smol", "-s", "Be brief.", "Why is the sky blue?")

    before = smol.run("cost", "estimate", "--remote", "--json", *asked)
    after = smol.run("--json", "--max-tokens", "2", *asked)

    assert before.code == 0, before.err
    assert before.json["token_method"] == "exact-remote"
    assert before.json["input_tokens"] == after.json["usage"]["input_tokens"]
