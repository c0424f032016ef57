"""An answer: its head, and its body as frames or as text."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from llmctl.dialects import Frame, Framing
from llmctl.errors import NetworkFailed, ProviderFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.ndjson import NdjsonDecoder
from llmctl.transport.patience import Patience
from llmctl.transport.sse import SseDecoder
from llmctl.transport.whole import WholeDecoder

if TYPE_CHECKING:
    from llmctl.transport.answer import Answer
    from llmctl.transport.target import Target

WHOLE = (Framing.WHOLE, Framing.BYTES)

# Comments that keep a connection alive prove that the server lives, not that it works: they are
# borne for this many times the idle time.
COMMENTS_FACTOR = 5


@dataclass(slots=True)
class Timing:
    """Seconds. `started` and `asked` are moments of the monotonic clock: when the exchange began,
    and when the call itself was sent off, which is later where a token had to be fetched first;
    `auth_s` lies between them, None where no flow fetches tokens. `connect_s` (name look-up,
    connection, a proxy's consent, TLS) is None on a kept connection. `first_byte_s` is from `asked`
    until the head of the answer was here, `load_s` what loading a model took."""

    started: float
    asked: float = 0.0
    auth_s: float | None = None
    connect_s: float | None = None
    reused: bool = False
    first_byte_s: float | None = None
    load_s: float | None = None


class Reply:
    """An answer whose head is here and whose body is still to be read, once."""

    def __init__(
        self, response: httpx.Response | Answer, timing: Timing, target: Target, patience: Patience
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.timing = timing
        self._response = response
        self._target = target
        self._patience = patience
        self._source = _source(response)

    async def text(self, limit: int = 1 << 20) -> str:
        """The body, at most `limit` bytes of it; for answers that are errors."""
        data = bytearray()
        try:
            while len(data) < limit and (piece := await self._piece()) is not None:
                data += piece
        except (NetworkFailed, ProviderFailed):
            pass  # the status has said already that this is an error
        body = bytes(data[:limit])
        try:
            return body.decode(self._charset(), "replace")
        except (LookupError, ValueError):  # no such encoding, or none of text
            return body.decode("utf-8", "replace")

    async def frames(self, framing: Framing) -> AsyncGenerator[Frame, None]:
        """The body cut into frames as they come; closed early, it closes the connection at once.

        Raises NetworkFailed for silence and breaks, ProviderFailed for a web page where an answer
        should be and for one that does not come to an end.
        """
        decoder = self._decoder(framing)
        fruitless = COMMENTS_FACTOR * self._target.idle_timeout
        last = time.monotonic()
        try:
            while (piece := await self._piece()) is not None:
                if found := decoder.feed(piece):
                    for frame in found:
                        yield frame
                    last = time.monotonic()
                elif framing not in WHOLE and time.monotonic() - last > fruitless:
                    raise trouble.silent(self._target.host, fruitless, self._target.provider)
            for frame in decoder.flush():
                yield frame
        finally:
            await self._response.aclose()

    async def aclose(self) -> None:
        """Close the connection, unless all of the body was read."""
        await self._response.aclose()

    def spare(self) -> None:
        """The answer is whole though its body may not have ended: keep the connection for the next
        request, if the end comes by then."""
        if spare := self._response.extensions.get("spare"):
            spare()

    def _decoder(self, framing: Framing) -> SseDecoder | NdjsonDecoder | WholeDecoder:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            raise ProviderFailed(
                _("{host} sent a web page instead of an answer", host=self._target.host),
                hint=_("a login page of the network? or see the address:"
                       " llmctl config get providers.{provider}.base_url",
                       provider=self._target.provider),
                reason="web-page",
                retryable=False,
            )  # fmt: skip
        if framing is Framing.BYTES and not kind.endswith("json") and not kind.startswith("text/"):
            return WholeDecoder(media_type=kind)
        if framing in WHOLE or (framing is Framing.SSE and kind == "application/json"):
            return WholeDecoder()
        return SseDecoder() if framing is Framing.SSE else NdjsonDecoder()

    def _charset(self) -> str:
        _kind, _mark, named = self.headers.get("content-type", "").lower().partition("charset=")
        return named.partition(";")[0].strip(' "') or "utf-8"

    async def _piece(self) -> bytes | None:
        """The next bytes of the body, None at its end."""
        target = self._target
        if self._patience.overdue:
            raise trouble.too_late(target.host, target.timeout or 0.0, target.provider)
        try:
            return await self._patience.bear(anext(self._source))
        except StopAsyncIteration:
            return None
        except TimeoutError:
            if self._patience.overdue:
                raise trouble.too_late(
                    target.host, target.timeout or 0.0, target.provider
                ) from None
            raise trouble.silent(target.host, target.idle_timeout, target.provider) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise foreign(error, target) from None


def _source(response: httpx.Response | Answer) -> AsyncIterator[bytes]:
    """The body, past httpx's own reading, which costs as much again, unless there is something to
    unpack."""
    if not isinstance(response, httpx.Response):
        return aiter(response.stream)
    coded = response.headers.get("content-encoding", "identity") != "identity"
    if coded or response.is_stream_consumed:  # by a flow that fetches tokens: httpx has the bytes
        return response.aiter_bytes()
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  transports are async
    return aiter(response.stream)


def foreign(error: Exception, target: Target) -> NetworkFailed:
    """An error of httpx itself, which only stand-in transports and content codings raise."""
    host, provider = target.host, target.provider
    if isinstance(error, httpx.TimeoutException):
        return trouble.silent(host, target.idle_timeout, provider)
    if isinstance(error, httpx.ConnectError):
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error))
        return trouble.no_connection(cause, host.partition(":")[0], 0, provider)
    return trouble.broken_off(host, provider)
