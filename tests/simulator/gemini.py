"""Gemini's side: generateContent, whole and streamed, countTokens and the list of models."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import files, model_lists
from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Dialect, Exchange, Frames, Route
from tests.simulator.wire import Request

PATH = re.compile(r"/v1beta/models/([^/:]+):(generateContent|streamGenerateContent)")
REASONS = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
RPC = "type.googleapis.com/google.rpc."

# HTTP statuses of the service by the name of their code; what it has no name for is INTERNAL.
CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# What is a status of its own elsewhere is told by 400 here.
BAD_REQUESTS = frozenset({"invalid_api_key", "unsupported_country_region_territory"})
NO_KEY = "API key not valid. Please pass a valid API key."
NO_COUNTRY = "User location is not supported for the API use."
TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
SPENT = "You exceeded your current quota, please check your plan and billing details."


class GeminiSide(Dialect):
    name = "gemini"
    stream_type = "text/event-stream"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/v1beta/models"): model_lists.gemini,
            ("POST", "/v1beta/models/mock:countTokens"): _count,
        }

    def route(self, request: Request) -> Route | None:
        return (
            super().route(request) or files.of_gemini(request) or model_lists.one_of_gemini(request)
        )

    def asked(self, request: Request) -> Asked | None:
        found = PATH.fullmatch(request.path) if request.method == "POST" else None
        if found is None:
            return None
        body = request.json
        config = body.get("generationConfig", {})
        return Asked(
            model=found[1],
            prompt="".join(part.get("text", "") for part in body["contents"][-1]["parts"]),
            stream=found[2] == "streamGenerateContent",
            max_tokens=config.get("maxOutputTokens"),
            schema=_schema(config),
            tool=_tool(body),
            prompt_tokens=max(1, len(request.body) // 8),
        )

    def opens(self, request: Request, key: str) -> bool:
        return request.headers.get("x-goog-api-key") == key

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        document = _document(asked, _parts(answer), _finish(answer)) | _usage(asked, answer)
        return json.dumps(document | dict(answer.extra or {}), indent=2).encode()

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        read = _counted(asked, answer, {})
        content = [self.frame(_document(asked, [part]) | read) for part in _pieces(answer)]
        last = _document(asked, [], _finish(answer)) | _usage(asked, answer)
        return Frames(content, [self.frame(last | dict(answer.extra or {}))])

    def frame(self, document: Any) -> bytes:
        return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"

    def status(self, status: int, code: str | None) -> int:
        return 400 if code in BAD_REQUESTS else status

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        status = self.status(status, code)
        name, details = CODES.get(status, "INTERNAL"), []
        match code:
            case "invalid_api_key":
                said = NO_KEY if said == "Incorrect API key provided." else said
                details = [_info("API_KEY_INVALID")]
            case "unsupported_country_region_territory":
                said, name = NO_COUNTRY, "FAILED_PRECONDITION"
            case "context_length_exceeded":
                said = TOO_LONG
            case "insufficient_quota":
                said, details = SPENT, [_violation("PerDay")]
            case "rate_limit_exceeded":
                details = [_violation("PerMinute")]
            case "model_not_found" | None:
                pass
            case _:
                details = [_info(code.upper())]
        error: dict[str, Any] = {"code": status, "message": said, "status": name}
        return {"error": error | ({"details": details} if details else {})}


def _info(reason: str) -> dict[str, Any]:
    return {
        "@type": f"{RPC}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }


def _violation(period: str) -> dict[str, Any]:
    one = {"quotaId": f"GenerateRequests{period}PerProjectPerModel-FreeTier", "quotaValue": "20"}
    return {"@type": f"{RPC}QuotaFailure", "violations": [one]}


def _schema(config: Any) -> Mapping[str, Any] | None:
    if config.get("responseMimeType") != "application/json":
        return None
    found: Mapping[str, Any] = config.get("responseJsonSchema") or {"type": "object"}
    return found


def _tool(body: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The first function, unless the result of one is here already."""
    declared = [one for tool in body.get("tools", []) for one in tool["functionDeclarations"]]
    if not declared or any("functionResponse" in part for part in body["contents"][-1]["parts"]):
        return None
    function = declared[0]
    # The service takes both ways of writing names, and the official package uses both.
    schema = function.get("parametersJsonSchema") or function.get("parameters_json_schema")
    return function["name"], schema or {"type": "object"}


def _document(asked: Asked, parts: list[Any], last: Mapping[str, Any] | None = None) -> Any:
    """A piece of an answer, or a whole one. Without parts there is no content either."""
    content = {"content": {"role": "model", "parts": parts}} if parts else {}
    return {
        "candidates": [{**content, **(last or {}), "index": 0}],
        "modelVersion": asked.model,
        "responseId": "resp-sim-1",
    }


def _finish(answer: Answer) -> dict[str, Any]:
    last: dict[str, Any] = {"finishReason": REASONS.get(answer.finish, "STOP")}
    if answer.refusal:
        last |= {"finishReason": "SAFETY", "finishMessage": answer.refusal}
    if last["finishReason"] == "SAFETY":
        category = "HARM_CATEGORY_DANGEROUS_CONTENT"
        last["safetyRatings"] = [{"category": category, "probability": "HIGH", "blocked": True}]
    return last


def _pieces(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.thought:
        yield {"text": answer.thought, "thought": True}
    for piece in answer.pieces:
        yield {"text": piece}
    if answer.tool:
        name, arguments = answer.tool
        call = {"id": "call_sim1", "name": name, "args": json.loads(arguments)}
        yield {"functionCall": call, "thoughtSignature": "c2lnbmVk"}


def _parts(answer: Answer) -> list[Any]:
    """Those of a whole answer, whose text is one part."""
    parts = [part for part in _pieces(answer) if part.get("thought") or "text" not in part]
    place = 1 if answer.thought else 0
    return [*parts[:place], *([{"text": answer.text}] if answer.pieces else []), *parts[place:]]


def _usage(asked: Asked, answer: Answer) -> dict[str, Any]:
    """Thoughts are counted apart; counts of nothing are left out."""
    counts = {
        "candidatesTokenCount": len(answer.pieces),
        "thoughtsTokenCount": len((answer.thought or "").split()),
    }
    return _counted(asked, answer, counts)


def _counted(asked: Asked, answer: Answer, counts: Mapping[str, int]) -> dict[str, Any]:
    if not answer.usage:
        return {}
    read = answer.prompt_tokens or asked.prompt_tokens
    usage = {
        "promptTokenCount": read,
        **{name: count for name, count in counts.items() if count},
        "totalTokenCount": read + sum(counts.values()),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": read}],
    }
    return {"usageMetadata": usage}


async def _count(exchange: Exchange) -> None:
    total = max(1, len(exchange.request.body) // 8)
    details = [{"modality": "TEXT", "tokenCount": total}]
    await exchange.json({"totalTokens": total, "promptTokensDetails": details})
