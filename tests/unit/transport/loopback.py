"""A server on this machine that a test scripts: what it was sent, and what it does then."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import trustme

from llmctl.dialects import Framing, HttpCall
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Json

CALL = HttpCall("POST", "/chat", {"prompt": "Why?"})
SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@dataclass
class Received:
    """One request: its first line, header fields by lower-case name, and body."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """`left` is set when the other side closes a connection while an answer runs or after it."""

    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}/v1"


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that hands each request to `answer`, on kept connections until `answer` closes."""
    server = Server()
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        server.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                received = await read_request(reader)
                server.requests.append(received)
                await answer(received, writer)
                with suppress(ConnectionError):
                    await writer.drain()
        server.left.set()
        writer.transport.abort()
        running.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        ending = list(running)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    line, *fields = head.split("\r\n")[:-2]
    headers = {name.lower(): value for name, _mark, value in (f.partition(": ") for f in fields)}
    length = re.match(r"\d+", headers.get("content-length", ""))
    body = await reader.readexactly(int(length[0])) if length else b""
    return Received(line, headers, body)


def whole(body: bytes = b"{}", head: bytes = b"", status: bytes = b"200 OK") -> Answer:
    """Answers every request with this body, its length stated."""

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        length = b"Content-Length: %d\r\n" % len(body)
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + length + head + b"\r\n" + body)

    return answer


def raw(data: bytes, *, close: bool = True) -> Answer:
    """Answers with these bytes as they stand, and closes."""

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return answer


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def frames(lane: Lane, call: HttpCall = CALL, framing: Framing = Framing.SSE) -> list[str]:
    """The data of all frames of one exchange."""
    async with lane.exchange(call) as reply:
        return [frame.data async for frame in reply.frames(framing)]


async def status(lane: Lane, call: HttpCall = CALL) -> int:
    """The status of one exchange, its body read."""
    async with lane.exchange(call) as reply:
        await reply.text()
        return reply.status


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's side of TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def lane(base_url: str, **how: Json) -> Lane:
    """A lane to a provider called acme."""
    return Lane(Target(provider="acme", base_url=base_url, **how))
