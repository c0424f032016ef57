"""Hugging Face's requests and answers against its own schemas of tasks, which are not part of this
project: LLMCTL_CONFORMANCE_DIR names a folder with `schemas/`."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmctl.dialects.huggingface import HuggingFace
from llmctl.types import Call, Chat, Complete, Quirks, Tool
from tests.simulator import Simulator
from tests.unit.dialects.documented import CALLS, QUESTION, RESULTS, SCHEMA, SYSTEM, WEATHER

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

FRAMES = Path(__file__).parents[1] / "dialects" / "huggingface"
TGI = Quirks(settings={"text_generation": "tgi"})
# TGI's description takes `nullable` from OpenAPI, where it lets a value be null; JSON Schema, which
# knows nothing of it, would not.
FULL = Complete("m", "Once", 5, 0.5, 7, ("END",), options={"top_k": 4, "top_p": 0.9})
CHAT = Chat(
    "org/m:groq", (SYSTEM, QUESTION, CALLS, RESULTS), 5, 0.5, 7, ("END",), SCHEMA,
    (Tool("weather", "Tells the weather", WEATHER),),
)  # fmt: skip


def schema(name: str) -> Any:
    assert FOLDER
    path = Path(FOLDER) / "schemas" / f"hf-task.{name}.schema.json"
    return _nullable(json.loads(path.read_text(encoding="utf-8")))


def _nullable(shape: Any) -> Any:
    """The schema with null where `nullable` allows it, and bounds in the sense of draft 6."""
    if isinstance(shape, list):
        return [_nullable(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    inner = {key: _nullable(value) for key, value in shape.items() if key != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if shape.get("nullable") is True else inner


def fits(document: Any, name: str) -> None:
    jsonschema.Draft6Validator(schema(name)).validate(document)


def named(document: Any, name: str, *path: str) -> None:
    """Every field of the request has a name in the description."""
    known = schema(name)
    for step in path:
        known = known["$defs"][step]
        document = document["parameters"]
    assert set(document) <= set(known["properties"])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("call", [Complete("m", "Once"), FULL])
def test_text_generation_is_asked_for_as_described(call: Complete, streamed: bool) -> None:
    call = Complete(call.model, call.prompt, call.max_tokens, call.temperature, call.seed,
                    call.stop, streamed, call.options)  # fmt: skip
    body = HuggingFace().encode(call, TGI).body

    fits(body, "text-generation.input")
    named(body, "text-generation.input")
    named(body, "text-generation.input", "TextGenerationInputGenerateParameters")


@pytest.mark.parametrize("call", [Chat("org/m", (QUESTION,)), CHAT])
def test_chats_are_asked_for_as_described(call: Call) -> None:
    body = HuggingFace().encode(call, Quirks()).body

    fits(body, "chat-completion.input")
    named(body, "chat-completion.input")


SAID = ("generate", "generate_length", "generate_stop_sequence", "generate_unicode",
        "generate_empty", "generate_cut")  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_frames_of_tests_are_what_tgi_sends(name: str) -> None:
    lines = (FRAMES / f"{name}.body").read_bytes().split(b"\n")
    sent = [json.loads(line.removeprefix(b"data:")) for line in lines if line]

    assert sent
    for one in sent:
        fits(one, "text-generation.stream_output")


@pytest.mark.parametrize("name", ["generate_whole_list", "generate_whole_object"])
def test_whole_answers_of_tests_are_what_tgi_sends(name: str) -> None:
    sent = json.loads((FRAMES / f"{name}.body").read_bytes())

    for one in sent if isinstance(sent, list) else [sent]:
        fits(one, "text-generation.output")


@pytest.mark.parametrize("streamed", [False, True])
def test_the_simulator_speaks_as_tgi_does(sim: Simulator, streamed: bool) -> None:
    url = f"{sim.url}/hosts/huggingface/hf-inference/models/mock"
    asked = json.dumps({"inputs": "Once", "stream": streamed, "parameters": {"details": True}})
    with urllib.request.urlopen(urllib.request.Request(url, asked.encode())) as answer:
        lines = answer.read().splitlines()

    if streamed:
        for line in filter(None, lines):
            fits(json.loads(line.removeprefix(b"data: ")), "text-generation.stream_output")
    else:
        for one in json.loads(b"".join(lines)):
            fits(one, "text-generation.output")
