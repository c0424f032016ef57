"""A whole body as one frame, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import endless

LONGEST_BODY = 256 * 1024 * 1024


class WholeDecoder:
    """Bytes in, one frame at the end, an empty body too; of a body with a `media_type` it holds the
    bytes as they are. Raises ProviderFailed past `longest`."""

    __slots__ = ("_body", "_longest", "_media_type")

    def __init__(self, longest: int = LONGEST_BODY, media_type: str | None = None) -> None:
        self._longest = longest
        self._media_type = media_type
        self._body = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        self._body += data
        if len(self._body) > self._longest:
            raise endless()
        return []

    def flush(self) -> list[Frame]:
        body, self._body = self._body, bytearray()
        if self._media_type is not None:
            return [Frame("", raw=bytes(body), media_type=self._media_type)]
        return [Frame(body.decode("utf-8-sig", "replace"))]
