"""Server-sent events as the HTML standard defines them, from bytes and without I/O."""

from llmctl.dialects import Frame
from llmctl.transport.lines import Lines


class SseDecoder:
    """Bytes in, frames out. Comments are skipped, several data lines are joined, a last event
    without its closing blank line comes with `flush`: it is often the one with the usage."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[str] = []
        self._event: str | None = None

    def feed(self, data: bytes) -> list[Frame]:
        return self._read(self._lines.feed(data))

    def flush(self) -> list[Frame]:
        return self._read([*self._lines.flush(), ""])

    def _read(self, lines: list[str]) -> list[Frame]:
        frames: list[Frame] = []
        for line in lines:
            if line.startswith("data:"):
                self._data.append(line[6:] if line[5:6] == " " else line[5:])
            elif not line:
                if self._data:
                    frames.append(Frame("\n".join(self._data), self._event))
                    self._data = []
                self._event = None
            elif line.startswith("event:"):
                self._event = line[6:].removeprefix(" ")
            elif line == "data":
                self._data.append("")
        return frames
