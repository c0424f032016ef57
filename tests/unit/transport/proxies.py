"""Proxies on this machine, written after RFC 9110 (CONNECT), RFC 1928 and RFC 1929 (SOCKS5)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Proxied:
    """What a proxy was told: the heads of requests, or the messages of SOCKS."""

    port: int = 0
    said: list[bytes] = field(default_factory=list)

    def url(self, scheme: str, user: str = "") -> str:
        return f"{scheme}://{user}127.0.0.1:{self.port}"


@asynccontextmanager
async def speaking(speak: Speak) -> AsyncIterator[int]:
    """A server that runs `speak` on each connection; its port."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await speak(reader, writer)
        writer.transport.abort()
        running.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        ending = list(running)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


@asynccontextmanager
async def http_proxy(answer: bytes = ESTABLISHED, *, relay: bool = True) -> AsyncIterator[Proxied]:
    """A proxy that answers CONNECT with these bytes, and passes on to the port named, always on
    this machine, whatever the host's name."""
    seen = Proxied()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.said.append(head)
        writer.write(answer)
        await writer.drain()
        if relay:
            port = int(head.split(b" ")[1].rpartition(b":")[2])
            await joined(reader, writer, port)

    async with speaking(speak) as seen.port:
        yield seen


@asynccontextmanager
async def socks_proxy(
    *,
    method: int = 0,
    accepts: bool = True,
    reply: bytes = b"\x05\0\0\x01\x7f\0\0\x01\x1f\x90",
    after: float = 0.0,
) -> AsyncIterator[Proxied]:
    """A proxy that chooses `method`, answers credentials and, `after` so many seconds, the command,
    and passes on to the port named, always on this machine, if the reply says that it succeeded."""
    seen = Proxied()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.readexactly(2)
        seen.said.append(hello + await reader.readexactly(hello[1]))
        writer.write(bytes([5, method]))
        if method == 2:
            version_and_size = await reader.readexactly(2)
            user = await reader.readexactly(version_and_size[1])
            size = await reader.readexactly(1)
            seen.said.append(version_and_size + user + size + await reader.readexactly(size[0]))
            writer.write(b"\x01\0" if accepts else b"\x01\x01")
        head = await reader.readexactly(5)
        size_left = {1: 4, 3: head[4] + 1, 4: 16}[head[3]] - 1 + 2
        seen.said.append(head + await reader.readexactly(size_left))
        await asyncio.sleep(after)
        writer.write(reply)
        await writer.drain()
        if reply[1:2] == b"\0":
            await joined(reader, writer, int.from_bytes(seen.said[-1][-2:], "big"))

    async with speaking(speak) as seen.port:
        yield seen


async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass bytes to and fro until one side ends."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            goal.write(data)

    ways = [
        asyncio.create_task(pump(reader, far_writer)),
        asyncio.create_task(pump(far_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        far_writer.transport.abort()  # before the wait, which may be cancelled
        await asyncio.gather(*ways, return_exceptions=True)
