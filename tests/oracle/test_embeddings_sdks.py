"""The official packages of OpenAI, Google and Ollama against the simulator's vectors: what they
accept proves the simulator, and what they send is what we send, every difference named here."""

from collections.abc import Iterator
from typing import Any

import ollama
import openai
import pytest
from google import genai
from google.genai import types

from llmctl.dialects import DIALECTS
from llmctl.types import Embed, Quirks
from tests.e2e.harness import KEY
from tests.simulator import Simulator
from tests.simulator.embeddings import GEMINI_SIZE, MOST_TOKENS, vector

TEXTS = ["Небо синее", "and two", "one"]
CALL = Embed("mock", tuple(TEXTS))


def ours(dialect: str, call: Embed = CALL, **quirks: Any) -> Any:
    return DIALECTS[dialect]().encode(call, Quirks(**quirks)).body


def last(sim: Simulator) -> Any:
    return sim.calls[-1].json


# ---- OpenAI


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=sim.openai_url,
        api_key=KEY,
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        yield made


def test_openais_package_asks_for_base64_as_we_do(sim: Simulator) -> None:
    """Its types know numbers only, so a strict client takes no base64, though it asks for it."""
    with openai.OpenAI(base_url=sim.openai_url, api_key=KEY, max_retries=0) as client:
        answer = client.embeddings.create(model="mock", input=TEXTS)

    assert [one.index for one in answer.data] == [0, 1, 2]
    for one, text in zip(answer.data, TEXTS, strict=True):
        assert one.embedding == pytest.approx(vector(text), abs=1e-7)
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (5, 5)
    assert last(sim) == ours("openai_chat", vector_encoding="base64")


def test_openais_package_and_plain_numbers(client: openai.OpenAI, sim: Simulator) -> None:
    answer = client.embeddings.create(
        model="mock", input=TEXTS, dimensions=4, encoding_format="float"
    )

    assert [one.embedding for one in answer.data] == [vector(text, 4) for text in TEXTS]
    assert last(sim) == ours("openai_chat", Embed("mock", tuple(TEXTS), dimensions=4))


@pytest.mark.parametrize("texts", [[""], ["word " * (MOST_TOKENS + 1)]])
def test_openais_package_and_texts_that_are_refused(
    client: openai.OpenAI, texts: list[str]
) -> None:
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="mock", input=texts)


def test_openais_package_and_a_limit(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.embeddings.create(model="mock-fault-rate-day", input=TEXTS)

    assert caught.value.response.headers["retry-after"] == "86400"


# ---- Gemini


@pytest.fixture
def google(sim: Simulator) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


def test_googles_package_takes_what_the_simulator_says(
    google: genai.Client, sim: Simulator
) -> None:
    contents: Any = TEXTS
    answer = google.models.embed_content(
        model="mock",
        contents=contents,
        config=types.EmbedContentConfig(output_dimensionality=4, task_type="RETRIEVAL_QUERY"),
    )

    assert answer.embeddings is not None
    assert [one.values for one in answer.embeddings] == [
        vector(text, 4, length=0.5) for text in TEXTS
    ]
    sent = last(sim)
    for one in sent["requests"]:  # what the package adds, the service does not need
        one["content"].pop("role", None)
    assert sent == ours("gemini", Embed("mock", tuple(TEXTS), dimensions=4, purpose="query"))


def test_googles_package_and_the_models_own_size(google: genai.Client) -> None:
    contents: Any = TEXTS
    answer = google.models.embed_content(model="mock", contents=contents)

    assert answer.embeddings is not None
    assert [one.values for one in answer.embeddings] == [
        vector(text, GEMINI_SIZE) for text in TEXTS
    ]


# ---- Ollama


def test_ollamas_package_takes_what_the_simulator_says(sim: Simulator) -> None:
    with ollama.Client(host=sim.url) as client:
        answer = client.embed("mock", TEXTS, truncate=False, dimensions=4)

    assert [list(one) for one in answer.embeddings] == [vector(text, 4) for text in TEXTS]
    assert (answer.prompt_eval_count, answer.load_duration) == (5, 1_000_000)
    assert last(sim) == ours("ollama", Embed("mock", tuple(TEXTS), dimensions=4))


def test_ollamas_package_and_a_text_that_is_too_long(sim: Simulator) -> None:
    texts = ["word " * (MOST_TOKENS + 1)]
    with ollama.Client(host=sim.url) as client:
        with pytest.raises(ollama.ResponseError) as caught:
            client.embed("mock", texts, truncate=False)
        assert len(client.embed("mock", texts).embeddings) == 1

    assert caught.value.status_code == 400
