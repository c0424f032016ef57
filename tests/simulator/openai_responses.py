"""OpenAI's side of responses: items, and a stream of typed events with numbers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import counting
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Frames, Route
from tests.simulator.openai_chat import CREATED, LIMITS
from tests.simulator.wire import Request

Part = tuple[str, dict[str, Any]]  # the type of an event, and what it says


class ResponsesSide(Dialect):
    name = "openai-responses"
    stream_type = "text/event-stream; charset=utf-8"
    limits = LIMITS

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", "/v1/responses/input_tokens"): counting.responses}

    def asked(self, request: Request) -> Asked | None:
        if (request.method, request.path) != ("POST", "/v1/responses"):
            return None
        body = request.json
        last = {"content": body["input"]} if isinstance(body["input"], str) else body["input"][-1]
        wanted = (body.get("text") or {}).get("format") or {}
        return Asked(
            model=body["model"],
            prompt=_text(last.get("content", "")),
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_output_tokens"),
            schema=wanted.get("schema"),
            tool=_tool(body, last),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        return request.headers.get("authorization") == f"Bearer {key}"

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        return json.dumps(_response(asked, answer, list(_items(answer)))).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        begun = _response(asked, answer, [], status="in_progress")
        parts: list[Part] = [
            ("response.created", {"response": begun}),
            ("response.in_progress", {"response": begun}),
        ]
        items = list(_items(answer))
        for index, item in enumerate(items):
            parts += _streamed(index, item, answer)
        response = _response(asked, answer, items)
        last = (f"response.{response['status']}", {"response": response})
        # Faults cut the content before its last pieces of text; what only closes goes to the end.
        cut = max((at for at, (kind, _said) in enumerate(parts) if kind.endswith("delta")),
                  default=len(parts) - 1)  # fmt: skip
        frames = [
            self.frame({"type": kind, "sequence_number": number, **said})
            for number, (kind, said) in enumerate([*parts, last])
        ]
        return Frames(frames[: cut + 1], [b"".join(frames[cut + 1 :])])

    def frame(self, document: Any) -> bytes:
        data = json.dumps(document, ensure_ascii=False)
        return f"event: {document.get('type', 'error')}\ndata: {data}\n\n".encode()

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": said, "type": kind, "param": None, "code": code}}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(one.get("text", "") for one in content)


def _tool(body: Any, last: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first tool, unless a result of one is here already."""
    tools = body.get("tools")
    answered = last.get("type") == "function_call_output"
    if not tools or answered or body.get("tool_choice") == "none":
        return None
    return tools[0]["name"], tools[0].get("parameters") or {"type": "object"}


def _response(
    asked: Asked, answer: Answer, items: list[dict[str, Any]], status: str | None = None
) -> dict[str, Any]:
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish)
    status = status or ("incomplete" if why else "completed")
    is_over = status != "in_progress"
    return {
        "id": "resp_sim1",
        "object": "response",
        "created_at": CREATED,
        "completed_at": CREATED + 2 if status == "completed" else None,
        "status": status,
        "model": f"{asked.model}-2026-09-01" if asked.model.startswith("gpt") else asked.model,
        "error": None,
        "incomplete_details": {"reason": why} if why and is_over else None,
        "instructions": None,
        "metadata": {},
        "output": items,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(asked, answer) if answer.usage and is_over else None,
        **(answer.extra or {}),
    }


def _items(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.thought:
        summary = [{"type": "summary_text", "text": answer.thought}]
        yield {"id": "rs_sim1", "type": "reasoning", "summary": summary}
    if answer.pieces or answer.refusal:
        part: dict[str, Any] = {"type": "output_text", "text": answer.text, "annotations": []}
        if answer.refusal:
            part = {"type": "refusal", "refusal": answer.refusal}
        yield {
            "id": "msg_sim1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
    if answer.tool:
        name, arguments = answer.tool
        yield {
            "id": "fc_sim1",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_sim1",
            "name": name,
            "arguments": arguments,
        }


def _streamed(index: int, item: dict[str, Any], answer: Answer) -> Iterator[Part]:
    """One item from its beginning to its end."""
    place = {"output_index": index, "item_id": item["id"]}
    match item["type"]:
        case "reasoning":
            begun = item | {"summary": []}
            inner = list(_summary(place, answer.thought or ""))
        case "message":
            begun = item | {"content": [], "status": "in_progress"}
            inner = list(_message({**place, "content_index": 0}, item["content"][0], answer))
        case _:
            begun = item | {"arguments": "", "status": "in_progress"}
            inner = list(_arguments(place, item["arguments"]))
    yield "response.output_item.added", {"output_index": index, "item": begun}
    yield from inner
    yield "response.output_item.done", {"output_index": index, "item": item}


def _summary(place: dict[str, Any], thought: str) -> Iterator[Part]:
    at = {**place, "summary_index": 0}
    name = "response.reasoning_summary"
    yield f"{name}_part.added", {**at, "part": {"type": "summary_text", "text": ""}}
    yield f"{name}_text.delta", {**at, "delta": thought}
    yield f"{name}_text.done", {**at, "text": thought}
    yield f"{name}_part.done", {**at, "part": {"type": "summary_text", "text": thought}}


def _message(at: dict[str, Any], part: dict[str, Any], answer: Answer) -> Iterator[Part]:
    if part["type"] == "refusal":
        yield "response.content_part.added", {**at, "part": part | {"refusal": ""}}
        yield "response.refusal.delta", {**at, "delta": part["refusal"]}
        yield "response.refusal.done", {**at, "refusal": part["refusal"]}
    else:
        yield "response.content_part.added", {**at, "part": part | {"text": ""}}
        for piece in answer.pieces:
            yield "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**at, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**at, "part": part}


def _arguments(place: dict[str, Any], text: str) -> Iterator[Part]:
    half = len(text) // 2
    for piece in (text[:half], text[half:]):
        yield "response.function_call_arguments.delta", {**place, "delta": piece}
    yield "response.function_call_arguments.done", {**place, "arguments": text}


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    read = answer.prompt_tokens or asked.prompt_tokens
    thought = len((answer.thought or "").split())
    written = len(answer.pieces) + thought
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }
