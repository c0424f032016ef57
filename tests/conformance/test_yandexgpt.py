"""Answers of Yandex's servers that its own package recorded, and requests that official packages
send, which are not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with `traffic/`.

The native ones were recorded over gRPC, whose messages are those of REST without its wrapper
(`{"result": …}` of a server-streaming call), which is put around them here.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmctl import catalogue
from llmctl.dialects import DIALECTS, Decoder, Frame
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.dialects.yandexgpt import YandexGpt
from llmctl.engine.resolve import card_headers, find_model, merged
from llmctl.settings import Settings
from llmctl.transport.ndjson import NdjsonDecoder
from llmctl.transport.sse import SseDecoder
from llmctl.types import (
    Chat,
    Event,
    Finished,
    FinishReason,
    Message,
    Part,
    Quirks,
    Role,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
)
from llmctl.values import replace

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")
TRAFFIC = Path(FOLDER or ".") / "traffic"

CHAT = Chat("yandexgpt", ())
REASONS = {
    "ALTERNATIVE_STATUS_FINAL": FinishReason.STOP,
    "ALTERNATIVE_STATUS_TOOL_CALLS": FinishReason.TOOL_CALLS,
    "stop": FinishReason.STOP,
    "tool_calls": FinishReason.TOOL_CALLS,
}


def native() -> list[Any]:
    """(name, request, answers) of every completion that was recorded."""
    found = []
    for path in sorted((TRAFFIC / "yandex-native").glob("test_completions-*.json")):
        for at, one in enumerate(json.loads(path.read_text())["interactions"]):
            if one["request"]["cls"] == "CompletionRequest" and "response_stream" in one:
                answers = [answer["message"] for answer in one["response_stream"]]
                name = f"{path.name.split('.')[0].removeprefix('test_completions-')}-{at}"
                found.append(pytest.param(one["request"]["message"], answers, id=name))
    return found


def compatible() -> list[Any]:
    """(request, body of the answer) of every chat that was recorded."""
    found = []
    for path in sorted((TRAFFIC / "yandex-openai").glob("*.yaml")):
        for at, one in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            if one["request"]["uri"].endswith("/chat/completions"):
                body = one["response"]["body"]["string"]
                sent = json.loads(one["request"]["body"])
                found.append(pytest.param(sent, body, id=f"{path.stem}-{at}"))
    return found


def sent_by(package: str, step: str) -> Any:
    """The last request of a step, as an official package sent it to a loopback server."""
    path = TRAFFIC / "sdk-requests" / f"{package}.json"
    recorded = json.loads(path.read_text())["steps"][step]
    return (recorded["http"] or recorded["grpc"])[-1]


def fed(decoder: Decoder, frames: list[Frame]) -> list[Event]:
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(frame)
        if decoder.done:
            return events
    return [*events, *decoder.end()]


def text_of(events: list[Event]) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta))


def calls_of(events: list[Event]) -> list[tuple[str, Any]]:
    return [(one.name, json.loads(one.arguments)) for one in events if isinstance(one, ToolCall)]


def test_there_is_traffic() -> None:
    assert len(native()) >= 10
    assert len(compatible()) >= 12


# ---- answers


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(("request_", "answers"), native() if FOLDER else [])
def test_native_answers(request_: Any, answers: list[Any], streamed: bool) -> None:
    last = answers[-1]
    if streamed:
        lines = "".join(json.dumps({"result": one}, ensure_ascii=False) + "\n" for one in answers)
        ndjson = NdjsonDecoder()
        frames = [*ndjson.feed(lines.encode()), *ndjson.flush()]
    else:
        frames = [Frame(json.dumps({"result": last}))]

    events = fed(DIALECTS["yandexgpt"]().decoder(CHAT, Quirks()), frames)

    (alternative,) = last["alternatives"]
    said = alternative["message"]
    assert text_of(events) == said.get("text", "")
    called = [one["functionCall"] for one in said.get("toolCallList", {}).get("toolCalls", ())]
    assert calls_of(events) == [(one["name"], one["arguments"]) for one in called]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.reason is REASONS[alternative["status"]]
    assert finished.usage is not None
    assert finished.usage.input_tokens == int(last["usage"]["inputTextTokens"])
    assert finished.usage.output_tokens == int(last["usage"]["completionTokens"])
    assert finished.details["modelVersion"] == last["modelVersion"]


def test_the_recorded_stream_comes_piece_by_piece() -> None:
    (answers,) = (one.values[1] for one in native() if len(one.values[1]) > 1)
    frames = [Frame(json.dumps({"result": one})) for one in answers]
    events = fed(DIALECTS["yandexgpt"]().decoder(CHAT, Quirks()), frames)

    assert len(answers) == 21
    pieces = [one for one in events if isinstance(one, TextDelta)]
    assert 15 <= len(pieces) <= 21
    assert [type(one) for one in events] == [TextDelta] * len(pieces) + [Finished]


@pytest.mark.parametrize(("sent", "body"), compatible() if FOLDER else [])
def test_answers_of_the_compatible_api(sent: Any, body: str) -> None:
    if sent["stream"]:
        sse = SseDecoder()
        frames = [*sse.feed(body.encode()), *sse.flush()]
        said = [json.loads(line[6:]) for line in body.split("\n\n") if line.startswith("data: {")]
    else:
        frames = [Frame(body)]
        said = [json.loads(body)]

    events = fed(OpenAIChat().decoder(CHAT, Quirks()), frames)

    pieces = [choice.get("delta") or choice.get("message") or {}
              for one in said for choice in one["choices"]]  # fmt: skip
    assert text_of(events) == "".join(piece.get("content") or "" for piece in pieces)
    named = [call["function"]["name"] for piece in pieces for call in piece.get("tool_calls", ())]
    assert [name for name, _given in calls_of(events)] == [name for name in named if name]
    finished = events[-1]
    assert isinstance(finished, Finished)
    reasons = [choice.get("finish_reason") for one in said for choice in one["choices"]]
    assert finished.reason is REASONS[next(filter(None, reasons))]
    stated = next((one["usage"] for one in reversed(said) if one.get("usage")), None)
    if stated is None:
        assert finished.usage is None
    else:
        assert finished.usage is not None
        assert finished.usage.input_tokens == stated["prompt_tokens"]
        assert finished.usage.output_tokens == stated["completion_tokens"]


def test_the_recorded_list_of_models() -> None:
    path = TRAFFIC / "yandex-openai" / "test_completion_uri_parser.yaml"
    (one,) = yaml.safe_load(path.read_text())["interactions"]
    names = YandexGpt().listed(json.loads(one["response"]["body"]["string"]))

    assert "aliceai-llm/latest" in names
    assert "yandexgpt/rc" in names
    assert all(name.startswith("emb://") or "://" not in name for name in names)


# ---- requests


def asked(recorded: Any) -> Chat:
    """The call of ours that means what a recorded request says."""
    own = {"modelUri", "completionOptions", "messages", "tools", "jsonSchema"}
    options = dict(recorded["completionOptions"])
    limit = options.pop("maxTokens", None)
    return Chat(
        model=recorded["modelUri"],
        messages=tuple(map(spoken, recorded["messages"])),
        max_tokens=None if limit is None else int(limit),
        temperature=options.pop("temperature", None),
        schema=recorded.get("jsonSchema", {}).get("schema"),
        tools=tuple(Tool(**one["function"]) for one in recorded.get("tools", ())),
        stream=options.pop("stream", False),
        options={**options, **{name: recorded[name] for name in recorded.keys() - own}},
    )


def spoken(one: Any) -> Message:
    parts: Iterator[Part]
    if "toolCallList" in one:
        calls = (call["functionCall"] for call in one["toolCallList"]["toolCalls"])
        parts = (ToolCall("1", call["name"], json.dumps(call["arguments"])) for call in calls)
    elif "toolResultList" in one:
        results = (result["functionResult"] for result in one["toolResultList"]["toolResults"])
        return Message(
            Role.TOOL, tuple(ToolResult("1", each["name"], each["content"]) for each in results)
        )
    else:
        parts = iter((Text(one["text"]),))
    return Message(Role(one["role"]), tuple(parts))


@pytest.mark.parametrize(("request_", "answers"), native() if FOLDER else [])
def test_native_requests_are_those_that_were_recorded(request_: Any, answers: Any) -> None:
    assert YandexGpt().encode(asked(request_), Quirks()).body == request_


@pytest.mark.parametrize(
    "step", ["grpc_completion", "grpc_completion_options_logging_off", "grpc_stream"]
)
def test_native_requests_are_those_of_the_official_package(step: str) -> None:
    theirs = sent_by("yandex-ai-studio-sdk-0.22.1", step)
    ours = YandexGpt().encode(asked(theirs["message"]), Quirks())

    assert ours.body == theirs["message"]
    refused = dict(theirs["metadata"]).get("x-data-logging-enabled")
    assert refused in (None, headers()["x-data-logging-enabled"])


def test_an_operation_is_begun_as_the_official_package_does() -> None:
    recorded = TRAFFIC / "sdk-requests" / "yandex-ai-studio-sdk-0.22.1.json"
    steps = json.loads(recorded.read_text())["steps"]["grpc_deferred_async"]["grpc"]
    begun, followed = steps[-2:]
    chat = replace(asked(begun["message"]), stream=True)

    ours = YandexGpt().encode(chat, Quirks(settings={"mode": "async"}))

    assert ours.body == begun["message"]
    decoder = YandexGpt().decoder(chat, Quirks())
    list(decoder.feed(Frame('{"id": "op1"}')))
    assert decoder.then is not None
    assert decoder.then.http.path == f"operations/{followed['message']['operationId']}"


def headers() -> dict[str, str]:
    card = catalogue.card("yandexgpt", Settings())
    asked = {one.header: one.value for one in card.controls if one.header and one.default}
    return {**card_headers(card, {"folder": "b1gdummyfolder"}), **asked}


@pytest.mark.parametrize(
    ("package", "step"),
    [
        ("openai-sdk-as-yandex", "chat"),
        ("openai-sdk-as-yandex", "chat_stream"),
        ("yandex-ai-studio-sdk-0.22.1", "http_chat"),
        ("yandex-ai-studio-sdk-0.22.1", "http_chat_stream"),
    ],
)
def test_requests_of_the_compatible_api(package: str, step: str) -> None:
    card = catalogue.card("yandexgpt", Settings())
    hosted = find_model(card, "gpt-oss-120b")
    assert hosted is not None
    quirks = replace(merged(card.quirks, hosted.quirks), settings={"folder": "b1gdummyfolder"})
    theirs = sent_by(package, step)
    wanted = theirs["body_json"]
    if not wanted.get("stream", True):
        del wanted["stream"]  # its own package states what is the default anyway
    call = Chat(
        "yandexgpt/latest",
        tuple(Message(Role(one["role"]), (Text(one["content"]),)) for one in wanted["messages"]),
        max_tokens=wanted.get("max_tokens"),
        temperature=wanted.get("temperature"),
        stream=wanted.get("stream", False),
    )

    ours = OpenAIChat().encode(call, quirks)

    assert ours.body == wanted
    assert f"/{ours.path}" == theirs["path"]
    given = {name.lower(): value for name, value in theirs["headers"]}
    for name, value in headers().items():
        assert given.get(name.lower(), value) == value
