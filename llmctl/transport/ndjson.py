"""JSON values a line each, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import Lines


class NdjsonDecoder:
    """Bytes in, one frame a line out; blank lines are skipped."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Frame]:
        return [Frame(line) for line in self._lines.feed(data) if line and not line.isspace()]

    def flush(self) -> list[Frame]:
        return [Frame(line) for line in self._lines.flush() if not line.isspace()]
