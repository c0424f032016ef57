"""Requests in the shape of Anthropic's messages, and errors as it tells them."""

import json
from typing import Any

import pytest

from llmctl.dialects import Framing
from llmctl.dialects.anthropic import Anthropic
from llmctl.errors import UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Embed,
    Image,
    Json,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    Tool,
    ToolCall,
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
)

PLAIN = Chat("m", (QUESTION,))


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    encoded = Anthropic().encode(call, Quirks(**quirks)).body
    assert encoded is not None
    return dict(encoded)


def version(call: Call, **quirks: Any) -> str:
    return Anthropic().encode(call, Quirks(**quirks)).headers["anthropic-version"]


def test_the_least_that_is_sent() -> None:
    http = Anthropic().encode(PLAIN, Quirks())

    assert (http.method, http.path, http.framing) == ("POST", "v1/messages", Framing.SSE)
    assert dict(http.headers) == {"anthropic-version": "2026-10-21"}
    assert http.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 32_000,
        "stream": True,
    }


def test_a_whole_answer_says_nothing_of_a_stream() -> None:
    http = Anthropic().encode(Chat("m", (QUESTION,), stream=False), Quirks())

    assert http.framing is Framing.WHOLE
    assert http.body is not None
    assert "stream" not in http.body


@pytest.mark.parametrize(
    ("limit", "stream", "said"),
    [(None, True, 32_000), (None, False, 21_333), (4096, False, 4096), (128_000, True, 128_000)],
)
def test_the_limit_where_the_user_sets_none(limit: int | None, stream: bool, said: int) -> None:
    """3600 s for 128,000 tokens is the provider's own measure: ten minutes are 21,333 of them."""
    call = Chat("m", (QUESTION,), stream=stream)

    assert body(call, output_limit=limit)["max_tokens"] == said


def test_the_users_limit_beats_the_cards() -> None:
    call = Chat("m", (QUESTION,), max_tokens=200_000, stream=False)

    assert body(call, output_limit=4096)["max_tokens"] == 200_000
    assert body(PLAIN, extra_body={"max_tokens": 7})["max_tokens"] == 7
    assert body(call, extra_body={"max_tokens": 7})["max_tokens"] == 200_000


def test_a_conversation() -> None:
    said = body(Chat("m", (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS)))

    assert said["system"] == "Be brief."
    assert said["messages"] == [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {
                    "type": "tool_use",
                    "id": "call_1",
                    "name": "weather",
                    "input": {"city": "Омск"},
                }
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "-20"}],
        },
    ]


def test_instructions_wherever_they_stand() -> None:
    later = message(Role.SYSTEM, "And be kind.")

    assert body(Chat("m", (SYSTEM, QUESTION, later)))["system"] == "Be brief.\n\nAnd be kind."


def test_attachments_by_their_kind() -> None:
    parts = (
        Text(""),  # an empty text would be refused
        Media("image/jpeg", url="https://example.com/a.jpg"),
        Media("application/pdf", b"%PDF", name="paper.pdf"),
        Media("application/pdf", url="https://example.com/b.pdf"),
        Media("text/markdown", "Привет".encode(), name="notes.md"),
    )
    [said] = body(Chat("m", (Message(Role.USER, parts),)))["messages"]

    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    text = {"type": "text", "media_type": "text/plain", "data": "Привет"}
    assert said["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
        {"type": "document", "source": pdf, "title": "paper.pdf"},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/b.pdf"}},
        {"type": "document", "source": text, "title": "notes.md"},
    ]


def test_what_it_cannot_take_is_refused_before_sending() -> None:
    sound = Message(Role.USER, (Media("audio/wav", b"RIFF"),))
    with pytest.raises(UsageError, match="audio/wav"):
        body(Chat("m", (sound,)))
    odd = Message(Role.ASSISTANT, (ToolCall("c", "weather", "[1]"),))
    with pytest.raises(UsageError, match="weather"):
        body(Chat("m", (odd,)))
    tool = Tool("weather", "Tells the weather", WEATHER)
    with pytest.raises(UsageError, match="m cannot call functions"):
        body(Chat("m", (QUESTION,), tools=(tool,)), tools=False)


@pytest.mark.parametrize("call", [Complete("m", "a"), Embed("m", ("a",)), Image("m", "a")])
def test_what_the_format_does_not_have_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=f"no {type(call).__name__.lower()}"):
        Anthropic().encode(call, Quirks())


def test_functions_offered() -> None:
    tool = Tool("weather", "Tells the weather", WEATHER)

    assert body(Chat("m", (QUESTION,), tools=(tool,)))["tools"] == [
        {"name": "weather", "description": "Tells the weather", "input_schema": WEATHER}
    ]


# ---- the two versions


WARM = Chat("m", (QUESTION,), temperature=0.0, seed=7, stop=("END",))


def test_what_is_tuned() -> None:
    said = body(WARM)

    assert (said["temperature"], said["stop_sequences"]) == (0.0, ["END"])
    assert "seed" not in said
    assert not {"temperature", "stop_sequences"} & set(body(WARM, sampling=False, stop=False))
    assert "seed" in Anthropic.lacks


@pytest.mark.parametrize("options", [{"temperature": 1}, {"top_p": 0.9}, {"top_k": 4}])
def test_only_the_older_version_takes_sampling(options: dict[str, Json]) -> None:
    asked = Chat("m", (QUESTION,), options=options)

    assert version(PLAIN) == "2026-10-21"
    assert version(WARM) == version(asked) == "2023-06-01"
    # A model that takes none at all is not helped by the version; the provider says so itself.
    assert version(WARM, sampling=False) == version(asked, sampling=False) == "2026-10-21"


def test_a_version_that_was_set_is_asked_for() -> None:
    old, new = {"api_version": "2023-06-01"}, {"api_version": "2026-10-21"}

    assert version(PLAIN, settings=old) == version(WARM, settings=old) == "2023-06-01"
    assert version(PLAIN, settings=new) == "2026-10-21"
    with pytest.raises(UsageError, match="2026-10-21 of this API takes no temperature"):
        version(WARM, settings=new)


# ---- schemas and the user's own fields


def test_a_schema_and_the_effort_share_a_field() -> None:
    call = Chat("m", (QUESTION,), schema=SCHEMA, options={"effort": "low", "top_k": 4})
    said = body(call)

    held = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    assert said["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": held},
    }
    assert said["top_k"] == 4
    assert "effort" not in said


def test_fields_of_the_users_beat_ours() -> None:
    own = {"output_config": {"effort": "max", "format": None}, "thinking": "adaptive"}
    said = body(Chat("m", (QUESTION,), schema=SCHEMA, max_tokens=5, options=own))

    assert said["output_config"] == {"effort": "max", "format": None}
    assert said["thinking"] == {"type": "adaptive"}
    budget = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 9}
    said = body(Chat("m", (QUESTION,), max_tokens=5, options=budget))
    assert (said["thinking"], said["max_tokens"]) == (budget["thinking"], 9)


def test_a_stream_turned_off_by_hand_is_off() -> None:
    http = Anthropic().encode(Chat("m", (QUESTION,), options={"stream": False}), Quirks())

    assert http.framing is Framing.WHOLE


@pytest.mark.parametrize("quirk", ["json_object", "none"])
def test_a_model_that_cannot_be_held_to_a_schema_is_told_it(quirk: str) -> None:
    said = body(Chat("m", (SYSTEM, QUESTION), schema=SCHEMA), schema=quirk)

    assert "output_config" not in said
    assert said["system"].startswith("Be brief.\n\n")
    assert json.dumps(SCHEMA) in said["system"]


def test_encoding_leaves_the_call_as_it_is() -> None:
    options: dict[str, Json] = {"effort": "low", "output_config": {"effort": "high"}}
    call = Chat("m", (QUESTION,), schema=SCHEMA, options=options)
    first = body(call)
    first["output_config"]["format"]["schema"]["properties"]["name"]["type"] = "array"

    assert options == {"effort": "low", "output_config": {"effort": "high"}}
    assert SCHEMA["properties"] == {"name": {"type": "string"}}


# ---- errors and models


def told(kind: str, message: str, **more: Any) -> Json:
    error = {"type": kind, "message": message, **more}
    return {"type": "error", "error": error, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("status", "answer", "code", "reason", "retryable"),
    [
        (400, told("invalid_request_error", "max_tokens: Field required"),
         "rejected", None, False),
        (400, told("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
         "rejected", "context", False),
        (400, told("invalid_request_error",
                   "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000"),
         "rejected", "context", False),
        (400, told("invalid_request_error", "Your credit balance is too low to access the API."),
         "rate-limited", "quota", False),
        (400, told("invalid_request_error", "Output blocked by content filtering policy"),
         "filtered", None, False),
        (400, told("invalid_request_error", "messages: 'prompt is too long' was not expected"),
         "rejected", None, False),
        (401, told("authentication_error", "invalid x-api-key"), "auth", None, False),
        (402, told("billing_error", "No credit"), "rate-limited", "quota", False),
        (402, told("billing_error", "Limit", details={
            "error_code": "linked_organization_spend_limit_reached"}),
         "rate-limited", "quota", False),
        (403, told("permission_error", "Not for this key"), "auth", None, False),
        (403, {"error": {"type": "forbidden", "message": "Request not allowed"}},
         "auth", "region", False),
        (404, told("not_found_error", "model: m"), "not-found", None, False),
        (413, told("request_too_large", "Request exceeds the maximum size"),
         "rejected", None, False),
        (429, told("rate_limit_error", "Slow down"), "rate-limited", "rate", True),
        (429, told("rate_limit_error", "Slow down", details={"error_code": "ramp_limit_exceeded"}),
         "rate-limited", "rate", True),
        (429, told("rate_limit_error", "Spent", details={
            "error_code": "enforced_spend_limit_reached"}), "rate-limited", "quota", False),
        (500, told("api_error", "Internal server error"), "provider-error", None, True),
        (504, told("timeout_error", "Timed out"), "provider-error", None, True),
        (529, told("overloaded_error", "Overloaded"), "provider-error", "overloaded", True),
    ],
)  # fmt: skip
def test_errors(status: int, answer: Json, code: str, reason: str | None, retryable: bool) -> None:
    error = Anthropic().failure(status, {}, json.dumps(answer))

    assert (error.code, error.reason, error.retryable, error.status) == (
        code, reason, retryable, status
    )  # fmt: skip
    assert answer["error"]["message"] in error.message


def test_the_id_of_a_request_that_failed() -> None:
    answer = json.dumps(told("api_error", "Internal server error"))

    assert Anthropic().failure(500, {}, answer).request_id == "req_1"
    assert Anthropic().failure(500, {"request-id": "req_2"}, answer).request_id == "req_2"


def test_models_that_can_still_be_asked() -> None:
    http = Anthropic().listing()
    assert (http.method, http.path) == ("GET", "v1/models?limit=1000")
    assert http.headers["anthropic-version"]

    answer = {
        "data": [
            {"id": "a", "type": "model", "lifecycle": "active"},
            {"id": "b", "type": "model", "lifecycle": "deprecated"},
            {"id": "c", "type": "model", "lifecycle": "retired"},
            {"id": "d", "type": "model"},
        ],
        "has_more": False,
    }
    assert Anthropic().listed(answer) == ["a", "b", "d"]
    assert Anthropic().listed({}) == []
