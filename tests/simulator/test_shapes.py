"""That what the simulator says has the shape the providers document.

The machine-readable shapes are not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with
`schemas/` (derived from the openai package) and `openapi/` (Ollama's own).
"""

import json
import os
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.simulator import Simulator
from tests.simulator.answers import TEXT, invent

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
needs_shapes = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 18},
        "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}, "minItems": 2},
        "mood": {"enum": ["good", "bad"]},
    },
    "required": ["name", "age", "pets", "mood"],
    "additionalProperties": False,
    "$defs": {
        "pet": {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
    },
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PERSON}}
# What is asked of each dialect, by name.
OPENAI: dict[str, dict[str, Any]] = {
    "plain": {},
    "thinking": {"model": "mock-thinks"},
    "short": {"max_tokens": 2},
    "tool": {"tools": [TOOL]},
    "schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}
    },
    "refusal": {"model": "mock-fault-refusal"},
    "filtered": {"model": "mock-fault-filtered"},
    "timings": {"model": "mock-fault-timings"},
}
OLLAMA: dict[str, dict[str, Any]] = {
    "plain": {},
    "thinking": {"model": "mock-thinks"},
    "short": {"options": {"num_predict": 2}},
    "tool": {"tools": [TOOL]},
    "schema": {"format": PERSON},
    "elsewhere": {"model": "mock-fault-elsewhere"},
    "load": {"model": "mock-fault-load"},
}


def post(url: str, body: dict[str, Any]) -> bytes:
    asked = {"model": "mock", "messages": [{"role": "user", "content": "Why?"}], **body}
    request = urllib.request.Request(url, json.dumps(asked).encode())
    with urllib.request.urlopen(request, timeout=10) as reply:
        data: bytes = reply.read()
        return data


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.loads(reply.read())


def events(stream: bytes) -> list[Any]:
    """The documents of a stream, its mark checked and left out."""
    *found, mark, rest = stream.decode().split("\n\n")
    assert (mark, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in found]


@cache
def derived(name: str) -> Any:
    assert FOLDER
    path = Path(FOLDER) / "schemas" / f"derived.openai-3.54.0.{name}.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def documented(name: str) -> Any:
    assert FOLDER
    text = (Path(FOLDER) / "openapi" / "ollama.openapi.yaml").read_text(encoding="utf-8")
    api = yaml.safe_load(text)
    return {"$ref": f"#/components/schemas/{name}", "components": api["components"]}


@needs_shapes
@pytest.mark.parametrize("asked", OPENAI.values(), ids=OPENAI)
def test_chunks_are_openai_chunks(sim: Simulator, asked: dict[str, Any]) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}, **asked}
    chunks = events(post(f"{sim.openai_url}/chat/completions", asked))

    for chunk in chunks:
        jsonschema.validate(chunk, derived("ChatCompletionChunk"))
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0


@needs_shapes
@pytest.mark.parametrize("asked", OPENAI.values(), ids=OPENAI)
def test_completions_are_openai_completions(sim: Simulator, asked: dict[str, Any]) -> None:
    answer = json.loads(post(f"{sim.openai_url}/chat/completions", asked))

    jsonschema.validate(answer, derived("ChatCompletion"))


@needs_shapes
@pytest.mark.parametrize("asked", OLLAMA.values(), ids=OLLAMA)
def test_lines_are_lines_of_ollama(sim: Simulator, asked: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in post(f"{sim.url}/api/chat", asked).splitlines()]

    for line in lines[:-1]:
        jsonschema.validate(line, documented("ChatStreamEvent"))
        assert line["done"] is False
    jsonschema.validate(lines[-1], documented("ChatResponse"))
    assert lines[-1]["done"] is True


@needs_shapes
@pytest.mark.parametrize("asked", OLLAMA.values(), ids=OLLAMA)
def test_whole_answers_are_answers_of_ollama(sim: Simulator, asked: dict[str, Any]) -> None:
    answer = json.loads(post(f"{sim.url}/api/chat", {"stream": False, **asked}))

    jsonschema.validate(answer, documented("ChatResponse"))


@needs_shapes
def test_the_rest_of_ollama_is_as_documented(sim: Simulator) -> None:
    jsonschema.validate(get(f"{sim.url}/api/tags"), documented("ListResponse"))
    jsonschema.validate(get(f"{sim.url}/api/version"), documented("VersionResponse"))
    shown = json.loads(post(f"{sim.url}/api/show", {"model": "mock-cloud"}))
    jsonschema.validate(shown, documented("ShowResponse"))
    assert shown["remote_host"] == "https://ollama.com:443"
    for line in post(f"{sim.url}/api/pull", {"model": "mock"}).splitlines():
        jsonschema.validate(json.loads(line), documented("StatusEvent"))


@needs_shapes
def test_raw_completion_lines_are_lines_of_ollama(sim: Simulator) -> None:
    lines = post(f"{sim.url}/api/generate", {"prompt": "The sky is"}).splitlines()

    for line in lines:
        jsonschema.validate(json.loads(line), documented("GenerateStreamEvent"))
    assert "".join(json.loads(line)["response"] for line in lines) == TEXT


def test_an_invented_value_fits_its_schema() -> None:
    value = invent(PERSON, PERSON)

    jsonschema.validate(value, PERSON)
    assert len(value["pets"]) == 2


def test_streamed_and_whole_answers_say_the_same(sim: Simulator) -> None:
    url = f"{sim.openai_url}/chat/completions"
    streamed = events(post(url, {"stream": True}))
    whole = json.loads(post(url, {}))

    assert whole["choices"][0]["message"]["content"] == TEXT
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in streamed) == TEXT


def test_usage_is_streamed_only_when_asked_for(sim: Simulator) -> None:
    streamed = events(post(f"{sim.openai_url}/chat/completions", {"stream": True}))

    assert not any("usage" in chunk for chunk in streamed)


def test_a_prompt_can_choose_the_answer(sim: Simulator) -> None:
    asked = {"messages": [{"role": "user", "content": "Repeat: row 17"}]}
    whole = json.loads(post(f"{sim.openai_url}/chat/completions", asked))

    assert whole["choices"][0]["message"]["content"] == "row 17"
