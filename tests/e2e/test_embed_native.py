"""`llmctl embed` at YandexGPT, GigaChat and Hugging Face: what each of them is special in."""

import json
from typing import Any

import pytest

from tests.e2e.harness import GIGACHAT_KEY, KEY, Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.site import MODELS
from tests.simulator.vectors import GIGACHAT, PIPELINE, YANDEX

TOKEN = "hf_" + "y" * 34
LINES = b"one\nand two\nand then three\n"
# Characters, words, 1.
HEADS = [[3, 1, 1], [7, 2, 1], [14, 3, 1]]


@pytest.fixture(autouse=True)
def models(sim: Simulator, llmctl: Llmctl) -> None:
    sim.models = (*MODELS, "text-search-doc", "text-search-query", "Embeddings")
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL"] = f"{sim.url}/hosts/huggingface/v1"
    llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION"] = "router"
    llmctl.env["HF_TOKEN"] = TOKEN


def embed(llmctl: Llmctl, model: str, *flags: str, stdin: bytes = LINES) -> Result:
    return llmctl.run("embed", "-m", model, *flags, stdin=stdin)


def heads(result: Result) -> list[list[float]]:
    rows: list[Any] = [json.loads(line) for line in result.out.splitlines()]
    assert [one["index"] for one in rows] == list(range(len(rows)))
    return [one["embedding"][:3] for one in rows]


# ---- YandexGPT


def test_yandex_is_sent_one_text_a_request(llmctl: Llmctl, sim: Simulator) -> None:
    result = embed(llmctl, "yandexgpt/text-search-doc")

    assert (result.code, heads(result)) == (0, HEADS), result.err
    assert {one.path for one in sim.requests} == {YANDEX}
    assert sorted((one.json["text"] for one in sim.requests), key=len) == (
        LINES.decode().splitlines()
    )
    for one in sim.requests:
        assert one.json["modelUri"] == "emb://b1gown/text-search-doc/latest"
        assert one.headers["authorization"] == f"Api-Key {KEY}"
        assert one.headers["x-data-logging-enabled"] == "false"
        assert one.headers["x-folder-id"] == "b1gown"


def test_questions_have_a_model_of_their_own_there(llmctl: Llmctl, sim: Simulator) -> None:
    result = embed(llmctl, "yandexgpt/text-search-doc", "--similar", "and", "--json")

    assert result.code == 0, result.err
    asked = {one.json["text"]: one.json["modelUri"].split("/")[3] for one in sim.requests}
    assert asked.pop("and") == "text-search-query"
    assert set(asked.values()) == {"text-search-doc"}
    sim.reset()
    sim.models = ("text-search-query",)

    result = embed(llmctl, "yandexgpt/text-search-doc", "--purpose", "query", stdin=b"one\n")

    assert (result.code, heads(result)) == (0, HEADS[:1]), result.err
    assert "text-search-query is asked" in result.err


def test_yandex_is_asked_again_after_too_many_requests(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["rate-ms"])

    result = embed(llmctl, "yandexgpt/text-search-doc", stdin=b"one\n")

    assert (result.code, heads(result)) == (0, HEADS[:1]), result.err
    assert len(sim.calls) == 2


def test_a_text_that_is_too_long_for_yandex(llmctl: Llmctl) -> None:
    """Too short for being refused here: a token may have many characters."""
    result = embed(llmctl, "yandexgpt/text-search-doc", stdin=b"a " * 2001 + b"\n")

    assert result.code == 16
    assert "must be no more than 2000" in result.err


# ---- GigaChat


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_gigachat_counts_text_by_text(llmctl: Llmctl, sim: Simulator, api: str) -> None:
    llmctl.env["LLMCTL_PROVIDERS__GIGACHAT__API"] = api

    result = embed(llmctl, "gigachat/Embeddings", "--json")

    assert result.code == 0, result.err
    told = result.json
    assert [one["embedding"][:3] for one in told["embeddings"]] == HEADS
    assert told["usage"]["input_tokens"] == 1 + 2 + 3
    [sent] = [one for one in sim.requests if one.path == GIGACHAT]
    assert sent.json == {"model": "Embeddings", "input": LINES.decode().splitlines()}
    assert GIGACHAT_KEY not in sent.headers["authorization"]


def test_a_text_that_gigachat_forgets(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["a-vector-too-few"])

    result = embed(llmctl, "gigachat/Embeddings")

    assert (result.code, result.out) == (10, "")
    assert "3 texts came back as 2 vectors" in result.err
    assert len(sim.calls) == 1  # it was paid for


# ---- Hugging Face


def test_a_model_that_is_being_loaded_is_waited_for(llmctl: Llmctl, sim: Simulator) -> None:
    result = embed(llmctl, "huggingface/mock-fault-loading", "-o", "prompt_name=query")

    assert (result.code, heads(result)) == (0, HEADS), result.err
    assert len(sim.calls) == 3
    assert result.err.count("Waiting until it is ready") == 1
    assert sim.calls[-1].path.endswith(f"mock-fault-loading{PIPELINE}")
    assert sim.calls[-1].json["prompt_name"] == "query"


def test_vectors_of_tokens_are_averaged_and_that_is_said(llmctl: Llmctl) -> None:
    """ "and two": two words of three letters."""
    result = embed(llmctl, "huggingface/mock-tokens", stdin=b"and two\nor then\n")

    assert (result.code, heads(result)) == (0, [[3, 1, 1], [3, 1, 1]]), result.err
    assert result.err.count("the mean of them") == 1


def test_a_partner(llmctl: Llmctl, sim: Simulator) -> None:
    result = embed(llmctl, "huggingface/mock-org/mock:scaleway")

    assert (result.code, heads(result)) == (0, HEADS), result.err
    assert sim.requests[-1].path == "/hosts/huggingface/scaleway/v1/embeddings"
    assert sim.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
