"""Vectors by llama.cpp inside the process: how a model is loaded for them, and a real one."""

import asyncio
import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects import HttpCall
from llmctl.transport.exchange import Lane
from llmctl.transport.llama_vectors import own_pooling
from llmctl.transport.target import Target

CHAT = ("chat/completions", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2})


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(path: Path, pooling: int | None) -> Path:
    """The head of a file of the architecture `bert`, its layout by the specification of GGUF."""
    entries = [text("general.architecture") + struct.pack("<I", 8) + text("bert")]
    if pooling is not None:
        entries.append(text("bert.pooling_type") + struct.pack("<II", 4, pooling))
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries))
    return path


@pytest.mark.parametrize(("pooling", "own"), [(None, False), (0, False), (1, True), (2, True)])
def test_whether_a_file_says_how_vectors_are_made(
    tmp_path: Path, pooling: int | None, own: bool
) -> None:
    """By the numbers of llama.cpp: 0 is none, 1 the mean, 2 the first token."""
    assert own_pooling(gguf(tmp_path / "m.gguf", pooling)) is own


def test_what_is_no_head_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + b"\0" * 9)

    assert not own_pooling(tmp_path / "m.gguf")
    assert not own_pooling(tmp_path / "none.gguf")


def told(weights: Path, *asked: tuple[str, dict[str, Any]]) -> list[tuple[int, Any, bool]]:
    """Status, document and whether the model was loaded for it, of requests on one lane."""
    options = {"threads": 1, "context": 256, "name": "smol"}
    target = Target(provider="local", base_url=f"llama://{weights}", options=options)

    async def ask() -> list[tuple[int, Any, bool]]:
        found = []
        async with Lane(target) as lane:
            for path, body in asked:
                async with lane.exchange(HttpCall("POST", path, body)) as reply:
                    loaded = reply.timing.load_s is not None
                    found.append((reply.status, json.loads(await reply.text()), loaded))
        return found

    return asyncio.run(ask())


def test_a_real_model_makes_vectors_and_still_chats(weights: Path) -> None:
    texts = [f"a text {number}" for number in range(7)]
    embed = ("embeddings", {"model": "smol", "input": texts})
    alone = ("embeddings", {"model": "smol", "input": texts[3:4]})

    every, one, chat = told(weights, embed, alone, CHAT)

    assert [one[0] for one in (every, one, chat)] == [200, 200, 200]
    assert [one[2] for one in (every, one, chat)] == [True, False, False]
    vectors = [item["embedding"] for item in every[1]["data"]]
    assert [item["index"] for item in every[1]["data"]] == list(range(7))
    assert {len(vector) for vector in vectors} == {576}
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-4) for vector in vectors)
    assert vectors[3] == pytest.approx(one[1]["data"][0]["embedding"], abs=1e-3)
    assert vectors[3] != pytest.approx(vectors[4], abs=1e-3)
    assert chat[1]["usage"]["completion_tokens"] == 2


def test_a_model_that_was_loaded_for_answers_is_loaded_anew(weights: Path) -> None:
    chat, embed = told(weights, CHAT, ("embeddings", {"input": ["a"]}))

    assert (chat[0], chat[2]) == (200, True)
    assert (embed[0], embed[2]) == (200, True)


def test_texts_that_cannot_be_read(weights: Path) -> None:
    """Every one may be as long as the context."""
    long = ("embeddings", {"input": ["word " * 200] * 2})
    longer, huge, empty, unknown, fine = told(
        weights,
        ("embeddings", {"input": ["a", "word " * 300]}),
        ("embeddings", {"input": "word " * 20_000}),
        ("embeddings", {"input": [""]}),
        ("embeddings", {"input": ["a"], "bogus": 1}),
        long,
    )

    for status, document, _loaded in (longer, huge):
        assert status == 400
        assert "longer than the context of 256 tokens" in document["error"]["message"]
    assert empty[0] == unknown[0] == 400
    assert "bogus" in unknown[1]["error"]["message"]
    assert (fine[0], fine[1]["usage"]["prompt_tokens"] >= 400) == (200, True)
