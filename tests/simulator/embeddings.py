"""Vectors in the formats of OpenAI (llama-server, vLLM and LM Studio alike), Gemini and Ollama.

A vector is (characters, words, 1, 0, …) made 1 long, so that tests can tell by hand what a text
becomes. A word is a token; a text of more than MOST_TOKENS is refused.
"""

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from struct import pack
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Exchange, Route, fault
from tests.simulator.gemini import GeminiSide
from tests.simulator.ollama import OllamaSide
from tests.simulator.openai_chat import OpenAISide
from tests.simulator.wire import Request

SIZE, GEMINI_SIZE = 8, 6
MOST_TOKENS, MOST_TEXTS, MOST_GEMINI = 100, 2048, 100
OPENAI = "/v1/embeddings"
OPENAI_FIELDS = frozenset({"model", "input", "encoding_format", "dimensions", "user"})
OLLAMA = "/api/embed"
OLLAMA_FIELDS = frozenset({"model", "input", "truncate", "dimensions", "keep_alive", "options"})
GEMINI = re.compile(r"/v1beta/models/([^/:]+):batchEmbedContents")
GEMINI_FIELDS = frozenset({"model", "content", "taskType", "title", "outputDimensionality"})

Rows = Sequence[Sequence[float]]
# Like OpenAI's, with everything of a wrong answer thrown in by a fault.
Spoil = Callable[[list[list[float]]], Rows]


def vector(text: str, size: int = SIZE, *, length: float = 1.0) -> list[float]:
    head = [float(len(text)), float(len(text.split())), 1.0][:size]
    whole = [*head, *[0.0] * (size - len(head))]
    norm = math.hypot(*whole) / length
    return [one / norm for one in whole]


def wants(model: str, texts: Sequence[str], size: int, packed: bool = False) -> Asked:
    told = {"texts": list(texts), "size": size, "packed": packed}
    return Asked(model=model, prompt=json.dumps(told), kind="embed")


def told(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked.prompt)
    return found


def rows_for(asked: Asked, answer: Answer) -> list[list[float]]:
    """The vectors, or those that a fault has put in their place."""
    if answer.extra is not None:
        rows: list[list[float]] = answer.extra["rows"]
        return rows
    wanted = told(asked)
    return [vector(text, wanted["size"]) for text in wanted["texts"]]


def words(asked: Asked) -> int:
    return sum(len(text.split()) for text in told(asked)["texts"])


class OpenAIVectors(OpenAISide):
    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", OPENAI): _openai}

    def asked(self, request: Request) -> Asked | None:
        if request.path != OPENAI:
            return None
        body = request.json
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        packed = body.get("encoding_format") == "base64"
        return wants(body["model"], texts, body.get("dimensions", SIZE), packed)

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        packed, order = told(asked)["packed"], (answer.extra or {}).get("order")
        items = [
            {"object": "embedding", "index": index, "embedding": _packed(row) if packed else row}
            for index, row in enumerate(rows_for(asked, answer))
        ]
        usage = {"prompt_tokens": words(asked), "total_tokens": words(asked)}
        document = {
            "object": "list",
            "data": [items[place] for place in order] if order else items,
            "model": asked.model,
            "usage": usage,
        }
        return json.dumps(document).encode()


def _packed(row: Sequence[float]) -> str:
    return b64encode(pack(f"<{len(row)}f", *row)).decode()


async def _openai(exchange: Exchange) -> None:
    body, texts = exchange.request.json, told(exchange.asked)["texts"]
    if unknown := sorted(set(body) - OPENAI_FIELDS):
        await exchange.refuse(400, f"Unrecognized request argument supplied: {unknown[0]}")
    elif not texts or "" in texts:
        await exchange.refuse(400, "'$.input' is invalid.", None, "invalid_request_error")
    elif len(texts) > MOST_TEXTS:
        await exchange.refuse(400, f"'$.input' is too long: more than {MOST_TEXTS} items.")
    elif longest := _too_long(texts):
        said = (f"This model's maximum context length is {MOST_TOKENS} tokens, however you"
                f" requested {longest} tokens. Please reduce your prompt.")  # fmt: skip
        await exchange.refuse(400, said, None, "invalid_request_error")
    else:
        await exchange.site.play(exchange)


def _too_long(texts: Sequence[str]) -> int:
    longest = max(len(text.split()) for text in texts)
    return longest if longest > MOST_TOKENS else 0


class GeminiVectors(GeminiSide):
    """No usage, and vectors of another size than the model's own are not 1 long."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {}

    def route(self, request: Request) -> Route | None:
        return _gemini if GEMINI.fullmatch(request.path) else None

    def asked(self, request: Request) -> Asked | None:
        found = GEMINI.fullmatch(request.path)
        if found is None:
            return None
        requests = request.json["requests"]
        texts = ["".join(part["text"] for part in one["content"]["parts"]) for one in requests]
        return wants(found[1], texts, requests[0].get("outputDimensionality", GEMINI_SIZE))

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        wanted = told(asked)
        length = 1.0 if wanted["size"] == GEMINI_SIZE else 0.5
        rows = [vector(text, wanted["size"], length=length) for text in wanted["texts"]]
        rows = answer.extra["rows"] if answer.extra else rows
        return json.dumps({"embeddings": [{"values": row} for row in rows]}).encode()


async def _gemini(exchange: Exchange) -> None:
    requests = exchange.request.json["requests"]
    name = f"models/{exchange.asked.model}"
    if len(requests) > MOST_GEMINI:
        said = f"* BatchEmbedContentsRequest.requests: at most {MOST_GEMINI} requests can be in one"
        await exchange.refuse(400, said)
    elif any(one["model"] != name for one in requests):
        await exchange.refuse(400, "* BatchEmbedContentsRequest.model: model is not consistent")
    elif unknown := sorted({field for one in requests for field in one} - GEMINI_FIELDS):
        await exchange.refuse(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}"')
    else:
        await exchange.site.play(exchange)


class OllamaVectors(OllamaSide):
    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", OLLAMA): _ollama}

    def asked(self, request: Request) -> Asked | None:
        if request.path != OLLAMA:
            return None
        body = request.json
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        return wants(body["model"], texts, body.get("dimensions") or SIZE)

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        return json.dumps(
            {
                "model": asked.model,
                "embeddings": rows_for(asked, answer),
                "total_duration": 14_000_000,
                "load_duration": 1_000_000,
                "prompt_eval_count": words(asked),
            }
        ).encode()


async def _ollama(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - OLLAMA_FIELDS):
        await exchange.refuse(400, f"unknown field {unknown[0]}")
    elif body.get("truncate") is False and _too_long(told(exchange.asked)["texts"]):
        await exchange.refuse(400, "the input length exceeds the context length")
    else:
        await exchange.site.play(exchange)


SIDES = (OpenAIVectors(), GeminiVectors(), OllamaVectors())


# ---- what its callers do not expect


async def spoilt(exchange: Exchange, spoil: Spoil) -> None:
    rows = spoil(rows_for(exchange.asked, Answer()))
    await exchange.well(Answer(extra={"rows": rows}))


@fault
async def vectors_shuffled(exchange: Exchange) -> None:
    """The last comes first; each says which text it belongs to."""
    rows = rows_for(exchange.asked, Answer())
    await exchange.well(Answer(extra={"rows": rows, "order": [*range(len(rows))][::-1]}))


@fault
async def vectors_twice(exchange: Exchange) -> None:
    """The first is there twice, under one number, and the second is not."""
    rows = rows_for(exchange.asked, Answer())
    order = [0, 0, *range(2, len(rows))]
    await exchange.well(Answer(extra={"rows": rows, "order": order}))


@fault
async def vectors_too_few(exchange: Exchange) -> None:
    await spoilt(exchange, lambda rows: rows[:-1])


@fault
async def vectors_too_many(exchange: Exchange) -> None:
    await spoilt(exchange, lambda rows: [*rows, rows[0]])


@fault
async def vectors_of_two_sizes(exchange: Exchange) -> None:
    await spoilt(exchange, lambda rows: [*rows[:-1], rows[-1][:-1]])


@fault
async def vectors_of_nothing(exchange: Exchange) -> None:
    """An empty one among them."""
    await spoilt(exchange, lambda rows: [*rows[:-1], []])


@fault
async def vectors_not_a_number(exchange: Exchange) -> None:
    """JSON that is none, as some servers write it, or a float that says so."""
    await spoilt(exchange, lambda rows: [*rows[:-1], [math.nan, *rows[-1][1:]]])


@fault
async def vectors_of_another_size(exchange: Exchange) -> None:
    """Each further answer has vectors that are one shorter."""
    size = len(rows_for(exchange.asked, Answer())[0]) - exchange.nth + 1
    await spoilt(exchange, lambda rows: [row[:size] for row in rows])
