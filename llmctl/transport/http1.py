"""HTTP/1.1 over one kept connection, as an httpx transport: asyncio streams and h11's framing.

Our own because httpx's asyncio back end (anyio) costs a third of a short run's start-up, because
its pool slows down with the square of its connections, and because the fence of `--local-only`
and the times of a connection belong where the socket is opened.
"""

import time
from collections.abc import AsyncIterator

import h11
import httpx

from llmctl.errors import NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.dial import Dialling, Stream, dial, proxy_credentials

PORTS = {"http": 80, "https": 443}
BLOCK = 1 << 16
LONGEST_HEAD = 1 << 16


class Connection:
    """A stream to one origin and the state of the conversation on it."""

    def __init__(self, stream: Stream, host: str, connect_s: float) -> None:
        self.reader, self.writer = stream
        self.host = host
        self.connect_s = connect_s
        self.heard = False
        self.talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)

    @property
    def usable(self) -> bool:
        """Whether another request may go out here: the last is over and the server still there."""
        return (
            self.talk.our_state is h11.IDLE
            and not self.reader.at_eof()
            and not self.writer.is_closing()
        )

    def close(self) -> None:
        """Close at once; what is still on its way is dropped, and the server notices."""
        self.writer.transport.abort()

    def send(self, request: httpx.Request, body: bytes, *, absolute: str | None) -> None:
        """Hand the whole request to the loop, which writes while we already read: a server that
        answers before it has read everything does not block us."""
        event = h11.Request(
            method=request.method,
            target=absolute or request.url.raw_path,
            headers=request.headers.raw,
        )
        pieces = [self.talk.send(event)]
        if body:
            pieces.append(self.talk.send(h11.Data(data=body)))
        pieces.append(self.talk.send(h11.EndOfMessage()))
        self.heard = False
        self.writer.writelines(piece for piece in pieces if piece)

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """The next event of the answer; raises NetworkFailed for an answer that breaks off."""
        while True:
            try:
                event = self.talk.next_event()
            except h11.RemoteProtocolError as error:
                raise self._broken(error) from None
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # h11 types its sentinels loosely
            await self.fill()

    async def fill(self) -> None:
        try:
            data = await self.reader.read(BLOCK)
        except OSError:
            raise trouble.reset(self.host) from None
        self.heard = self.heard or bool(data)
        self.talk.receive_data(data)

    def _broken(self, error: h11.RemoteProtocolError) -> NetworkFailed | ProviderFailed:
        if self.reader.at_eof():
            return trouble.reset(self.host)
        return ProviderFailed(
            _("{host} does not speak HTTP: {why}", host=self.host, why=error), reason="not-http"
        )


class Body(httpx.AsyncByteStream):
    """The body of one answer as it comes. Closed before its end, it closes the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._over:
            pieces = self._arrived(await self._connection.next_event())
            if pieces:
                yield b"".join(pieces)
        self._finish()

    def _arrived(self, event: object) -> list[bytes]:
        """The data of `event` and of all that has arrived with it."""
        pieces: list[bytes] = []
        while isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
            try:
                event = self._connection.talk.next_event()
            except h11.RemoteProtocolError:
                return pieces  # comes again, with its cause, at the next reading
        self._over = event is not h11.NEED_DATA
        return pieces

    def _finish(self) -> None:
        talk = self._connection.talk
        if talk.our_state is h11.DONE and talk.their_state is h11.DONE:
            talk.start_next_cycle()
        else:
            self._connection.close()

    async def aclose(self) -> None:
        if not self._over:
            self._over = True
            self._connection.close()


class Http1Transport(httpx.AsyncBaseTransport):
    """One connection, kept while the server keeps it, for one request at a time.

    Answers carry `extensions`: `connect_s` (None on a kept connection), `reused`, `head_at`
    (monotonic seconds when the first byte of the answer was there).
    """

    def __init__(self, how: Dialling) -> None:
        self._how = how
        self._kept: Connection | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        connection = self._take()
        reused = connection is not None
        if connection is None:
            connection = await self._open(request.url)
        try:
            head = await self._head(connection, request, body)
        except NetworkFailed:
            if not reused or connection.heard:
                raise
            # The server had closed the kept connection before this request arrived.
            reused, connection = False, await self._open(request.url)
            head = await self._head(connection, request, body)
        self._kept = connection
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=Body(connection),
            request=request,
            extensions={
                "connect_s": None if reused else connection.connect_s,
                "reused": reused,
                "head_at": time.monotonic(),
            },
        )

    def _take(self) -> Connection | None:
        """The kept connection if it can still be used."""
        kept, self._kept = self._kept, None
        if kept is not None and not kept.usable:
            kept.close()
            return None
        return kept

    async def _open(self, url: httpx.URL) -> Connection:
        begun = time.monotonic()
        port = url.port or PORTS[url.scheme]
        stream = await dial(url.scheme, url.host, port, self._how)
        return Connection(stream, url.host, time.monotonic() - begun)

    async def _head(
        self, connection: Connection, request: httpx.Request, body: bytes
    ) -> h11.Response:
        absolute = None
        proxy = self._how.proxy
        if proxy is not None and not proxy.is_socks and request.url.scheme == "http":
            absolute = str(request.url)
            if credentials := proxy_credentials(proxy):
                request.headers["Proxy-Authorization"] = credentials
        try:
            connection.send(request, body, absolute=absolute)
            while True:
                event = await connection.next_event()
                if isinstance(event, h11.Response):
                    return event
                if not isinstance(event, h11.InformationalResponse):
                    raise trouble.reset(connection.host)
        except BaseException:
            connection.close()
            raise

    async def aclose(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()
