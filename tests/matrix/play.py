"""Runs a row of the matrix: provider by provider, all at the same time, in this process."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self
from unittest import mock

import trustme

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import LlmctlError
from llmctl.settings import Loaded
from llmctl.transport.exchange import Lane
from llmctl.types import Call, Chat, Notice, Role, message
from tests.generated import in_english
from tests.matrix.lanes import LaneId, environment, lanes, missing
from tests.matrix.table import Row
from tests.simulator import Simulator
from tests.simulator.exchange import FAULTS, Exchange

PROMPT = "Why is it blue?"
# Long enough for a busy machine, short enough to be waited for some five times.
BRIEF_S = 0.5
# More often than any run asks.
OFTEN = 12


async def _plays_well(exchange: Exchange) -> None:
    """An answer as it should be, whatever the model is called."""
    await exchange.well()


FAULTS.setdefault("well", _plays_well)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to; `waits` are the seconds between its attempts."""

    code: int
    error: str | None
    text: str
    requests: int
    waits: tuple[float, ...]
    said: str
    notices: tuple[str, ...] = ()

    def less_one(self) -> Self:
        """With one request less, for the one in which a token was refused."""
        return replace(self, requests=self.requests - 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One provider with a simulator of its own, and the way there."""

    lane: LaneId
    sim: Simulator
    route: Route
    loaded: Loaded

    def forget(self) -> None:
        """What was asked before; tokens that were given out stay good."""
        tokens = set(self.sim.tokens)
        self.sim.reset()
        self.sim.tokens |= tokens

    def chat(self, **how: object) -> Chat:
        stated = {"model": self.route.model, "messages": (message(Role.USER, PROMPT),), **how}
        return Chat(**stated)  # type: ignore[arg-type]


class Stages:
    """All providers of the matrix, each started once."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.stages: dict[LaneId, Stage] = {}

    def __enter__(self) -> Self:
        self._stack.enter_context(in_english())
        folder = Path(self._stack.enter_context(TemporaryDirectory()))
        for lane in lanes():
            if missing(lane) is None:
                self.stages[lane] = self.staged(lane, folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def staged(self, lane: LaneId, folder: Path) -> Stage:
        """One more provider, with a home of its own in `folder`."""
        own = folder / lane.name.replace(", ", "-")
        own.mkdir(exist_ok=True)
        sim = self._stack.enter_context(Simulator())
        with mock.patch.dict(os.environ, environment(own, sim, lane), clear=True):
            loaded = settings.load()
            route = resolve(f"{lane.provider}/{lane.model}", loaded)
        return Stage(lane, sim, route, loaded)


def played_by_all(stages: Sequence[Stage], row: Row) -> list[Outcome]:
    """One fault, met by all of them at the same time."""

    async def all_of() -> list[Outcome]:
        return await asyncio.gather(*(_played(stage, row) for stage in stages))

    for stage in stages:
        stage.forget()
        if row.fault in FAULTS:
            stage.sim.script([row.fault] * OFTEN)
    if row.fault in FAULTS:
        return asyncio.run(all_of())
    with elsewhere(row.fault) as change:
        moved = [replace(stage, route=_moved(stage.route, change)) for stage in stages]
        stages = moved
        return asyncio.run(all_of())


async def _played(stage: Stage, row: Row) -> Outcome:
    route = stage.route
    if row.brief:
        route = replace(route, target=replace(route.target, idle_timeout=BRIEF_S))
    return await run(stage, stage.chat(stream=not row.whole), route)


async def run(stage: Stage, call: Call, route: Route | None = None) -> Outcome:
    """One call through the engine, with waits that are written down instead of waited for."""
    route = route or stage.route
    waits: list[float] = []

    async def waited(seconds: float) -> None:
        waits.append(round(seconds, 3))

    notices: list[str] = []
    async with Lane(route.target) as lane:
        one = Run(call, route, lane, retries=Retries(4, base=0.0), sleep=waited)
        error: LlmctlError | None = None
        try:
            async with aclosing(one.events()) as events:
                passed = [event async for event in events]
                notices = [one.code for one in passed if isinstance(one, Notice)]
        except LlmctlError as failed:
            error = failed
    return Outcome(
        error.exit_code if error else 0,
        error.code if error else None,
        one.meter.text,
        len(stage.sim.calls),
        tuple(seconds for seconds in waits if seconds),
        error.message if error else "",
        tuple(notices),
    )


# ---- what is wrong outside of the simulator


@dataclass(frozen=True, slots=True)
class Change:
    """What of a target is another: the root of all its addresses, or its proxy."""

    root: str | None = None
    proxy: str | None = None


@contextmanager
def elsewhere(fault: str) -> Iterator[Change]:
    match fault:
        case "unknown-ca":
            with distrusted() as port:
                yield Change(f"https://127.0.0.1:{port}")
        case "nobody-there":
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
            yield Change(f"http://127.0.0.1:{port}")
        case "no-such-host":
            yield Change("http://nowhere.invalid")  # RFC 6761: never a host
        case "proxy-refuses":
            with refusing() as port:
                yield Change("https://api.example.com", f"http://127.0.0.1:{port}")
        case _:
            raise KeyError(fault)


def _moved(route: Route, change: Change) -> Route:
    def there(url: str) -> str:
        place = url.partition("://")[2].partition("/")[2]
        return f"{change.root}/{place}".rstrip("/")

    target = replace(
        route.target,
        base_url=there(route.target.base_url),
        urls={name: there(url) for name, url in route.target.urls.items()},
        auth=None,  # a token is fetched in the same way; here it is the call that fails
        proxy=change.proxy,
    )
    return replace(route, target=target)


@contextmanager
def distrusted() -> Iterator[int]:
    """A port that speaks TLS with a certificate nobody has reason to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def talk(wire: socket.socket) -> None:
        context.wrap_socket(wire, server_side=True).close()

    with _serving(talk) as port:
        yield port


@contextmanager
def refusing() -> Iterator[int]:
    """A proxy that lets nobody through."""

    def talk(wire: socket.socket) -> None:
        with wire:
            wire.recv(4096)
            wire.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with _serving(talk) as port:
        yield port


@contextmanager
def _serving(talk: "object") -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:

        def serve() -> None:
            while True:
                try:
                    wire, _address = server.accept()
                except OSError:
                    return
                try:
                    talk(wire)  # type: ignore[operator]
                except OSError:
                    wire.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
