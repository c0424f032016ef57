"""Anthropic's answers against schemas derived from the types of its package, which are not part of
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
from tests.simulator.answers import TEXT
from tests.unit.dialects.documented import SCHEMA, WEATHER

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

FRAMES = Path(__file__).parents[1] / "dialects" / "anthropic"
# Not the service's own shape on purpose.
ODD = {"not_json", "unknown_events", "unknown_reason", "whole_other", "with_done_mark"}
RECORDED = sorted(path for path in FRAMES.glob("*.body") if path.stem not in ODD)

ASKED: dict[str, Json] = {
    "plain": {},
    "thinking": {"model": "mock-thinks"},
    "short": {"max_tokens": 2},
    "tool": {"tools": [{"name": "weather", "input_schema": WEATHER}]},
    "schema": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "refusal": {"model": "mock-fault-refusal"},
    "filtered": {"model": "mock-fault-filtered"},
    "empty": {"model": "mock-fault-empty"},
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    assert FOLDER
    path = Path(FOLDER) / "schemas" / f"derived.anthropic-2.12.0.{name}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def events(body: bytes) -> list[Json]:
    """The documents of a stream, whose events are called by the type of each."""
    decoder = SseDecoder()
    found = []
    for frame in [*decoder.feed(body), *decoder.flush()]:
        document = json.loads(frame.data)
        assert document["type"] == frame.event
        found.append(document)
    return found


def check(document: Json, name: str) -> None:
    if document["type"] == "error":
        assert {"type", "message"} <= set(document["error"])
    elif document["type"] != "ping":  # it is in no type of the package, which skips it
        validator(name).validate(document)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_frames_are_events_and_messages_of_the_service(path: Path) -> None:
    if path.stem.startswith("whole"):
        check(json.loads(path.read_bytes()), "Message")
        return
    for document in events(path.read_bytes()):
        check(document, "RawMessageStreamEvent")


def ask(sim: Simulator, body: Json) -> bytes:
    asked = {"model": "mock", "max_tokens": 99, "messages": [{"role": "user", "content": "Why?"}]}
    headers = {"anthropic-version": "2026-10-21"}
    data = json.dumps(asked | body).encode()
    request = urllib.request.Request(f"{sim.anthropic_url}/v1/messages", data, headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        said: bytes = reply.read()
        return said


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_simulators_events(sim: Simulator, asked: Json) -> None:
    found = events(ask(sim, {"stream": True, **asked}))

    for document in found:
        check(document, "RawMessageStreamEvent")
    assert (found[0]["type"], found[-1]["type"]) == ("message_start", "message_stop")


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_simulators_messages(sim: Simulator, asked: Json) -> None:
    check(json.loads(ask(sim, asked)), "Message")


def test_streamed_and_whole_answers_say_the_same(sim: Simulator) -> None:
    streamed = events(ask(sim, {"stream": True}))
    texts = [one["delta"].get("text", "") for one in streamed if "index" in one and "delta" in one]

    assert "".join(texts) == TEXT == json.loads(ask(sim, {}))["content"][0]["text"]
