"""What is asked of GigaChat, in both versions, and what is refused before it is sent."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Framing, HttpCall
from llmctl.errors import AuthFailed, NotFound, RateLimited, Rejected, UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Fill,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    message,
)

SYSTEM = message(Role.SYSTEM, "Кратко.")
USER = message(Role.USER, "Почему небо синее?")
ANSWER = message(Role.ASSISTANT, "Рассеяние.")
CALL = Message(Role.ASSISTANT, (ToolCall("019e-state", "weather", '{"city": "Омск"}'),))
RESULT = Message(Role.TOOL, (ToolResult("019e-state", "weather", '{"t": -20}'),))
WEATHER = Tool("weather", "Погода", {"type": "object", "properties": {}})
VERSIONS = ("gigachat", "gigachat_v2")


def encoded(*messages: Message, version: str = "gigachat", **fields: Any) -> HttpCall:
    call = Chat("GigaChat-2", messages, **{"stream": False, **fields})
    return DIALECTS[version]().encode(call, Quirks())


def body(*messages: Message, version: str = "gigachat", **fields: Any) -> Any:
    return encoded(*messages, version=version, **fields).body


def test_a_plain_question() -> None:
    http = encoded(USER)

    assert (http.method, http.path, http.framing) == ("POST", "chat/completions", Framing.WHOLE)
    assert http.body == {
        "model": "GigaChat-2",
        "messages": [{"role": "user", "content": "Почему небо синее?"}],
    }


def test_a_stream() -> None:
    http = encoded(USER, stream=True)

    assert http.framing is Framing.SSE
    assert http.headers == {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    assert http.body is not None
    assert http.body["stream"] is True


@pytest.mark.parametrize("version", VERSIONS)
def test_instructions_are_one_message_and_the_first(version: str) -> None:
    """Anything else is answered by 422."""
    later = message(Role.SYSTEM, "По-русски.")
    told = body(SYSTEM, USER, ANSWER, later, USER, version=version)["messages"]

    assert [one["role"] for one in told] == ["system", "user", "assistant", "user"]
    said = told[0]["content"]
    assert (said if version == "gigachat" else said[0]["text"]) == "Кратко.\n\nПо-русски."


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("asked", "sent"), [(0.0, 0.0005), (0.7, 0.7), (2.0, 2.0)])
def test_a_temperature_of_zero_is_not_allowed(version: str, asked: float, sent: float) -> None:
    """The lowest is open; below 0.001 the model is deterministic."""
    made = body(USER, version=version, temperature=asked)

    assert (made if version == "gigachat" else made["model_options"])["temperature"] == sent


def test_options_are_fields_of_the_request() -> None:
    options = {"top_p": 0.3, "max_tokens": 5, "profanity_check": False}
    made = body(USER, max_tokens=40, options=options)

    assert (made["top_p"], made["max_tokens"], made["profanity_check"]) == (0.3, 5, False)


def test_options_of_the_second_version_are_sorted_into_two_tables() -> None:
    made = body(USER, version="gigachat_v2", options={"top_p": 0.3, "disable_filter": True})

    assert made["model_options"] == {"top_p": 0.3}
    assert made["disable_filter"] is True


def test_there_is_no_seed_and_nothing_to_stop_at() -> None:
    made = body(USER, seed=7, stop=("x",))

    assert set(made) == {"model", "messages"}
    assert DIALECTS["gigachat"]().lacks == {"seed", "stop"}


def test_a_schema_has_no_wrapper() -> None:
    schema = {"type": "object", "required": ["city"]}
    wanted = {"type": "json_schema", "schema": schema, "strict": True}

    assert body(USER, schema=schema)["response_format"] == wanted
    second = body(USER, version="gigachat_v2", schema=schema)
    assert second["model_options"]["response_format"] == wanted


def test_a_schema_for_a_model_that_takes_none() -> None:
    call = Chat("m", (USER,), schema={"type": "object"})
    made = DIALECTS["gigachat"]().encode(call, Quirks(schema="none")).body

    assert made is not None
    assert "response_format" not in made


def test_functions_and_their_results() -> None:
    made = body(USER, CALL, RESULT, tools=(WEATHER,))

    assert made["functions"] == [
        {
            "name": "weather",
            "description": "Погода",
            "parameters": {"type": "object", "properties": {}},
        }
    ]
    assert made["function_call"] == "auto"
    assert made["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "function_call": {"name": "weather", "arguments": {"city": "Омск"}},
            "functions_state_id": "019e-state",
        },
        {"role": "function", "name": "weather", "content": '{"t": -20}'},
    ]


def test_functions_of_the_second_version() -> None:
    made = body(USER, CALL, RESULT, version="gigachat_v2", tools=(WEATHER,))

    specifications = made["tools"][0]["functions"]["specifications"]
    assert [one["name"] for one in specifications] == ["weather"]
    assert made["tool_config"] == {"mode": "auto"}
    assert made["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"function_call": {"name": "weather", "arguments": {"city": "Омск"}}}],
            "tools_state_id": "019e-state",
        },
        {
            "role": "tool",
            "content": [{"function_result": {"name": "weather", "result": '{"t": -20}'}}],
        },
    ]


def test_an_id_of_our_own_is_not_sent_as_theirs() -> None:
    ours = Message(Role.ASSISTANT, (ToolCall("call_1", "weather", "{}"),))

    assert "functions_state_id" not in body(USER, ours, RESULT)["messages"][1]


@pytest.mark.parametrize(
    ("text", "sent"),
    [("-20", "-20"), ('"холодно"', '"холодно"'), ("холодно", {"result": "холодно"})],
)
def test_a_result_is_json_text(text: str, sent: Any) -> None:
    """Other text is refused there."""
    result = Message(Role.TOOL, (ToolResult("019e-state", "weather", text),))
    content = body(USER, CALL, result)["messages"][2]["content"]

    assert (content if isinstance(sent, str) else json.loads(content)) == sent


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "odd",
    [
        Message(Role.USER, (Text("Что это?"), Media("image/png", url="https://a.test/x.png"))),
        Message(Role.TOOL, (ToolResult("a", "weather", "1"), Text("и ещё"))),
        Message(Role.ASSISTANT, (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))),
        Message(Role.ASSISTANT, (ToolCall("a", "f", "[1]"),)),
    ],
    ids=["a picture elsewhere", "mixture", "two calls", "arguments"],
)
def test_what_cannot_be_expressed_is_refused(version: str, odd: Message) -> None:
    with pytest.raises(UsageError):
        encoded(odd, version=version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("call", [Complete("m", "Небо"), Fill("m", "a")])
def test_what_there_is_no_format_for(version: str, call: Call) -> None:
    with pytest.raises(UsageError):
        DIALECTS[version]().encode(call, Quirks())


def test_a_model_without_functions() -> None:
    with pytest.raises(UsageError, match="cannot call functions"):
        DIALECTS["gigachat"]().encode(Chat("m", (USER,), tools=(WEATHER,)), Quirks(tools=False))


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "bad format", Rejected),
        (401, "Unauthorized", AuthFailed),
        (402, "Payment Required", RateLimited),
        (403, "Permission denied", AuthFailed),
        (404, "No such model", NotFound),
        (413, "Payload too large", Rejected),
        (422, "Requested model does not support functions", Rejected),
        (429, "Too many requests", RateLimited),
    ],
)
def test_errors(status: int, said: str, kind: type[Exception]) -> None:
    document = json.dumps({"status": status, "message": said})
    error = DIALECTS["gigachat"]().failure(status, {"x-request-id": "r-1"}, document)

    assert isinstance(error, kind)
    assert said in error.message
    assert error.request_id == "r-1"
    assert error.retryable is (status == 429)


def test_the_list_of_models() -> None:
    dialect = DIALECTS["gigachat"]()
    http = dialect.listing()
    answer = {"object": "list", "data": [{"id": "GigaChat-2"}, {"id": "Embeddings"}, {}]}

    assert http is not None
    assert (http.method, http.path) == ("GET", "models")
    assert dialect.listed(answer) == ["GigaChat-2", "Embeddings"]
