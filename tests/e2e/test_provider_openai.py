"""OpenAI's responses beside its chat completions, and what its card says of keys and headers."""

import json
from typing import Any

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

API = "LLMCTL_PROVIDERS__OPENAI__API"


@pytest.fixture
def responses(llmctl: Llmctl) -> Llmctl:
    """The command with responses chosen."""
    llmctl.env[API] = "responses"
    return llmctl


def ask(llmctl: Llmctl, model: str, *flags: str, prompt: str = "Столица Австралии?") -> Any:
    return llmctl.run("-m", f"openai/{model}", prompt, "--json", *flags).json


@pytest.mark.parametrize("flags", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_an_answer_with_its_figures(
    responses: Llmctl, sim: Simulator, flags: tuple[str, ...]
) -> None:
    said = ask(responses, "mock-thinks", *flags)

    assert (said["text"], said["reasoning"], said["finish_reason"]) == (TEXT, THOUGHT, "stop")
    usage, thought = said["usage"], len(THOUGHT.split())
    assert usage["output_tokens"] == len(PIECES) + thought
    assert (usage["reasoning_tokens"], usage["cached_tokens"]) == (thought, 0)
    assert said["request_id"] == "resp_sim1"
    (asked,) = sim.calls
    assert asked.path == "/v1/responses"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.json["store"] is False
    assert asked.json["input"] == [{"role": "user", "content": "Столица Австралии?"}]


def test_both_apis_say_the_same(llmctl: Llmctl) -> None:
    schema = '{"type": "object", "properties": {"name": {"type": "string"}}}'
    flags = (("-s", "Be brief."), ("--max-tokens", "2"), ("--schema", schema), ("--no-stream",))
    for given in flags:
        told = []
        for api in ("chat", "responses"):
            llmctl.env[API] = api
            told.append(ask(llmctl, "mock", *given))
        chat, responses = told
        for key in ("text", "finish_reason", "tool_calls", "error"):
            assert chat[key] == responses[key], (given, key)


def test_what_the_user_wants_of_it(responses: Llmctl, sim: Simulator) -> None:
    options = ("reasoning_effort=low", "reasoning_summary=auto", "verbosity=low", "store=true")
    flags = [part for one in options for part in ("-o", one)]
    ask(responses, "mock", *flags, "-s", "Be brief.", "--max-tokens", "40", "--temperature", "0.5")

    body = sim.calls[0].json
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert (body["text"], body["store"]) == ({"verbosity": "low"}, True)
    assert (body["instructions"], body["max_output_tokens"]) == ("Be brief.", 40)
    assert body["temperature"] == 0.5


def test_a_schema_and_a_conversation(responses: Llmctl, sim: Simulator) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    said = ask(responses, "mock", "--schema", json.dumps(schema), "-s", "Be brief.")
    ask(responses, "mock", "-c", prompt="And then?")

    assert json.loads(said["text"]) == {"name": "pear"}
    first, second = (call.json for call in sim.calls)
    assert first["text"]["format"] == {"type": "json_schema", "name": "answer", "schema": schema}
    assert second["instructions"] == "Be brief."
    assert [item["role"] for item in second["input"]] == ["user", "assistant", "user"]


def test_a_knob_that_it_has_no_word_for_is_dropped_with_a_note(
    responses: Llmctl, sim: Simulator
) -> None:
    result = responses.run("-m", "openai/mock", "--seed", "7", "--stop", "END", "hi")

    assert result.code == 0
    assert "--seed" in result.err
    assert "--stop" in result.err
    assert not {"seed", "stop"} & set(sim.calls[0].json)


def test_a_model_that_has_no_chat_completions_goes_by_responses(
    llmctl: Llmctl, sim: Simulator
) -> None:
    sim.models = ("gpt-5.5-pro", "gpt-5.5")
    ask(llmctl, "gpt-5.5-pro")
    ask(llmctl, "gpt-5.5")

    assert [call.path for call in sim.calls] == ["/v1/responses", "/v1/chat/completions"]


def test_an_api_that_there_is_not_is_refused(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env[API] = "assistants"
    result = llmctl.run("-m", "openai/mock", "hi")

    assert (result.code, sim.requests) == (3, [])
    assert "chat, responses" in result.err


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("no-model", 7, None),
        ("context", 16, "context"),
        ("quota", 8, "quota"),
        ("rate-day", 8, "rate"),
        ("region", 6, "region"),
        ("blocked", 13, None),
        ("refusal", 13, None),
        ("filtered", 13, None),
        ("length", 12, None),
        ("cut", 11, None),
        ("error-in-stream", 10, None),
        ("quota-in-stream", 8, "quota"),
    ],
)
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_what_goes_wrong_has_the_same_code_by_both(
    llmctl: Llmctl, sim: Simulator, api: str, fault: str, code: int, reason: str | None
) -> None:
    llmctl.env[API] = api
    result = llmctl.run("-m", f"openai/mock-fault-{fault}", "hi", "--json")

    assert (result.code, result.json["error"]["reason"]) == (code, reason)
    assert len(sim.calls) == 1


def test_what_is_left_of_the_limits_is_told(llmctl: Llmctl) -> None:
    limits = ask(llmctl, "mock-fault-limits")["details"]["rate_limits"]

    assert limits["x-ratelimit-remaining-requests"] == "499"
    assert limits["x-ratelimit-reset-tokens"] == "6m0s"


def test_whom_a_request_counts_for(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env |= {"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}
    ask(llmctl, "mock")
    del llmctl.env["OPENAI_PROJECT_ID"]
    ask(llmctl, "mock")

    headers = [call.headers for call in sim.calls]
    assert [one.get("openai-organization") for one in headers] == ["org-1", "org-1"]
    assert [one.get("openai-project") for one in headers] == ["proj-1", None]


def test_a_tuned_model_goes_as_its_base(llmctl: Llmctl, sim: Simulator) -> None:
    name = "ft:gpt-4.1-2025-04-14:acme::a1b2"
    sim.models = ("ft",)  # the simulator looks before the first colon
    said = ask(llmctl, name, "--max-tokens", "9", "--temperature", "0.1")

    assert said["error"] is None
    assert sim.calls[0].json["model"] == name
    assert sim.calls[0].json["max_completion_tokens"] == 9
    assert sim.calls[0].json["temperature"] == 0.1


@pytest.mark.parametrize(
    ("provider", "variable", "prefix", "owner"),
    [
        ("openai", "OPENAI_API_KEY", "sk-ant-", "anthropic"),
        ("openai", "OPENAI_API_KEY", "AIza", "gemini"),
        ("anthropic", "ANTHROPIC_API_KEY", "sk-proj-", "openai"),
    ],
)
def test_another_providers_key_is_not_sent(
    llmctl: Llmctl, provider: str, variable: str, prefix: str, owner: str
) -> None:
    """The address is the real one: a key that was sent would end as a network error."""
    llmctl.env.pop(f"LLMCTL_PROVIDERS__{provider.upper()}__BASE_URL")
    key = prefix + "7" * 30
    result = llmctl.run("-m", f"{provider}/mock", "hi", "--json", env={variable: key})

    error = result.json["error"]
    assert (result.code, error["reason"]) == (6, "foreign-key")
    assert owner in error["message"]
    assert key not in result.out + result.err


def test_a_gateway_may_take_any_key(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "openai/mock", "hi", env={"OPENAI_API_KEY": "sk-ant-" + "7" * 30})

    assert result.code == 0
    assert sim.calls[0].headers["authorization"].startswith("Bearer sk-ant-")
