"""Requests that ask for a count of tokens: what each provider answers. A word is a token here, a
file is FILE of them, and every message, instructions too, has two around it, so that tests can
count by hand."""

from base64 import b64decode
from typing import Any

from tests.simulator.exchange import Exchange

AROUND = 2
FILE = 85


def words(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def tokens(*contents: Any) -> int:
    """Of contents of messages, texts or lists of parts."""
    return AROUND * len(contents) + sum(map(_tokens, contents))


def _tokens(content: Any) -> int:
    if isinstance(content, str):
        return words(content)
    return sum(map(_part, content))


def _part(part: Any) -> int:
    match part:
        case {"text": str(text)} | {"type": "tool_result", "content": str(text)}:
            return words(text)
        case {"type": "tool_use", "name": str(name), "input": dict(given)}:
            return words(name, *given.values())
        case _:
            return _file(part)


def _file(part: Any) -> int:
    """A file, which is really there: by its address, or whole and as base64."""
    match part:
        case (
            {"type": "image" | "document", "source": {"type": "url", "url": str(url)}}
            | {"type": "image_url", "image_url": {"url": str(url)}}
            | {"type": "input_image", "image_url": str(url)}
            | {"type": "input_file", "file_url": str(url)}
            | {"type": "input_file", "file_data": str(url), "filename": str()}
            | {"type": "file", "file": {"file_data": str(url), "filename": str()}}
        ):
            head, _comma, data = url.partition(";base64,")
            assert head.startswith("data:") or (url.startswith("https://") and not data), url
        case {
            "type": "image" | "document",
            "source": {"type": "base64", "media_type": str(), "data": str(data)},
        }:
            pass
        case _:
            raise AssertionError(f"no provider takes {part}")
    assert not data or b64decode(data, validate=True)
    return FILE


async def anthropic(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - {"model", "messages", "system", "tools", "output_config"}):
        await exchange.refuse(400, f"{unknown[0]}: Extra inputs are not permitted", "invalid_type")
        return
    contents = [one["content"] for one in body["messages"]]
    contents += filter(None, [body.get("system")])
    await exchange.json({"input_tokens": tokens(*contents)})


async def responses(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) & {"store", "stream", "max_output_tokens", "temperature"}):
        await exchange.refuse(400, f"Unknown parameter: '{unknown[0]}'", "unknown_parameter")
        return
    contents = [one["content"] for one in body["input"]]
    contents += filter(None, [body.get("instructions")])
    total = tokens(*contents)
    await exchange.json({"object": "response.input_tokens", "input_tokens": total})


async def chat(exchange: Exchange) -> None:
    """llama.cpp's."""
    total = tokens(*(one["content"] for one in exchange.request.json["messages"]))
    await exchange.json({"object": "response.input_tokens", "input_tokens": total})


async def vllm(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - {"model", "messages", "tools", "chat_template_kwargs"}):
        await exchange.refuse(400, f"{unknown[0]}: Extra inputs are not permitted", "invalid_type")
        return
    total = tokens(*(one["content"] for one in body["messages"]))
    await exchange.json({"count": total, "max_model_len": 8192, "tokens": [*range(total)]})


async def yandex(exchange: Exchange) -> None:
    """Token by token, ids as strings, and without a wrapper."""
    texts = [one["text"] for one in exchange.request.json["messages"]]
    pieces = [word for text in texts for word in text.split()]
    special = [{"id": "1", "text": "<s>", "special": True}] * (AROUND * len(texts))
    plain = [{"id": str(at), "text": one, "special": False} for at, one in enumerate(pieces, 9)]
    await exchange.json({"tokens": [*special, *plain], "modelVersion": "23.10.2024"})


async def gigachat(exchange: Exchange) -> None:
    """A bare list, one count for each text; nothing is counted around them."""
    texts = exchange.request.json["input"]
    await exchange.json(
        [{"object": "tokens", "tokens": words(one), "characters": len(one)} for one in texts]
    )
