"""Requests for vectors at YandexGPT, GigaChat and Hugging Face, and what their answers mean."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame, HttpCall
from llmctl.errors import LlmctlError, ProviderFailed, Rejected, UsageError
from llmctl.types import Embed, Event, Finished, Json, Notice, Quirks, Usage, Vector

YANDEX = Quirks(model_name="emb://{folder}/{model}/latest", settings={"folder": "b1gown"})
ROUTER = Quirks(settings={"text_generation": "router"})
TGI = Quirks(settings={"text_generation": "tgi"})
COMPLETIONS = Quirks(settings={"text_generation": "completions"})
ONE = Embed("text-search-doc", ("Привет",))
TWO = Embed("m", ("a", "b"))


def encoded(dialect: str, call: Embed, quirks: Quirks) -> HttpCall:
    return DIALECTS[dialect]().encode(call, quirks)


def decoded(dialect: str, call: Embed, quirks: Quirks, answer: Json) -> list[Event]:
    decoder = DIALECTS[dialect]().decoder(call, quirks)
    events = list(decoder.feed(Frame(json.dumps(answer))))
    assert decoder.done
    return events


def vectors_of(events: list[Event]) -> list[list[float]]:
    found = [one for one in events if isinstance(one, Vector)]
    assert [one.index for one in found] == list(range(len(found)))
    return [list(one.values) for one in found]


# ---- YandexGPT


def test_yandex_takes_one_text_under_its_whole_address() -> None:
    assert encoded("yandexgpt", ONE, YANDEX) == HttpCall(
        "POST",
        "foundationModels/v1/textEmbedding",
        {"modelUri": "emb://b1gown/text-search-doc/latest", "text": "Привет"},
    )


def test_a_length_is_a_number_of_64_bits() -> None:
    http = encoded("yandexgpt", Embed("text-embeddings-v2-doc", ("a",), 768), YANDEX)

    assert http.body is not None
    assert http.body["dim"] == "768"


def test_an_address_stays_as_it_is() -> None:
    http = encoded("yandexgpt", Embed("emb://b1gother/doc/latest@tamr1", ("a",)), YANDEX)

    assert http.body is not None
    assert http.body["modelUri"] == "emb://b1gother/doc/latest@tamr1"


def test_yandex_refuses_several_texts_before_they_are_sent() -> None:
    with pytest.raises(UsageError, match="one text a request"):
        encoded("yandexgpt", TWO, YANDEX)


def test_a_vector_of_yandex() -> None:
    answer = {"embedding": [0.5, -1], "numTokens": "3", "modelVersion": "06.12.2023"}

    *vectors, finished = decoded("yandexgpt", ONE, YANDEX, answer)

    assert vectors_of(vectors) == [[0.5, -1]]
    assert isinstance(finished, Finished)
    assert finished.usage == Usage(input_tokens=3, output_tokens=0)
    assert finished.details == {"modelVersion": "06.12.2023"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"modelVersion": "1"}, ProviderFailed),
        ({"embedding": ["0.5"]}, ProviderFailed),
        ({"embedding": []}, ProviderFailed),
        ({"code": 3, "message": "text is empty"}, Rejected),
        ({"error": {"grpcCode": 3, "httpCode": 400, "message": "text is empty"}}, Rejected),
    ],
)
def test_what_is_no_vector(answer: Json, kind: type[LlmctlError]) -> None:
    with pytest.raises(kind):
        decoded("yandexgpt", ONE, YANDEX, answer)


# ---- GigaChat


@pytest.mark.parametrize("version", ["gigachat", "gigachat_v2"])
def test_gigachat_has_vectors_in_the_first_version_only(version: str) -> None:
    assert encoded(version, TWO, Quirks()) == HttpCall(
        "POST", "embeddings", {"model": "m", "input": ["a", "b"]}
    )


@pytest.mark.parametrize("version", ["gigachat", "gigachat_v2"])
@pytest.mark.parametrize(("counts", "total"), [((7, 11), 18), ((7, None), None), ((0, 0), 0)])
def test_tokens_are_counted_text_by_text(
    version: str, counts: tuple[int | None, ...], total: int | None
) -> None:
    items = [
        {"index": index, "embedding": [float(index)], "usage": {"prompt_tokens": count}}
        for index, count in enumerate(counts)
    ]

    events = decoded(version, TWO, Quirks(), {"model": "Embeddings", "data": items[::-1]})

    assert vectors_of(events[:2]) == [[0.0], [1.0]]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.model == "Embeddings"
    expected = None if total is None else Usage(input_tokens=total, output_tokens=0)
    assert finished.usage == expected


def test_counts_that_differ() -> None:
    answer = {"data": [{"index": 0, "embedding": [1.0], "usage": {"prompt_tokens": 1}}]}

    with pytest.raises(ProviderFailed, match="2 texts came back as 1 vectors"):
        decoded("gigachat", TWO, Quirks(), answer)


@pytest.mark.parametrize("dialect", ["gigachat", "gigachat_v2", "huggingface"])
def test_a_length_cannot_be_asked_for(dialect: str) -> None:
    with pytest.raises(UsageError, match="one length only"):
        encoded(dialect, Embed("m", ("a",), 256), ROUTER)


# ---- Hugging Face


@pytest.mark.parametrize(
    ("model", "quirks", "path"),
    [
        ("org/m", ROUTER, "../hf-inference/models/org/m/pipeline/feature-extraction"),
        ("org/m:hf-inference", ROUTER, "../hf-inference/models/org/m/pipeline/feature-extraction"),
        ("org/m", TGI, "../"),
    ],
)
def test_feature_extraction(model: str, quirks: Quirks, path: str) -> None:
    call = Embed(model, ("a", "b"), options={"normalize": True, "truncate": True})

    assert encoded("huggingface", call, quirks) == HttpCall(
        "POST", path, {"inputs": ["a", "b"], "normalize": True, "truncate": True}
    )


def test_questions_have_a_name_there() -> None:
    """In the model's own `prompts`, where its card says so; the user's word goes before that."""
    carded = Quirks(settings=ROUTER.settings, purposes={"query": {"prompt_name": "query"}})
    asked = {
        (purpose, quirks is carded): encoded(
            "huggingface", Embed("m", ("a",), purpose=purpose), quirks
        ).body
        for purpose in (None, "query", "document")
        for quirks in (ROUTER, carded)
    }

    named = {"inputs": ["a"], "prompt_name": "query"}
    assert asked.pop(("query", True)) == named
    assert all(body == {"inputs": ["a"]} for body in asked.values())
    own = Embed("m", ("a",), purpose="query", options={"prompt_name": "web"})
    assert encoded("huggingface", own, carded).body == {"inputs": ["a"], "prompt_name": "web"}


@pytest.mark.parametrize(
    ("partner", "path"),
    [
        ("deepinfra", "../deepinfra/v1/openai/embeddings"),
        ("scaleway", "../scaleway/v1/embeddings"),
        ("together", "../together/v1/embeddings"),
    ],
)
def test_partners_speak_openais_format(partner: str, path: str) -> None:
    """By the paths of huggingface_hub 2.4.0."""
    call = Embed(f"org/m:{partner}", ("a", "b"))
    http = encoded("huggingface", call, ROUTER)

    assert (http.path, http.body) == (
        path, {"model": "org/m", "input": ["a", "b"], "encoding_format": "float"}
    )  # fmt: skip
    items = [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [2.0]}]
    assert vectors_of(decoded("huggingface", call, ROUTER, {"data": items})[:2]) == [[1.0], [2.0]]


def test_other_partners_are_refused_with_those_that_do_it() -> None:
    with pytest.raises(UsageError, match="groq makes no vectors") as caught:
        encoded("huggingface", Embed("org/m:groq", ("a",)), ROUTER)

    assert "org/m:deepinfra, :hf-inference, :scaleway, :together" in (caught.value.hint or "")


def test_an_endpoint_with_openais_format() -> None:
    http = encoded("huggingface", Embed("m", ("a",)), COMPLETIONS)

    assert http.path == "embeddings"
    assert http.body is not None
    assert http.body["input"] == ["a"]


@pytest.mark.parametrize(
    "answer",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        [[[1.0, 2.0]], [[2.0, 3.0], [4.0, 5.0]]],  # of each token
        [[[[1.0, 2.0]]], [[[2.0, 3.0], [4.0, 5.0]]]],  # each text a batch of its own
    ],
    ids=["texts", "tokens", "tokens in batches of one"],
)
def test_vectors_of_texts_and_of_their_tokens(answer: Any) -> None:
    events = decoded("huggingface", TWO, ROUTER, answer)

    assert vectors_of([one for one in events if isinstance(one, Vector)]) == [[1, 2], [3, 4]]
    notices = [one for one in events if isinstance(one, Notice)]
    finished = events[-1]
    assert isinstance(finished, Finished)
    if isinstance(answer[0][0], float):
        assert (notices, finished.details) == ([], {})
    else:
        assert [one.code for one in notices] == ["pooled"]
        assert finished.details == {"pooling": "mean"}


@pytest.mark.parametrize(
    "answer",
    [
        [[1.0]],
        [[1.0], [2.0], [3.0]],
        [[1.0], []],
        [[1.0], [None]],
        [[[1.0], [2.0, 3.0]], [1.0]],  # tokens of different lengths
        [[1.0], [[[[[2.0]]]]]],
        {"0": [1.0]},
        "no",
    ],
)
def test_what_are_no_vectors(answer: Any) -> None:
    with pytest.raises(ProviderFailed):
        decoded("huggingface", TWO, ROUTER, answer)
