"""One connection to one server: a wire, what is said and heard on it, and how long that takes."""

import asyncio
import select
from collections.abc import AsyncIterable, Callable
from typing import NamedTuple, Self

from llmctl.errors import NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.answer import Body
from llmctl.transport.dial import proxy_credentials
from llmctl.transport.patience import Patience
from llmctl.transport.plain import Head, plain_start
from llmctl.transport.proxy import Proxy
from llmctl.transport.talk import Nonsense, Question, Talk, Unsayable
from llmctl.transport.wire import Wire

SMALL_BODY = 64 * 1024  # copied behind the head, to leave in one packet

Origin = tuple[str, str, int]


class Place(NamedTuple):
    """Where a question goes: to `origin`, whose port is always stated; `url` is the whole of it."""

    origin: Origin
    url: str


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
        self._poll: Callable[[int], object] | None = None
        self.talk = Talk()

    @property
    def usable(self) -> bool:
        """Whether another request may go out here: the last is over and the server still there."""
        return self.talk.idle and self.wire.quiet

    @property
    def is_still(self) -> bool:
        """Whether it is usable, and the system knows nothing that we do not know yet; False in
        doubt."""
        if not self.usable:
            return False
        if self._poll is None:
            try:
                poll = select.poll()  # none on Windows
                poll.register(self.wire.transport.get_extra_info("socket"), select.POLLIN)
            except (AttributeError, OSError, TypeError, ValueError):
                return False
            self._poll = poll.poll
        return not self._poll(0)

    def send(self, place: Place, question: Question, body: bytes | None) -> None:
        """Hand the whole request to the loop, which writes while we already read: a server that
        answers before it has read everything does not block us."""
        try:
            head = self.talk.ask(self._through(place, question), body)
        except Unsayable:
            raise trouble.damaged_key(self.provider) from None
        self.heard = False
        if body is None:
            self.wire.write(head)
        elif len(body) <= SMALL_BODY:
            self.wire.write(head + body)
        else:
            self.wire.write(head)
            self.wire.write(body)

    def begin(self, place: Place, question: Question) -> None:
        """Only the head of a request goes out; `send_stream` follows."""
        try:
            head = self.talk.begin(self._through(place, question))
        except Unsayable:
            raise trouble.damaged_key(self.provider) from None
        self.heard = False
        self.wire.write(head)

    def _through(self, place: Place, question: Question) -> Question:
        """The question as the proxy wants to hear it, where it is one that is asked."""
        if self.asked is None:
            return question
        fields = question.fields
        if credentials := proxy_credentials(self.asked):
            fields = [*fields, (b"Proxy-Authorization", credentials.encode("ascii"))]
        target = place.url.encode("ascii")
        start = question.start and plain_start(question.method, target, fields)
        return Question(question.method, target, fields, start)

    async def send_stream(self, pieces: AsyncIterable[bytes]) -> None:
        """The body after the head, no faster than the server takes it."""
        async for piece in pieces:
            self.talk.go_on(piece)
            self.wire.write(piece)
            self.sent += len(piece)
            await self.wire.drain()
            await asyncio.sleep(0)  # a fast server must not keep everything else from its turn
        self.talk.end()

    async def listen(self) -> None:
        """Take in what arrives next; raises NetworkFailed where the connection breaks,
        ProviderFailed for what is no HTTP."""
        try:
            data = await self.wire.read()
        except OSError:
            raise self._gone() from None
        if not self.heard and not b"HTTP/".startswith(data[:5]):
            # h11 would wait for the end of a line that never comes.
            raise self._no_http(repr(data[:20].decode("latin-1")))
        self.heard = self.heard or bool(data)
        self._ended = not data
        self.talk.hear(data)

    def _gone(self) -> NetworkFailed:
        if self.heard:
            return trouble.broken_off(self.host, self.provider)
        return trouble.no_answer(self.host, self.provider)

    def broken(self, error: Nonsense) -> NetworkFailed | ProviderFailed:
        """What it means that the answer is nonsense: that it breaks off, or that it is no HTTP."""
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

    async def head(self, patience: Patience) -> Head:
        """The head of the answer; raises NetworkFailed (idle) when it did not come within the
        time of `patience`, counted anew as long as bytes of the request go out."""
        gone = self.sent - self.wire.unsent
        while True:
            try:
                return await patience.bear(self._head())
            except TimeoutError:
                if patience.overdue or self.sent - self.wire.unsent <= gone:
                    raise trouble.silent(self.host, patience.idle, self.provider) from None
                gone = self.sent - self.wire.unsent

    async def _head(self) -> Head:
        talk = self.talk
        while True:
            await self.listen()
            try:
                if head := talk.head():
                    return head
            except Nonsense as error:
                raise self.broken(error) from None

    def catch_up(self) -> None:
        """Take in the end of an answer that nobody waited for, if it has come by now."""
        talk = self.talk
        if not talk.receiving or self.wire.quiet:
            return
        talk.hear(self.wire.arrived())
        try:
            while not talk.over and talk.piece():
                pass
        except Nonsense:
            return
        if talk.over:
            self.finish()

    def finish(self) -> None:
        """The answer is whole: make ready for the next, or close."""
        # With something unsent the server has answered before it had read everything.
        if self.wire.unsent or not self.talk.finish():
            self.wire.close()


class HttpBody(Body):
    """The body of one answer as it comes. Closed before its end, it closes the connection."""

    __slots__ = ("_connection", "_over", "_spared")

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
            if piece := self.arrived():
                return piece
            if not self._over:
                await self._connection.listen()
        raise StopAsyncIteration

    def arrived(self) -> bytes:
        """What of it is here already and was not taken, b"" for nothing."""
        connection = self._connection
        talk = connection.talk
        try:
            piece = talk.piece()
        except Nonsense as error:
            raise connection.broken(error) from None
        if talk.over:
            self._over = True
            connection.finish()
        return piece

    async def aclose(self) -> None:
        if not self._over:
            self._over = True
            if not self._spared:
                self._connection.wire.close()
