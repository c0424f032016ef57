"""Server-sent events as the HTML standard defines them, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import LONGEST_LINE, Lines, endless


class SseDecoder:
    """Bytes in, frames out. Comments are skipped, several data lines are joined, a last event
    without its closing blank line comes with `flush`: it is often the one with the usage.

    JSON that stands between the events as it is, over as many lines as it likes, is a frame too,
    where the standard has fields of unknown names: servers say so that they broke off."""

    __slots__ = ("_bare", "_data", "_event", "_lines", "_longest", "_size")

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._lines = Lines(longest)
        self._longest = longest
        self._data: list[str] = []
        self._bare: list[str] = []
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
                elif self._bare:
                    frames.append(self._json())
                self._event = None
            elif line.startswith("data:"):
                self._keep(line[6:] if line[5:6] == " " else line[5:])
            elif line.startswith("event:"):
                self._event = line[6:].removeprefix(" ") or None
            elif line == "data":
                self._keep("")
            elif line[0] == ":" or self._data:
                continue
            elif (self._bare or line[0] in "{[") and self._ends(line):
                frames.append(self._json())
        return frames

    def _ends(self, line: str) -> bool:
        """Keep a line of bare JSON; whether it is the last one, as such JSON is indented: what
        closes it stands at the beginning of its line, or everything on one line."""
        self._bare.append(line)
        self._grow(line)
        closing = "}" if self._bare[0][0] == "{" else "]"
        alone = len(self._bare) == 1
        return line.rstrip().endswith(closing) and (alone or line[0] in "]}")

    def _json(self) -> Frame:
        data = "\n".join(self._bare)
        self._bare.clear()
        self._size = 0
        return Frame(data)

    def _keep(self, data: str) -> None:
        self._bare.clear()  # it did not come to an end, and so was nothing
        self._data.append(data)
        self._grow(data)

    def _grow(self, line: str) -> None:
        self._size += len(line) + 1
        if self._size > self._longest:
            raise endless()

    def _frame(self) -> Frame:
        data = self._data[0] if len(self._data) == 1 else "\n".join(self._data)
        self._data.clear()
        self._size = 0
        return Frame(data, self._event)
