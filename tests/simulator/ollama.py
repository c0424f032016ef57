"""Ollama's side of its native API."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import model_lists
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Frames, Route
from tests.simulator.wire import Request

STAMP = "2026-11-23T10:00:00.{:03d}Z"
PATHS = {"/api/chat": "chat", "/api/generate": "complete"}
REASONS = {"tool_calls": "stop", "content_filter": "stop"}
CLOUD = "https://ollama.com:443"
VERSION = "0.31.1"


class OllamaSide(Dialect):
    name = "ollama"
    stream_type = "application/x-ndjson"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/"): _alive,
            ("HEAD", "/"): _alive,
            ("GET", "/api/version"): _version,
            ("GET", "/api/tags"): _tags,
            ("GET", "/api/ps"): _running,
            ("POST", "/api/show"): _show,
            ("POST", "/api/pull"): model_lists.ollama_pull,
            ("DELETE", "/api/delete"): model_lists.ollama_delete,
        }

    def asked(self, request: Request) -> Asked | None:
        kind = PATHS.get(request.path) if request.method == "POST" else None
        if kind is None:
            return None
        body = request.json
        messages = body.get("messages") or [{}]
        wanted = body.get("format")
        return Asked(
            model=body["model"],
            prompt=body.get("prompt") or messages[-1].get("content") or "",
            kind=kind,
            stream=body.get("stream", True),
            max_tokens=(body.get("options") or {}).get("num_predict"),
            schema={"type": "object"} if wanted == "json" else wanted,
            tool=_tool(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        return True

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        message = {"role": "assistant", "content": answer.text, **_extras(answer)}
        return json.dumps(_line(asked, 1, message) | _last(asked, answer)).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        content = [
            self.frame(_line(asked, number, message))
            for number, message in enumerate(_messages(answer), 1)
        ]
        empty = {"role": "assistant", "content": ""}
        end = self.frame(_line(asked, len(content) + 1, empty) | _last(asked, answer))
        return Frames(content, [end])

    def frame(self, document: Any) -> bytes:
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        return {"error": said}


def _tool(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    tools = body.get("tools")
    if not tools or body["messages"][-1]["role"] == "tool":
        return None
    function = tools[0]["function"]
    return function["name"], function.get("parameters") or {"type": "object"}


def _line(asked: Asked, number: int, message: Mapping[str, Any]) -> dict[str, Any]:
    line = {"model": asked.model, "created_at": STAMP.format(number % 1000), "done": False}
    if asked.kind == "complete":
        return line | {"response": message["content"]}
    return line | {"message": dict(message)}


def _messages(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.thought:
        yield {"role": "assistant", "content": "", "thinking": answer.thought}
    for piece in answer.pieces:
        yield {"role": "assistant", "content": piece}
    if answer.tool:
        yield {"role": "assistant", "content": "", "tool_calls": _calls(answer.tool)}


def _extras(answer: Answer) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if answer.thought:
        extras["thinking"] = answer.thought
    if answer.tool:
        extras["tool_calls"] = _calls(answer.tool)
    return extras


def _calls(tool: tuple[str, str]) -> list[Any]:
    """Arguments are an object here, not a text."""
    name, arguments = tool
    return [{"function": {"index": 0, "name": name, "arguments": json.loads(arguments)}}]


def _last(asked: Asked, answer: Answer) -> dict[str, Any]:
    """What the last line adds. Durations are nanoseconds; counts of nothing are left out."""
    counts = {
        "prompt_eval_count": answer.prompt_tokens or asked.prompt_tokens,
        "eval_count": len(answer.pieces),
    }
    return {
        "done": True,
        "done_reason": REASONS.get(answer.finish, answer.finish),
        "total_duration": 900_000_000,
        "load_duration": 400_000_000,
        "prompt_eval_duration": 100_000_000,
        "eval_duration": 80_000_000,
        **({name: count for name, count in counts.items() if count} if answer.usage else {}),
        **(answer.extra or {}),
    }


async def _alive(exchange: Exchange) -> None:
    await exchange.body(b"" if exchange.request.method == "HEAD" else b"Ollama is running")


async def _version(exchange: Exchange) -> None:
    await exchange.json({"version": VERSION})


async def _tags(exchange: Exchange) -> None:
    await exchange.json({"models": [_summary(name) for name in exchange.site.models]})


async def _running(exchange: Exchange) -> None:
    await exchange.json({"models": []})


async def _show(exchange: Exchange) -> None:
    model = exchange.request.json["model"]
    if not (exchange.site.knows(model) or model.endswith("cloud")):
        await exchange.refuse(404, f"model '{model}' not found")
        return
    await exchange.json(
        {
            "license": "Apache License 2.0",
            "parameters": 'stop                           "<|end|>"',
            "template": "{{ .Prompt }}",
            "details": _summary(model)["details"],
            "model_info": {"general.architecture": "sim", "sim.context_length": 4096},
            "capabilities": ["completion", "tools"],
            "modified_at": STAMP.format(0),
            **_remote(model),
        }
    )


def _summary(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": STAMP.format(0),
        "size": 98_362_432,
        "digest": "b1" * 32,
        "details": {
            "format": "gguf",
            "family": "sim",
            "families": ["sim"],
            "parameter_size": "135M",
            "quantization_level": "Q4_1",
        },
        **_remote(name),
    }


def _remote(name: str) -> dict[str, str]:
    """Where a model really runs: the name may say it, or hide it as `mock-fault-elsewhere` does."""
    if not name.endswith("cloud") and "elsewhere" not in name:
        return {}
    return {"remote_host": CLOUD, "remote_model": name.removesuffix("-cloud")}
