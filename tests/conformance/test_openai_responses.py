"""OpenAI's responses against schemas derived from the types of its package, which are not part of
this project: LLMCTL_CONFORMANCE_DIR names a folder with `schemas/`.

No recorded traffic of the live service is there. What is checked instead are the frames that the
dialect's tests decode and what the simulator says, so that neither is a shape of our own making.
"""

import json
import os
import urllib.request
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from llmctl.transport.sse import SseDecoder
from llmctl.types import Json
from tests.simulator import Simulator
from tests.unit.dialects.documented import SCHEMA, WEATHER

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

FRAMES = Path(__file__).parents[1] / "dialects" / "openai_responses"
# Not the service's own shape on purpose.
ODD = {"not_json", "unknown_events", "whole_other"}
RECORDED = sorted(path for path in FRAMES.glob("*.body") if path.stem not in ODD)
# What every response repeats of its request, and our frames leave out.
REPEATED: Json = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}

ASKED: dict[str, Json] = {
    "plain": {},
    "thinking": {"model": "mock-thinks"},
    "short": {"max_output_tokens": 2},
    "tool": {"tools": [{"type": "function", "name": "weather", "parameters": WEATHER}]},
    "schema": {"text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}},
    "refusal": {"model": "mock-fault-refusal"},
    "filtered": {"model": "mock-fault-filtered"},
    "empty": {"model": "mock-fault-empty"},
    "length": {"model": "mock-fault-length-first"},
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    assert FOLDER
    path = Path(FOLDER) / "schemas" / f"derived.openai-3.54.0.{name}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def events(body: bytes) -> list[Json]:
    """The documents of a stream without the mark that some put behind it; events are called by the
    type of each, and those of one stream are numbered."""
    decoder = SseDecoder()
    frames = [one for one in [*decoder.feed(body), *decoder.flush()] if one.data != "[DONE]"]
    found = [json.loads(frame.data) for frame in frames]
    assert [frame.event for frame in frames] == [document["type"] for document in found]
    assert [document["sequence_number"] for document in found] == list(range(len(found)))
    return found


def check(document: Json, name: str) -> None:
    if document.get("type") == "error" and "error" in document:
        assert {"type", "message"} <= set(document["error"])
    else:
        validator(name).validate(document)


def completed(document: Json) -> Json:
    if "response" in document:
        return {**document, "response": REPEATED | document["response"]}
    return REPEATED | document if document.get("object") == "response" else document


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_frames_are_events_and_responses_of_the_service(path: Path) -> None:
    if path.stem.startswith("whole"):
        check(completed(json.loads(path.read_bytes())), "Response")
        return
    for document in events(path.read_bytes()):
        check(completed(document), "ResponseStreamEvent")


def ask(sim: Simulator, body: Json) -> bytes:
    asked = {"model": "mock", "input": [{"role": "user", "content": "Why?"}], **body}
    data = json.dumps(asked).encode()
    request = urllib.request.Request(f"{sim.openai_url}/responses", data)
    with urllib.request.urlopen(request, timeout=10) as reply:
        said: bytes = reply.read()
        return said


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_simulators_events(sim: Simulator, asked: Json) -> None:
    found = events(ask(sim, {"stream": True, **asked}))

    for document in found:
        check(document, "ResponseStreamEvent")
    assert found[0]["type"] == "response.created"
    assert found[-1]["type"] in ("response.completed", "response.incomplete")


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_simulators_responses(sim: Simulator, asked: Json) -> None:
    streamed = events(ask(sim, {"stream": True, **asked}))
    whole = json.loads(ask(sim, asked))

    check(whole, "Response")
    assert whole["output"] == streamed[-1]["response"]["output"]
