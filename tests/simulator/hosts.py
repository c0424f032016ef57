"""Hosts that speak OpenAI's chat completions with quirks of their own, each below `/hosts/<id>/`:
what it refuses, how it wants its key, and what its answers add or do otherwise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.answers import Answer, Asked
from tests.simulator.exchange import Exchange, Frames, Route
from tests.simulator.openai_chat import DONE, OpenAISide
from tests.simulator.wire import Request

# What every one of them takes; a host adds its own.
COMMON = frozenset(
    {
        *("model", "messages", "stream", "temperature", "top_p", "stop", "tools", "tool_choice"),
        *("response_format", "frequency_penalty", "presence_penalty", "reasoning_effort"),
    }
)
COST = 0.0000145  # US dollars, as a float the way JSON has it


@dataclass(frozen=True, slots=True)
class Host:
    """`fields` are all that it takes; another is refused as it would do it. `reasoning` is where
    thoughts stand; "parts" makes the content a list in which they are parts."""

    fields: frozenset[str]
    base: str = "/v1"
    reasoning: str = "reasoning_content"
    key_header: str = "authorization"
    key_scheme: str = "Bearer "
    usage: str = "asked"  # asked, last (of the content), x_groq
    comments: bool = False
    cost: bool = False
    schema: bool = True
    filters: bool = False  # a first piece that tells about the prompt, without choices


ROUTER = "huggingface"
HOSTS: Mapping[str, Host] = {
    ROUTER: Host(COMMON | {"max_tokens", "seed", "stream_options"}),
    "azure": Host(
        COMMON | {"max_completion_tokens", "max_tokens", "seed", "stream_options"},
        base="/openai/v1",
        key_header="api-key",
        key_scheme="",
        filters=True,
    ),
    "deepseek": Host(
        COMMON | {"max_tokens", "stream_options", "thinking", "seed"},
        base="",
        schema=False,
        comments=True,
    ),
    "groq": Host(
        COMMON | {"max_completion_tokens", "seed", "reasoning_format", "service_tier"},
        base="/openai/v1",
        reasoning="reasoning",
        usage="x_groq",
    ),
    "mistral": Host(
        COMMON | {"max_tokens", "random_seed", "safe_prompt", "prompt_mode"},
        reasoning="parts",
        usage="last",
    ),
    "openrouter": Host(
        COMMON | {"max_tokens", "seed", "stream_options", "provider", "reasoning", "models"},
        base="/api/v1",
        reasoning="reasoning",
        comments=True,
        cost=True,
    ),
    "together": Host(
        COMMON | {"max_tokens", "seed", "stream_options", "reasoning"}, reasoning="reasoning"
    ),
    "xai": Host(COMMON | {"max_completion_tokens", "seed", "stream_options"}),
}


def host_url(root: str, name: str) -> str:
    """What a provider's `base_url` is to be for its host in the simulator at `root`."""
    return f"{root}/hosts/{name}{HOSTS[name].base}"


class HostSide(OpenAISide):
    """One host. Everything else is OpenAI's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host = HOSTS[name]
        self.root = f"/hosts/{name}{self.host.base}"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", f"{self.root}/models"): _priced_models if self.host.cost else _models,
            ("POST", f"{self.root}/chat/completions"): self._chat,
        }

    def kind(self, request: Request) -> str | None:
        return "chat" if request.path == f"{self.root}/chat/completions" else None

    async def _chat(self, exchange: Exchange) -> None:
        body = exchange.request.json
        wanted = (body.get("response_format") or {}).get("type")
        if unknown := sorted(set(body) - self.host.fields):
            await exchange.refuse(422, f"Extra inputs are not permitted: {', '.join(unknown)}")
        elif wanted == "json_schema" and not self.host.schema:
            await exchange.refuse(400, "This response_format type is unavailable now")
        else:
            await exchange.site.play(exchange)

    def opens(self, request: Request, key: str) -> bool:
        return request.headers.get(self.host.key_header) == f"{self.host.key_scheme}{key}"

    def frames(self, asked: Asked, answer: Answer) -> Frames:
        content, end = super().frames(asked, answer)
        pieces = [self._respelt(_read(one)) for one in content]
        last = self._respelt(_read(end[0]))
        usage = self._usage(asked, answer) if answer.usage else {}
        if answer.usage and self.host.usage == "last":
            last["usage"] = usage
        if answer.usage and self.host.usage == "x_groq":
            last["x_groq"] = {"id": "req_sim1", "usage": usage}
        tail = [self.frame(last)]
        if answer.usage and asked.usage and self.host.usage == "asked":
            tail.append(self.frame({**_read(end[0]), "choices": [], "usage": usage}))
        head = [b": PROCESSING\n\n"] if self.host.comments else []
        if self.host.filters:
            head.append(self.frame({"choices": [], "prompt_filter_results": [], "id": ""}))
        return Frames([*head, *map(self.frame, pieces)], [*tail, DONE])

    def whole(self, asked: Asked, answer: Answer) -> bytes:
        document = self._respelt(json.loads(super().whole(asked, answer)))
        if answer.usage:
            document["usage"] = self._usage(asked, answer)
        return json.dumps(document).encode()

    def _usage(self, asked: Asked, answer: Answer) -> dict[str, Any]:
        usage: dict[str, Any] = json.loads(super().whole(asked, answer))["usage"]
        if self.host.cost:
            usage["cost"] = COST
        if self.host.usage == "x_groq":
            usage |= {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.05}
        return usage

    def _respelt(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the thoughts where this host puts them."""
        for choice in document["choices"]:
            piece = choice.get("delta") or choice.get("message") or {}
            if thought := piece.pop("reasoning_content", None):
                if self.host.reasoning == "parts":
                    part = {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}
                    text = piece.get("content")
                    said = [{"type": "text", "text": text}] if text else []
                    piece["content"] = [part, *said]
                else:
                    piece[self.host.reasoning] = thought
        return document


def _read(frame: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(frame.removeprefix(b"data: "))
    return document


async def _models(exchange: Exchange) -> None:
    models = [{"id": name, "object": "model"} for name in exchange.site.models]
    await exchange.json({"object": "list", "data": models})


# US dollars for one token, as texts; -1 where it depends on whom the model is passed on to.
PRICED = {
    "prompt": "0.00000015",
    "completion": "0.0000006",
    "request": "0",
    "image": "0",
    "web_search": "0",
    "internal_reasoning": "0",
    "input_cache_read": "0.000000075",
}
DEPENDS = {"prompt": "-1", "completion": "-1"}


async def _priced_models(exchange: Exchange) -> None:
    models = [
        {
            "id": name,
            "canonical_slug": name,
            "name": f"Simulator: {name}",
            "created": 1_795_000_000,
            "context_length": 128_000,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "pricing": DEPENDS if name == "mock-thinks" else PRICED,
            "top_provider": {"context_length": 128_000, "max_completion_tokens": 16_384},
            "supported_parameters": ["max_tokens", "temperature"],
        }
        for name in exchange.site.models
    ]
    await exchange.json({"data": models})
