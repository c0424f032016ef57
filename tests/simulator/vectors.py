"""Vectors of YandexGPT, GigaChat and Hugging Face. They are such that tests can tell by hand what a
text becomes: its characters, its words, 1, and zeros.

At Hugging Face `mock-tokens…` answers as an encoder does that was not made for sentences, with a
vector for each word.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Exchange, Route, fault
from tests.simulator.gigachat import GigaChatSide, _is_let_in
from tests.simulator.hosts import ROUTER
from tests.simulator.huggingface import INFERENCE, TOP, HuggingFaceSide
from tests.simulator.wire import Request
from tests.simulator.yandexgpt import YandexSide, tail

YANDEX = "/foundationModels/v1/textEmbedding"
YANDEX_SIZE, MOST_TOKENS = 256, 2000
YANDEX_VERSION = "06.12.2023"
GIGACHAT, GIGACHAT_SIZE = "/gigachat/v1/embeddings", 1024
PIPELINE = "/pipeline/feature-extraction"
ENDPOINT = f"{TOP}/vectors/"  # the root of an endpoint of one's own
HF_SIZE, MOST_TEXTS = 3, 32
HF_FIELDS = frozenset({"inputs", "normalize", "truncate", "truncation_direction", "prompt_name"})
PARTNERS = tuple(
    f"/hosts/{ROUTER}/{path}"
    for path in ("deepinfra/v1/openai/embeddings", "scaleway/v1/embeddings",
                 "together/v1/embeddings")
)  # fmt: skip


def vector(text: str, size: int) -> list[float]:
    head = [float(len(text)), float(len(text.split())), 1.0]
    return [*head, *[0.0] * size][:size]


def wants(model: str, texts: Sequence[str]) -> Asked:
    return Asked(model=model, prompt=json.dumps(texts), kind="embed")


def texts_of(asked: Asked) -> list[str]:
    texts: list[str] = json.loads(asked.prompt)
    return texts


class YandexVectors(YandexSide):
    """One text a request, 64-bit numbers as strings, no wrapper."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", YANDEX): _yandex}

    def asked(self, request: Request) -> Asked | None:
        if request.path != YANDEX or not isinstance(request.json["text"], str):
            return None
        return wants(tail(request.json["modelUri"]), [request.json["text"]])

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        (text,) = texts_of(asked)
        return json.dumps(
            {
                "embedding": vector(text, YANDEX_SIZE),
                "numTokens": str(len(text.split())),
                "modelVersion": YANDEX_VERSION,
            }
        ).encode()


async def _yandex(exchange: Exchange) -> None:
    body = exchange.request.json
    words = len(body["text"].split())
    if unknown := sorted(set(body) - {"modelUri", "text", "dim"}):
        await exchange.refuse(400, f"unknown field {unknown[0]}")
    elif not body["modelUri"].startswith("emb://"):
        await exchange.refuse(400, f"invalid model_uri {body['modelUri']}")
    elif words > MOST_TOKENS:
        said = f"number of input tokens must be no more than {MOST_TOKENS}, got {words}"
        await exchange.refuse(400, said)
    else:
        await exchange.site.play(exchange)


class GigaChatVectors(GigaChatSide):
    """OpenAI's list, with the tokens of each text beside its vector."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", GIGACHAT): _gigachat}

    def asked(self, request: Request) -> Asked | None:
        if request.path != GIGACHAT:
            return None
        return wants(request.json["model"], request.json["input"])

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        items = [
            {
                "object": "embedding",
                "index": index,
                "embedding": vector(text, GIGACHAT_SIZE),
                "usage": {"prompt_tokens": len(text.split())},
            }
            for index, text in enumerate(texts_of(asked))
        ]
        return json.dumps({"object": "list", "model": asked.model, "data": items}).encode()


async def _gigachat(exchange: Exchange) -> None:
    if await _is_let_in(exchange):
        await exchange.site.play(exchange)


class HuggingFaceVectors(HuggingFaceSide):
    """Feature extraction at hf-inference and at the root of an endpoint of one's own, and OpenAI's
    form at partners of the router."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {}

    def route(self, request: Request) -> Route | None:
        if request.method != "POST" or not _is_ours(request.path):
            return None
        return _partner if request.path in PARTNERS else _pipeline

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or not _is_ours(request.path):
            return None
        if request.path in PARTNERS:
            return wants(request.json["model"], request.json["input"])
        model = request.path.removeprefix(INFERENCE).removesuffix(PIPELINE)
        texts = request.json["inputs"]
        name = "mock" if request.path == ENDPOINT else model
        return wants(name, [texts] if isinstance(texts, str) else texts)

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        if asked.model.startswith("mock-tokens"):
            rows = [[vector(word, HF_SIZE) for word in text.split()] for text in texts_of(asked)]
            return json.dumps(rows).encode()
        return json.dumps([vector(text, HF_SIZE) for text in texts_of(asked)]).encode()


def _is_ours(path: str) -> bool:
    inference = path.startswith(INFERENCE) and path.endswith(PIPELINE)
    return inference or path == ENDPOINT or path in PARTNERS


async def _pipeline(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - HF_FIELDS):
        await exchange.refuse(422, f"unknown field `{unknown[0]}`", None, "validation")
    elif body.get("prompt_name") not in (None, "query"):
        await exchange.refuse(422, f"prompt name `{body['prompt_name']}` not found")
    elif len(texts_of(exchange.asked)) > MOST_TEXTS:
        await exchange.refuse(413, f"batch size {len(body['inputs'])} > maximum allowed batch size")
    else:
        await exchange.site.play(exchange)


async def _partner(exchange: Exchange) -> None:
    items: list[Any] = [
        {"object": "embedding", "index": index, "embedding": vector(text, HF_SIZE)}
        for index, text in enumerate(texts_of(exchange.asked))
    ]
    usage = {"prompt_tokens": len(items), "total_tokens": len(items)}
    await exchange.json(
        {"object": "list", "model": exchange.asked.model, "data": items, "usage": usage}
    )


# ---- what its callers do not expect


@fault
async def a_vector_too_few(exchange: Exchange) -> None:
    """The last text is forgotten."""
    texts = texts_of(exchange.asked)[:-1]
    asked = wants(exchange.asked.model, texts)
    await exchange.body(exchange.dialect.whole(asked, Answer()), kind="application/json")
