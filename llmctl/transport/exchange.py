"""One request, one answer: what the engine sees of the network.

A `Lane` is one slot of work: one connection to one target, kept between requests. Many requests at
once are many lanes, since a connection pool's cost grows faster than its size.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import httpx

from llmctl import __version__
from llmctl.dialects import Frame, Framing, HttpCall
from llmctl.errors import AuthFailed, ConfigError, NetworkFailed, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.ndjson import NdjsonDecoder
from llmctl.transport.sse import SseDecoder
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from types import TracebackType

LONGEST_WHOLE = 256 * 1024 * 1024
# Comments that keep a connection alive prove that the server lives, not that it works.
PATIENCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one provider is and how it is reached. Times in seconds; `headers` hold the key and are
    never shown; `proxy` None leaves the choice to the environment, "none" goes direct. The scheme
    `llama` is the model inside this process, its path a GGUF file."""

    provider: str
    base_url: str
    headers: Mapping[str, str] = NOTHING
    auth: httpx.Auth | None = None
    ca_file: str | None = None
    proxy: str | None = None
    local_only: bool = False
    connect_timeout: float = 10.0
    idle_timeout: float = 120.0
    timeout: float | None = None
    close_connection: bool = False
    options: Mapping[str, Json] = NOTHING


@dataclass(slots=True)
class Timing:
    """Seconds: `connect_s` is None on a kept connection, `first_byte_s` counts from the start of
    the exchange, `load_s` is what loading a model took."""

    started: float
    connect_s: float | None = None
    reused: bool = False
    first_byte_s: float | None = None
    load_s: float | None = None


class Reply:
    """An answer whose head is here and whose body is still to be read, once."""

    def __init__(self, response: httpx.Response, timing: Timing, target: Target) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.timing = timing
        self._response = response
        self._idle = target.idle_timeout
        self._host = host_of(target.base_url)

    async def text(self, limit: int = 1 << 20) -> str:
        """The body, at most `limit` bytes of it; for answers that are errors."""
        data = bytearray()
        try:
            async for piece in self._pieces():
                data += piece
                if len(data) >= limit:
                    break
        except NetworkFailed:
            pass  # the status has said already that this is an error
        return data[:limit].decode("utf-8", "replace")

    async def frames(self, framing: Framing) -> AsyncGenerator[Frame, None]:
        """The body cut into frames as they come; raises NetworkFailed for silence and breaks,
        ProviderFailed for a web page where an answer should be."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            raise ProviderFailed(
                _("{host} sent a web page instead of an answer", host=self._host),
                hint=_("a login page of the network, or a wrong base_url?"),
                reason="web-page",
                retryable=False,
            )
        if framing is Framing.WHOLE or (framing is Framing.SSE and kind == "application/json"):
            yield Frame(await self._whole())
            return
        decoder = SseDecoder() if framing is Framing.SSE else NdjsonDecoder()
        last = time.monotonic()
        async for piece in self._pieces():
            found = decoder.feed(piece)
            for frame in found:
                yield frame
            if found:
                last = time.monotonic()
            elif time.monotonic() - last > self._idle * PATIENCE:
                raise trouble.silent(self._host, self._idle * PATIENCE)
        for frame in decoder.flush():
            yield frame

    async def _whole(self) -> str:
        data = bytearray()
        async for piece in self._pieces():
            data += piece
            if len(data) > LONGEST_WHOLE:
                raise ProviderFailed(_("the answer does not end"), reason="endless")
        return data.decode("utf-8-sig", "replace")

    async def _pieces(self) -> AsyncIterator[bytes]:
        """The body's bytes, with at most `idle_timeout` seconds between two pieces."""
        source = (
            self._response.aiter_bytes()
            if self.headers.get("content-encoding", "identity") != "identity"
            else aiter(self._response.stream)  # type: ignore[arg-type]  # ours are asynchronous
        )
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise trouble.silent(self._host, self._idle) from None
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise foreign(error, self._host) from None
            yield piece


class Lane:
    """One connection to one target. `transport` takes the place of the wire in tests."""

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport | None = None) -> None:
        check_address(target)
        if target.local_only:
            from llmctl.transport.egress import forbid_egress

            forbid_egress()
        self.target = target
        self._http = httpx.AsyncClient(
            transport=transport or make_transport(target),
            trust_env=False,
            timeout=None,  # noqa: S113  ours are finer: connect, idle and whole
            headers={"User-Agent": f"llmctl/{__version__}", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def exchange(self, http: HttpCall) -> AsyncIterator[Reply]:
        """Send a request and give its answer; leaving early closes the connection at once.

        Raises NetworkFailed for whatever happens on the way, ProviderFailed for a redirect: it is
        not followed, since key and prompt would go along.
        """
        request = self._request(http)
        timing = Timing(time.monotonic())
        response = await self._send(request)
        try:
            extensions = response.extensions
            timing.connect_s = extensions.get("connect_s")
            timing.reused = extensions.get("reused", False)
            timing.load_s = extensions.get("load_s")
            timing.first_byte_s = extensions.get("head_at", time.monotonic()) - timing.started
            if 300 <= response.status_code < 400:
                raise self._redirected(response)
            yield Reply(response, timing, self.target)
        finally:
            await response.aclose()

    def _request(self, http: HttpCall) -> httpx.Request:
        headers = {**http.headers, **self.target.headers}
        if self.target.close_connection:
            headers["Connection"] = "close"
        content = None
        if http.body is not None:
            headers["Content-Type"] = "application/json"
            content = encoded(http.body)
        url = f"{self.target.base_url.rstrip('/')}/{http.path.lstrip('/')}"
        try:
            return self._http.build_request(http.method, url, headers=headers, content=content)
        except (UnicodeEncodeError, httpx.InvalidURL):
            raise AuthFailed(
                _("the key or the address of {provider} holds letters that cannot be sent",
                  provider=self.target.provider),
                hint=_("store the key again: llmctl keys set {provider}",
                       provider=self.target.provider),
                reason="damaged-key",
            ) from None  # fmt: skip

    async def _send(self, request: httpx.Request) -> httpx.Response:
        host = host_of(self.target.base_url)
        try:
            async with asyncio.timeout(self.target.idle_timeout):
                return await self._http.send(
                    request, stream=True, auth=self.target.auth, follow_redirects=False
                )
        except TimeoutError:
            raise trouble.silent(host, self.target.idle_timeout) from None
        except httpx.TransportError as error:
            raise foreign(error, host) from None

    def _redirected(self, response: httpx.Response) -> ProviderFailed:
        goal = urlsplit(response.headers.get("location", ""))
        return ProviderFailed(
            _("{host} sends us on to {goal}; llmctl follows no redirect with a key or a prompt",
              host=host_of(self.target.base_url), goal=goal.hostname or goal.path or "?"),
            hint=_("if that is right: llmctl config set providers.{provider}.base_url URL",
                   provider=self.target.provider),
            status=response.status_code,
            reason="redirect",
            retryable=False,
        )  # fmt: skip


def make_transport(target: Target) -> httpx.AsyncBaseTransport:
    """The wire to a target, or the model inside this process."""
    if target.base_url.startswith("llama:"):
        from llmctl.transport.llama import LlamaTransport

        return LlamaTransport(urlsplit(target.base_url).path, target.options)
    from llmctl.transport.dial import Dialling
    from llmctl.transport.http1 import Http1Transport
    from llmctl.transport.proxy import proxy_for

    proxy = None if target.local_only else proxy_for(target.base_url, target.proxy)
    return Http1Transport(
        Dialling(
            ca_file=target.ca_file,
            proxy=proxy,
            local_only=target.local_only,
            timeout=target.connect_timeout,
        )
    )


def check_address(target: Target) -> None:
    """Raises ConfigError for an address that cannot be right; never shows a password in it."""
    key = f"providers.{target.provider}.base_url"
    try:
        parts = urlsplit(target.base_url)
        _port = parts.port
    except ValueError:
        raise ConfigError(_("{key} is not an address", key=key)) from None
    if parts.scheme not in ("http", "https", "llama"):
        raise ConfigError(
            _("{key} must begin with http:// or https://", key=key),
            hint=_("set it: llmctl config set {key} https://…", key=key),
        )
    if parts.scheme != "llama" and not parts.hostname:
        raise ConfigError(_("{key} names no host", key=key))
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            _("{key} holds a user or password; keys do not belong into addresses", key=key),
            hint=_("store the key: llmctl keys set {provider}", provider=target.provider),
        )


def host_of(base_url: str) -> str:
    """Host and port as they stand in the address, for people."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def encoded(body: Mapping[str, Json]) -> bytes:
    """A body as UTF-8 JSON; raises UsageError for half characters, which have no UTF-8."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            _("the prompt holds half a character (a lone surrogate), which cannot be sent"),
            hint=_("name its encoding with --encoding"),
        ) from None


def foreign(error: Exception, host: str) -> NetworkFailed:
    """An error of httpx itself, which only stand-in transports and content codings raise."""
    if isinstance(error, httpx.TimeoutException):
        return NetworkFailed(_("{host} does not answer", host=host), reason="timeout", host=host)
    if isinstance(error, httpx.ConnectError):
        return NetworkFailed(_("cannot connect to {host}", host=host), reason="connect", host=host)
    return trouble.reset(host)
