"""Bytes into lines, split at LF, CR and CRLF only.

Splitting as text would also break lines at U+2028, U+2029 and U+0085, which may stand inside JSON.
UTF-8 is decoded a whole line at a time, so that a character cut in two by the network stays whole.
"""

import re

from llmctl.errors import ProviderFailed
from llmctl.messages import _

BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 16 * 1024 * 1024
_END = re.compile(rb"\r\n|\n|\r")


class Lines:
    """Collects bytes and gives back finished lines. A last line without an end comes with `flush`.

    Raises ProviderFailed for a line longer than `longest` bytes.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0
        self._at_start = True
        self._after_cr = False

    def feed(self, data: bytes) -> list[str]:
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        self._after_cr = data.endswith(b"\r")
        *whole, rest = _END.split(data) if b"\r" in data else data.split(b"\n")
        whole[0] = self._taken(whole[0])
        self._keep(rest)
        return [self._text(line) for line in whole]

    def flush(self) -> list[str]:
        """The unfinished last line, if there is one."""
        rest = self._taken(b"")
        return [self._text(rest)] if rest else []

    def _keep(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > self._longest:
                raise ProviderFailed(_("the answer holds a line that does not end"), reason="line")

    def _taken(self, last: bytes) -> bytes:
        line = b"".join([*self._pieces, last]) if self._pieces else last
        self._pieces.clear()
        self._size = 0
        return line

    def _text(self, line: bytes) -> str:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(BOM)
        return line.decode("utf-8", "replace")
