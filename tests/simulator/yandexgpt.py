"""Yandex AI Studio's side: completion, whole, streamed and as an operation, IAM tokens, and the
compatible API under the same root.

Streams repeat the whole text so far in each line, in about twenty lines however long it is.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.simulator import counting, openai_chat
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Frames, Route, fault
from tests.simulator.openai_chat import OpenAISide
from tests.simulator.wire import Request

ROOT = "/foundationModels/v1/"
PATHS = {f"{ROOT}completion": "chat", f"{ROOT}completionAsync": "async"}
IAM_PATH = "/iam/v1/tokens"
VERSION = "09.02.2025"
LINES = 20
STATUS = {
    "stop": "FINAL",
    "length": "TRUNCATED_FINAL",
    "content_filter": "CONTENT_FILTER",
    "tool_calls": "TOOL_CALLS",
}
GRPC = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 409: 10, 429: 8, 500: 13, 501: 12, 503: 14, 504: 4}
# Whose models have an API of their own.
OWN = ("mock", "yandexgpt", "aliceai")


class YandexSide(Dialect):
    name = "yandexgpt"
    stream_type = "application/json"

    def __init__(self) -> None:
        self.operations: dict[str, list[Any]] = {}

    def routes(self) -> Mapping[tuple[str, str], Route]:
        waiting = {("GET", f"/operations/{name}"): _operation for name in self.operations}
        return {
            ("POST", IAM_PATH): _iam_token,
            ("POST", "/foundationModels/v1/tokenizeCompletion"): counting.yandex,
            **waiting,
            **{("GET", f"/operations/{name}:cancel"): _cancel for name in self.operations},
        }

    def asked(self, request: Request) -> Asked | None:
        kind = PATHS.get(request.path) if request.method == "POST" else None
        if kind is None:
            return None
        body = request.json
        options = body.get("completionOptions") or {}
        limit = options.get("maxTokens")
        schema = (body.get("jsonSchema") or {}).get("schema")
        return Asked(
            model=tail(body["modelUri"]),
            prompt=body["messages"][-1].get("text") or "",
            kind=kind,
            stream=kind == "chat" and bool(options.get("stream")),
            max_tokens=None if limit is None else int(limit),
            schema=schema or ({"type": "object"} if body.get("jsonObject") else None),
            tool=_tool(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        given = request.headers.get("authorization", "")
        return request.path == IAM_PATH or given in (f"Api-Key {key}", f"Bearer {key}")

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        result = _result(asked, answer, answer.pieces, STATUS[answer.finish])
        if asked.kind == "async":
            return json.dumps(self.begun(result)).encode()
        return json.dumps({"result": result}).encode()

    def begun(self, result: Any) -> Any:
        """An operation that is not done when it is asked after for the first time."""
        name = f"op{len(self.operations) + 1}"
        done = {"done": True, "response": {"@type": "type.example/CompletionResponse", **result}}
        self.operations[name] = [{}, done]
        return _named(name) | {"done": False, "metadata": None}

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        pieces = answer.pieces
        step = max(1, len(pieces) // LINES)
        parts = [pieces[: at + step] for at in range(0, len(pieces), step)]
        content = [self._line(_result(asked, answer, part, "PARTIAL")) for part in parts]
        last = _result(asked, answer, pieces, STATUS[answer.finish])
        return Frames(content, [self._line(last)])

    def _line(self, result: Any) -> bytes:
        return self.frame({"result": result})

    def frame(self, document: Any) -> bytes:
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        return {
            "error": {
                "grpcCode": GRPC.get(status, 2),
                "httpCode": status,
                "message": said,
                "httpStatus": "Error",
                "details": [],
            }
        }


class YandexOpenAISide(OpenAISide):
    """The compatible API: what is asked of a model with a whole address, and models by folder."""

    name = "yandex-openai"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("GET", "/v1/models"): _models}

    def asked(self, request: Request) -> Asked | None:
        asked = super().asked(request)
        if asked is None or "://" not in asked.model:
            return None
        model = tail(asked.model)
        # Its own models state no usage in a stream, others do without being asked.
        usage = not asked.stream or not model.startswith(OWN)
        return replace(asked, model=model, usage=usage)

    def opens(self, request: Request, key: str) -> bool:
        return request.headers.get("authorization") in (f"Api-Key {key}", f"Bearer {key}")


def tail(uri: str) -> str:
    """The bare name in `gpt://folder/name/branch@tuning`."""
    return uri.partition("://")[2].split("/")[1].partition("@")[0]


def _tool(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    tools = body.get("tools")
    if not tools or "toolResultList" in body["messages"][-1]:
        return None
    function = tools[0]["function"]
    return function["name"], function.get("parameters") or {"type": "object"}


def _result(asked: Asked, answer: Answer, pieces: Sequence[str], status: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    if answer.tool:
        name, arguments = answer.tool
        call = {"functionCall": {"name": name, "arguments": json.loads(arguments)}}
        message["toolCallList"] = {"toolCalls": [call]}
    else:
        message["text"] = answer.refusal or "".join(pieces)
    if answer.refusal:
        status = "CONTENT_FILTER"
    alternative = {"message": message, "status": f"ALTERNATIVE_STATUS_{status}"}
    result: dict[str, Any] = {"alternatives": [alternative], "modelVersion": VERSION}
    if answer.usage:
        result["usage"] = _usage(asked, answer, len(pieces))
    return result | dict(answer.extra or {})


def _usage(asked: Asked, answer: Answer, written: int) -> dict[str, Any]:
    """Numbers of 64 bits are strings; thoughts are hidden, but counted."""
    read = answer.prompt_tokens or asked.prompt_tokens
    thought = len((answer.thought or "").split())
    return {
        "inputTextTokens": str(read),
        "completionTokens": str(written + thought),
        "totalTokens": str(read + written + thought),
        "completionTokensDetails": {"reasoningTokens": str(thought)},
    }


def _named(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "description": "Async GPT Completion",
        "createdAt": "2026-11-23T10:00:00Z",
        "createdBy": "ajesim",
        "modifiedAt": "2026-11-23T10:00:00Z",
    }


async def _operation(exchange: Exchange) -> None:
    assert isinstance(exchange.dialect, YandexSide)
    name = exchange.request.path.rpartition("/")[2]
    states = exchange.dialect.operations[name]
    await exchange.json(_named(name) | (states.pop(0) if len(states) > 1 else states[0]))


async def _cancel(exchange: Exchange) -> None:
    """One that is not done ends with the code of gRPC for that."""
    assert isinstance(exchange.dialect, YandexSide)
    name = exchange.request.path.rpartition("/")[2].partition(":")[0]
    states = exchange.dialect.operations[name]
    if not states[0].get("done"):
        states[:] = [{"done": True, "error": {"code": 1, "message": "The operation is cancelled"}}]
    await exchange.json(_named(name) | states[0])


async def _iam_token(exchange: Exchange) -> None:
    """A token for a signed statement or a person's token; the signature is not looked at."""
    given = exchange.request.json
    if "jwt" in given:
        head = given["jwt"].split(".")[0]
        alg = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"]
        fine = alg == "PS256"
    else:
        fine = given.get("yandexPassportOauthToken", "").startswith("y0_")
    if not fine:
        said = "The token is invalid"
        await exchange.json({"code": 16, "message": said, "details": []}, 401)
        return
    asked = sum(one.path == IAM_PATH for one in exchange.site.requests)
    await exchange.json(
        {"iamToken": f"t1.sim-{asked}", "expiresAt": "2099-11-23T20:00:00.123456789Z"}
    )


async def _models(exchange: Exchange) -> None:
    folder = exchange.request.headers.get("openai-project")
    if folder is None:
        await openai_chat._models(exchange)
        return
    names = [f"gpt://{folder}/{name}/latest" for name in exchange.site.models]
    names.append(f"emb://{folder}/text-search-doc/latest")
    models = [{"id": one, "object": "model", "created": 0, "owned_by": "Yandex"} for one in names]
    await exchange.json({"object": "list", "data": models})


# ---- what its callers do not expect


@fault
async def wrong_folder(exchange: Exchange) -> None:
    """The key belongs to another folder than the one in the model's address."""
    await exchange.refuse(
        400,
        "Specified folder ID 'b1gother' does not match with service account folder ID 'b1gown'",
    )


@fault
async def rewritten(exchange: Exchange) -> None:
    """The text so far is taken back in the middle of the stream."""
    side = exchange.dialect
    assert isinstance(side, YandexSide)
    first = _result(exchange.asked, Answer(), ("The sky is ", "green."), "PARTIAL")
    last = _result(exchange.asked, Answer(), ("The sky is ", "blue."), "FINAL")
    await exchange.stream([side.frame({"result": one}) for one in (first, first, last)])


@fault
async def operation_failed(exchange: Exchange) -> None:
    """The operation is begun, and ends with an error."""
    side = exchange.dialect
    assert isinstance(side, YandexSide)
    begun = side.begun({})
    failed = {"done": True, "error": {"code": 3, "message": "the prompt is too long, got 9000"}}
    side.operations[begun["id"]] = [failed]
    await exchange.json(begun)
