"""HTTP/1.1 over kept connections, as an httpx transport: one asyncio protocol and h11's framing.

Our own because httpx's asyncio back end (anyio) costs a third of a short run's start-up, because
its pool slows down with the square of its connections, and because the fence of `--local-only`
and the times of a connection belong where the socket is opened.
"""

import asyncio
import time
from collections.abc import AsyncIterable
from typing import Self

import h11
import httpx

from llmctl.errors import NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.dial import Dialling, dial, proxy_credentials, refused_credentials
from llmctl.transport.proxy import Proxy, proxy_for
from llmctl.transport.wire import Wire

PORTS = {"http": 80, "https": 443}
LONGEST_HEAD = 64 * 1024
SMALL_BODY = 64 * 1024  # copied behind the head, to leave in one packet

Origin = tuple[str, str, int]


class Connection:
    """A wire to one origin and the state of the conversation on it."""

    def __init__(self, wire: Wire, origin: Origin, proxy: Proxy | None, provider: str) -> None:
        self.wire = wire
        self.host = origin[1]
        self.provider = provider
        # An HTTP proxy is asked for whole URLs, unless TLS goes through it as through a pipe.
        self.asked = proxy if origin[0] == "http" and proxy and not proxy.is_socks else None
        self.heard = False
        self.sent = 0
        self._ended = False
        self._error: h11.RemoteProtocolError | None = None
        self.talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)

    @property
    def usable(self) -> bool:
        """Whether another request may go out here: the last is over and the server still there."""
        return self.talk.our_state is h11.IDLE and self.wire.quiet

    @property
    def has_sent(self) -> bool:
        """Whether all of the last request has gone out."""
        return self.talk.our_state is not h11.SEND_BODY

    def send(self, request: httpx.Request, body: bytes | None) -> None:
        """Hand the whole request to the loop, which writes while we already read: a server that
        answers before it has read everything does not block us. Without a body only the head goes
        out; `send_stream` follows."""
        target, headers = request.url.raw_path, request.headers.raw
        if self.asked is not None:
            target = str(request.url).encode("ascii")
            if credentials := proxy_credentials(self.asked):
                headers = [*headers, (b"Proxy-Authorization", credentials.encode("ascii"))]
        try:
            event = h11.Request(method=request.method, target=target, headers=headers)
        except h11.LocalProtocolError:  # its text would show the key
            raise trouble.damaged_key(self.provider) from None
        head = self.talk.send(event)
        assert head is not None  # noqa: S101  None stands for a connection to be closed
        self.heard = False
        if body is None:
            self.wire.write(head)
            return
        if len(body) <= SMALL_BODY:
            self.wire.write(head + body)
        else:
            self.wire.write(head)
            self.wire.write(body)
        if body:
            self.talk.send(h11.Data(data=body))  # keeps count; the length is always stated
        self.talk.send(h11.EndOfMessage())

    async def send_stream(self, pieces: AsyncIterable[bytes]) -> None:
        """The body after the head, no faster than the server takes it."""
        async for piece in pieces:
            self.talk.send(h11.Data(data=piece))
            self.wire.write(piece)
            self.sent += len(piece)
            await self.wire.drain()
            await asyncio.sleep(0)  # a fast server must not keep everything else from its turn
        self.talk.send(h11.EndOfMessage())

    async def next_event(self) -> object:
        """The next event of the answer; raises NetworkFailed for an answer that breaks off,
        ProviderFailed for one that is no HTTP."""
        while True:
            try:
                event = self.arrived()
            except h11.RemoteProtocolError as error:
                raise self._broken(error) from None
            if event is not h11.NEED_DATA:
                return event
            self.talk.receive_data(await self._read())

    def arrived(self) -> object:
        """The next event of what is here already; raises h11.RemoteProtocolError, the same one
        again when called again."""
        if self._error is not None:
            raise self._error
        try:
            return self.talk.next_event()
        except h11.RemoteProtocolError as error:
            self._error = error
            raise

    async def _read(self) -> bytes:
        try:
            data = await self.wire.read()
        except OSError:
            raise self._gone() from None
        if not self.heard and not b"HTTP/".startswith(data[:5]):
            # h11 would wait for the end of a line that never comes.
            raise self._no_http(repr(data[:20].decode("latin-1")))
        self.heard = self.heard or bool(data)
        self._ended = not data
        return data

    def _gone(self) -> NetworkFailed:
        if self.heard:
            return trouble.broken_off(self.host, self.provider)
        return trouble.no_answer(self.host, self.provider)

    def _broken(self, error: h11.RemoteProtocolError) -> NetworkFailed | ProviderFailed:
        if self._ended:  # and not `wire.over`: it may have said nonsense and then closed
            return self._gone()
        return self._no_http(str(error))

    def _no_http(self, why: str) -> ProviderFailed:
        return ProviderFailed(
            _("{host} does not speak HTTP: {why}", host=self.host, why=why),
            reason="not-http",
            retryable=False,
            provider=self.provider,
            host=self.host,
            hint=_("check the address: llmctl config get providers.{provider}.base_url",
                   provider=self.provider),
        )  # fmt: skip

    async def head(self, patience: float | None) -> h11.Response:
        """The head of the answer; raises NetworkFailed (idle) when it did not come within
        `patience` seconds, counted anew as long as bytes of the request go out."""
        gone = self.sent - self.wire.unsent
        while True:
            try:
                async with asyncio.timeout(patience):
                    return await self._head()
            except TimeoutError:
                if self.sent - self.wire.unsent <= gone:
                    raise trouble.silent(self.host, patience or 0.0, self.provider) from None
                gone = self.sent - self.wire.unsent

    async def _head(self) -> h11.Response:
        while True:
            event = await self.next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise self._gone()

    def catch_up(self) -> None:
        """Take in the end of an answer that nobody waited for, if it has come by now."""
        if self.talk.their_state is not h11.SEND_BODY or self.wire.quiet:
            return
        self.talk.receive_data(self.wire.arrived())
        try:
            while type(event := self.arrived()) is h11.Data:
                pass
        except h11.RemoteProtocolError:
            return
        if type(event) is h11.EndOfMessage:
            self.finish()

    def finish(self) -> None:
        """The answer is whole: make ready for the next, or close."""
        talk = self.talk
        if (
            talk.our_state is h11.DONE
            and talk.their_state is h11.DONE
            and not self.wire.unsent  # the server answered before it had read everything
            and not talk.trailing_data[0]  # what it sent unasked would pass as the next answer
        ):
            talk.start_next_cycle()
        else:
            self.wire.close()


class Body(httpx.AsyncByteStream):
    """The body of one answer as it comes. Closed before its end, it closes the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._over = False
        self._spared = False

    def spare(self) -> None:
        """Only the formal end is still to come, often in a packet of its own: what closes this body
        from now on leaves the connection, which catches up before the next request."""
        self._spared = True

    def __aiter__(self) -> Self:  # an iterator by itself, no generator
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            if piece := self._arrived(await self._connection.next_event()):
                return piece
        raise StopAsyncIteration

    def _arrived(self, event: object) -> bytes:
        """The data of `event` and of all that has arrived with it."""
        pieces: list[bytes] = []
        while type(event) is h11.Data:
            pieces.append(event.data)
            try:
                event = self._connection.arrived()
            except h11.RemoteProtocolError:
                break  # comes again, with its cause, at the next reading
        else:
            if event is not h11.NEED_DATA:
                self._over = True
                self._connection.finish()
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    async def aclose(self) -> None:
        if not self._over:
            self._over = True
            if not self._spared:
                self._connection.wire.close()


class Http1Transport(httpx.AsyncBaseTransport):
    """A connection to each origin, kept while the server keeps it, for one request at a time.

    Requests may carry `extensions["timeout"]["read"]`, the seconds of silence to bear before the
    head of the answer, `streamed` where the body is to be read while it is sent, and `once` where
    all of it must not go out twice. Answers carry `extensions`: `connect_s` (None on a kept
    connection), `reused`, `head_at` (monotonic seconds when the head of the answer was there), and
    `spare`, to be called once the rest of the body is of no interest but the connection is.
    """

    def __init__(self, how: Dialling) -> None:
        self._how = how
        self._kept: dict[Origin, Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = None if request.extensions.get("streamed") else await request.aread()
        once = bool(request.extensions.get("once"))
        url = request.url
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])
        connect_s = None
        connection = await self._take(origin)
        if connection is not None:
            try:
                head = await self._asked(connection, request, body)
            except NetworkFailed as error:
                arrived = connection.heard or (once and connection.has_sent)
                if error.reason != "reset" or arrived:
                    raise
                connection = None  # the server had closed it before this request arrived
        reused = connection is not None
        if connection is None:
            begun = time.monotonic()
            connection = await self._open(origin, str(url))
            connect_s = time.monotonic() - begun
            head = await self._asked(connection, request, body)
        self._kept[origin] = connection
        stream = Body(connection)
        known = {"connect_s": connect_s, "reused": reused, "spare": stream.spare}
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=stream,
            request=request,
            extensions={**known, "head_at": time.monotonic()},
        )

    async def _take(self, origin: Origin) -> Connection | None:
        """The kept connection if it can still be used."""
        kept = self._kept.pop(origin, None)
        if kept is None:
            return None
        # Two turns of the loop: what the system knows of the connection by now, we know then.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        kept.catch_up()
        if kept.usable:
            return kept
        kept.wire.close()
        return None

    async def _open(self, origin: Origin, url: str) -> Connection:
        how = self._how
        proxy = None if how.local_only else proxy_for(url, how.proxy)
        wire = await dial(*origin, proxy, how)
        return Connection(wire, origin, proxy, how.provider)

    async def _asked(
        self, connection: Connection, request: httpx.Request, body: bytes | None
    ) -> h11.Response:
        patience = request.extensions.get("timeout", {}).get("read")
        try:
            connection.send(request, body)
            if body is None:
                head = await _while_sending(connection, request, patience)
            else:
                head = await connection.head(patience)
            if connection.asked is not None and head.status_code == 407:
                raise refused_credentials(connection.asked)
            return head
        except BaseException:
            connection.wire.close()
            raise

    async def aclose(self) -> None:
        for one in self._kept.values():
            one.wire.close()
        self._kept.clear()


async def _while_sending(
    connection: Connection, request: httpx.Request, patience: float | None
) -> h11.Response:
    """The head of the answer to a request whose body goes out meanwhile. A server may refuse it
    before it has all of it: then nothing more is sent, and the connection is of no more use."""
    assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  as it was made
    sending = asyncio.create_task(connection.send_stream(request.stream))
    reading = asyncio.create_task(connection.head(patience))
    try:
        await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
        failed = sending.exception() if sending.done() else None
        if failed is not None and not isinstance(failed, OSError):
            raise failed  # the file cannot be read
        return await reading
    finally:
        for task in (sending, reading):
            task.cancel()
        await asyncio.gather(sending, reading, return_exceptions=True)
