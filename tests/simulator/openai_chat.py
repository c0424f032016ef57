"""OpenAI's side of chat completions, completions and the list of models; llama-server, vLLM and
LM Studio answer alike."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import counting
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Frames, Route
from tests.simulator.wire import Request

CREATED = 1_795_000_000
LIMITS = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-remaining-tokens": "199980",
    "x-ratelimit-reset-tokens": "6m0s",
}
DONE = b"data: [DONE]\n\n"
PATHS = {"/v1/chat/completions": "chat", "/v1/completions": "complete"}


class OpenAISide(Dialect):
    name = "openai"
    stream_type = "text/event-stream; charset=utf-8"
    limits = LIMITS

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/v1/models"): _models,
            ("GET", "/health"): _health,
            ("GET", "/v1/health"): _health,
            ("POST", "/v1/chat/completions/input_tokens"): counting.chat,
            ("POST", "/tokenize"): counting.vllm,
        }

    def kind(self, request: Request) -> str | None:
        """`chat` or `complete`, None for what is neither."""
        return PATHS.get(request.path) if request.method == "POST" else None

    def asked(self, request: Request) -> Asked | None:
        kind = self.kind(request)
        if kind is None:
            return None
        body = request.json
        prompt = body.get("prompt", "") if kind == "complete" else _last_text(body["messages"])
        options = body.get("stream_options") or {}
        return Asked(
            model=body["model"],
            prompt=prompt,
            kind=kind,
            stream=bool(body.get("stream")),
            usage=not body.get("stream") or bool(options.get("include_usage")),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            schema=_schema(body),
            tool=_tool(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        return request.headers.get("authorization") == f"Bearer {key}"

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        document = _head(asked, stream=False) | {"choices": [_whole_choice(asked, answer)]}
        if answer.usage:
            document["usage"] = _usage(asked, answer)
        return json.dumps(document | dict(answer.extra or {})).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        pieces = _completion_pieces if asked.kind == "complete" else _chat_pieces
        content = [self._chunk(asked, choice) for choice in pieces(answer)]
        last = _choice(asked, {}, answer.finish)
        end = [self._chunk(asked, last, **(answer.extra or {}))]
        if asked.usage and answer.usage:
            document = _head(asked, stream=True)
            end.append(self.frame(document | {"choices": [], "usage": _usage(asked, answer)}))
        return Frames(content, [*end, DONE])

    def _chunk(self, asked: Asked, choice: Any, **more: Any) -> bytes:
        document = _head(asked, stream=True) | {"choices": [choice]} | more
        return self.frame(document | ({"usage": None} if asked.usage else {}))

    def frame(self, document: Any) -> bytes:
        return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": said, "type": kind, "param": None, "code": code}}


def _last_text(messages: Any) -> str:
    content = messages[-1].get("content") if messages else ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def _schema(body: Any) -> Mapping[str, Any] | None:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return wanted.get("schema") or {"type": "object"}
    found: Mapping[str, Any] | None = (wanted.get("json_schema") or {}).get("schema")
    return found


def _tool(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first tool, unless a result of one is here already."""
    tools = body.get("tools")
    if not tools or body["messages"][-1]["role"] == "tool" or body.get("tool_choice") == "none":
        return None
    function = tools[0]["function"]
    return function["name"], function.get("parameters") or {"type": "object"}


def _head(asked: Asked, *, stream: bool) -> dict[str, Any]:
    chat = "chat.completion.chunk" if stream else "chat.completion"
    return {
        "id": "chatcmpl-sim1" if asked.kind == "chat" else "cmpl-sim1",
        "object": chat if asked.kind == "chat" else "text_completion",
        "created": CREATED,
        "model": f"{asked.model}-2026-09-01" if asked.model.startswith("gpt") else asked.model,
        "system_fingerprint": "fp_sim1",
    }


def _choice(asked: Asked, piece: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
    body = {"text": ""} if asked.kind == "complete" else {"delta": piece}
    return {"index": 0, **body, "logprobs": None, "finish_reason": finish}


def _chat_pieces(answer: Answer) -> Iterator[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    if answer.thought:
        deltas.append({"reasoning_content": answer.thought})
    deltas += [{"content": piece} for piece in answer.pieces]
    if answer.refusal:
        deltas.append({"refusal": answer.refusal})
    if answer.tool:
        name, arguments = answer.tool
        half = len(arguments) // 2
        call = {"id": "call_sim1", "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [{"index": 0, **call}]})
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
            for part in (arguments[:half], arguments[half:])
        ]
    for delta in deltas:
        yield {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}


def _completion_pieces(answer: Answer) -> Iterator[dict[str, Any]]:
    for piece in answer.pieces:
        yield {"index": 0, "text": piece, "logprobs": None, "finish_reason": None}


def _whole_choice(asked: Asked, answer: Answer) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "finish_reason": answer.finish, "logprobs": None}
    if asked.kind == "complete":
        return choice | {"text": answer.text}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text if answer.pieces else None,
        "refusal": answer.refusal,
        "annotations": [],
    }
    if answer.thought:
        message["reasoning_content"] = answer.thought
    if answer.tool:
        name, arguments = answer.tool
        function = {"name": name, "arguments": arguments}
        message["tool_calls"] = [{"id": "call_sim1", "type": "function", "function": function}]
    return choice | {"message": message}


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    read = answer.prompt_tokens or asked.prompt_tokens
    thought = len((answer.thought or "").split())
    written = len(answer.pieces) + thought
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
    }


async def _models(exchange: Exchange) -> None:
    models = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "simulator"}
        for name in exchange.site.models
    ]
    await exchange.json({"object": "list", "data": models})


async def _health(exchange: Exchange) -> None:
    await exchange.json({"status": "ok"})
