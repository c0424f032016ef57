"""Files fetched over HTTP: redirects followed without the key, transfers taken up where they broke.

The only place that follows redirects. The key goes to the host it was meant for and to no other,
and nothing goes from https to http.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from llmctl import __version__
from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NetworkFailed,
    NotFound,
    ProviderFailed,
    RateLimited,
)
from llmctl.files import FILE, io_failed
from llmctl.messages import _
from llmctl.transport.egress import literal, names_this_machine
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.transport.dial import Dialling

MOST_REDIRECTS = 8
# The Hub's words for what there is not.
MISSING = ("RepoNotFound", "RevisionNotFound", "EntryNotFound")
BLOCK = 1 << 20

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What a host says of a file before it is fetched: `size` in bytes, `sha256` in hex and the
    `revision` it belongs to, each None where it is not said."""

    size: int | None = None
    sha256: str | None = None
    revision: str | None = None


class Source:
    """One file at one address. `headers` hold the key and go to the host of `url` alone;
    `elsewhere` is how hosts are reached to which a redirect leads, where that is another way;
    `transport` takes the place of the wire in tests. Raises what connections raise, AuthFailed,
    NotFound, RateLimited and ProviderFailed."""

    def __init__(
        self,
        url: str,
        how: "Dialling",
        headers: Mapping[str, str],
        *,
        idle_timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        elsewhere: "Dialling | None" = None,
    ) -> None:
        self.url = url
        self._elsewhere = elsewhere
        self._how = how
        self._headers = headers
        self._idle = idle_timeout
        self._transport = transport

    async def look(self) -> Remote:
        """Ask without fetching. The first answer speaks for the file: behind a redirect stands
        only a store that does not know what it keeps."""
        async with self._answered("HEAD", {}) as (first, last):
            return remote(first, last)

    async def fetch(self, part: Path, report: Report) -> None:
        """Append what is missing to `part`; `report` gets the bytes that are there by now.

        Raises IoFailed for a disk that is full or not ours; what had come stays in `part`.
        """
        have = size_of(part)
        asked = {"Range": f"bytes={have}-"} if have else {}
        async with self._answered("GET", asked) as (_first, last):
            if last.status_code == 416:  # nothing beyond what we have
                return
            more = last.status_code == 206
            have = have if more else 0
            try:
                with appending(part) if more else beginning(part) as file:
                    async for piece in self._pieces(last):
                        file.write(piece)
                        have += len(piece)
                        report(have)
            except OSError as error:
                raise io_failed(error, part) from error

    async def read(self, limit: int) -> bytes:
        """The whole of a small document; raises ProviderFailed for one of more than `limit`
        bytes."""
        return (await self.page(limit))[0]

    async def page(self, limit: int) -> tuple[bytes, str | None]:
        """The same, and the address of the next page where the document has one that goes on."""
        from llmctl.transport.lines import endless

        async with self._answered("GET", {}) as (_first, last):
            body = bytearray()
            async for piece in self._pieces(last):
                body += piece
                if len(body) > limit:
                    raise endless()
            following = last.links.get("next", {}).get("url")
            return bytes(body), urljoin(self.url, following) if following else None

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        from llmctl.transport.patience import Patience

        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  transports are async
        patience = Patience(self._idle)
        stream = aiter(response.stream)
        try:
            while True:
                try:
                    yield await patience.bear(anext(stream))
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise self._silent() from None
        finally:
            patience.close()

    def _silent(self) -> NetworkFailed:
        from llmctl.transport.trouble import silent

        return silent(urlsplit(self.url).netloc, self._idle, self._how.provider)

    @asynccontextmanager
    async def _answered(
        self, method: str, more: Mapping[str, str]
    ) -> AsyncIterator[tuple[httpx.Response, httpx.Response]]:
        """The first answer and the one behind all redirects."""
        transport = self._transport or self._wire(self._how)
        away = self._transport or (self._wire(self._elsewhere) if self._elsewhere else transport)
        home = urlsplit(self.url).hostname or ""
        # Other names may have another address by then, those of one's own network, too.
        fixed = literal(home) is not None or names_this_machine(home)
        try:
            first = response = await self._sent(transport, method, self.url, more)
            place = self.url
            for _hop in range(MOST_REDIRECTS):
                if response.status_code not in (301, 302, 303, 307, 308):
                    break
                place = self._next(place, response)
                await response.aclose()
                near = fixed and urlsplit(place).hostname == home
                response = await self._sent(transport if near else away, method, place, more)
            try:
                if response.status_code not in (200, 206, 416):
                    raise refused(response, self._how.provider)
                yield first, response
            finally:
                await response.aclose()
        finally:
            if self._transport is None:
                await transport.aclose()
                await away.aclose()

    def _wire(self, how: "Dialling") -> httpx.AsyncBaseTransport:
        from llmctl.transport.http1 import Http1Transport

        return Http1Transport(how)

    async def _sent(
        self, transport: httpx.AsyncBaseTransport, method: str, url: str, more: Mapping[str, str]
    ) -> httpx.Response:
        headers = {"User-Agent": f"llmctl/{__version__}", "Accept-Encoding": "identity", **more}
        if origin(url) == origin(self.url):
            headers |= self._headers
        try:
            request = httpx.Request(
                method, url, headers=headers, extensions={"timeout": {"read": self._idle}}
            )
        except httpx.InvalidURL as error:
            raise self._no_address(error) from None
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    def _next(self, place: str, response: httpx.Response) -> str:
        try:
            goal: str = urljoin(place, response.headers.get("location", ""))
            before, after = urlsplit(place), urlsplit(goal)
        except ValueError as error:
            raise self._no_address(error) from None
        if not after.hostname or (before.scheme == "https" and after.scheme != "https"):
            raise ProviderFailed(
                _("{host} sends us on to {goal}, which is not secure", host=before.netloc,
                  goal=after.netloc or "?"),
                provider=self._how.provider,
                reason="redirect",
                retryable=False,
            )  # fmt: skip
        return goal

    def _no_address(self, why: Exception) -> ProviderFailed:
        """Of the first address, or of where a redirect leads."""
        return ProviderFailed(
            _("no valid address: {why}", why=why),
            provider=self._how.provider,
            reason="redirect",
            retryable=False,
        )


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def appending(path: Path) -> BinaryIO:
    return _open(path, os.O_APPEND)


def beginning(path: Path) -> BinaryIO:
    return _open(path, os.O_TRUNC)


def _open(path: Path, mode: int) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | mode, FILE), "wb", buffering=BLOCK)


def origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def remote(first: httpx.Response, last: httpx.Response) -> Remote:
    """From the headers that the Hugging Face Hub sets for large files; an ETag of 64 hex digits is
    the checksum there, any other is not."""
    tag = first.headers.get("x-linked-etag") or last.headers.get("etag") or ""
    tag = tag.removeprefix("W/").strip('"')
    size = first.headers.get("x-linked-size") or last.headers.get("content-length") or ""
    return Remote(
        size=int(size) if size.isascii() and size.isdigit() else None,
        sha256=tag if len(tag) == 64 and all(one in "0123456789abcdef" for one in tag) else None,
        revision=first.headers.get("x-repo-commit"),
    )


def refused(response: httpx.Response, provider: str) -> LlmctlError:
    """The error for an answer that is no file."""
    url = response.request.url
    status, place = response.status_code, f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}"
    said = response.headers.get("x-error-message", "")
    text = _("{place}: the host answered {status} {said}", place=place, status=status, said=said)
    text = text.rstrip()
    host = urlsplit(place).netloc
    # The Hub answers 401 to who asks without a token for what there is not.
    missing = response.headers.get("x-error-code") in MISSING
    if status in (401, 403) and not missing:
        return AuthFailed(
            text,
            provider=provider,
            host=host,
            status=status,
            reason="gated" if response.headers.get("x-error-code") == "GatedRepo" else None,
            hint=_("a gated model? accept its licence on its page, then set HF_TOKEN"),
        )
    if status == 404 or missing:
        return NotFound(text, provider=provider, host=host, status=status)
    if status == 429:
        return RateLimited(text, provider=provider, host=host, status=status, reason="rate")
    return ProviderFailed(text, provider=provider, host=host, status=status)
