"""Plays a recording of `llmctl doctor PROVIDER --live --record FILE` once more, without a network.

Each call that was recorded goes through the engine again: its dialect encodes it, the lane gets
the bytes that came then in the pieces in which they came, and text, finish reason, usage and error
must be the same.
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from llmctl.dialects import DIALECTS
from llmctl.dialects.look import parse
from llmctl.engine.proof import Spoilt
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import LlmctlError
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Chat, Quirks, Role, Usage, Verdict, message
from llmctl.types.receipts import Level

HOST = "https://recorded.invalid/"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a recorded call comes to now, in the words of the recording."""

    text: str
    finish: str | None
    usage: Mapping[str, Any] | None
    error: str | None
    bodies: tuple[Any, ...]
    """The bodies of the requests as they would be sent now."""


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[Any]) -> None:
        self._pieces = [
            one.encode() if isinstance(one, str) else b64decode(one["base64"]) for one in pieces
        ]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class Recorded(httpx.AsyncBaseTransport):
    """Gives the recorded answers, one after the other, whatever is asked."""

    def __init__(self, exchanges: list[Any]) -> None:
        self.bodies: list[Any] = []
        self._responses = [one["response"] for one in exchanges if one["kind"] == "call"]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(await request.aread() or b"null"))
        answer = self._responses.pop(0)
        stream = Pieces(answer["pieces"])
        return httpx.Response(answer["status"], headers=answer["headers"], stream=stream)


def read(path: Path) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert recording["version"] == 1
    return recording


def calls(recording: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks in which a model was asked and something came back."""
    return [one for one in recording["checks"] if one["call"] and answered(one)]


def answered(check: dict[str, Any]) -> bool:
    exchanges = check["exchanges"]
    return any(one["kind"] == "call" and one["response"]["status"] for one in exchanges)


def replayed(recording: dict[str, Any], check: dict[str, Any]) -> Replayed:
    """One check of a recording, decoded anew."""
    return asyncio.run(_replayed(recording, check))


async def _replayed(recording: dict[str, Any], check: dict[str, Any]) -> Replayed:
    stated = check["call"]
    call = Chat(
        model=stated["model"],
        messages=tuple(message(Role(role), text) for role, text in stated["messages"]),
        max_tokens=stated["max_tokens"],
        schema=stated["schema"],
        temperature=stated["temperature"],
        seed=stated["seed"],
        stop=tuple(stated["stop"]),
        stream=stated["stream"],
    )
    target = Target(provider=recording["provider"], base_url=HOST, urls=Anywhere())
    transport = Recorded(check["exchanges"])
    route = _route(recording, target, spoilt=check["check"] == "bad-request")
    error = None
    async with Lane(target, transport) as lane:
        run = Run(call, route, lane, retries=Retries(0))
        try:
            async with aclosing(run.events()) as events:
                async for _event in events:
                    pass
        except LlmctlError as failed:
            error = failed.code
    finished = run.meter.finished
    return Replayed(
        run.meter.text,
        finished.reason.value if finished else None,
        asdict(finished.usage or Usage()) if finished else None,
        error,
        tuple(transport.bodies),
    )


class Anywhere(dict[str, str]):
    """A further address of the recorded host under any name."""

    def __missing__(self, _name: str) -> str:
        return HOST


def _route(recording: dict[str, Any], target: Target, *, spoilt: bool) -> Route:
    dialect = DIALECTS[recording["dialect"]]()
    quirks = recording["quirks"]
    return Route(
        requested=f"{recording['provider']}/{recording['model']}",
        provider=recording["provider"],
        model=recording["model"],
        card=cast(Any, NoCard()),
        model_card=None,
        dialect=Spoilt(dialect) if spoilt else dialect,
        quirks=Quirks(**quirks | {"reasoning_fields": tuple(quirks["reasoning_fields"])}),
        target=target,
        verdict=Verdict(allowed=True, level=Level.UNKNOWN),
    )


class NoCard:
    models = ()
    id = "recorded"


def names_listed(recording: dict[str, Any]) -> list[str] | None:
    """The names of models in the recorded list, None where none was asked for."""
    for check in recording["checks"]:
        if check["check"] == "list" and answered(check):
            pieces = check["exchanges"][-1]["response"]["pieces"]
            body = b"".join(Pieces(pieces)._pieces).decode()
            return DIALECTS[recording["dialect"]]().listed(parse(body))
    return None
