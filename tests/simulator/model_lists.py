"""Lists of models over several pages, single models, and Ollama's pulls and deletions.

`Simulator.page` is the most models of a page; with `circular` every page leads to the first one.
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.simulator.exchange import Exchange, Route
from tests.simulator.wire import Request

SIZE = 98_362_432
LAYER = "b1" * 32


def _page(exchange: Exchange, cursor: str, size: str, usual: int) -> tuple[Sequence[str], bool]:
    """The names that a request asks for, and whether there are more behind them. A cursor is the
    last name of the page before."""
    site = exchange.site
    query = {name: values[0] for name, values in parse_qs(exchange.request.query).items()}
    names = list(site.models)
    after = query.get(cursor)
    start = names.index(after) + 1 if after in names and not site.circular else 0
    most = min(site.page or usual, int(query.get(size, usual)))
    return names[start : start + most], site.circular or start + most < len(names)


def _gemini(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.title(),
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }


async def gemini(exchange: Exchange) -> None:
    names, more = _page(exchange, "pageToken", "pageSize", 50)
    following = {"nextPageToken": names[-1]} if more else {}
    await exchange.json({"models": [_gemini(one) for one in names], **following})


async def _one_of_gemini(exchange: Exchange) -> None:
    name = _last(exchange.request)
    if name in exchange.site.models:
        await exchange.json(_gemini(name))
    else:
        await exchange.refuse(404, f"models/{name} is not found for API version v1beta")


def one_of_gemini(request: Request) -> Route | None:
    return _one_of_gemini if _names_one(request, "/v1beta/models/") else None


def _anthropic(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "model",
        "display_name": name.title(),
        "created_at": "2026-09-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }


async def anthropic(exchange: Exchange) -> None:
    names, more = _page(exchange, "after_id", "limit", 20)
    page = {"has_more": more, "first_id": names[0], "last_id": names[-1]}
    await exchange.json({"data": [_anthropic(one) for one in names], **page})


async def _one_of_anthropic(exchange: Exchange) -> None:
    name = _last(exchange.request)
    if name in exchange.site.models:
        await exchange.json(_anthropic(name))
    else:
        await exchange.refuse(404, f"model: {name}", "not_found_error", "not_found_error")


def one_of_anthropic(root: str, request: Request) -> Route | None:
    return _one_of_anthropic if _names_one(request, f"{root}/v1/models/") else None


def _names_one(request: Request, path: str) -> bool:
    name = request.path.removeprefix(path)
    return request.method == "GET" and request.path.startswith(path) and "/" not in name


def _last(request: Request) -> str:
    return unquote(request.path.rpartition("/")[2])


# ---- Ollama


async def ollama_pull(exchange: Exchange) -> None:
    """`mock-half` ends before the end, with `mock-torn` the connection does."""
    body = exchange.request.json
    name = body["model"]
    lines: list[Any] = [{"status": "pulling manifest"}]
    if not exchange.site.knows(name):
        lines.append({"error": "pull model manifest: file does not exist"})
    else:
        layer = {"status": f"pulling {LAYER[:12]}", "digest": f"sha256:{LAYER}", "total": SIZE}
        small = {"status": "pulling c2c2c2c2c2c2", "digest": f"sha256:{'c2' * 32}", "total": 483}
        lines += [layer | {"completed": done} for done in (0, SIZE // 2, SIZE)]
        lines += [small | {"completed": 483}]
        lines += [
            {"status": status}
            for status in ("verifying sha256 digest", "writing manifest", "success")
        ]
    if not body.get("stream", True):
        await exchange.json(lines[-1])
        return
    kept = lines[:3] if name in ("mock-half", "mock-torn") else lines
    frames = [json.dumps(line).encode() + b"\n" for line in kept]
    if name == "mock-torn":
        await exchange.begin(chunked=True)
        for frame in frames:
            await exchange.wire.send(frame)
        exchange.wire.reset()
    else:
        await exchange.stream(frames)


async def ollama_delete(exchange: Exchange) -> None:
    name = exchange.request.json["model"]
    if exchange.site.knows(name):
        await exchange.body(b"")
    else:
        await exchange.refuse(404, f"model '{name}' not found")
