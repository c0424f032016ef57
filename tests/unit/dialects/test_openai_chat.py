"""Requests in OpenAI's shape: fields where its reference has them, quirks where they belong."""

import json
from typing import Any

import pytest

from llmctl.dialects import Frame, Framing
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.errors import Rejected, UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Fill,
    Finished,
    FinishReason,
    Json,
    Quirks,
    TextDelta,
    Tool,
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
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("\n", "END"),
    schema=SCHEMA,
    tools=(TOOL,),
)


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    encoded = OpenAIChat().encode(call, Quirks(**quirks)).body
    assert encoded is not None
    return dict(encoded)


def test_the_least_that_is_sent() -> None:
    http = OpenAIChat().encode(PLAIN, Quirks())

    assert (http.method, http.path, http.framing) == ("POST", "chat/completions", Framing.SSE)
    assert dict(http.headers) == {}
    assert http.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_everything_that_a_chat_can_say() -> None:
    said = body(FULL)

    assert said["max_tokens"] == 5
    assert (said["temperature"], said["seed"], said["stop"]) == (0.5, 7, ["\n", "END"])
    assert said["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA},
    }
    assert said["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells the weather",
                "parameters": WEATHER,
            },
        }
    ]


def test_zero_is_said_and_not_taken_for_nothing() -> None:
    said = body(Chat("m", (QUESTION,), max_tokens=0, temperature=0.0, seed=0))

    assert (said["max_tokens"], said["temperature"], said["seed"]) == (0, 0.0, 0)


def test_a_whole_answer_is_asked_for_without_stream_options() -> None:
    http = OpenAIChat().encode(Chat("m", (QUESTION,), stream=False), Quirks())

    assert http.framing is Framing.WHOLE
    assert http.body == {"model": "m", "messages": [{"role": "user", "content": "Why?"}]}


def test_a_base_models_text_goes_to_the_older_endpoint() -> None:
    call = Complete("m", "Once upon", max_tokens=5, temperature=0.1, seed=1, stop=(".",))
    http = OpenAIChat().encode(call, Quirks(max_tokens_field="max_completion_tokens"))

    assert http.path == "completions"
    assert http.body == {
        "model": "m",
        "prompt": "Once upon",
        "max_tokens": 5,  # the newer name exists for chats only
        "temperature": 0.1,
        "seed": 1,
        "stop": ["."],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("quirks", "gone"),
    [
        ({"sampling": False}, {"temperature"}),
        ({"seed": False}, {"seed"}),
        ({"stop": False}, {"stop"}),
        ({"usage_in_stream": False}, {"stream_options"}),
        ({"schema": "none"}, {"response_format"}),
        ({"max_tokens_field": "max_completion_tokens"}, {"max_tokens"}),
    ],
)
def test_a_quirk_drops_its_own_field_only(quirks: dict[str, Any], gone: set[str]) -> None:
    assert set(body(FULL)) - set(body(FULL, **quirks)) == gone


def test_quirks_that_say_it_otherwise() -> None:
    limited = body(FULL, max_tokens_field="max_completion_tokens")
    assert limited["max_completion_tokens"] == 5
    assert body(FULL, schema="json_object")["response_format"] == {"type": "json_object"}
    assert body(FULL, system_role="developer")["messages"][0]["role"] == "developer"
    assert body(PLAIN, extra_body={"safe": False})["safe"] is False


def test_functions_that_a_model_cannot_call_are_refused() -> None:
    with pytest.raises(UsageError, match="m cannot call functions"):
        body(FULL, tools=False)


def test_what_the_user_says_beats_the_card_and_the_card_the_rest() -> None:
    call = Chat("m", (QUESTION,), temperature=0.5, options={"temperature": 1, "top_k": 3})
    said = body(call, extra_body={"temperature": 2, "top_k": 4, "x": 5})

    assert (said["temperature"], said["top_k"], said["x"]) == (1, 3, 5)
    flags = Chat("m", (QUESTION,), temperature=0.5, max_tokens=7)
    said = body(flags, extra_body={"temperature": 2, "max_tokens": 9})
    assert (said["temperature"], said["max_tokens"]) == (0.5, 7)


@pytest.mark.parametrize("source", ["options", "extra_body"])
def test_a_stream_that_is_turned_off_by_hand_is_off_altogether(source: str) -> None:
    """OpenAI refuses stream_options where nothing is streamed."""
    off = {"stream": False}
    call = Chat("m", (QUESTION,), options=off if source == "options" else {})
    http = OpenAIChat().encode(call, Quirks(extra_body=off if source == "extra_body" else {}))

    assert http.framing is Framing.WHOLE
    assert http.body is not None
    assert http.body["stream"] is False
    assert "stream_options" not in http.body


@pytest.mark.parametrize("call", [Fill("m", "a")])
def test_what_the_format_does_not_have_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=f"no {type(call).__name__.lower()}"):
        OpenAIChat().encode(call, Quirks())


def test_encoding_leaves_the_call_and_the_card_as_they_are() -> None:
    extra, options = {"a": 1}, {"b": 2}
    call = Chat("m", (QUESTION,), schema=SCHEMA, options=options)
    first = body(call, extra_body=extra)
    first["messages"].append("x")
    first["response_format"]["json_schema"]["schema"]["type"] = "array"

    assert (extra, options, SCHEMA["type"]) == ({"a": 1}, {"b": 2}, "object")


def test_an_error_answer_is_the_error_it_stands_for() -> None:
    said = {"error": {"message": "too long", "code": "context_length_exceeded"}}
    error = OpenAIChat().failure(400, {"x-request-id": "r1"}, json.dumps(said))

    assert isinstance(error, Rejected)
    assert (error.reason, error.status, error.request_id) == ("context", 400, "r1")


def test_which_fields_hold_the_thinking_is_the_cards_to_say() -> None:
    frame = Frame('{"choices":[{"delta":{"thoughts":"hm","content":"a"},"finish_reason":"stop"}]}')
    decoder = OpenAIChat().decoder(PLAIN, Quirks(reasoning_fields=("none",)))

    assert list(decoder.feed(frame)) == [TextDelta("a")]
    shown = list(OpenAIChat().decoder(PLAIN, Quirks(reasoning_fields=("thoughts",))).feed(frame))
    assert [type(event).__name__ for event in shown] == ["ReasoningDelta", "TextDelta"]


def test_nothing_is_known_of_usage_that_nobody_reported() -> None:
    decoder = OpenAIChat().decoder(PLAIN, Quirks())
    list(decoder.feed(Frame('{"choices":[{"delta":{},"finish_reason":"stop"}]}')))
    [end] = decoder.end()

    assert isinstance(end, Finished)
    assert (end.reason, end.usage) == (FinishReason.STOP, None)


# ------------------------------------------------------------------------- the reference of OpenAI


@needs_documents
@pytest.mark.parametrize(
    "quirks",
    [
        {},
        {"max_tokens_field": "max_completion_tokens", "system_role": "developer"},
        {"schema": "json_object", "usage_in_stream": False},
        {"system_role": "user", "sampling": False, "seed": False, "stop": False, "schema": "none"},
    ],
)
@pytest.mark.parametrize("call", [PLAIN, FULL, Chat("m", (SYSTEM, QUESTION), stream=False)])
def test_chats_are_as_documented(call: Chat, quirks: dict[str, Any]) -> None:
    check(OpenAIChat().encode(call, Quirks(**quirks)), "openai", "CreateChatCompletionRequest")


@needs_documents
@pytest.mark.parametrize("stream", [True, False])
def test_completions_are_as_documented(stream: bool) -> None:
    call = Complete("m", "Once", max_tokens=5, temperature=0.1, seed=1, stop=(".",), stream=stream)
    quirks = Quirks(max_tokens_field="max_completion_tokens")

    check(OpenAIChat().encode(call, quirks), "openai", "CreateCompletionRequest")
