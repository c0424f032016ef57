"""JSON values a line each, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import LONGEST_LINE, Lines


class NdjsonDecoder:
    """Bytes in, one frame a line out; blank lines are skipped."""

    __slots__ = ("_lines",)

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._lines = Lines(longest)

    def feed(self, data: bytes) -> list[Frame]:
        return [Frame(line) for line in self._lines.feed(data) if line and not line.isspace()]

    def flush(self) -> list[Frame]:
        return [Frame(line) for line in self._lines.flush() if not line.isspace()]
