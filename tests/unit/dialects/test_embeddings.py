"""Requests for vectors in the formats of OpenAI, Gemini and Ollama, and what their answers mean."""

import json
from array import array
from base64 import b64encode
from struct import pack
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame
from llmctl.errors import LlmctlError, ProviderFailed, UsageError
from llmctl.types import Embed, Event, Finished, FinishReason, Json, Quirks, Usage, Vector

TWO = Embed("m", ("a", "b"))
PLAIN = Quirks()


def encoded(dialect: str, call: Embed, quirks: Quirks = PLAIN) -> tuple[str, Any]:
    http = DIALECTS[dialect]().encode(call, quirks)
    assert http.method == "POST"
    return http.path, http.body


def events(dialect: str, answer: Json, call: Embed = TWO, quirks: Quirks = PLAIN) -> list[Event]:
    decoder = DIALECTS[dialect]().decoder(call, quirks)
    found = list(decoder.feed(Frame(json.dumps(answer))))
    assert decoder.done
    return found


def rows(found: list[Event]) -> list[list[float]]:
    vectors = [one for one in found if isinstance(one, Vector)]
    assert [one.index for one in vectors] == [*range(len(vectors))]
    return [list(one.values) for one in vectors]


def items(*values: Json) -> dict[str, Json]:
    listed: list[Json] = [
        {"object": "embedding", "index": index, "embedding": one}
        for index, one in enumerate(values)
    ]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return {"object": "list", "model": "m-1", "data": listed, "usage": usage}


# ---- OpenAI


def test_openais_request() -> None:
    assert encoded("openai_chat", TWO) == (
        "embeddings",
        {"model": "m", "input": ["a", "b"], "encoding_format": "float"},
    )


def test_openais_request_with_everything() -> None:
    call = Embed("m", ("a",), dimensions=256, purpose="query", options={"user": "u1"})
    quirks = Quirks(
        vector_encoding="base64",
        path_prefix="x/",
        extra_body={"provider": {"zdr": True}, "store": False},
        purposes={"query": {"input_type": "query"}},
    )

    assert encoded("openai_chat", call, quirks) == (
        "x/embeddings",
        {
            "model": "m",
            "input": ["a"],
            "encoding_format": "base64",
            "dimensions": 256,
            "input_type": "query",
            "provider": {"zdr": True},
            "user": "u1",
        },
    )


@pytest.mark.parametrize("dialect", ["openai_chat", "gemini", "ollama"])
def test_a_length_that_cannot_be_had_is_refused(dialect: str) -> None:
    call = Embed("m", ("a",), dimensions=4)

    with pytest.raises(UsageError, match="one length only"):
        encoded(dialect, call, Quirks(dimensions=False))


def test_numbers_of_json_and_usage() -> None:
    found = events("openai_chat", items([1, 0.1], [0.5, -0.25]))

    assert rows(found) == [[1, 0.1], [0.5, -0.25]]
    last = found[-1]
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.STOP
    assert (last.usage, last.model) == (Usage(5, 0), "m-1")


def test_base64_is_floats_of_32_bits() -> None:
    packed = [b64encode(pack("<2f", *row)).decode() for row in ((1.0, 0.1), (0.5, -0.25))]

    found = events("openai_chat", items(*packed))

    assert rows(found) == [[1.0, array("f", [0.1])[0]], [0.5, -0.25]]


def test_the_number_of_an_item_says_whose_it_is() -> None:
    answer = items([1.0], [2.0])
    data: Any = answer["data"]

    assert rows(events("openai_chat", {**answer, "data": data[::-1]})) == [[1.0], [2.0]]


def test_items_without_numbers_are_in_order() -> None:
    assert rows(events("openai_chat", {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]})) == [
        [1.0],
        [2.0],
    ]


def test_a_stated_cost_is_the_cost() -> None:
    answer = items([1.0], [2.0])
    answer["usage"] = {"prompt_tokens": 5, "cost": 0.0000014}

    last = events("openai_chat", answer, quirks=Quirks(cost_field="usage.cost"))[-1]

    assert isinstance(last, Finished)
    assert last.reported_cost == ("0.0000014", "USD")


# ---- Gemini


def test_geminis_request() -> None:
    call = Embed(
        "m", ("a", "b"), dimensions=8, purpose="document", options={"auto_truncate": False}
    )
    beside = {"outputDimensionality": 8, "taskType": "RETRIEVAL_DOCUMENT", "autoTruncate": False}

    assert encoded("gemini", call) == (
        "v1beta/models/m:batchEmbedContents",
        {
            "requests": [
                {"model": "models/m", "content": {"parts": [{"text": text}]}, **beside}
                for text in ("a", "b")
            ]
        },
    )


def test_geminis_purpose_of_a_question() -> None:
    _path, body = encoded("gemini", Embed("m", ("a",), purpose="query"))

    assert body["requests"][0]["taskType"] == "RETRIEVAL_QUERY"


def test_geminis_answer_has_no_usage() -> None:
    found = events("gemini", {"embeddings": [{"values": [1.0]}, {"values": [2.0]}]})

    assert rows(found) == [[1.0], [2.0]]
    assert found[-1] == Finished(FinishReason.STOP)


# ---- Ollama


def test_ollamas_request_does_not_let_texts_be_cut_off() -> None:
    call = Embed("m", ("a",), dimensions=8, options={"keep_alive": "5m", "num_ctx": 512})

    assert encoded("ollama", call, Quirks(extra_body={"truncate": False})) == (
        "api/embed",
        {
            "model": "m",
            "input": ["a"],
            "truncate": False,
            "dimensions": 8,
            "keep_alive": "5m",
            "options": {"num_ctx": 512},
        },
    )


def test_ollamas_answer() -> None:
    answer: dict[str, Json] = {
        "model": "m",
        "embeddings": [[1.0], [2.0]],
        "total_duration": 14143917,
        "load_duration": 1019500,
        "prompt_eval_count": 8,
    }

    found = events("ollama", answer)

    assert rows(found) == [[1.0], [2.0]]
    assert found[-1] == Finished(FinishReason.STOP, Usage(8, 0), "m", load_s=0.0010195)


def test_ollama_tells_when_another_host_has_answered() -> None:
    answer: Json = {"embeddings": [[1.0], [2.0]], "remote_host": "https://ollama.com:443"}

    last = events("ollama", answer)[-1]

    assert isinstance(last, Finished)
    assert last.passed_on_to == "https://ollama.com:443"


# ---- what is no answer


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "wrong-count"),
        ([{"index": 0, "embedding": [1.0]}], "wrong-count"),
        ([{"index": one, "embedding": [1.0]} for one in range(3)], "wrong-count"),
        ([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}], "wrong-count"),
        ([{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}], "wrong-count"),
        ([{"index": 0, "embedding": [1.0]}, {"index": -1, "embedding": [1.0]}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": []}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": ["1.0"]}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": [True]}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": [None]}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": "AAAA"}], "wrong-count"),  # three bytes
        ([{"embedding": [1.0]}, {"embedding": "!"}], "wrong-count"),
        ([{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}], "wrong-length"),
        ([{"embedding": [1.0]}, {"embedding": [float("nan")]}], "not-finite"),
        ([{"embedding": [1.0]}, {"embedding": [float("-inf")]}], "not-finite"),
        ([{"embedding": [1.0]}, {"embedding": [10**400]}], "not-finite"),
        ([{"embedding": [1.0]}, {"embedding": "AADAfw=="}], "not-finite"),  # NaN in 32 bits
    ],
)
def test_an_answer_that_is_none_is_not_asked_for_again(data: Json, reason: str) -> None:
    with pytest.raises(ProviderFailed) as caught:
        events("openai_chat", {"data": data})

    assert (caught.value.reason, caught.value.retryable) == (reason, False)


def test_large_numbers_whose_sum_overflows_are_numbers() -> None:
    found = events("openai_chat", {"data": [{"embedding": [1.7e308, 1.7e308]}] * 2})

    assert rows(found) == [[1.7e308, 1.7e308]] * 2


@pytest.mark.parametrize("dialect", ["openai_chat", "gemini", "ollama"])
def test_an_error_inside_a_good_answer(dialect: str) -> None:
    with pytest.raises(LlmctlError, match="out of memory"):
        events(dialect, {"error": {"message": "out of memory"}})
