"""Gemini, as whole runs see it."""

import json

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

pytestmark = pytest.mark.usefixtures("warm")

SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'


@pytest.mark.parametrize(
    ("flags", "path", "query"),
    [
        ((), "/v1beta/models/mock:streamGenerateContent", "alt=sse"),
        (("--no-stream",), "/v1beta/models/mock:generateContent", ""),
    ],
)
def test_an_answer_and_its_receipt(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], path: str, query: str
) -> None:
    result = llmctl.run("-m", "gemini/mock", "Столица Австралии?", "--json", *flags)

    assert (result.code, result.err) == (0, "")
    shown = result.json
    assert (shown["text"], shown["finish_reason"]) == (TEXT, "stop")
    assert shown["model"] == {
        "requested": "gemini/mock", "resolved": "mock", "provider": "gemini"
    }  # fmt: skip
    assert shown["usage"]["output_tokens"] == len(PIECES)
    assert shown["usage"]["input_tokens"] > 0
    assert shown["request_id"] == "resp-sim-1"
    (request,) = sim.requests
    assert (request.method, request.path, request.query) == ("POST", path, query)
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
    assert request.json == {
        "contents": [{"role": "user", "parts": [{"text": "Столица Австралии?"}]}]
    }


def test_everything_that_can_be_set(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("-s", "Be brief.", "--max-tokens", "9", "--temperature", "0", "--seed", "7")
    options = ("-o", "top_k=4", "-o", "thinkingLevel=LOW", "-o", "store=false")

    assert llmctl.run("-m", "gemini/mock", *flags, *options, "hi there").code == 0

    body = sim.calls[-1].json
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["store"] is False
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0,
        "seed": 7,
        "topK": 4,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    }


def test_a_temperature_that_the_model_would_ignore_is_left_out(
    llmctl: Llmctl, sim: Simulator
) -> None:
    sim.models = (*sim.models, "gemini-3.8-flash")

    result = llmctl.run("-m", "gemini/gemini-3.8-flash", "--temperature", "0", "hi there")

    assert result.code == 0
    assert "takes no --temperature" in result.err
    assert "generationConfig" not in sim.calls[-1].json


@pytest.mark.parametrize("stream", [(), ("--no-stream",)])
def test_a_schema(llmctl: Llmctl, sim: Simulator, stream: tuple[str, ...]) -> None:
    result = llmctl.run("-m", "gemini/mock", "--schema", SCHEMA, *stream, "Which city?")

    assert (result.code, json.loads(result.out)) == (0, {"city": "pear"})
    assert sim.calls[-1].json["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": json.loads(SCHEMA),
    }


def test_a_conversation_goes_on(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("-m", "gemini/mock", "-s", "Be brief.", "Why is it blue?")

    assert llmctl.run("-c", "-m", "gemini/mock", "And at night?").code == 0

    body = sim.calls[-1].json
    assert [(turn["role"], turn["parts"][0]["text"]) for turn in body["contents"]] == [
        ("user", "Why is it blue?"),
        ("model", TEXT),
        ("user", "And at night?"),
    ]
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


def test_thoughts_are_apart_and_count_as_output(llmctl: Llmctl) -> None:
    shown = llmctl.run("-m", "gemini/mock-thinks", "--json", "hi there").json

    assert (shown["text"], shown["reasoning"]) == (TEXT, THOUGHT)
    thoughts = len(THOUGHT.split())
    assert shown["usage"]["reasoning_tokens"] == thoughts
    assert shown["usage"]["output_tokens"] == len(PIECES) + thoughts


@pytest.mark.parametrize(
    ("fault", "code", "error", "reason", "said"),
    [
        ("key-echo", 6, "auth", None, "llmctl keys set gemini"),
        ("region", 6, "auth", "region", "User location is not supported"),
        ("forbidden", 6, "auth", None, "not allowed"),
        ("no-model", 7, "not-found", None, "does not exist"),
        ("quota", 8, "rate-limited", "quota", "account's limits"),
        ("bare-error", 10, "provider-error", "overloaded", "The model is overloaded"),
        ("malformed-call", 10, "provider-error", None, "MALFORMED_FUNCTION_CALL"),
        ("cut", 11, "cut-off", None, "end mark"),
        ("length-first", 12, "incomplete", None, "--max-tokens"),
        ("prompt-blocked", 13, "filtered", None, "PROHIBITED_CONTENT"),
        ("filtered", 13, "filtered", None, "SAFETY"),
        ("refusal", 13, "filtered", None, "I cannot help with that."),
        ("context", 16, "rejected", "context", "shorten the prompt"),
        ("error-array", 16, "rejected", None, "Unable to process input image"),
    ],
)
def test_what_goes_wrong_is_said_with_its_code(
    llmctl: Llmctl,
    sim: Simulator,
    fault: str,
    code: int,
    error: str,
    reason: str | None,
    said: str,
) -> None:
    result = llmctl.run("-m", f"gemini/mock-fault-{fault}", "Why is it blue?", "--json")

    assert result.code == code, result.err
    failed = result.json["error"]
    assert (failed["code"], failed["reason"], failed["provider"]) == (error, reason, "gemini")
    assert len(sim.calls) == 1
    shown = result.out + llmctl.run("-m", f"gemini/mock-fault-{fault}", "Why is it blue?").err
    assert said in shown
    assert KEY not in shown


def test_a_wrong_key(llmctl: Llmctl, sim: Simulator) -> None:
    """The service says so by a 400, and what is rejected is still not the request."""
    sim.key = f"{KEY}x"

    result = llmctl.run("-m", "gemini/mock", "hi there")

    assert result.code == 6
    assert "HTTP 400" in result.err or "answered 400" in result.err
    assert "llmctl keys set gemini" in result.err


@pytest.mark.parametrize("fault", ["retry-info", "bare-error-once", "503-once"])
def test_what_passes_is_waited_for(llmctl: Llmctl, sim: Simulator, fault: str) -> None:
    result = llmctl.run("-m", f"gemini/mock-fault-{fault}", "Why is it blue?")

    assert (result.code, result.out) == (0, TEXT + "\n")
    first, second = sim.calls
    assert first.body == second.body
    # Only the first names a wait, in the body: otherwise it is a hundredth of a second here.
    assert fault != "retry-info" or second.at - first.at >= 0.4


def test_the_other_variable_of_the_key(llmctl: Llmctl, sim: Simulator) -> None:
    other = "b" * 39
    llmctl.env["GOOGLE_API_KEY"] = other
    llmctl.run("-m", "gemini/mock", "hi there")
    del llmctl.env["GEMINI_API_KEY"]
    llmctl.run("-m", "gemini/mock", "hi there")

    assert [call.headers["x-goog-api-key"] for call in sim.calls] == [KEY, other]


@pytest.mark.parametrize(
    ("tier", "code", "level"),
    [(None, 4, "may-train"), ("free", 4, "may-train"), ("paid", 0, "no-training")],
)
def test_a_tier_that_nobody_stated_is_the_worst(
    llmctl: Llmctl, tier: str | None, code: int, level: str
) -> None:
    """The facts are asked for as at Google's own address, to which nothing goes from here."""
    llmctl.env["LLMCTL_PROVIDERS__GEMINI__FACTS"] = "inherit"
    if tier:
        llmctl.env["LLMCTL_PROVIDERS__GEMINI__TIER"] = tier
    strict = llmctl.run("-m", "gemini/mock", "--require", "no-training", "hi there")
    free = llmctl.run("-m", "gemini/mock", "--json", "hi there")

    assert strict.code == code
    assert free.json["privacy"]["level"] == level


def test_a_tier_that_there_is_not(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__GEMINI__TIER"] = "gratis"

    result = llmctl.run("-m", "gemini/mock", "hi there")

    assert (result.code, sim.requests) == (3, [])
    assert "free, paid" in result.err


def test_the_doctor(llmctl: Llmctl, sim: Simulator) -> None:
    sim.models = (*sim.models, "gemini-3.8-flash")

    assert llmctl.run("doctor", "gemini").code == 0
    assert sim.requests == []
    sim.key = f"{KEY}x"
    refused = llmctl.run("doctor", "gemini", "--live")
    assert refused.code == 6
    assert "API key not valid" in refused.out
