"""Anthropic's side: messages and the list of models, under a root of its own, since OpenAI's list
of models has the same path."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import counting, model_lists
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Frames, Route
from tests.simulator.wire import Request

ROOT = "/anthropic"
VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING = ("temperature", "top_p", "top_k")
REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# How it puts what others have a code for.
WORDS = {
    "context_length_exceeded": "prompt is too long: 208310 tokens > 200000 maximum",
    "content_filter": "Output blocked by content filtering policy",
    "unsupported_country_region_territory": "Request not allowed",
}
LIMITS = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-23T10:00:01Z",
}


class AnthropicSide(Dialect):
    name = "anthropic"
    stream_type = "text/event-stream; charset=utf-8"
    limits = LIMITS

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", f"{ROOT}/v1/models"): model_lists.anthropic,
            ("POST", f"{ROOT}/v1/messages/count_tokens"): counting.anthropic,
        }

    def route(self, request: Request) -> Route | None:
        return super().route(request) or model_lists.one_of_anthropic(ROOT, request)

    def asked(self, request: Request) -> Asked | None:
        if (request.method, request.path) != ("POST", f"{ROOT}/v1/messages"):
            return None
        body = request.json
        if wrong := _unfit(request.headers.get("anthropic-version"), body):
            raise ValueError(wrong)
        last = body["messages"][-1]["content"]
        prompt = last if isinstance(last, str) else "".join(one.get("text", "") for one in last)
        config = body.get("output_config") or {}
        return Asked(
            model=body["model"],
            prompt=prompt,
            stream=bool(body.get("stream")),
            max_tokens=body["max_tokens"],
            schema=(config.get("format") or {}).get("schema"),
            tool=_tool(body, last),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        bearer = request.headers.get("authorization")
        return request.headers.get("x-api-key") == key or bearer == f"Bearer {key}"

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        document = _head(asked) | _ending(answer)
        document["content"] = list(_blocks(answer))
        document["usage"] = _usage(asked, answer) if answer.usage else {}
        return json.dumps(document | dict(answer.extra or {})).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        start = _head(asked) | {"usage": _usage(asked, answer) | {"output_tokens": 1}}
        content = [
            self.frame({"type": "message_start", "message": start}),
            self.frame({"type": "ping"}),
        ]
        for index, (block, deltas) in enumerate(_streamed(answer)):
            place = {"index": index}
            content.append(
                self.frame({"type": "content_block_start", **place, "content_block": block})
            )
            content += [
                self.frame({"type": "content_block_delta", **place, "delta": delta})
                for delta in deltas
            ]
            content.append(self.frame({"type": "content_block_stop", **place}))
        usage = {"output_tokens": _written(answer)} if answer.usage else {}
        last = {"type": "message_delta", "delta": _ending(answer), "usage": usage}
        # A fault that cuts the content leaves out its last pieces of text, so the end of the last
        # block goes with the end.
        reason = content.pop() + self.frame(last | dict(answer.extra or {}))
        return Frames(content, [reason, self.frame({"type": "message_stop"})])

    def frame(self, document: Any) -> bytes:
        data = json.dumps(document, ensure_ascii=False)
        return f"event: {document.get('type', 'error')}\ndata: {data}\n\n".encode()

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        fallback = "api_error" if status >= 500 or status == 200 else "invalid_request_error"
        error: dict[str, Any] = {
            "type": TYPES.get(status, fallback),
            "message": WORDS.get(code or "", said),
        }
        if code == "unsupported_country_region_territory":  # the wall before the API says this
            return {"error": error | {"type": "forbidden"}}
        if code == "insufficient_quota":
            error["details"] = {"error_code": "enforced_spend_limit_reached"}
        return {"type": "error", "error": error, "request_id": "req_sim1"}


def _unfit(version: str | None, body: Any) -> str | None:
    """What is wrong with a request that this API is strict about."""
    if version not in VERSIONS:
        return "anthropic-version: header is required"
    if version == VERSIONS[1]:
        for name in SAMPLING:
            if name in body:
                return f"{name}: Extra inputs are not permitted"
    return None


def _tool(body: Any, last: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first tool, unless a result of one is here already."""
    tools = body.get("tools")
    answered = isinstance(last, list) and any(one["type"] == "tool_result" for one in last)
    if not tools or answered or (body.get("tool_choice") or {}).get("type") == "none":
        return None
    return tools[0]["name"], tools[0]["input_schema"]


def _head(asked: Asked) -> dict[str, Any]:
    return {
        "id": "msg_sim1",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }


def _ending(answer: Answer) -> dict[str, Any]:
    ending: dict[str, Any] = {"stop_reason": REASONS.get(answer.finish, answer.finish)}
    if answer.refusal or answer.finish == "content_filter":
        ending["stop_reason"] = "refusal"
        said = answer.refusal
        details = {"type": "refusal", "category": "general_harms", "explanation": said}
        ending["stop_details"] = details
    return {"stop_sequence": None, "stop_details": None, **ending}


def _streamed(answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each block as it starts, and what is added to it."""
    if answer.thought:
        thinking = {"type": "thinking", "thinking": "", "signature": ""}
        yield (
            thinking,
            [
                {"type": "thinking_delta", "thinking": answer.thought},
                {"type": "signature_delta", "signature": "c2ln"},
            ],
        )
    if answer.pieces or not answer.tool:
        text = {"type": "text", "text": "", "citations": None}
        yield text, [{"type": "text_delta", "text": piece} for piece in answer.pieces]
    if answer.tool:
        name, arguments = answer.tool
        half = len(arguments) // 2
        use = {"type": "tool_use", "id": "toolu_sim1", "name": name, "input": {}}
        yield (
            use | {"caller": {"type": "direct"}},
            [
                {"type": "input_json_delta", "partial_json": part}
                for part in ("", arguments[:half], arguments[half:])
            ],
        )


def _blocks(answer: Answer) -> Iterator[dict[str, Any]]:
    """Each block as it is in the end."""
    for block, _deltas in _streamed(answer):
        match block["type"]:
            case "thinking":
                yield block | {"thinking": answer.thought, "signature": "c2ln"}
            case "text":
                if answer.pieces:
                    yield block | {"text": answer.text}
            case _:
                assert answer.tool
                yield block | {"input": json.loads(answer.tool[1])}


def _thought(answer: Answer) -> int:
    return len((answer.thought or "").split())


def _written(answer: Answer) -> int:
    return len(answer.pieces) + _thought(answer)


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    return {
        "input_tokens": answer.prompt_tokens or asked.prompt_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": _written(answer),
        "output_tokens_details": {"thinking_tokens": _thought(answer)},
        "server_tool_use": None,
        "service_tier": "standard",
    }
