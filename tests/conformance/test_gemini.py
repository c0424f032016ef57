"""Gemini's requests and answers against schemas that were derived from google-genai's types, which
are not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with `schemas/`.

No recorded traffic of the live service is there. What is checked instead are the frames that the
dialect's tests decode and what the simulator says; every field of theirs must have a name there.
"""

import json
import os
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmctl.dialects.gemini import Gemini
from llmctl.transport.sse import SseDecoder
from llmctl.types import Chat, Json, Quirks, Tool
from tests.simulator import Simulator
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

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

FRAMES = Path(__file__).parents[1] / "dialects" / "gemini"
# Not the service's own shape on purpose.
ODD = {
    "done_mark_of_a_gateway",
    "done_mark_without_an_end",
    "not_json",
    "reason_of_tomorrow",
    "whole_html",
}
RECORDED = sorted(path for path in FRAMES.glob("*.body") if path.stem not in ODD)

FULL = Chat(
    "m",
    (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS),
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("END",),
    schema=SCHEMA,
    tools=(Tool("weather", "Tells the weather", WEATHER),),
    options={"topK": 4, "topP": 0.9, "thinkingLevel": "LOW", "includeThoughts": True},
)
# What the simulator is asked, and what for.
ASKED: dict[str, tuple[str, Json]] = {
    "plain": ("mock", {}),
    "thinking": ("mock-thinks", {}),
    "short": ("mock", {"generationConfig": {"maxOutputTokens": 2}}),
    "tool": ("mock", {"tools": [{"functionDeclarations": [{"name": "weather"}]}]}),
    "refusal": ("mock-fault-refusal", {}),
    "filtered": ("mock-fault-filtered", {}),
    "blocked": ("mock-fault-prompt-blocked", {}),
    "empty": ("mock-fault-empty", {}),
    "malformed call": ("mock-fault-malformed-call", {}),
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    assert FOLDER
    path = Path(FOLDER) / "schemas" / f"derived.google-genai-3.4.0.{name}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def check(document: Json, name: str) -> None:
    validator(name).validate(document)


def documents(body: bytes) -> list[Json]:
    """What stands in a stream, or in a whole body; an array is as many documents."""
    try:
        found = [json.loads(body)]
    except ValueError:
        decoder = SseDecoder()
        found = [json.loads(frame.data) for frame in [*decoder.feed(body), *decoder.flush()]]
    return [one for each in found for one in (each if isinstance(each, list) else [each])]


def test_a_request_with_everything_in_it() -> None:
    body = Gemini().encode(FULL, Quirks()).body
    assert body is not None

    for turn in (*body["contents"], body["systemInstruction"]):
        check(turn, "Content")
    check(body["generationConfig"], "GenerationConfig")
    assert len(body["contents"]) == 5
    assert len(body["generationConfig"]) == 9


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_frames_are_pieces_of_an_answer(path: Path) -> None:
    for document in documents(path.read_bytes()):
        if "error" in document:
            assert set(document["error"]) <= {"code", "message", "status", "details"}
        else:
            check(document, "GenerateContentResponse")


def ask(sim: Simulator, method: str, model: str, body: Json) -> bytes:
    asked = {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}], **body}
    url = f"{sim.url}/v1beta/models/{model}:{method}"
    request = urllib.request.Request(url, json.dumps(asked).encode())
    with urllib.request.urlopen(request, timeout=10) as reply:
        data: bytes = reply.read()
        return data


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
@pytest.mark.parametrize(("model", "body"), ASKED.values(), ids=ASKED)
def test_the_simulators_answers(sim: Simulator, method: str, model: str, body: Json) -> None:
    found = documents(ask(sim, method, model, body))

    for document in found:
        check(document, "GenerateContentResponse")
    assert "candidates" in found[-1] or found[-1]["promptFeedback"]


def test_the_simulators_models_and_counts(sim: Simulator) -> None:
    counted = json.loads(ask(sim, "countTokens", "mock", {}))
    del counted["promptTokensDetails"]  # on the wire, and not in the package's type
    check(counted, "CountTokensResponse")
    with urllib.request.urlopen(f"{sim.url}/v1beta/models", timeout=10) as reply:
        listed: dict[str, Any] = json.loads(reply.read())
    for model in listed["models"]:
        # The package calls these by another name than the wire does.
        model["supportedActions"] = model.pop("supportedGenerationMethods")
        check(model, "Model")
