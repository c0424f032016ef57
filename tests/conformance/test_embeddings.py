"""Vectors of OpenAI, Gemini and Ollama against schemas that were derived from official packages,
and requests against OpenAI's, Mistral's and Ollama's published descriptions. They are not part of
this project: LLMCTL_CONFORMANCE_DIR names a folder with them."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llmctl import catalogue
from llmctl.dialects import DIALECTS, Frame
from llmctl.engine.resolve import merged
from llmctl.settings import Settings
from llmctl.types import Embed, Quirks, Vector
from tests.simulator.answers import Answer
from tests.simulator.embeddings import GeminiVectors, OllamaVectors, OpenAIVectors, wants

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")
ROOT = Path(FOLDER or ".")
TEXTS = ("a text", "another one of them")
FULL = Embed("m", TEXTS, dimensions=4)


def derived(name: str) -> Any:
    [path] = (ROOT / "schemas").glob(f"derived.{name}.schema.json")
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def described(name: str) -> Any:
    """The description as it stands; OpenAI's takes a good second to read."""
    text = (ROOT / "openapi" / f"{name}.openapi.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check(value: Any, name: str, schema: str) -> None:
    document = described(name)
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def quirks_of(provider: str) -> Quirks:
    return merged(catalogue.card(provider, Settings()).quirks)


# ---- answers


@pytest.mark.parametrize("packed", [False, True])
def test_the_simulators_answer_is_one_of_openai(packed: bool) -> None:
    """A vector in base64 is a text, which the package's type does not have: it unpacks it first."""
    answer = json.loads(OpenAIVectors().whole(wants("m", TEXTS, 4, packed), Answer()))
    if packed:
        for one in answer["data"]:
            assert isinstance(one["embedding"], str)
            one["embedding"] = [0.0]

    jsonschema.validate(answer, derived("openai-*.CreateEmbeddingResponse"))


def test_the_simulators_answer_is_one_of_gemini() -> None:
    answer = json.loads(GeminiVectors().whole(wants("m", TEXTS, 4), Answer()))

    jsonschema.validate(answer, derived("google-genai-*.EmbedContentResponse"))


def test_the_simulators_answer_is_one_of_ollama() -> None:
    answer = json.loads(OllamaVectors().whole(wants("m", TEXTS, 4), Answer()))

    check(answer, "ollama", "EmbedResponse")


def test_mistrals_own_example_of_an_answer() -> None:
    """Only its shape is taken from there: the numbers of an example are few."""
    content = described("mistral")["paths"]["/v1/embeddings"]["post"]["responses"]["200"]["content"]
    [answer] = [one["value"] for one in content["application/json"]["examples"].values()]
    count = len(answer["data"])
    decoder = DIALECTS["openai_chat"]().decoder(Embed("m", ("x",) * count), Quirks())

    vectors = [
        one
        for one in decoder.feed(Frame(json.dumps(answer, default=str)))
        if isinstance(one, Vector)
    ]

    assert [list(one.values) for one in vectors] == [one["embedding"] for one in answer["data"]]


# ---- requests


def test_openais_request_is_one_of_its_description() -> None:
    body = DIALECTS["openai_chat"]().encode(FULL, quirks_of("openai")).body

    assert body is not None
    assert body["encoding_format"] == "base64"
    check(body, "openai", "CreateEmbeddingRequest")


def test_mistrals_request_is_one_of_its_description() -> None:
    body = DIALECTS["openai_chat"]().encode(Embed("m", TEXTS), quirks_of("mistral")).body

    check(body, "mistral", "EmbeddingRequest")


def test_ollamas_request_is_one_of_its_description() -> None:
    body = DIALECTS["ollama"]().encode(FULL, quirks_of("ollama")).body

    check(body, "ollama", "EmbedRequest")
