"""GigaChat's recorded answers, decoded: both versions, streamed and whole.

The recordings are not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with
`traffic/gigachat` and its neighbours. What each says was read from it by eye.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from llmctl.dialects import DIALECTS, Frame, Upload
from llmctl.engine.schema import check_answer
from llmctl.errors import NotFound
from llmctl.transport.content import content_of_file
from llmctl.transport.sse import SseDecoder
from llmctl.types import (
    Chat,
    Event,
    Finished,
    FinishReason,
    Media,
    Message,
    Quirks,
    ReasoningDelta,
    Role,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
    message,
)

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

STOP = FinishReason.STOP


class Recorded(NamedTuple):
    """An exchange as it was: path and body of the request, status, head and text of the answer."""

    path: str
    sent: Any
    status: int
    headers: dict[str, str]
    text: str


def traffic(*parts: str) -> Path:
    assert FOLDER
    return Path(FOLDER, "traffic", *parts)


def exchanges(name: str) -> list[Recorded]:
    """The exchanges of a cassette but for those with the token server."""
    text = traffic("gigachat", f"{name}.yaml").read_text(encoding="utf-8")
    found = []
    for one in yaml.safe_load(text)["interactions"]:
        asked, told = one["request"], one["response"]
        path = asked["uri"].partition("/api/")[2]
        if path.endswith("oauth"):
            continue
        headers = {key.lower(): values[0] for key, values in told["headers"].items()}
        sent = json.loads(asked["body"]) if asked["body"] else None
        text = told["body"]["string"]
        found.append(Recorded(path, sent, told["status"]["code"], headers, text))
    return found


def decoded(dialect: str, body: str, *, streamed: bool) -> list[Event]:
    decoder = DIALECTS[dialect]().decoder(Chat("m", (message(Role.USER, "hi"),)), Quirks())
    events: list[Event] = []
    if not streamed:
        events += decoder.feed(Frame(body))
    else:
        lines = SseDecoder()
        for frame in [*lines.feed(body.encode()), *lines.flush()]:
            if not decoder.done:
                events += decoder.feed(frame)
    if not decoder.done:
        events += decoder.end()
    return events


def told(dialect: str, one: Recorded) -> tuple[str, Finished]:
    streamed = one.headers["content-type"].startswith("text/event-stream")
    events = decoded(dialect, one.text, streamed=streamed)
    last = events[-1]
    assert isinstance(last, Finished)
    return "".join(event.text for event in events if isinstance(event, TextDelta)), last


# Input is what was read anew and what came from the cache (17 + 2 in the first).
@pytest.mark.parametrize(
    ("name", "dialect", "begin", "model", "figures"),
    [
        ("test_chat_simple", "gigachat", "Hello.", "GigaChat:2.0.28.2", (19, 3, 2)),
        ("test_stream_simple", "gigachat", "$1\\, 2\\, 3$  \n\n**По", "GigaChat:2.0.28.2",
         (19, 42, 2)),
        ("test_chat_parse_json_schema", "gigachat", '{\n    "answer": "ok"',
         "GigaChat-3-Ultra:32.3.7.3", (24, 21, 0)),
        ("test_primary_chat_create_simple", "gigachat_v2", "Hello",
         "GigaChat-3-Ultra:32.3.18.5", (19, 2, 0)),
        ("test_primary_chat_stream_simple", "gigachat_v2", "1, 2, 3",
         "GigaChat-3-Ultra:32.3.18.5", (19, 8, 0)),
    ],
)  # fmt: skip
def test_recorded_answers(
    name: str, dialect: str, begin: str, model: str, figures: tuple[int, int, int]
) -> None:
    [one] = exchanges(name)
    text, last = told(dialect, one)

    assert text.startswith(begin)
    assert (last.reason, last.model) == (STOP, model)
    assert last.usage is not None
    usage = last.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == figures


def test_the_whole_text_of_a_recorded_stream() -> None:
    [one] = exchanges("test_stream_simple")
    text, _last = told("gigachat", one)

    assert text == (
        "$1\\, 2\\, 3$  \n\n**Подробный разбор:**\n- Начинаем счёт с единицы."
        "\n- Добавляем следующее число — двойку.\n- Заканчиваем счётом числом три."
    )


def test_built_in_tools_of_the_second_version() -> None:
    """Both say which state they leave behind, by the name that no document has."""
    states = []
    for one in exchanges("test_primary_chat_builtin_tools"):
        _text, last = told("gigachat_v2", one)
        assert last.reason is STOP
        if state := last.details.get("tools_state_id"):
            states.append(state)

    assert "019e8374-28b2-741f-a05c-54c968fd20c2" in states
    assert "019e8374-4195-79f1-98ec-55a4de3ab317" in states


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("test_chat_parse_json_schema", "gigachat"),
        ("test_chat_response_format_json_schema", "gigachat"),
        ("test_primary_chat_parse_json_schema", "gigachat_v2"),
    ],
)
def test_answers_to_a_schema_match_it_and_our_request_is_theirs(name: str, dialect: str) -> None:
    """The server took these requests; ours for the same call is the same."""
    [one] = exchanges(name)
    text, _last = told(dialect, one)
    sent = one.sent
    wanted = (sent if dialect == "gigachat" else sent["model_options"])["response_format"]
    check_answer(wanted["schema"], text)

    messages = tuple(_message(each) for each in sent["messages"])
    call = Chat(sent["model"], messages, schema=wanted["schema"], stream=False)
    ours = DIALECTS[dialect]().encode(call, Quirks()).body
    assert ours is not None
    ours_wanted = (ours if dialect == "gigachat" else ours["model_options"])["response_format"]
    assert ours["messages"] == sent["messages"]
    assert {**ours_wanted, "strict": wanted.get("strict")} == {
        **wanted,
        "strict": wanted.get("strict"),
    }


def _message(shaped: Any) -> Message:
    content = shaped["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return message(Role(shaped["role"]), text)


def test_a_model_that_there_is_not() -> None:
    [one] = exchanges("test_chat_model_not_found")
    error = DIALECTS["gigachat"]().failure(one.status, one.headers, one.text)

    assert isinstance(error, NotFound)
    assert "No such model" in error.message
    assert error.request_id == "ea602be2-54b3-46a2-a288-420c9fee7292"


def test_the_list_of_models() -> None:
    [one] = exchanges("test_get_models")
    names = DIALECTS["gigachat"]().listed(json.loads(one.text))

    assert len(names) == 20
    assert {"GigaChat-2", "GigaChat-2-Max", "Embeddings"} <= set(names)


# ---- older answers, written by hand by the makers of the official client


def fixture(name: str) -> str:
    return traffic("gigachat-fixtures", name).read_text(encoding="utf-8")


def test_an_older_call_of_a_function() -> None:
    *events, last = decoded("gigachat", fixture("chat_completion_function.json"), streamed=False)
    recorded = json.loads(fixture("chat_completion_function.json"))["choices"][0]["message"]

    [call] = [one for one in events if isinstance(one, ToolCall)]
    assert call.name == recorded["function_call"]["name"]
    assert json.loads(call.arguments) == recorded["function_call"]["arguments"]
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.TOOL_CALLS


def test_an_older_answer() -> None:
    recorded = json.loads(fixture("chat_completion.json"))
    events = decoded("gigachat", fixture("chat_completion.json"), streamed=False)

    said = recorded["choices"][0]["message"]
    thought, text, last = events
    assert thought == ReasoningDelta(said["reasoning_content"])
    assert text == TextDelta(said["content"])
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.output_tokens == recorded["usage"]["completion_tokens"]


def test_an_older_stream() -> None:
    events = decoded("gigachat", fixture("chat_completion.stream"), streamed=True)

    assert [event for event in events if isinstance(event, TextDelta)]
    assert isinstance(events[-1], Finished)


# ---- requests of the official client, recorded


def step(name: str) -> Any:
    """The body of the last request of a step."""
    recorded = json.loads(
        traffic("sdk-requests", "gigachat-python-0.2.3.json").read_text(encoding="utf-8")
    )
    return recorded["steps"][name]["requests"][-1]


def ours(dialect: str, call: Chat) -> Any:
    return DIALECTS[dialect]().encode(call, Quirks()).body


def test_bodies_of_the_official_client() -> None:
    hello = message(Role.USER, "Привет")
    asked = Chat("GigaChat-2", (hello,), stream=False)

    assert ours("gigachat", asked) == step("chat_simple_string")["body_json"]
    assert ours("gigachat", Chat("GigaChat-2", (hello,))) == step("stream")["body_json"]
    largest = Chat("GigaChat-2-Max", (hello,), stream=False)
    assert ours("gigachat_v2", largest) == step("v2_chat_create")["body_json"]
    streamed = Chat("GigaChat-2-Max", (hello,))
    assert ours("gigachat_v2", streamed) == step("v2_chat_stream")["body_json"]


def test_a_function_and_its_result_as_the_official_client_has_them() -> None:
    recorded = step("chat_function_result_roundtrip")["body_json"]
    call = ToolCall("state-1", "weather", '{"loc": "Moscow"}')
    turns = (
        message(Role.USER, "Погода?"),
        Message(Role.ASSISTANT, (call,)),
        Message(Role.TOOL, (ToolResult("state-1", "weather", '{"t":15}'),)),
    )
    tool = Tool("weather", "", {"type": "object", "properties": {}})
    made = ours("gigachat", Chat("GigaChat-2", turns, tools=(tool,), stream=False))

    assert made["messages"] == recorded["messages"]
    # Ours always has a description, and says what the default of the package leaves open.
    assert made.pop("function_call") == "auto"
    assert made["functions"][0].pop("description") == ""
    assert made == recorded


def test_a_schema_as_the_official_client_has_it() -> None:
    recorded = step("chat_response_format_json_schema")["body_json"]
    call = Chat(
        "GigaChat-2",
        (message(Role.USER, "x"),),
        schema=recorded["response_format"]["schema"],
        stream=False,
    )

    assert ours("gigachat", call) == recorded


# ---- files


def uploading(file: Media) -> Upload:
    upload = DIALECTS["gigachat"]().upload(file, Quirks())
    assert upload is not None
    return upload


def test_a_file_is_sent_as_the_official_client_does() -> None:
    """But for the boundary, byte by byte."""
    recorded = step("upload_file")
    kind = dict(recorded["headers"])["Content-Type"]
    assert kind.startswith("multipart/form-data; boundary=")
    theirs = kind.partition("boundary=")[2]

    asked = uploading(Media("text/plain", b"abc", name="a.txt")).then
    assert asked is not None
    assert asked.http.file is not None
    content = content_of_file(asked.http.file)

    async def read() -> bytes:
        return b"".join([piece async for piece in content])

    own = content.media_type.partition("boundary=")[2]
    sent = asyncio.run(read()).decode().replace(own, theirs)
    assert sent == recorded["body_text"]
    assert f"/api/v1/{asked.http.path}" == recorded["path"]


def test_a_message_names_its_files_as_the_official_client_does() -> None:
    sent = step("chat_all_options_and_headers")["body_json"]
    [shaped] = ours(
        "gigachat",
        Chat("m", (Message(Role.USER, (Text("Погода?"), Media("image/png", ref="file-1"))),)),
    )["messages"]

    assert shaped == sent["messages"][1]


def test_a_file_is_deleted_where_the_official_client_does() -> None:
    recorded = step("delete_file")
    http = DIALECTS["gigachat"]().deletion("f1")

    assert http is not None
    assert (http.method, f"/api/v1/{http.path}") == (recorded["method"], recorded["path"])


def test_an_older_answer_to_an_upload() -> None:
    upload = uploading(Media("image/jpeg", b"x", name="image.jpg"))

    upload.read({}, Frame(fixture("post_files.json")))

    assert upload.name == "c757a9c5-de04-498f-baa3-efcc54de7853"
    assert upload.then is None
