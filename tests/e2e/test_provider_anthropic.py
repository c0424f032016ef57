"""Anthropic, in whole runs against the simulator."""

import json
from typing import Any

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

PET = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 1}},
    "required": ["name", "age"],
}


def ask(llmctl: Llmctl, model: str, *flags: str, prompt: str = "Столица Австралии?") -> Any:
    result = llmctl.run("-m", f"anthropic/{model}", prompt, "--json", *flags)
    assert result.err == ""
    return result.json


@pytest.mark.parametrize("flags", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_an_answer_with_its_figures(llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...]) -> None:
    said = ask(llmctl, "mock-thinks", *flags)

    assert (said["text"], said["reasoning"], said["finish_reason"]) == (TEXT, THOUGHT, "stop")
    usage, thought = said["usage"], len(THOUGHT.split())
    assert usage["output_tokens"] == len(PIECES) + thought
    assert (usage["reasoning_tokens"], usage["source"]) == (thought, "reported")
    assert (said["request_id"], said["details"]["id"]) == ("req-sim-1", "msg_sim1")
    (asked,) = sim.calls
    assert asked.path == "/anthropic/v1/messages"
    assert asked.headers["anthropic-version"] == "2026-10-21"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.json["messages"] == [{"role": "user", "content": "Столица Австралии?"}]


def test_a_limit_is_always_said(llmctl: Llmctl, sim: Simulator) -> None:
    sim.models = ("claude-haiku-4-5", "claude-of-tomorrow")
    ask(llmctl, "claude-haiku-4-5")
    ask(llmctl, "claude-haiku-4-5", "--no-stream")
    ask(llmctl, "claude-of-tomorrow")
    ask(llmctl, "mock", "--max-tokens", "9")

    # The card's for this model; what ten minutes give; ours; the user's.
    assert [one.json["max_tokens"] for one in sim.calls] == [64_000, 21_333, 32_000, 9]


def test_instructions_and_a_conversation(llmctl: Llmctl, sim: Simulator) -> None:
    ask(llmctl, "mock", "-s", "Be brief.", prompt="Why?")
    ask(llmctl, "mock", "-c", prompt="And then?")

    assert sim.calls[0].json["system"] == "Be brief."
    assert sim.calls[1].json["system"] == "Be brief."
    assert sim.calls[1].json["messages"] == [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": TEXT},
        {"role": "user", "content": "And then?"},
    ]


@pytest.mark.parametrize(
    ("model", "version", "sent", "said"),
    [
        ("claude-sonnet-4-6", "2023-06-01", True, ""),
        ("claude-sonnet-5-5", "2026-10-21", False, "takes no --temperature; it was left out"),
    ],
)
def test_a_temperature_goes_where_it_is_taken(
    llmctl: Llmctl, sim: Simulator, model: str, version: str, sent: bool, said: str
) -> None:
    sim.models = (model,)
    result = llmctl.run("-m", f"anthropic/{model}", "--temperature", "0.5", "hi")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert said in result.err
    (asked,) = sim.calls
    assert asked.headers["anthropic-version"] == version
    assert ("temperature" in asked.json) is sent


def test_a_version_that_is_set_is_kept(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__ANTHROPIC__API_VERSION"] = "2026-10-21"
    llmctl.env["LLMCTL_PROVIDERS__ANTHROPIC__BETA"] = "one-2026-01-01,two-2026-02-02"
    ask(llmctl, "mock")
    refused = llmctl.run("-m", "anthropic/claude-sonnet-4-6", "--temperature", "0.5", "hi")

    (asked,) = sim.calls
    assert asked.headers["anthropic-beta"] == "one-2026-01-01,two-2026-02-02"
    assert refused.code == 2
    assert "2026-10-21" in refused.err
    assert "2023-06-01" in refused.err


def test_a_schema_is_held_to_as_far_as_it_goes(llmctl: Llmctl, sim: Simulator) -> None:
    said = ask(llmctl, "mock", "--schema", json.dumps(PET), "-o", "effort=low")

    assert set(json.loads(said["text"])) == {"name", "age"}
    assert sim.calls[0].json["output_config"] == {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "age": {"type": "integer", "description": '{"minimum": 1}'},
                },
                "required": ["name", "age"],
                "additionalProperties": False,
            },
        },
    }


def test_a_schema_of_free_keys_is_told_in_words(llmctl: Llmctl, sim: Simulator) -> None:
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    ask(llmctl, "mock", "--schema", json.dumps(counts), prompt='Repeat: {"a": 1}')

    assert "output_config" not in sim.calls[0].json
    assert json.dumps(counts) in sim.calls[0].json["system"]


@pytest.mark.parametrize(
    ("fault", "code", "reason", "requests"),
    [
        ("no-model", 7, None, 1),
        ("context", 16, "context", 1),
        ("quota", 8, "quota", 1),
        ("payment", 8, "quota", 1),
        ("rate-day", 8, "rate", 1),
        ("region", 6, "region", 1),
        ("forbidden", 6, None, 1),
        ("blocked", 13, None, 1),
        ("refusal", 13, None, 1),
        ("filtered-first", 13, None, 1),
        ("length", 12, None, 1),
        ("cut", 11, None, 1),
        ("error-in-stream", 10, None, 1),
        ("500-final", 10, None, 1),
        ("too-large", 16, None, 1),
        ("html", 10, "web-page", 1),
    ],
)
def test_what_goes_wrong_has_its_code(
    llmctl: Llmctl, sim: Simulator, fault: str, code: int, reason: str | None, requests: int
) -> None:
    result = llmctl.run("-m", f"anthropic/mock-fault-{fault}", "hi", "--json")

    error = result.json["error"]
    assert (result.code, error["exit_code"], error["reason"]) == (code, code, reason)
    assert len(sim.calls) == requests


@pytest.mark.parametrize("fault", ["529-once", "500-once", "rate-seconds"])
def test_what_passes_is_asked_again(llmctl: Llmctl, sim: Simulator, fault: str) -> None:
    result = llmctl.run("-m", f"anthropic/mock-fault-{fault}", "hi")

    assert (result.code, result.out, len(sim.calls)) == (0, TEXT + "\n", 2)


def test_a_wrong_key_is_not_repeated(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another"
    wrong = llmctl.run("-m", "anthropic/mock", "hi")
    echoed = llmctl.run("-m", "anthropic/mock-fault-key-echo", "hi")

    assert (wrong.code, echoed.code) == (6, 6)
    assert "llmctl keys set anthropic" in wrong.err
    assert KEY not in wrong.err + echoed.err


def test_what_is_left_of_the_limits_is_told(llmctl: Llmctl) -> None:
    limits = ask(llmctl, "mock-fault-limits")["details"]["rate_limits"]

    assert limits["anthropic-ratelimit-requests-remaining"] == "49"


def test_the_models_it_has(llmctl: Llmctl, sim: Simulator) -> None:
    listed = llmctl.run("models", "list", "anthropic", "--live")

    assert listed.code == 0
    assert "anthropic/mock-thinks" in listed.out
    assert sim.requests[0].headers["anthropic-version"] == "2026-10-21"
    assert llmctl.run("doctor", "anthropic").code == 0
