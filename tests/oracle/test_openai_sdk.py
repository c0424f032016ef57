"""The official `openai` package against the simulator: that it takes what the simulator says shows
that the simulator speaks as OpenAI does."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.e2e.harness import KEY
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT

ASK: Any = [{"role": "user", "content": "Why is the sky blue?"}]


class Pet(BaseModel):
    name: str
    age: int


def client_of(sim: Simulator, *, strict: bool = True, retries: int = 0) -> openai.OpenAI:
    """A strict client takes nothing that does not fit the package's own types."""
    return openai.OpenAI(
        base_url=sim.openai_url,
        api_key=KEY,
        max_retries=retries,
        _strict_response_validation=strict,
    )


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    with client_of(sim) as made:
        yield made


# ---- answers


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="mock", messages=ASK)

    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(PIECES)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + len(PIECES)
    assert answer._request_id


def test_a_streamed_answer_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="mock", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )

    *content, last = chunks
    deltas = [choice.delta.content for chunk in content for choice in chunk.choices]
    assert [piece for piece in deltas if piece] == list(PIECES)
    assert [chunk.usage for chunk in content] == [None] * len(content)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == len(PIECES)


def test_usage_is_streamed_only_when_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="mock", messages=ASK, stream=True))

    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_packages_own_collecting_of_a_stream(client: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    with client.chat.completions.stream(
        model="mock", messages=ASK, stream_options=options
    ) as stream:
        answer = stream.get_final_completion()

    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_of_a_function(client: openai.OpenAI, streamed: bool) -> None:
    asked: Any = {
        "model": "mock",
        "messages": ASK,
        "tools": [openai.pydantic_function_tool(Pet, name="save")],
    }
    if streamed:
        with client.chat.completions.stream(**asked) as stream:
            answer = stream.get_final_completion()
    else:
        answer = client.chat.completions.parse(**asked)

    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert call.function.name == "save"
    assert call.id
    assert isinstance(call.function.parsed_arguments, Pet)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_in_a_schema(client: openai.OpenAI, streamed: bool) -> None:
    if streamed:
        with client.chat.completions.stream(
            model="mock", messages=ASK, response_format=Pet
        ) as stream:
            answer = stream.get_final_completion()
    else:
        answer = client.chat.completions.parse(model="mock", messages=ASK, response_format=Pet)

    assert isinstance(answer.choices[0].message.parsed, Pet)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal(client: openai.OpenAI, streamed: bool) -> None:
    model = "mock-fault-refusal"
    if streamed:
        with client.chat.completions.stream(model=model, messages=ASK) as stream:
            answer = stream.get_final_completion()
    else:
        answer = client.chat.completions.parse(model=model, messages=ASK)

    assert answer.choices[0].message.refusal == "I cannot help with that."
    assert not answer.choices[0].message.content


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("length", openai.LengthFinishReasonError),
        ("filtered", openai.ContentFilterFinishReasonError),
    ],
)
def test_ends_that_are_errors_to_the_package(
    client: openai.OpenAI, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.chat.completions.parse(
            model=f"mock-fault-{fault}", messages=ASK, response_format=Pet
        )


def test_a_text_continued(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="mock", prompt="The sky", max_tokens=2)

    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason) == ("".join(PIECES[:2]), "length")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


def test_a_text_continued_as_it_comes(sim: Simulator) -> None:
    """Not strictly: the reference of the API shows a finish reason of null before the end, for
    which the package's type of these chunks has no place."""
    with client_of(sim, strict=False) as client:
        chunks = list(client.completions.create(model="mock", prompt="The sky", stream=True))

    assert "".join(chunk.choices[0].text for chunk in chunks) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [*([None] * 4), "stop"]


def test_the_list_of_models(client: openai.OpenAI, sim: Simulator) -> None:
    listed = client.models.list()

    assert [model.id for model in listed] == list(sim.models)


# ---- errors


@pytest.mark.parametrize(
    ("fault", "error", "status", "code"),
    [
        ("context", openai.BadRequestError, 400, "context_length_exceeded"),
        ("key-echo", openai.AuthenticationError, 401, "invalid_api_key"),
        ("forbidden", openai.PermissionDeniedError, 403, "forbidden"),
        ("no-model", openai.NotFoundError, 404, "model_not_found"),
        ("unprocessable", openai.UnprocessableEntityError, 422, None),
        ("rate-forever", openai.RateLimitError, 429, "rate_limit_exceeded"),
        ("quota", openai.RateLimitError, 429, "insufficient_quota"),
        ("500-forever", openai.InternalServerError, 500, None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_refusals_by_status(
    client: openai.OpenAI,
    fault: str,
    error: type[openai.APIStatusError],
    status: int,
    code: str | None,
    streamed: bool,
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=f"mock-fault-{fault}", messages=ASK, stream=streamed)

    assert caught.value.status_code == status
    assert caught.value.code == code
    assert caught.value.request_id
    assert caught.value.type  # the words of an error are where the package looks for them


def test_a_wrong_key_and_an_unknown_model(client: openai.OpenAI, sim: Simulator) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'nothing' not found"):
        client.chat.completions.create(model="nothing", messages=ASK)
    sim.key = f"not-{KEY}"
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="mock", messages=ASK)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


@pytest.mark.parametrize("fault", ["error-in-stream", "error-first"])
def test_an_error_inside_a_stream(client: openai.OpenAI, fault: str) -> None:
    stream = client.chat.completions.create(model=f"mock-fault-{fault}", messages=ASK, stream=True)
    with pytest.raises(openai.APIError, match="The model ran out of memory") as caught:
        list(stream)

    assert caught.value.code == "server_error"


def test_the_waiting_that_is_asked_for_in_milliseconds(
    sim: Simulator,
) -> None:
    """The package believes `retry-after-ms` before `retry-after`, which says a minute here."""
    with client_of(sim, retries=1) as client:
        answer = client.chat.completions.create(model="mock-fault-rate-ms", messages=ASK)

    first, second = sim.calls
    assert answer.choices[0].message.content == TEXT
    assert 0.4 <= second.at - first.at < 2.0
    assert first.body == second.body
