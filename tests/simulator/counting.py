"""Requests that ask for a count of tokens: what each provider answers. A word is a token here, and
every message, instructions too, has two around it, so that tests can count by hand."""

from typing import Any

from tests.simulator.exchange import Exchange

AROUND = 2


def words(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


async def anthropic(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - {"model", "messages", "system", "tools", "output_config"}):
        await exchange.refuse(400, f"{unknown[0]}: Extra inputs are not permitted", "invalid_type")
        return
    texts = [one["content"] for one in body["messages"]]
    texts += filter(None, [body.get("system")])
    total = words(*texts) + AROUND * len(texts)
    await exchange.json({"input_tokens": total})


async def responses(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) & {"store", "stream", "max_output_tokens", "temperature"}):
        await exchange.refuse(400, f"Unknown parameter: '{unknown[0]}'", "unknown_parameter")
        return
    texts = [_text(one["content"]) for one in body["input"]]
    texts += filter(None, [body.get("instructions")])
    total = words(*texts) + AROUND * len(texts)
    await exchange.json({"object": "response.input_tokens", "input_tokens": total})


async def chat(exchange: Exchange) -> None:
    """llama.cpp's."""
    texts = [one["content"] for one in exchange.request.json["messages"]]
    total = words(*texts) + AROUND * len(texts)
    await exchange.json({"object": "response.input_tokens", "input_tokens": total})


async def vllm(exchange: Exchange) -> None:
    body = exchange.request.json
    if unknown := sorted(set(body) - {"model", "messages", "tools", "chat_template_kwargs"}):
        await exchange.refuse(400, f"{unknown[0]}: Extra inputs are not permitted", "invalid_type")
        return
    texts = [one["content"] for one in body["messages"]]
    total = words(*texts) + AROUND * len(texts)
    tokens = list(range(total))
    await exchange.json({"count": total, "max_model_len": 8192, "tokens": tokens})


async def yandex(exchange: Exchange) -> None:
    """Token by token, ids as strings, and without a wrapper."""
    texts = [one["text"] for one in exchange.request.json["messages"]]
    pieces = [word for text in texts for word in text.split()]
    special = [{"id": "1", "text": "<s>", "special": True}] * (AROUND * len(texts))
    tokens = [{"id": str(at), "text": one, "special": False} for at, one in enumerate(pieces, 9)]
    await exchange.json({"tokens": [*special, *tokens], "modelVersion": "23.10.2024"})


async def gigachat(exchange: Exchange) -> None:
    """A bare list, one count for each text; nothing is counted around them."""
    texts = exchange.request.json["input"]
    await exchange.json(
        [{"object": "tokens", "tokens": words(one), "characters": len(one)} for one in texts]
    )


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(one["text"] for one in content)
