"""GigaChat's side: the token server, chat completions of both versions, the list of models.

All of it stands below `/gigachat`, since its paths are otherwise those of OpenAI. A token is good
for what it was given out for until a test takes it from `Simulator.tokens`.
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.simulator import counting, files
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Frames, Route, fault
from tests.simulator.wire import Request

CREATED = 1_795_000_000
DONE = b"data: [DONE]\n\n"
LIFE_S = 30 * 60
SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")
V1, V2 = "/gigachat/v1/chat/completions", "/gigachat/v2/chat/completions"
REASONS = {"tool_calls": "function_call", "content_filter": "blacklist"}
STATE = "019e8374-28b2-741f-a05c-54c968fd20c2"


class GigaChatSide(Dialect):
    name = "gigachat"
    stream_type = "text/event-stream"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("POST", "/gigachat/oauth"): _oauth,
            ("POST", "/gigachat/v1/token"): _password,
            ("GET", "/gigachat/v1/models"): _models,
            ("GET", "/gigachat/v1/balance"): _balance,
            ("POST", V1): _chat,
            ("POST", "/gigachat/v1/tokens/count"): _count,
        }

    def route(self, request: Request) -> Route | None:
        return super().route(request) or files.of_gigachat(request)

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path != V1:
            return None
        body = request.json
        wanted = body.get("response_format") or {}
        return Asked(
            model=body["model"],
            prompt=body["messages"][-1].get("content") or "",
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_tokens"),
            schema=wanted.get("schema") if wanted.get("type") == "json_schema" else None,
            tool=_function(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        return True  # tokens do that, and the token server knows the key

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        message: dict[str, Any] = {"content": answer.text or answer.refusal or ""}
        message |= {"role": "assistant", **_extras(answer)}
        choice = {"message": message, "index": 0, "finish_reason": _reason(answer)}
        document = {"choices": [choice], **_head(asked), **_usage(asked, answer)}
        return json.dumps(document, ensure_ascii=False).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        content = [self._chunk(asked, delta) for delta in _deltas(answer)]
        last = {"delta": {"content": ""}, "index": 0, "finish_reason": _reason(answer)}
        end = {"choices": [last], **_head(asked), **_usage(asked, answer)}
        return Frames(content, [self.frame(end), DONE])

    def _chunk(self, asked: Asked, delta: Mapping[str, Any]) -> bytes:
        return self.frame({"choices": [{"delta": delta, "index": 0}], **_head(asked)})

    def frame(self, document: Any) -> bytes:
        return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        return {"status": status, "message": said}


class GigaChatV2Side(GigaChatSide):
    """Its second version: parts of content, named events, and nothing after the last of them."""

    name = "gigachat_v2"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", V2): _chat}

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or request.path != V2:
            return None
        body = request.json
        options = body.get("model_options") or {}
        wanted = options.get("response_format") or {}
        return Asked(
            model=body["model"],
            prompt="".join(part.get("text", "") for part in body["messages"][-1]["content"]),
            stream=bool(body.get("stream")),
            max_tokens=options.get("max_tokens"),
            schema=wanted.get("schema") if wanted.get("type") == "json_schema" else None,
            tool=_v2_function(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        said = _v2_call(answer.tool) if answer.tool else _parts(answer.text or answer.refusal or "")
        messages = {"messages": [said]}
        document = _v2_head(asked) | messages | _v2_end(asked, answer)
        return json.dumps(document, ensure_ascii=False).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        texts = [*answer.pieces, *([answer.refusal] if answer.refusal else [])]
        said = [*map(_parts, texts), *([_v2_call(answer.tool)] if answer.tool else [])]
        content = [self.frame(_v2_head(asked) | {"messages": [one]}) for one in said]
        end = self.frame(_v2_head(asked) | _v2_end(asked, answer))
        return Frames(content, [end.replace(b".delta", b".done", 1)])

    def frame(self, document: Any) -> bytes:
        return b"event: response.message.delta\n" + super().frame(document)


# ---- v1 in pieces


def _function(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first function, unless a result of one is here already."""
    offered = body.get("functions")
    if not offered or body["messages"][-1]["role"] == "function":
        return None
    if body.get("function_call") == "none":
        return None
    return offered[0]["name"], offered[0].get("parameters") or {"type": "object"}


def _head(asked: Asked) -> dict[str, Any]:
    return {"created": CREATED, "model": f"{asked.model}:2.0.28.2", "object": "chat.completion"}


def _reason(answer: Answer) -> str:
    return "blacklist" if answer.refusal else REASONS.get(answer.finish, answer.finish)


def _extras(answer: Answer) -> dict[str, Any]:
    """What stands in a message beside its text."""
    found: dict[str, Any] = {}
    if answer.thought:
        found["reasoning_content"] = answer.thought
    if answer.tool:
        name, arguments = answer.tool
        found["function_call"] = {"name": name, "arguments": json.loads(arguments)}
        found["functions_state_id"] = STATE
    return found


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """The role comes with the first piece only, a call of a function whole."""
    pieces: list[dict[str, Any]] = []
    if answer.thought:
        pieces.append({"content": "", "reasoning_content": answer.thought})
    pieces += [{"content": piece} for piece in answer.pieces]
    if answer.refusal:
        pieces.append({"content": answer.refusal})
    if answer.tool:
        extras = {k: v for k, v in _extras(answer).items() if k != "reasoning_content"}
        pieces.append({"content": "", **extras})
    for number, piece in enumerate(pieces):
        yield piece if number else piece | {"role": "assistant"}


def _figures(asked: Asked, answer: Answer) -> tuple[int, int, int]:
    """Tokens read anew, from the cache, and written. The first two are apart in v1."""
    read = answer.prompt_tokens or asked.prompt_tokens
    written = len(answer.pieces) + len((answer.thought or "").split())
    return read - read // 4, read // 4, written


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    if not answer.usage:
        return {}
    read, cached, written = _figures(asked, answer)
    return {
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "precached_prompt_tokens": cached,
        }
    }


# ---- v2 in pieces


def _v2_head(asked: Asked) -> dict[str, Any]:
    return {"model": f"{asked.model}:32.3.18.5", "created_at": CREATED}


def _parts(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"text": text}]}


def _v2_function(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first function, unless a result of one is here already."""
    tools = body.get("tools") or ()
    offered = [one for tool in tools for one in tool.get("functions", {}).get("specifications", ())]
    if not offered or any("function_result" in part for part in body["messages"][-1]["content"]):
        return None
    return offered[0]["name"], offered[0].get("parameters") or {"type": "object"}


def _v2_call(tool: tuple[str, str]) -> dict[str, Any]:
    name, arguments = tool
    call = {"name": name, "arguments": json.loads(arguments)}
    return {"role": "assistant", "content": [{"function_call": call}], "tool_state_id": STATE}


def _v2_end(asked: Asked, answer: Answer) -> dict[str, Any]:
    finish = "response_blacklist" if _reason(answer) == "blacklist" else _reason(answer)
    read, cached, written = _figures(asked, answer)
    usage = {
        "input_tokens": read + cached,
        "input_tokens_details": {"prompt_tokens": read + cached, "cached_tokens": cached},
        "output_tokens": written,
        "total_tokens": read + cached + written,
    }
    return {"finish_reason": finish, **({"usage": usage} if answer.usage else {})}


# ---- tokens


async def _oauth(exchange: Exchange) -> None:
    headers = exchange.request.headers
    scope = parse_qs(exchange.request.body.decode()).get("scope", [""])[0]
    credentials = headers.get("authorization", "").removeprefix("Basic ")
    await exchange.wire.nap(0.05)  # long enough for others to come in between
    if not _is_uuid4(headers.get("rquid", "")):
        await exchange.json({"code": 2, "message": "RqUID is not a uuid"}, 400)
    elif not scope:
        await exchange.json({"code": 5, "message": "scope is empty"}, 400)
    elif scope not in SCOPES:
        await exchange.json({"code": 1, "message": "scope data format invalid"}, 400)
    elif not _is_known(credentials, exchange.site.key):
        said = {"code": 6, "message": "credentials doesn't match db data"}
        await exchange.json(said, 401)
    elif (only := _scope_of(credentials)) is not None and only != scope:
        said = {"code": 7, "message": "scope from db not fully includes consumed scope"}
        await exchange.json(said, 400)
    else:
        ends = int((time.time() + LIFE_S) * 1000)
        await exchange.json({"access_token": _given(exchange), "expires_at": ends})


async def _password(exchange: Exchange) -> None:
    given = exchange.request.headers.get("authorization", "").removeprefix("Basic ")
    if not base64.b64decode(given).startswith(b"reader:"):
        await exchange.json({"status": 401, "message": "Unauthorized"}, 401)
        return
    await exchange.json({"tok": _given(exchange), "exp": int((time.time() + LIFE_S) * 1000)})


def _given(exchange: Exchange) -> str:
    token = f"eyJ{uuid.uuid4().hex}.{uuid.uuid4().hex}"
    exchange.site.tokens.add(token)
    return token


def _is_uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False


def _is_known(credentials: str, key: str | None) -> bool:
    try:
        pair = base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return False
    return b":" in pair and key in (None, credentials)


def _scope_of(credentials: str) -> str | None:
    """The only scope a key is for, where its client's id says so."""
    name = base64.b64decode(credentials).decode().partition(":")[0]
    return name if name in SCOPES else None


async def _is_let_in(exchange: Exchange) -> bool:
    token = exchange.request.headers.get("authorization", "").removeprefix("Bearer ")
    if token in exchange.site.tokens:
        return True
    await exchange.json({"status": 401, "message": "Token has expired"}, 401)
    return False


async def _models(exchange: Exchange) -> None:
    if await _is_let_in(exchange):
        models = [
            {"id": name, "object": "model", "owned_by": "salutedevices", "type": "chat"}
            for name in exchange.site.models
        ]
        await exchange.json({"object": "list", "data": models})


async def _balance(exchange: Exchange) -> None:
    """Tokens paid in advance; who pays as they go has none, which is a refusal."""
    if not await _is_let_in(exchange):
        return
    if exchange.site.balance is None:
        await exchange.json({"status": 403, "message": "Permission denied"}, 403)
        return
    rows = [{"usage": name, "value": left} for name, left in exchange.site.balance.items()]
    await exchange.json({"balance": rows})


async def _count(exchange: Exchange) -> None:
    if await _is_let_in(exchange):
        await counting.gigachat(exchange)


async def _chat(exchange: Exchange) -> None:
    if not await _is_let_in(exchange):
        return
    if name := files.unknown(exchange.site, exchange.request.json["messages"]):
        await exchange.refuse(404, f"No such file: {name}")
    else:
        await exchange.site.play(exchange)


@fault
async def token_dies(exchange: Exchange) -> None:
    """The token is no longer taken, long before its end; a new one is."""
    if exchange.nth == 1:
        exchange.site.tokens.clear()
        await exchange.refuse(401, "Token has expired")
    else:
        await exchange.well()


@fault
async def tokens_die(exchange: Exchange) -> None:
    """No token is good enough."""
    exchange.site.tokens.clear()
    await exchange.refuse(401, "Token has expired")
