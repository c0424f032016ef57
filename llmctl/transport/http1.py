"""HTTP/1.1 over kept connections, as an httpx transport: one asyncio protocol, and framing that is
our own in the plain case and h11's in all others.

Our own because httpx's asyncio back end (anyio) costs a third of a short run's start-up, because
its pool slows down with the square of its connections, and because the fence of `--local-only`
and the times of a connection belong where the socket is opened.
"""

import asyncio
import time
from math import inf

import httpx

from llmctl.errors import NetworkFailed
from llmctl.transport.answer import Answer
from llmctl.transport.connection import Connection, HttpBody, Origin, Place
from llmctl.transport.dial import Dialling, dial, refused_credentials
from llmctl.transport.patience import Patience
from llmctl.transport.plain import Head, plain_start
from llmctl.transport.proxy import proxy_for
from llmctl.transport.talk import Question

__all__ = ["Connection", "Http1Transport", "Origin", "place_of"]

PORTS = {"http": 80, "https": 443}


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
        extensions = request.extensions
        stream = request.stream if extensions.get("streamed") else None
        body = None if stream is not None else await request.aread()
        idle = extensions.get("timeout", {}).get("read")
        patience = Patience(inf if idle is None else idle)
        try:
            answer = await self.ask(
                *asked(request, body),
                body,
                patience,
                once=bool(extensions.get("once")),
                stream=stream,
            )
        finally:
            patience.close()
        return answer.as_httpx(request)

    async def ask(
        self,
        place: Place,
        question: Question,
        body: bytes | None,
        patience: Patience,
        *,
        once: bool = False,
        stream: object = None,
    ) -> Answer:
        """One request and the head of its answer; `stream` is a body that is sent while it is read.
        The question states a length only where `talk` says so. Raises TimeoutError past the
        deadline of `patience`."""
        connect_s = None
        connection = await self._take(place.origin)
        if connection is not None:
            try:
                head = await _asked(connection, place, question, body, patience, stream)
            except NetworkFailed as error:
                arrived = connection.heard or (once and connection.talk.sent)
                if error.reason != "reset" or arrived:
                    raise
                connection = None  # the server had closed it before this request arrived
        reused = connection is not None
        if connection is None:
            begun = time.monotonic()
            connection = await self._open(place.origin, place.url)
            connect_s = time.monotonic() - begun
            head = await _asked(connection, place, question, body, patience, stream)
        self._kept[place.origin] = connection
        return Answer(head.status, head.fields, HttpBody(connection), connect_s, reused)

    async def _take(self, origin: Origin) -> Connection | None:
        """The kept connection if it can still be used."""
        kept = self._kept.pop(origin, None)
        if kept is None:
            return None
        if kept.is_still:
            return kept
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

    async def aclose(self) -> None:
        for one in self._kept.values():
            one.wire.close()
        self._kept.clear()


def place_of(url: httpx.URL) -> Place:
    host = url.raw_host.decode("ascii")
    return Place((url.scheme, host, url.port or PORTS[url.scheme]), str(url))


def asked(request: httpx.Request, body: bytes | None) -> tuple[Place, Question]:
    """Where a request of httpx goes, and what it asks there."""
    method, target = request.method.encode("ascii"), request.url.raw_path
    fields, place = list(request.headers.raw), place_of(request.url)
    stated = [one for one in fields if one[0].lower() == b"content-length"]
    if body is not None and [value for _name, value in stated] == [b"%d" % len(body)]:
        bare = [one for one in fields if one not in stated]
        if start := plain_start(method, target, bare):
            return place, Question(method, target, bare, start)
    elif not body and not stated:
        start = plain_start(method, target, fields)
        return place, Question(method, target, fields, start, sized=False)
    return place, Question(method, target, fields, None)


async def _asked(
    connection: Connection,
    place: Place,
    question: Question,
    body: bytes | None,
    patience: Patience,
    stream: object,
) -> Head:
    try:
        if stream is not None:
            connection.begin(place, question)
            head = await _while_sending(connection, stream, patience)
        else:
            connection.send(place, question, body)
            head = await connection.head(patience)
        if connection.asked is not None and head.status == 407:
            raise refused_credentials(connection.asked)
        return head
    except BaseException:
        connection.wire.close()
        raise


async def _while_sending(connection: Connection, stream: object, patience: Patience) -> Head:
    """The head of the answer to a request whose body goes out meanwhile. A server may refuse it
    before it has all of it: then nothing more is sent, and the connection is of no more use."""
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  as it was made
    sending = asyncio.create_task(connection.send_stream(stream))
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
