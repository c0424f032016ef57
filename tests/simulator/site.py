"""The simulator itself: a server in a thread of its own, with a record of what was asked."""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from tests.simulator import (  # noqa: F401  each registers its own
    faults,
    gemini_faults,
    ndjson_faults,
    share_faults,
    sse_faults,
    timed,
)
from tests.simulator.answers import Asked
from tests.simulator.anthropic import ROOT as ANTHROPIC
from tests.simulator.anthropic import AnthropicSide
from tests.simulator.batch_sides import SIDES as BATCHES
from tests.simulator.batches import Batches
from tests.simulator.embeddings import SIDES as VECTORS
from tests.simulator.exchange import FAULTS, Dialect, Exchange
from tests.simulator.files import Files, early
from tests.simulator.gemini import GeminiSide
from tests.simulator.gigachat import GigaChatSide, GigaChatV2Side
from tests.simulator.hosts import HOSTS, ROUTER, HostSide
from tests.simulator.huggingface import HuggingFaceSide
from tests.simulator.huggingface_masks import MaskSide
from tests.simulator.images import SIDES as DRAWING
from tests.simulator.ollama import OllamaSide
from tests.simulator.openai_chat import OpenAISide
from tests.simulator.openai_responses import ResponsesSide
from tests.simulator.shares import Tally
from tests.simulator.vectors import GigaChatVectors, HuggingFaceVectors, YandexVectors
from tests.simulator.wire import Gone, Request, Wire
from tests.simulator.yandexgpt import YandexOpenAISide, YandexSide

# A new dialect is one line here.
DIALECTS: tuple[Dialect, ...] = (
    *BATCHES,
    *DRAWING,  # before the chats of the same places
    YandexOpenAISide(),  # before OpenAI's: their paths are the same
    OpenAISide(),
    ResponsesSide(),
    AnthropicSide(),
    GeminiSide(),
    GigaChatSide(),
    GigaChatV2Side(),
    OllamaSide(),
    YandexSide(),
    *VECTORS,  # before the chats of the same places
    YandexVectors(),
    GigaChatVectors(),
    HuggingFaceVectors(),  # before the other models of the same place, as the next one
    MaskSide(),  # before the other models of the same place
    HuggingFaceSide(),
    *(HostSide(name) for name in HOSTS if name != ROUTER),
)

FAULT = "mock-fault-"
MODELS = ("mock", "mock-thinks", "gpt-6-luna")
BALANCE = {"GigaChat": 900_000.0, "GigaChat-Max": 50_000.0}


class Simulator:
    """Serves on 127.0.0.1 between `start` and `stop`, or inside a `with`.

    `key`, when set, is the only one let in. `away` is where redirects lead. `models` are the names
    that exist beside `mock…`, `tokens` what was given out for keys and still lets in, `balance`
    what is left of tokens paid in advance; `page` and `circular` see model_lists.py. `tally` has
    what the requests of the fault `shares` met, by prompt.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.key: str | None = None
        self.away = "http://127.0.0.1:9"
        self.models: tuple[str, ...] = MODELS
        self.page: int | None = None
        self.circular = False
        self.tokens: set[str] = set()
        self.balance: dict[str, float] | None = dict(BALANCE)
        self.requests: list[Request] = []
        self.tally = Tally()
        self.files = Files()
        self.batches = Batches()
        self._script: deque[str] = deque()
        self._met: Counter[tuple[str, str]] = Counter()
        self._wires: list[Wire] = []
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    # ---- for tests

    @property
    def url(self) -> str:
        """The root, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        return f"{self.url}{ANTHROPIC}"

    @property
    def calls(self) -> list[Request]:
        """The requests so far that asked a model for something."""
        return [one for one in list(self.requests) if any(wanted(one, d) for d in DIALECTS)]

    def script(self, names: Iterable[str]) -> None:
        """Meet the next calls with these faults, one each; `ok` for an answer as it should be."""
        names = tuple(names)
        if unknown := [name for name in names if name != "ok" and name not in FAULTS]:
            raise KeyError(f"no fault is called {', '.join(unknown)}")
        self._script.extend(names)

    def reset(self) -> None:
        """Forget what was asked and scripted, and count every fault from the beginning."""
        with self._arrived:
            self.requests = []
            self._script.clear()
            self._met.clear()
            self.tally = Tally()
            self.key = None
            self.models = MODELS
            self.page, self.circular = None, False
            self.tokens.clear()
            self.files = Files()
            self.batches = Batches()
            self.balance = dict(BALANCE)

    def wait_for(self, count: int = 1, seconds: float = 10.0) -> list[Request]:
        """The first `count` requests as soon as they are here; raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, seconds):
                raise TimeoutError(f"{len(self.requests)} of {count} requests came")
            return self.requests[:count]

    # ---- life

    def start(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the simulator did not start")
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        server = await self._loop.create_server(self._connection, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for wire in self._wires:
            wire.stop()
        await asyncio.sleep(0)

    def _connection(self) -> Wire:
        wire = Wire(len(self._wires) + 1, self._serve, self._early)
        self._wires.append(wire)
        return wire

    # ---- answering

    async def _early(self, request: Request, wire: Wire) -> bool:
        try:
            return await early(self, request, wire)
        except Gone:
            return True

    async def _serve(self, wire: Wire) -> None:
        while (request := await wire.next_request()) is not None:
            with self._arrived:
                self.requests.append(request)
                self._arrived.notify_all()
            try:
                await self._answer(request, wire)
            except Gone:
                request.disconnected.set()
                return
            request.answered_at = time.monotonic()
            if wire.last or request.headers.get("connection", "").lower() == "close":
                return

    async def _answer(self, request: Request, wire: Wire) -> None:
        for dialect in DIALECTS:
            asked = wanted(request, dialect)
            route = dialect.route(request)
            if asked is None and route is None:
                continue
            exchange = Exchange(self, dialect, request, wire, asked or Asked("", ""))
            if self.key is not None and not dialect.opens(request, self.key):
                await exchange.refuse(
                    401, "Incorrect API key provided.", "invalid_api_key", "invalid_request_error"
                )
            elif isinstance(asked, Malformed):
                await exchange.refuse(400, "Invalid type for 'messages'", "invalid_type")
            elif route is not None:
                await route(exchange)
            else:
                await self.play(exchange)
            return
        await Exchange(self, DIALECTS[0], request, wire, Asked("", "")).refuse(
            404, f"Unknown request URL: {request.method} {request.path}", "unknown_url"
        )

    async def play(self, exchange: Exchange) -> None:
        """What the script or the model's name asks for, else an answer as it should be."""
        model = exchange.asked.model
        name = self._script.popleft() if self._script else model.partition(FAULT)[2]
        name = name.partition(":")[0]
        if name in FAULTS:
            met = (exchange.dialect.name, name)
            self._met[met] += 1
            exchange.nth = self._met[met]
            await FAULTS[name](exchange)
        elif name not in ("", "ok") or not self.knows(model):
            await exchange.refuse(
                404, f"model '{model}' not found", "model_not_found", "invalid_request_error"
            )
        else:
            await exchange.well()

    def knows(self, model: str) -> bool:
        return model.startswith("mock") or model.partition(":")[0] in self.models


class Malformed(Asked):
    """What is asked of a model in a way that no side understands."""


def wanted(request: Request, dialect: Dialect) -> Asked | None:
    """What a request wants of a model; None where it wants nothing of one."""
    try:
        asked = dialect.asked(request)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Malformed("", "")
    return asked and replace(asked, stop=tuple(_stops(request.json)))


def _stops(body: Any) -> Iterator[str]:
    """Texts before which an answer ends, wherever in the body a dialect puts them."""
    for name, value in body.items():
        if name in ("stop", "stop_sequences", "stopSequences"):
            yield from [value] if isinstance(value, str) else value or ()
        elif isinstance(value, dict):
            yield from _stops(value)
