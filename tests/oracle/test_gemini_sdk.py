"""The official `google-genai` package against the simulator: that it takes what the simulator says
shows that the simulator speaks as Gemini does."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.e2e.harness import KEY
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT, THOUGHT

ASK = "Why is the sky blue?"


class Pet(BaseModel):
    name: str
    age: int


@pytest.fixture
def client(sim: Simulator) -> Iterator[genai.Client]:
    # Its address has to be given in full: a variable of the environment is read once for all.
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


def ask(
    client: genai.Client, streamed: bool, model: str = "mock", **config: Any
) -> list[types.GenerateContentResponse]:
    """The pieces of an answer; one if it is not streamed."""
    wanted = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **config
    )
    if streamed:
        stream = client.models.generate_content_stream(model=model, contents=ASK, config=wanted)
        return list(stream)
    return [client.models.generate_content(model=model, contents=ASK, config=wanted)]


def text(pieces: list[types.GenerateContentResponse], *, thought: bool | None = None) -> str:
    """All text, of thoughts or of the answer. (The package's own `.text` warns of other parts.)"""
    parts = [part for one in pieces for part in one.parts or []]
    return "".join(part.text or "" for part in parts if part.thought is thought)


def finish(pieces: list[types.GenerateContentResponse]) -> types.FinishReason | None:
    assert pieces[-1].candidates
    return pieces[-1].candidates[0].finish_reason


# ---- answers


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer(client: genai.Client, streamed: bool) -> None:
    pieces = ask(client, streamed)

    assert text(pieces) == TEXT
    assert finish(pieces) is types.FinishReason.STOP
    assert {(one.model_version, one.response_id) for one in pieces} == {("mock", "resp-sim-1")}
    usage = pieces[-1].usage_metadata
    assert usage is not None
    assert usage.candidates_token_count == len(PIECES)
    assert usage.total_token_count == (usage.prompt_token_count or 0) + len(PIECES)


def test_pieces_come_one_by_one(client: genai.Client) -> None:
    *content, last = ask(client, True)

    assert [one.text for one in content] == list(PIECES)
    assert last.text is None
    assert [finish([one]) for one in content] == [None] * len(content)


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts(client: genai.Client, streamed: bool) -> None:
    pieces = ask(client, streamed, "mock-thinks")

    assert text(pieces, thought=True) == THOUGHT
    assert text(pieces) == TEXT
    assert pieces[-1].usage_metadata is not None
    assert pieces[-1].usage_metadata.thoughts_token_count == len(THOUGHT.split())


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_of_a_function(client: genai.Client, streamed: bool) -> None:
    declared = types.FunctionDeclaration(
        name="save", parameters_json_schema=Pet.model_json_schema()
    )
    pieces = ask(client, streamed, tools=[types.Tool(function_declarations=[declared])])

    (call,) = [call for one in pieces for call in one.function_calls or []]
    assert (call.id, call.name) == ("call_sim1", "save")
    assert Pet.model_validate(call.args).name == "pear"
    assert finish(pieces) is types.FinishReason.STOP


def test_an_answer_in_a_schema(client: genai.Client) -> None:
    schema = Pet.model_json_schema()
    (answer,) = ask(
        client, False, response_mime_type="application/json", response_json_schema=schema
    )

    assert Pet.model_validate_json(answer.text or "").name == "pear"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("length", types.FinishReason.MAX_TOKENS),
        ("filtered", types.FinishReason.SAFETY),
        ("refusal", types.FinishReason.SAFETY),
        ("malformed-call", types.FinishReason.MALFORMED_FUNCTION_CALL),
    ],
)
def test_other_ends(
    client: genai.Client, streamed: bool, fault: str, reason: types.FinishReason
) -> None:
    assert finish(ask(client, streamed, f"mock-fault-{fault}")) is reason


@pytest.mark.parametrize("streamed", [False, True])
def test_a_blocked_prompt(client: genai.Client, streamed: bool) -> None:
    (answer,) = ask(client, streamed, "mock-fault-prompt-blocked")

    assert answer.candidates is None
    assert answer.prompt_feedback is not None
    assert answer.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


def test_the_list_of_models_and_a_count(client: genai.Client, sim: Simulator) -> None:
    sim.page = 2  # one of three goes to the second page
    listed = list(client.models.list(config={"query_base": True}))
    counted = client.models.count_tokens(model="mock", contents=ASK)

    assert [model.name for model in listed] == [f"models/{name}" for name in sim.models]
    assert all(model.input_token_limit == 1_048_576 for model in listed)
    assert client.models.get(model="mock").input_token_limit == 1_048_576
    assert counted.total_tokens


# ---- errors


@pytest.mark.parametrize(
    ("fault", "kind", "code", "status"),
    [
        ("key-echo", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("region", errors.ClientError, 400, "FAILED_PRECONDITION"),
        ("context", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("error-array", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("forbidden", errors.ClientError, 403, "PERMISSION_DENIED"),
        ("no-model", errors.ClientError, 404, "NOT_FOUND"),
        ("rate-forever", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("quota", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("500-forever", errors.ServerError, 500, "INTERNAL"),
        ("loading", errors.ServerError, 503, "UNAVAILABLE"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_refusals_by_status(
    client: genai.Client,
    fault: str,
    kind: type[errors.APIError],
    code: int,
    status: str,
    streamed: bool,
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, streamed, f"mock-fault-{fault}")

    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.message


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("bare-error", errors.ServerError, 503),
        ("bare-error-once", errors.ServerError, 503),
        ("error-in-stream", errors.ServerError, 500),
    ],
)
def test_an_error_inside_a_stream(
    client: genai.Client, fault: str, kind: type[errors.APIError], code: int
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, True, f"mock-fault-{fault}")

    assert caught.value.code == code


def test_a_wrong_key(client: genai.Client, sim: Simulator) -> None:
    sim.key = f"not-{KEY}"

    with pytest.raises(errors.ClientError, match="API key not valid") as caught:
        ask(client, False)
    assert caught.value.code == 400
    with pytest.raises(errors.ClientError):
        list(client.models.list())
