"""One connection's bytes: what has arrived and was not read yet, and whether it is over.

A protocol of our own instead of asyncio's `StreamReader`: that one forgets what it has received
when a write fails, and so loses the answer of a server that refuses a long request half-way.
"""

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ssl import SSLContext

# Reading pauses above this; a slow reader of a fast answer does not fill the memory.
MOST_WAITING = 256 * 1024


class Wire(asyncio.Protocol):
    """Read from with `read` and `read_until`, written to with `write`; one reader at a time."""

    def __init__(self) -> None:
        self.over = False
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._arrived: list[bytes] = []
        self._size = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    # ---- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._arrived.append(data)
        self._size += len(data)
        if self._size > MOST_WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.over = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.over = True
        self._error = error
        self._flowing.set()
        self._wake()

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- for us

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None  # noqa: S101  the loop calls connection_made first
        return self._transport

    @property
    def quiet(self) -> bool:
        """Whether the connection stands and nothing has arrived that nobody asked for."""
        return not (self.over or self._arrived or self.transport.is_closing())

    @property
    def unsent(self) -> int:
        """Bytes written here that the system has not taken yet."""
        return 0 if self.over else self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Never blocks: what the system does not take at once goes out while we read."""
        self.transport.write(data)

    async def drain(self) -> None:
        """Wait until the system takes more; raises OSError where it never will."""
        await self._flowing.wait()
        if self.over:
            raise ConnectionResetError

    async def read(self) -> bytes:
        """What has arrived, at least one byte; b"" once the other side has ended it. Raises
        OSError for a connection that broke."""
        while not self._arrived:
            if self.over:
                if self._error is not None:
                    raise OSError(str(self._error)) from self._error
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.arrived()

    def arrived(self) -> bytes:
        """What is here by now, b"" for nothing."""
        data = self._arrived[0] if len(self._arrived) == 1 else b"".join(self._arrived)
        self._arrived.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            if not self.over:
                self.transport.resume_reading()
        return data

    async def read_exactly(self, size: int) -> bytes:
        """Raises EOFError when the other side ends first."""
        data = b""
        while len(data) < size:
            data += await self._more()
        self._put_back(data[size:])
        return data[:size]

    async def read_until(self, mark: bytes, most: int) -> bytes:
        """Up to and with `mark`; raises EOFError when it does not come within `most` bytes."""
        data = b""
        while (begins := data.find(mark)) < 0 and len(data) <= most:
            data += await self._more()
        end = begins + len(mark)
        if begins < 0 or end > most:
            raise EOFError
        self._put_back(data[end:])
        return data[:end]

    async def _more(self) -> bytes:
        if data := await self.read():
            return data
        raise EOFError

    def _put_back(self, rest: bytes) -> None:
        if rest:
            self._arrived.insert(0, rest)
            self._size += len(rest)

    async def secure(self, context: "SSLContext", host: str) -> None:
        """Put TLS on top; raises OSError (an SSLError among them). What came before, unprotected,
        would pass for something said under TLS: then there is no connection."""
        if self._arrived:
            raise ConnectionAbortedError
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self.transport, self, context, server_hostname=host)
        if secured is None:
            raise ConnectionResetError
        self._transport = secured

    def close(self) -> None:
        """At once: what is still on its way is dropped, and the other side notices."""
        self.over = True
        if self._transport is not None:
            self._transport.abort()
