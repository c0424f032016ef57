"""A whole body as one frame, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import endless

LONGEST_BODY = 256 * 1024 * 1024


class WholeDecoder:
    """Bytes in, one frame at the end, an empty body too. Raises ProviderFailed past `longest`."""

    __slots__ = ("_longest", "_pieces", "_size")

    def __init__(self, longest: int = LONGEST_BODY) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._longest:
            raise endless()
        return []

    def flush(self) -> list[Frame]:
        body, self._pieces = b"".join(self._pieces), []
        return [Frame(body.decode("utf-8-sig", "replace"))]
