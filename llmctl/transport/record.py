"""A transport that keeps what passes through another one, in memory.

It keeps bytes as they came. What of them may be written to a file is decided where the keys are
known (engine/recording.py); of headers that carry keys only the names stay here, the values go to
`credentials`, so that they can be looked for in everything else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from llmctl.types import NOTHING

# Headers of answers that say something about the answer and nothing about the account.
TELLING = frozenset(
    {
        "content-type",
        "content-encoding",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-request-id",
        "request-id",
    }
)
# Shorter values are words of a protocol, such as "Bearer", and no keys.
SHORTEST_KEY = 8


@dataclass(slots=True)
class Exchange:
    """One request and what came back. `is_call` tells a request of the dialect from one that a flow
    sent to fetch a token; `status` is None where no answer came; `pieces` are the bytes of the body
    as they arrived."""

    method: str
    path: str
    header_names: tuple[str, ...]
    body: bytes
    is_call: bool
    status: int | None = None
    headers: Mapping[str, str] = NOTHING
    pieces: list[bytes] = field(default_factory=list)


class Recorder(httpx.AsyncBaseTransport):
    """Passes everything on to `below` and keeps it in `exchanges`, in order. `key_headers` are the
    names, in lower case, of headers whose values are secret."""

    def __init__(self, below: httpx.AsyncBaseTransport, key_headers: Iterable[str] = ()) -> None:
        self.exchanges: list[Exchange] = []
        self.credentials: set[str] = set()
        self._below = below
        self._secret = {"authorization", "proxy-authorization", "cookie", *key_headers}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for name in self._secret:
            words = request.headers.get(name, "").split()
            self.credentials.update(word for word in words if len(word) >= SHORTEST_KEY)
        kept = Exchange(
            method=request.method,
            path=request.url.raw_path.decode("ascii", "replace"),
            header_names=tuple(sorted(set(request.headers))),
            body=await request.aread(),
            is_call=bool(request.extensions.get("call")),
        )
        self.exchanges.append(kept)
        response = await self._below.handle_async_request(request)
        kept.status = response.status_code
        kept.headers = {
            name: value
            for name, value in response.headers.items()
            if name in TELLING or name.startswith(("x-ratelimit-", "ratelimit"))
        }
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  as transports give
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Kept(response.stream, kept.pieces),
            request=request,
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._below.aclose()


class _Kept(httpx.AsyncByteStream):
    """A body that is written down while it is read."""

    def __init__(self, below: httpx.AsyncByteStream, pieces: list[bytes]) -> None:
        self._below = below
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._below:
            self._pieces.append(bytes(piece))
            yield piece

    async def aclose(self) -> None:
        await self._below.aclose()
