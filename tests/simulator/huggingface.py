"""Hugging Face: the router's chats, the completions of one of its partners, and TGI's own format at
hf-inference and at the root of an endpoint of one's own."""

import json
from collections.abc import Mapping
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Exchange, Frames, Route
from tests.simulator.hosts import ROUTER, HostSide
from tests.simulator.wire import Request

TOP = f"/hosts/{ROUTER}"
COMPLETIONS = (f"{TOP}/featherless-ai/v1/completions", f"{TOP}/v1/completions")
INFERENCE = f"{TOP}/hf-inference/models/"
REASONS = {"stop": "eos_token", "length": "length"}


class HuggingFaceSide(HostSide):
    def __init__(self) -> None:
        super().__init__(ROUTER)

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {**super().routes(), ("GET", f"{TOP}/v1/models"): _models}

    def kind(self, request: Request) -> str | None:
        return "complete" if request.path in COMPLETIONS else super().kind(request)

    def asked(self, request: Request) -> Asked | None:
        if request.method != "POST" or not _is_tgi(request.path):
            return super().asked(request)
        body = request.json
        parameters = body.get("parameters") or {}
        return Asked(
            model=request.path.removeprefix(INFERENCE) if INFERENCE in request.path else "mock",
            prompt=body["inputs"],
            kind="generate",
            stream=bool(body.get("stream")),
            max_tokens=parameters.get("max_new_tokens"),
            prompt_tokens=max(1, len(body["inputs"]) // 4),
        )

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        if asked.kind != "generate":
            return super().frames(asked, answer)
        tokens = [
            self._token(number, {"id": number, "text": piece, "logprob": -0.5, "special": False})
            for number, piece in enumerate(answer.pieces, 1)
        ]
        details = {**_counts(answer), "input_length": asked.prompt_tokens}
        last = {"id": 2, "text": "</s>", "logprob": -0.1, "special": True}
        end = self._token(len(tokens) + 1, last, answer.text, details if answer.usage else None)
        return Frames([*map(self.frame, tokens)], [self.frame(end)])

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        if asked.kind != "generate":
            return super().whole(asked, answer)
        document: dict[str, Any] = {"generated_text": answer.text}
        if answer.usage:
            read = [{"id": 1, "text": "x", "logprob": None}] * asked.prompt_tokens
            document["details"] = {**_counts(answer), "prefill": read, "tokens": []}
        return json.dumps([document]).encode()

    def _token(
        self, index: int, token: Any, text: str | None = None, details: Any = None
    ) -> dict[str, Any]:
        return {"index": index, "token": token, "generated_text": text, "details": details}

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        """TGI and the router say what is wrong as a text; a partner's object is passed on."""
        if code is not None:
            return super().error(status, said, code, kind)
        return {"error": said, "error_type": "validation" if status == 422 else "generation"}


def _is_tgi(path: str) -> bool:
    return path.startswith(INFERENCE) or path == f"{TOP}/"


def _counts(answer: Answer) -> dict[str, Any]:
    written = len(answer.pieces)
    reason = REASONS.get(answer.finish, answer.finish)
    return {"finish_reason": reason, "generated_tokens": written, "seed": 42}


async def _models(exchange: Exchange) -> None:
    """With the prices and speeds of each partner."""
    partner = {
        "provider": "together",
        "status": "live",
        "context_length": 131072,
        "pricing": {"input": 0.1, "output": 0.4},
        "supports_tools": True,
        "first_token_latency_ms": 600,
        "throughput": 40.1,
    }
    # Only the name and the status are always there; one that is not live answers nothing.
    others = [{"provider": "groq", "status": "live"}, {"provider": "novita", "status": "error"}]
    providers = [partner, *others]
    models = [
        {"id": name, "object": "model", "created": 1, "owned_by": "sim", "providers": providers}
        for name in exchange.site.models
    ]
    await exchange.json({"object": "list", "data": models})
