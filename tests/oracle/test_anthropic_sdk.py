"""The official `anthropic` package against the simulator: that it takes what the simulator says
shows that the simulator speaks as Anthropic does."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import TextBlock, ThinkingBlock, ToolUseBlock
from pydantic import BaseModel

from tests.e2e.harness import KEY
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

ASK: Any = [{"role": "user", "content": "Why is the sky blue?"}]
TOOL: Any = {
    "name": "save",
    "description": "Keeps a pet.",
    "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}},
}


class Pet(BaseModel):
    name: str
    age: int


@pytest.fixture
def client(sim: Simulator) -> Iterator[anthropic.Anthropic]:
    """A strict client takes nothing that does not fit the package's own types."""
    with anthropic.Anthropic(
        base_url=sim.anthropic_url, api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


def ask(client: anthropic.Anthropic, model: str, streamed: bool, **more: Any) -> Any:
    asked: Any = {"model": model, "max_tokens": 99, "messages": ASK, **more}
    if not streamed:
        return client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        return stream.get_final_message()


# ---- answers


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer(client: anthropic.Anthropic, streamed: bool) -> None:
    answer = ask(client, "mock", streamed)

    (block,) = answer.content
    assert isinstance(block, TextBlock)
    assert (block.text, answer.stop_reason) == (TEXT, "end_turn")
    assert answer.usage.output_tokens == len(PIECES)
    assert answer.usage.input_tokens > 0


def test_pieces_as_they_come(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="mock", max_tokens=99, messages=ASK) as stream:
        assert list(stream.text_stream) == list(PIECES)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_thought(client: anthropic.Anthropic, streamed: bool) -> None:
    answer = ask(client, "mock-thinks", streamed)

    thought, text = answer.content
    assert isinstance(thought, ThinkingBlock)
    assert (thought.thinking, text.text) == (THOUGHT, TEXT)
    assert thought.signature


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_of_a_function(client: anthropic.Anthropic, streamed: bool) -> None:
    answer = ask(client, "mock", streamed, tools=[TOOL])

    (call,) = answer.content
    assert isinstance(call, ToolUseBlock)
    assert (call.name, call.input) == ("save", {"name": "pear"})
    assert answer.stop_reason == "tool_use"


def test_an_answer_in_a_schema(client: anthropic.Anthropic) -> None:
    answer = client.messages.parse(model="mock", max_tokens=99, messages=ASK, output_format=Pet)

    assert isinstance(answer.parsed_output, Pet)


@pytest.mark.parametrize(
    ("model", "limit", "reason"),
    [
        ("mock", 2, "max_tokens"),
        ("mock-fault-refusal", 99, "refusal"),
        ("mock-fault-filtered", 99, "refusal"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_other_ends(
    client: anthropic.Anthropic, model: str, limit: int, reason: str, streamed: bool
) -> None:
    answer = ask(client, model, streamed, max_tokens=limit)

    assert answer.stop_reason == reason
    assert (answer.stop_details is not None) is (reason == "refusal")


def test_the_list_of_models(client: anthropic.Anthropic, sim: Simulator) -> None:
    sim.page = 2  # one of three goes to the second page
    assert [model.id for model in client.models.list()] == list(sim.models)
    assert client.models.retrieve("mock").max_input_tokens == 1_000_000


def test_all_ways_to_send_a_key(sim: Simulator) -> None:
    sim.key = KEY
    ways: list[Any] = [
        {"api_key": KEY},
        {"auth_token": KEY},
        {"api_key": "another", "default_headers": {"x-api-key": KEY}},
    ]
    for way in ways:
        with anthropic.Anthropic(base_url=sim.anthropic_url, max_retries=0, **way) as client:
            assert ask(client, "mock", False).content


# ---- errors


@pytest.mark.parametrize(
    ("fault", "error", "status", "kind"),
    [
        ("context", anthropic.BadRequestError, 400, "invalid_request_error"),
        ("key-echo", anthropic.AuthenticationError, 401, "authentication_error"),
        ("payment", anthropic.APIStatusError, 402, "billing_error"),
        ("forbidden", anthropic.PermissionDeniedError, 403, "permission_error"),
        ("no-model", anthropic.NotFoundError, 404, "not_found_error"),
        ("too-large", anthropic.APIStatusError, 413, "request_too_large"),
        ("rate-forever", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("quota", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("500-forever", anthropic.InternalServerError, 500, "api_error"),
        ("529-once", anthropic.InternalServerError, 529, "overloaded_error"),
    ],
)
def test_refusals_by_status(
    client: anthropic.Anthropic,
    fault: str,
    error: type[anthropic.APIStatusError],
    status: int,
    kind: str,
) -> None:
    with pytest.raises(error) as caught:
        ask(client, f"mock-fault-{fault}", False)

    assert (caught.value.status_code, caught.value.type) == (status, kind)
    spent = "enforced_spend_limit_reached" if fault == "quota" else None
    assert caught.value.error_code == spent


def test_an_error_inside_a_stream(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.APIStatusError, match="The model ran out of memory"):
        ask(client, "mock-fault-error-in-stream", True)


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_the_newer_version_takes_no_sampling(
    client: anthropic.Anthropic, sim: Simulator, name: str
) -> None:
    with pytest.raises(anthropic.BadRequestError):
        ask(client, "mock", False, extra_body={name: 1})
    older = {"anthropic-version": "2023-06-01"}
    answer = ask(client, "mock", False, extra_body={name: 1}, extra_headers=older)

    assert answer.stop_reason == "end_turn"
    assert sim.calls[0].headers["anthropic-version"] == "2026-10-21"
