"""Vectors in traffic that official packages recorded or sent, and in Hugging Face's schemas of
tasks, which are not part of this project: LLMCTL_CONFORMANCE_DIR names a folder with them.

Yandex's traffic was recorded over gRPC, whose messages are those of REST.
"""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llmctl import catalogue
from llmctl.dialects import DIALECTS, Frame
from llmctl.engine.resolve import find_model, merged
from llmctl.settings import Settings
from llmctl.types import Embed, Event, Finished, Quirks, Usage, Vector
from llmctl.values import replace
from tests.simulator.answers import Answer
from tests.simulator.vectors import HuggingFaceVectors, wants

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")
ROOT = Path(FOLDER or ".")
TRAFFIC = ROOT / "traffic"


def read(path: str) -> Any:
    text = (TRAFFIC / path).read_text(encoding="utf-8")
    return yaml.safe_load(text) if path.endswith(".yaml") else json.loads(text)


def decoded(dialect: str, call: Embed, answer: str) -> tuple[list[Any], Finished]:
    decoder = DIALECTS[dialect]().decoder(call, Quirks())
    *vectors, finished = list[Event](decoder.feed(Frame(answer)))
    assert decoder.done
    assert isinstance(finished, Finished)
    return [one.values for one in vectors if isinstance(one, Vector)], finished


def yandex_quirks(model: str, folder: str) -> Quirks:
    card = catalogue.card("yandexgpt", Settings())
    found = find_model(card, model)
    assert found is not None
    return replace(merged(card.quirks, found.quirks), settings={"folder": folder})


# ---- YandexGPT


def test_a_recorded_vector_of_yandex() -> None:
    recorded = read("yandex-native/test_text_embeddings-test_run.gprc.json")["interactions"]
    [one] = [one for one in recorded if one["request"]["cls"] == "TextEmbeddingRequest"]
    sent, answer = one["request"]["message"], one["response"]["message"]
    folder = sent["modelUri"].split("/")[2]
    call = Embed("text-search-doc", (sent["text"],))

    assert DIALECTS["yandexgpt"]().encode(call, yandex_quirks(call.model, folder)).body == sent
    [values], finished = decoded("yandexgpt", call, json.dumps(answer))
    assert (list(values), len(values)) == (answer["embedding"], 256)
    assert finished.usage == Usage(input_tokens=3, output_tokens=0)
    assert finished.details == {"modelVersion": "06.12.2023"}


@pytest.mark.parametrize("kind", ["doc", "query"])
def test_yandexs_own_package_sends_the_same(kind: str) -> None:
    steps = read("sdk-requests/yandex-ai-studio-sdk-0.22.1.json")["steps"]
    sent = steps[f"grpc_embedding_{kind}"]["grpc"][-1]
    assert sent["grpc_method"].endswith("EmbeddingsService/TextEmbedding")
    call = Embed(f"text-search-{kind}", (sent["message"]["text"],))

    quirks = yandex_quirks(call.model, "b1gdummyfolder")
    assert DIALECTS["yandexgpt"]().encode(call, quirks).body == sent["message"]


# ---- GigaChat


def test_a_recorded_vector_of_gigachat() -> None:
    recorded = read("gigachat/test_embeddings_single.yaml")["interactions"]
    [one] = [one for one in recorded if one["request"]["uri"].endswith("/embeddings")]
    sent = json.loads(one["request"]["body"])
    call = Embed(sent["model"], tuple(sent["input"]))

    http = DIALECTS["gigachat"]().encode(call, Quirks())
    assert (http.path, http.body) == ("embeddings", sent)
    [values], finished = decoded("gigachat", call, one["response"]["body"]["string"])
    assert (len(values), list(values)[:2]) == (1024, [0.53857421875, -0.568359375])
    assert finished.usage == Usage(input_tokens=9, output_tokens=0)
    assert finished.model == "Embeddings"


def test_a_fixture_of_gigachats_package() -> None:
    answer = (TRAFFIC / "gigachat-fixtures" / "embeddings.json").read_text(encoding="utf-8")

    [values], finished = decoded("gigachat", Embed("Embeddings", ("a",)), answer)

    assert len(values) == 1024
    assert finished.usage == Usage(input_tokens=11, output_tokens=0)


def test_gigachats_own_package_sends_the_same() -> None:
    sent = read("sdk-requests/gigachat-python-0.2.3.json")["steps"]["embeddings"]["requests"][-1]
    body = sent["body_json"]
    http = DIALECTS["gigachat"]().encode(Embed(body["model"], tuple(body["input"])), Quirks())

    assert (http.method, http.body) == (sent["method"], body)
    assert sent["path"].endswith(f"/v1/{http.path}")


# ---- Hugging Face


def fits(document: Any, part: str) -> None:
    path = ROOT / "schemas" / f"hf-task.feature-extraction.{part}.schema.json"
    jsonschema.Draft6Validator(json.loads(path.read_text(encoding="utf-8"))).validate(document)


@pytest.mark.parametrize("purpose", [None, "query"])
def test_feature_extraction_is_asked_for_as_described(purpose: str | None) -> None:
    options = {"normalize": True, "truncate": True, "truncation_direction": "left"}
    call = Embed("org/m", ("a", "b"), purpose=purpose, options=options)
    quirks = Quirks(settings={"text_generation": "router"})
    body = DIALECTS["huggingface"]().encode(call, quirks).body

    fits(body, "input")
    described = json.loads(
        (ROOT / "schemas" / "hf-task.feature-extraction.input.schema.json").read_text()
    )
    assert set(body or ()) <= set(described["properties"])


def test_the_simulator_answers_as_described() -> None:
    answer = HuggingFaceVectors().whole(wants("mock", ["a", "b c"]), Answer())

    fits(json.loads(answer), "output")
