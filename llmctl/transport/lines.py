"""Bytes into lines, split at LF, CR and CRLF only.

Splitting as text would also break lines at U+2028, U+2029 and U+0085, which may stand inside JSON.
Only finished lines are decoded, so that a character cut in two by the network stays whole.
"""

from llmctl.errors import ProviderFailed
from llmctl.messages import _

BOM = b"\xef\xbb\xbf"
# Room for a picture in Base64 on one line; what is longer does not end.
LONGEST_LINE = 16 * 1024 * 1024


class Lines:
    """Collects bytes and gives back finished lines. A last line without an end comes with `flush`.

    Raises ProviderFailed for a line longer than `longest` bytes.
    """

    __slots__ = ("_after_cr", "_at_start", "_longest", "_pieces", "_size")

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
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return []
        whole = self._taken(data[:end])
        self._keep(data[end + 1 :])
        return self._text(whole).split("\n")

    def flush(self) -> list[str]:
        """The unfinished last line, if there is one."""
        rest = self._taken(b"")
        return [self._text(rest)] if rest else []

    def _keep(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > self._longest:
                raise endless()

    def _taken(self, last: bytes) -> bytes:
        if not self._pieces:
            return last
        whole = b"".join([*self._pieces, last])
        self._pieces.clear()
        self._size = 0
        return whole

    def _text(self, lines: bytes) -> str:
        if self._at_start:
            self._at_start = False
            lines = lines.removeprefix(BOM)
        return lines.decode("utf-8", "replace")


def endless() -> ProviderFailed:
    """The error for an answer that goes on past every bound without coming to an end."""
    return ProviderFailed(_("the answer does not come to an end"), reason="endless",
                          retryable=False)  # fmt: skip
