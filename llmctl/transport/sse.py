"""Server-sent events as the HTML standard defines them, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import LONGEST_LINE, Lines, endless


class SseDecoder:
    """Bytes in, frames out. Comments are skipped, several data lines are joined, a last event
    without its closing blank line comes with `flush`: it is often the one with the usage."""

    __slots__ = ("_data", "_event", "_lines", "_longest", "_size")

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._lines = Lines(longest)
        self._longest = longest
        self._data: list[str] = []
        self._size = 0
        self._event: str | None = None

    def feed(self, data: bytes) -> list[Frame]:
        return self._read(self._lines.feed(data))

    def flush(self) -> list[Frame]:
        return self._read([*self._lines.flush(), ""])

    def _read(self, lines: list[str]) -> list[Frame]:
        frames: list[Frame] = []
        for line in lines:
            if not line:
                if self._data:
                    frames.append(self._frame())
                self._event = None
            elif line.startswith("data:"):
                self._keep(line[6:] if line[5:6] == " " else line[5:])
            elif line.startswith("event:"):
                self._event = line[6:].removeprefix(" ") or None
            elif line == "data":
                self._keep("")
        return frames

    def _keep(self, data: str) -> None:
        self._data.append(data)
        self._size += len(data) + 1
        if self._size > self._longest:
            raise endless()

    def _frame(self) -> Frame:
        data = self._data[0] if len(self._data) == 1 else "\n".join(self._data)
        self._data.clear()
        self._size = 0
        return Frame(data, self._event)
