"""HTTP/1.1 as a server that can also do it wrong: half-made bodies, resets, silence.

Written over asyncio protocols because a framework would not let anything leave the house broken.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


class Gone(Exception):
    """The other side left before the answer was whole."""


@dataclass(slots=True)
class Request:
    """One request as it came, and what became of it. `headers` have lower-case names, `at`,
    `answered_at` and, of answers at a known pace, `sent` are seconds of the monotonic clock;
    `connection` numbers connections from 1."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    at: float
    answered_at: float | None = None
    sent: list[float] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


class Wire(asyncio.Protocol):
    """One connection: requests come out of `next_request`, answers go in through the rest."""

    def __init__(
        self,
        number: int,
        serve: "Callable[[Wire], Awaitable[None]]",
        early: "Callable[[Request, Wire], Awaitable[bool]] | None" = None,
    ) -> None:
        self.number = number
        self._serve = serve
        self._early = early
        self._buffer = bytearray()
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._chunked = False
        self.last = False  # whether the answer ends with the connection

    # ---- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            await self._serve(self)
        finally:
            self.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._changed.set()

    def eof_received(self) -> bool:
        self._leave()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None  # a transport that is gone can no longer be told to go
        self._leave()

    def _leave(self) -> None:
        self._gone.set()
        self._changed.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # ---- reading

    async def next_request(self) -> Request | None:
        """The next whole request, None when the other side is done."""
        head = await self._until(lambda: self._buffer.find(HEAD_END) + 1)
        if head is None:
            return None
        at = time.monotonic()
        raw = bytes(self._buffer[: head - 1]).decode("latin-1")
        del self._buffer[: head - 1 + len(HEAD_END)]
        first, *lines = raw.split("\r\n")
        method, target, _version = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _colon, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        parts = urlsplit(target)
        begun = Request(method, parts.path, parts.query, headers, b"", self.number, at)
        if self._early is not None and await self._early(begun, self):
            return None
        if not await self.received(length):
            return None
        begun.body = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        return begun

    async def received(self, size: int) -> bool:
        """Wait for so many bytes of a body; whether they came."""
        return size == 0 or await self._until(lambda: len(self._buffer) >= size) is not None

    def pause(self) -> None:
        """Take nothing more from the other side."""
        if self._transport is not None:
            self._transport.pause_reading()

    async def _until(self, found: Callable[[], int | bool]) -> int | None:
        while not (result := found()):
            if self._gone.is_set():
                return None
            self._changed.clear()
            await self._changed.wait()
        return int(result)

    # ---- writing

    async def head(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        length: int | None = None,
        chunked: bool = False,
    ) -> None:
        """The status line and headers. Neither length nor chunked: the body ends with the
        connection, as HTTP/1.0 had it."""
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"content-length: {length}")
        if chunked:
            lines.append("transfer-encoding: chunked")
        if length is None and not chunked:
            lines.append("connection: close")
            self.last = True
        self._chunked = chunked
        await self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """A piece of the body, as a chunk of its own where the body is chunked."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        """The proper end of the body."""
        if self._chunked:
            await self.raw(b"0\r\n\r\n")
        self._chunked = False

    async def raw(self, data: bytes) -> None:
        """Bytes as they are; raises Gone when nobody is there to read them."""
        if self._gone.is_set() or self._transport is None or self._transport.is_closing():
            raise Gone
        self._transport.write(data)
        await self._writable.wait()

    async def nap(self, seconds: float) -> None:
        """Do nothing for a while; raises Gone as soon as the other side leaves."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return
        raise Gone

    async def silence(self) -> None:
        """Say nothing more for as long as the other side listens; always raises Gone."""
        await self._gone.wait()
        raise Gone

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def close(self) -> None:
        """End the connection after what was written so far."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        if self._transport is None:
            return
        raw: socket.socket = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def stop(self) -> None:
        """End everything that goes on here, for the end of the server."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()
