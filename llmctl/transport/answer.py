"""The head of an answer, with what is known of how it came; its body is still to be read."""

import time
from collections.abc import Iterable
from typing import Any

import httpx


class Body(httpx.AsyncByteStream):
    """Bytes as they come."""

    def spare(self) -> None:
        """From now on it may be left before its formal end: the connection stays."""


class Headers(dict[str, str]):
    """Header fields by name, in lower case, and found by any spelling; those of one name are
    joined. Made without httpx's own, which takes as long as all else of an answer."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__()
        for raw_name, raw in fields:
            name = raw_name.decode("ascii").lower()
            try:
                value = raw.decode()
            except UnicodeDecodeError:
                value = raw.decode("latin-1")
            self[name] = f"{self[name]}, {value}" if name in self else value

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())


class Answer:
    """As much of httpx's response as a `Reply` needs. `extensions` hold `connect_s` (None on a kept
    connection), `reused`, `head_at` (monotonic seconds when the head was there) and `spare`."""

    is_stream_consumed = False

    def __init__(
        self,
        status_code: int,
        fields: list[tuple[bytes, bytes]],
        stream: Body,
        connect_s: float | None,
        reused: bool,
    ) -> None:
        self.status_code = status_code
        self.stream = stream
        self.headers = Headers(fields)
        self.extensions: dict[str, Any] = {
            "connect_s": connect_s,
            "reused": reused,
            "spare": stream.spare,
            "head_at": time.monotonic(),
        }
        self._fields = fields

    async def aclose(self) -> None:
        await self.stream.aclose()

    def as_httpx(self, request: httpx.Request | None = None) -> httpx.Response:
        """The same as httpx has it."""
        return httpx.Response(
            self.status_code,
            headers=self._fields,
            stream=self.stream,
            request=request,
            extensions=self.extensions,
        )
