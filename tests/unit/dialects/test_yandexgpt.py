"""Requests in the shape of Yandex's completion API, its errors, and operations."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame, Framing, HttpCall
from llmctl.dialects.yandexgpt import YandexDecoder, YandexGpt
from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NotFound,
    ProviderFailed,
    RateLimited,
    Rejected,
    UsageError,
)
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Finished,
    Json,
    Media,
    Message,
    Progress,
    Quirks,
    Role,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
    message,
)

USER = message(Role.USER, "Какая погода в Туле?")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMED: dict[str, Any] = {"model_name": "gpt://{folder}/{model}"}


def encoded(call: Call, settings: dict[str, str] | None = None, **quirks: Any) -> HttpCall:
    settings = {"folder": "b1gown", **(settings or {})}
    return YandexGpt().encode(call, Quirks(**NAMED, settings=settings, **quirks))


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    found = encoded(call, **quirks).body
    assert found is not None
    return dict(found)


def test_the_least_that_is_sent() -> None:
    assert encoded(Chat("yandexgpt", (USER,), stream=False)) == HttpCall(
        "POST",
        "foundationModels/v1/completion",
        {
            "modelUri": "gpt://b1gown/yandexgpt",
            "completionOptions": {},
            "messages": [{"role": "user", "text": "Какая погода в Туле?"}],
        },
        framing=Framing.WHOLE,
    )


@pytest.mark.parametrize(
    ("model", "uri"),
    [
        ("yandexgpt", "gpt://b1gown/yandexgpt"),
        ("yandexgpt/rc", "gpt://b1gown/yandexgpt/rc"),
        ("yandexgpt-lite/latest@tamr7", "gpt://b1gown/yandexgpt-lite/latest@tamr7"),
        ("gpt://b1gelse/yandexgpt/latest", "gpt://b1gelse/yandexgpt/latest"),
        ("ds://bt1abc", "ds://bt1abc"),
        ("{folder}", "gpt://b1gown/{folder}"),
    ],
)
def test_names_of_models(model: str, uri: str) -> None:
    assert body(Chat(model, (USER,)))["modelUri"] == uri


def test_knobs_and_options() -> None:
    call = Chat(
        "yandexgpt",
        (USER,),
        max_tokens=100,
        temperature=0.5,
        seed=7,
        stop=("END",),
        options={"reasoningOptions": {"mode": "DISABLED"}, "parallelToolCalls": False},
    )
    sent = body(call, extra_body={"temperature": 0.1})

    assert sent["completionOptions"] == {
        "stream": True,
        "temperature": 0.5,
        "maxTokens": "100",
        "reasoningOptions": {"mode": "DISABLED"},
    }
    assert sent["parallelToolCalls"] is False
    assert set(sent) == {"modelUri", "completionOptions", "messages", "parallelToolCalls"}


def test_streams_are_lines() -> None:
    streamed = Chat("yandexgpt", (USER,))
    assert encoded(streamed).framing is Framing.NDJSON
    off = Chat("yandexgpt", (USER,), options={"stream": False})
    assert encoded(off).framing is Framing.WHOLE


def test_schemas() -> None:
    call = Chat("yandexgpt", (USER,), schema=SCHEMA)

    assert body(call)["jsonSchema"] == {"schema": SCHEMA}
    loose = body(call, schema="json_object")
    assert loose["jsonObject"] is True
    # The API answers with blanks for ever unless the prompt asks for JSON, too.
    assert loose["messages"][0]["role"] == "system"
    assert json.dumps(SCHEMA) in loose["messages"][0]["text"]


def test_functions_as_the_official_package_was_recorded_to_send_them() -> None:
    parameters = {"type": "object", "properties": {"numbers": {"type": "array"}}}
    arguments = '{"numbers": [5.0, 4.0, 1.0]}'
    call = Chat(
        "yandexgpt/rc",
        (
            message(Role.USER, "5, 4, a, 1"),
            Message(Role.ASSISTANT, (ToolCall("call_1", "something", arguments),)),
            Message(Role.TOOL, (ToolResult("call_1", "something", "+20.0"),)),
        ),
        tools=(Tool("something", "Collects numbers", parameters),),
        stream=False,
    )
    sent = body(call)

    assert sent["tools"] == [
        {
            "function": {
                "name": "something",
                "description": "Collects numbers",
                "parameters": parameters,
            }
        }
    ]
    called = {"name": "something", "arguments": {"numbers": [5.0, 4.0, 1.0]}}
    result = {"name": "something", "content": "+20.0"}
    assert sent["messages"][1:] == [
        {"role": "assistant", "toolCallList": {"toolCalls": [{"functionCall": called}]}},
        {"role": "user", "toolResultList": {"toolResults": [{"functionResult": result}]}},
    ]


def test_text_beside_calls_goes_before_them() -> None:
    both = Message(Role.ASSISTANT, (Text("Смотрю."), ToolCall("1", "look", "")))
    shaped = body(Chat("yandexgpt", (USER, both)))["messages"][1:]

    assert shaped == [
        {"role": "assistant", "text": "Смотрю."},
        {
            "role": "assistant",
            "toolCallList": {"toolCalls": [{"functionCall": {"name": "look", "arguments": {}}}]},
        },
    ]


@pytest.mark.parametrize(
    "call",
    [
        Complete("yandexgpt", "Жили-были"),
        Chat("yandexgpt", (Message(Role.USER, (Media("image/png", b"png"),)),)),
        Chat("yandexgpt", (Message(Role.ASSISTANT, (ToolCall("1", "f", "[1]"),)),)),
        Chat("yandexgpt", (Message(Role.TOOL, (ToolResult("1", "f", "x"), Text("y"))),)),
    ],
)
def test_what_the_format_cannot_say(call: Call) -> None:
    with pytest.raises(UsageError):
        encoded(call)


def test_functions_where_the_model_has_none() -> None:
    call = Chat("yandexgpt", (USER,), tools=(Tool("f", "d", {}),))
    with pytest.raises(UsageError):
        encoded(call, tools=False)


def test_the_list_of_models() -> None:
    """Ids as in the recorded answer, with another folder."""
    ids = [
        "emb://b1gown/text-embeddings/latest@tamr4",
        "gpt://b1gown/aliceai-llm/latest",
        "gpt://b1gown/yandexgpt/rc",
    ]
    answer = {"object": "list", "data": [{"id": one, "object": "model"} for one in ids]}

    assert YandexGpt().listing().path == "v1/models"
    assert YandexGpt().listed(answer) == [ids[0], "aliceai-llm/latest", "yandexgpt/rc"]


# ---- the compatible API


def test_the_compatible_api_has_the_same_names_under_its_own_path() -> None:
    quirks = Quirks(**NAMED, path_prefix="v1/", settings={"folder": "b1gown"})
    sent = DIALECTS["openai_chat"]().encode(Chat("gpt-oss-120b", (USER,)), quirks)

    assert sent.path == "v1/chat/completions"
    assert sent.body is not None
    assert sent.body["model"] == "gpt://b1gown/gpt-oss-120b"


# ---- operations


def test_an_operation_is_begun_without_a_stream() -> None:
    call = encoded(Chat("yandexgpt", (USER,)), settings={"mode": "async"})

    assert call.path == "foundationModels/v1/completionAsync"
    assert call.framing is Framing.WHOLE
    assert call.body is not None
    assert call.body["completionOptions"] == {}


def test_an_operation_is_asked_after_until_it_is_done() -> None:
    decoder = YandexDecoder()
    waits = []
    for _turn in range(10):
        (event,) = decoder.feed(Frame('{"id": "d7q", "description": "x"}'))
        assert isinstance(event, Progress)
        assert decoder.then is not None
        assert decoder.then.http == HttpCall("GET", "operations/d7q", base="operations_url")
        waits.append(decoder.then.after_s)
        assert list(decoder.end()) == []
    assert waits[:4] == [0.5, 0.75, 1.125, 1.6875]
    assert waits[-1] == 10.0
    text = {"role": "assistant", "text": "Да."}
    answer = {"alternatives": [{"message": text, "status": "ALTERNATIVE_STATUS_FINAL"}]}
    done = json.dumps({"id": "d7q", "done": True, "response": answer})

    events = list(decoder.feed(Frame(done)))

    assert decoder.then is None
    assert decoder.done
    assert events[0] == TextDelta("Да.")
    assert isinstance(events[1], Finished)
    assert events[1].request_id == "d7q"


def test_an_operation_whose_state_is_torn_is_still_there() -> None:
    decoder = YandexDecoder()
    list(decoder.feed(Frame('{"id": "d7q"}')))

    with pytest.raises(ProviderFailed):
        list(decoder.feed(Frame('{"id": "d7')))
    assert decoder.then is not None


def test_a_failed_operation_is_over() -> None:
    decoder = YandexDecoder()
    list(decoder.feed(Frame('{"id": "d7q"}')))
    failed = {"id": "d7q", "done": True, "error": {"code": 8, "message": "quota", "details": []}}

    with pytest.raises(RateLimited):
        list(decoder.feed(Frame(json.dumps(failed))))
    assert decoder.then is None


# ---- errors


def gateway(status: int, grpc: int, said: str) -> LlmctlError:
    error = {"grpcCode": grpc, "httpCode": status, "message": said, "httpStatus": "x"}
    return YandexGpt().failure(status, {}, json.dumps({"error": {**error, "details": []}}))


def plain(status: int, grpc: int, said: str) -> LlmctlError:
    document = {"code": grpc, "message": said, "details": []}
    return YandexGpt().failure(status, {"x-request-id": "r1"}, json.dumps(document))


@pytest.mark.parametrize("shape", [gateway, plain])
@pytest.mark.parametrize(
    ("status", "grpc", "kind", "retryable"),
    [
        (400, 3, Rejected, False),
        (401, 16, AuthFailed, False),
        (403, 7, AuthFailed, False),
        (404, 5, NotFound, False),
        (400, 5, NotFound, False),
        (429, 8, RateLimited, True),
        (500, 13, ProviderFailed, True),
        (503, 14, ProviderFailed, True),
        (504, 4, ProviderFailed, True),
    ],
)
def test_errors(
    shape: Any, status: int, grpc: int, kind: type[LlmctlError], retryable: bool
) -> None:
    error = shape(status, grpc, "что-то не так")

    assert type(error) is kind
    assert error.retryable is retryable
    assert "что-то не так" in error.message
    assert error.status == status


def test_the_request_is_named() -> None:
    assert plain(400, 3, "no").request_id == "r1"


def test_another_folder() -> None:
    said = "Specified folder ID 'b1gasked' does not match with service account folder ID 'b1gown1'"
    error = gateway(400, 3, said)

    assert type(error) is AuthFailed
    assert error.reason == "folder"
    assert error.details == {"folder": "b1gown1"}
    assert "b1gasked" in error.message
    compatible = DIALECTS["openai_chat"]().failure(400, {}, json.dumps({"error": said}))
    assert (type(compatible), compatible.reason) == (AuthFailed, "folder")


def test_what_is_missing_where_access_is_denied_is_said() -> None:
    hint = gateway(403, 7, "Permission denied").hint

    assert hint is not None
    assert "ai.languageModels.user" in hint


@pytest.mark.parametrize(
    "said",
    [
        "Error in session internal_id=1: number of input tokens must be no more than 8192, got 9",
        "text length is 349354, which is outside the range (0, 100000]",
    ],
)
def test_a_prompt_that_is_too_long(said: str) -> None:
    error = gateway(400, 3, said)

    assert (type(error), error.reason) == (Rejected, "context")


def test_a_prompt_that_is_too_long_for_the_compatible_api() -> None:
    said = "Error in session internal_id=1: number of input tokens must be no more than 8192, got 9"
    body = {"error": {"message": said, "type": "invalid_request_error"}}
    error = DIALECTS["openai_chat"]().failure(400, {}, json.dumps(body))

    assert (type(error), error.reason) == (Rejected, "context")


def test_an_error_of_the_way_there() -> None:
    error = YandexGpt().failure(502, {}, "<html><title>502 Bad Gateway</title></html>")

    assert type(error) is ProviderFailed
    assert "502 Bad Gateway" in error.message
