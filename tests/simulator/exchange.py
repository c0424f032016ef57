"""One request being answered, and what a dialect must be able to do for that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tests.simulator.answers import Answer, Asked, answer_to
from tests.simulator.wire import Request, Wire

if TYPE_CHECKING:
    from tests.simulator.site import Simulator


class Frames(NamedTuple):
    """A streamed answer ready for the wire: what carries content, and the end mark with what
    follows it."""

    content: Sequence[bytes]
    end: Sequence[bytes]

    @property
    def all(self) -> bytes:
        return b"".join((*self.content, *self.end))


class Dialect(Protocol):
    """How one provider spells requests and answers. A new one is a module and a line in site.py."""

    name: str
    stream_type: str
    limits: Mapping[str, str] = MappingProxyType({})  # headers about what an account may

    def routes(self) -> Mapping[tuple[str, str], "Route"]:
        """(method, path) of what is answered without a model."""
        ...

    def route(self, request: Request) -> "Route | None":
        """What answers a request without a model; its path may have a name in it."""
        return self.routes().get((request.method, request.path))

    def asked(self, request: Request) -> Asked | None:
        """What a request wants of a model; None where its path is not of that kind."""
        ...

    def opens(self, request: Request, key: str) -> bool:
        """Whether the request carries `key`, or needs none."""
        ...

    def frames(self, asked: Asked, answer: Answer) -> Frames: ...

    def whole(self, asked: Asked, answer: Answer) -> bytes: ...

    def frame(self, document: Any) -> bytes:
        """Any JSON document as one unit of a stream."""
        ...

    def error(self, status: int, said: str, code: str | None, kind: str | None) -> Any:
        """The document of an error."""
        ...

    def status(self, status: int, code: str | None) -> int:
        """What this provider answers where others answer `status`."""
        return status


@dataclass(slots=True)
class Exchange:
    """A request for an answer of the model. `nth` counts the requests that met the same fault, from
    1, so that a fault can give way to success. `head` are further headers of the answer."""

    site: "Simulator"
    dialect: Dialect
    request: Request
    wire: Wire
    asked: Asked
    nth: int = 1
    head: Mapping[str, str] = field(default_factory=dict)

    async def json(
        self, document: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """A whole JSON answer."""
        import json

        await self.body(json.dumps(document).encode(), status, headers, "application/json")

    async def body(
        self,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        kind: str = "text/plain; charset=utf-8",
    ) -> None:
        ours = {"content-type": kind, "x-request-id": "req-sim-1"}
        head = {**ours, **self.head, **(headers or {})}
        await self.wire.head(status, head, length=len(body))
        await self.wire.send(body)

    async def refuse(
        self,
        status: int,
        said: str,
        code: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """An error in the dialect's own shape."""
        document = self.dialect.error(status, said, code, kind)
        await self.json(document, self.dialect.status(status, code), headers)

    async def begin(self, *, chunked: bool = True) -> None:
        """The head of a streamed answer."""
        head = {
            "content-type": self.dialect.stream_type,
            "cache-control": "no-cache",
            "x-request-id": "req-sim-1",
            **self.head,
        }
        await self.wire.head(200, head, chunked=chunked)

    async def stream(self, data: bytes | Sequence[bytes]) -> None:
        """A whole streamed answer, each piece a chunk of its own."""
        await self.begin()
        for piece in (data,) if isinstance(data, bytes) else data:
            await self.wire.send(piece)
        await self.wire.end()

    def frames(self, answer: Answer | None = None) -> Frames:
        return self.dialect.frames(self.asked, answer or answer_to(self.asked))

    async def well(self, answer: Answer | None = None) -> None:
        """The answer as it should be, streamed if that was asked for."""
        answer = answer or answer_to(self.asked)
        if self.asked.stream:
            frames = self.frames(answer)
            await self.stream([*frames.content, *frames.end])
        else:
            await self.body(self.dialect.whole(self.asked, answer), kind="application/json")


Route = Callable[[Exchange], Awaitable[None]]
Fault = Callable[[Exchange], Awaitable[None]]

FAULTS: dict[str, Fault] = {}


def fault(play: Fault) -> Fault:
    """Register a fault under the name of its function, with dashes and without leading dash."""
    FAULTS[getattr(play, "__name__", "").strip("_").replace("_", "-")] = play
    return play
