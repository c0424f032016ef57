"""Files in other encodings, where lines cannot be told before they are decoded."""

import codecs
import io

from llmctl.errors import UsageError
from llmctl.messages import _

# How much is decoded at a time, in bytes.
PIECE = 1 << 16
UTF_8_BOM = b"\xef\xbb\xbf"

# What a file begins with whose encoding is beyond doubt; the longer mark first.
MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def marked(start: bytes) -> str | None:
    """The encoding that a mark of byte order states, for those that are not UTF-8."""
    return next((name for mark, name in MARKS if start.startswith(mark)), None)


def lines_as_ascii(name: str) -> bool:
    """Whether a line ends at the byte 10 and nowhere else. Raises UsageError for what is no
    encoding of text."""
    try:
        return (
            len("\r\n".encode(name).removeprefix(UTF_8_BOM)) == 2 and b"\r\n".decode(name) == "\r\n"
        )
    except (LookupError, UnicodeError, ValueError):
        raise UsageError(
            _("no such encoding: {name}", name=name),
            hint=_("some that exist: utf-8, utf-16, cp1251, cp866, koi8-r, latin-1"),
        ) from None


class Recoded(io.RawIOBase):
    """The same text in UTF-8, a piece at a time. Raises UnicodeDecodeError where it is none."""

    def __init__(self, file: io.BufferedIOBase, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, room: "memoryview | bytearray") -> int:  # type: ignore[override]
        while not self._ready:
            data = self._file.read1(PIECE)
            self._ready = memoryview(self._decoder.decode(data, final=not data).encode())
            if not data:
                break
        count = min(len(room), len(self._ready))
        room[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
