"""Requests in the shape of OpenAI's responses."""

import json
from typing import Any

import pytest

from llmctl.dialects import Framing
from llmctl.dialects.openai_responses import OpenAIResponses
from llmctl.errors import RateLimited, UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Embed,
    Json,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    Tool,
    message,
)
from tests.unit.dialects.documented import (
    ANSWER,
    CALLS,
    PICTURE,
    QUESTION,
    RESULTS,
    SCHEMA,
    SYSTEM,
    WEATHER,
    check,
    needs_documents,
)

TOOL = Tool("weather", "Tells the weather", WEATHER)
PLAIN = Chat("m", (QUESTION,))
FULL = Chat(
    "m",
    (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS),
    max_tokens=50,
    temperature=0.5,
    seed=7,
    stop=("\n", "END"),
    schema=SCHEMA,
    tools=(TOOL,),
    options={"reasoning_effort": "low", "reasoning_summary": "auto", "verbosity": "low"},
)


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    encoded = OpenAIResponses().encode(call, Quirks(**quirks)).body
    assert encoded is not None
    return dict(encoded)


def test_the_least_that_is_sent() -> None:
    http = OpenAIResponses().encode(PLAIN, Quirks())

    assert (http.method, http.path, http.framing) == ("POST", "responses", Framing.SSE)
    assert dict(http.headers) == {}
    assert http.body == {
        "model": "m",
        "input": [{"role": "user", "content": "Why?"}],
        "store": False,
        "stream": True,
    }


def test_a_whole_answer_says_nothing_of_a_stream() -> None:
    http = OpenAIResponses().encode(Chat("m", (QUESTION,), stream=False), Quirks())

    assert http.framing is Framing.WHOLE
    assert http.body is not None
    assert "stream" not in http.body


def test_a_conversation_as_items() -> None:
    said = body(Chat("m", (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS)))

    assert said["instructions"] == "Be brief."
    assert said["input"] == [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {
                    "type": "input_image",
                    "detail": "auto",
                    "image_url": "data:image/png;base64,iVBORw==",
                },
            ],
        },
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city": "Омск"}',
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "-20"},
    ]


def test_instructions_in_the_middle_stay_there() -> None:
    later = message(Role.SYSTEM, "And be kind.")
    said = body(Chat("m", (SYSTEM, later, QUESTION, later)), system_role="developer")

    assert said["instructions"] == "Be brief.\n\nAnd be kind."
    assert said["input"][1] == {"role": "developer", "content": "And be kind."}


def test_attachments_by_their_kind() -> None:
    parts = (
        Text("Read"),
        Media("application/pdf", b"%PDF", name="paper.pdf"),
        Media("application/pdf", url="https://example.com/b.pdf"),
        Media("image/jpeg", url="https://example.com/a.jpg"),
    )
    [item] = body(Chat("m", (Message(Role.USER, parts),)))["input"]

    assert item["content"][1:] == [
        {
            "type": "input_file",
            "filename": "paper.pdf",
            "file_data": "data:application/pdf;base64,JVBERg==",
        },
        {"type": "input_file", "file_url": "https://example.com/b.pdf"},
        {"type": "input_image", "detail": "auto", "image_url": "https://example.com/a.jpg"},
    ]


@pytest.mark.parametrize(
    ("role", "kind"), [(Role.USER, "audio/wav"), (Role.USER, "video/mp4"), (Role.ASSISTANT, "x/y")]
)
def test_what_it_cannot_take_is_refused_before_sending(role: Role, kind: str) -> None:
    with pytest.raises(UsageError):
        body(Chat("m", (Message(role, (Media(kind, b"x"),)),)))


def test_everything_that_a_chat_can_say() -> None:
    said = body(FULL)

    assert (said["max_output_tokens"], said["temperature"]) == (50, 0.5)
    assert not {"seed", "stop", "reasoning_effort", "verbosity"} & set(said)
    assert {"seed", "stop"} == OpenAIResponses.lacks
    assert said["reasoning"] == {"effort": "low", "summary": "auto"}
    assert said["text"] == {
        "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA},
        "verbosity": "low",
    }
    assert said["tools"] == [
        {
            "type": "function",
            "name": "weather",
            "description": "Tells the weather",
            "parameters": WEATHER,
            "strict": False,
        }
    ]


def test_storing_is_the_users_to_ask_for() -> None:
    assert body(Chat("m", (QUESTION,), options={"store": True}))["store"] is True
    assert body(PLAIN, extra_body={"store": True})["store"] is True


@pytest.mark.parametrize(
    ("quirks", "gone"),
    [
        ({"sampling": False}, {"temperature"}),
        ({"max_tokens_field": "max_completion_tokens"}, set()),
    ],
)
def test_a_quirk_drops_its_own_field_only(quirks: dict[str, Any], gone: set[str]) -> None:
    assert set(body(FULL)) - set(body(FULL, **quirks)) == gone


@pytest.mark.parametrize(
    ("quirk", "form"), [("json_object", {"type": "json_object"}), ("none", None)]
)
def test_a_model_that_cannot_be_held_to_a_schema_is_told_it(quirk: str, form: Json) -> None:
    said = body(Chat("m", (SYSTEM, QUESTION), schema=SCHEMA), schema=quirk)

    assert said.get("text") == (form and {"format": form})
    assert json.dumps(SCHEMA) in said["instructions"]
    assert said["instructions"].endswith("Be brief.")


def test_what_the_user_says_beats_the_card_and_the_card_the_rest() -> None:
    call = Chat("m", (QUESTION,), temperature=0.5, options={"temperature": 1, "top_p": 3})
    said = body(call, extra_body={"temperature": 2, "top_p": 4, "x": 5})
    assert (said["temperature"], said["top_p"], said["x"]) == (1, 3, 5)

    own = {"text": {"format": {"type": "text"}}, "reasoning": {"effort": "high"}}
    call = Chat("m", (QUESTION,), schema=SCHEMA, options=own)
    said = body(call, extra_body={"reasoning": {"effort": "low", "summary": "auto"}})
    assert said["text"] == {"format": {"type": "text"}}
    assert said["reasoning"] == {"effort": "high", "summary": "auto"}


def test_a_stream_turned_off_by_hand_is_off() -> None:
    http = OpenAIResponses().encode(Chat("m", (QUESTION,), options={"stream": False}), Quirks())

    assert http.framing is Framing.WHOLE


def test_functions_that_a_model_cannot_call_are_refused() -> None:
    with pytest.raises(UsageError, match="m cannot call functions"):
        body(FULL, tools=False)


@pytest.mark.parametrize("call", [Complete("m", "a"), Embed("m", ("a",))])
def test_what_the_format_does_not_have_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=f"no {type(call).__name__.lower()}"):
        OpenAIResponses().encode(call, Quirks())


def test_encoding_leaves_the_call_and_the_card_as_they_are() -> None:
    options: dict[str, Json] = {"reasoning": {"effort": "low"}}
    extra: dict[str, Json] = {"reasoning": {"summary": "auto"}}
    call = Chat("m", (QUESTION,), schema=SCHEMA, options=options)
    body(call, extra_body=extra)["text"]["format"]["schema"]["type"] = "array"

    assert (options, extra) == (
        {"reasoning": {"effort": "low"}}, {"reasoning": {"summary": "auto"}}
    )  # fmt: skip
    assert SCHEMA["type"] == "object"


def test_an_error_answer_is_the_error_it_stands_for() -> None:
    said = {"error": {"message": "No credit", "type": "x", "code": "credit_balance_exhausted"}}
    error = OpenAIResponses().failure(429, {"x-request-id": "r1"}, json.dumps(said))

    assert isinstance(error, RateLimited)
    assert (error.reason, error.retryable, error.request_id) == ("quota", False, "r1")


def test_its_models_are_those_of_chat_completions() -> None:
    http = OpenAIResponses().listing()

    assert (http.method, http.path) == ("GET", "models")
    assert OpenAIResponses().listed({"data": [{"id": "a"}, {"id": "b"}]}) == ["a", "b"]


# ------------------------------------------------------------------------- the reference of OpenAI


@needs_documents
@pytest.mark.parametrize(
    "quirks",
    [
        {},
        {"system_role": "developer", "sampling": False},
        {"schema": "json_object"},
        {"schema": "none", "extra_body": {"top_p": 0.5}},
    ],
)
@pytest.mark.parametrize("call", [PLAIN, FULL, Chat("m", (SYSTEM, QUESTION), stream=False)])
def test_requests_are_as_documented(call: Chat, quirks: dict[str, Any]) -> None:
    check(OpenAIResponses().encode(call, Quirks(**quirks)), "openai", "CreateResponse")
