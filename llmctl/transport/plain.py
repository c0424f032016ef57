"""HTTP/1.1's plain case, read without a library: what nearly every answer is.

h11 takes a third of the time of a short request. Only what can be read in one way is read here: a
head of HTTP/1.1 that arrived in one piece, whose every line is as RFC 9112 has it, with one length
or with chunks. For everything else each function says None, and h11 reads the same bytes from
their beginning, or refuses them.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

LONGEST_HEAD = 64 * 1024

Fields = list[tuple[bytes, bytes]]

_TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"  # no control characters, above all none that ends a line
_METHOD = re.compile(_TOKEN)
_TARGET = re.compile(rb"[\x21-\x7e]+")
_FIELD = re.compile(_TOKEN + rb":" + _TEXT)
_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: %b)?\r\n((?:%b:%b\r\n)*)\r\n" % (_TEXT, _TOKEN, _TEXT)
)
_PAIR = re.compile(rb"([^:\r]+):([^\r]*)\r\n")  # where it is sure that each line is a field
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,7})\r\n")
_END = b"0\r\n\r\n"
_BODILESS = (204, 304)
UNTIL_CLOSE = -1
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_CHANGING = frozenset({b"upgrade", b"expect"})  # what asks for another kind of conversation


class Start(NamedTuple):
    """A request but for its length, if it has one: `text` ends behind the last field; `keep` says
    that the connection may be used again."""

    text: bytes
    keep: bool


class Head(NamedTuple):
    """`fields` have names in lower case. `size` is how many bytes of what was read it took,
    `length` that of the body, None for one in chunks, UNTIL_CLOSE for one that ends with the
    connection."""

    status: int
    fields: Fields
    size: int
    length: int | None
    keep: bool


def plain_start(
    method: bytes, target: bytes, fields: Iterable[tuple[bytes, bytes]]
) -> Start | None:
    """The beginning of a request whose `fields` state no length; None for what is out of the
    ordinary, and for what would be more than one request."""
    if method in (b"HEAD", b"CONNECT") or not _METHOD.fullmatch(method):
        return None
    if not _TARGET.fullmatch(target):
        return None
    lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
    names, keep = [], True
    for name, value in fields:
        line = b"%b: %b" % (name, value)
        if not _FIELD.fullmatch(line) or b":" in name or value != value.strip(b" \t"):
            return None
        lines.append(line + b"\r\n")
        names.append(name.lower())
        if names[-1] == b"connection":
            keep = False
    if names.count(b"host") != 1 or not _LENGTHS.union(_CHANGING).isdisjoint(names):
        return None
    return Start(b"".join(lines), keep)


def plain_head(data: bytes) -> Head | None:
    """The head that `data` begins with."""
    found = _HEAD.match(data)
    if found is None or found.end() > LONGEST_HEAD:
        return None
    status = int(found[1])
    fields = [(name.lower(), value.strip(b" \t")) for name, value in _PAIR.findall(found[2])]
    length: int | None = None
    chunked, keep = False, True
    for place, (name, value) in enumerate(fields):
        if name not in _FRAMING:
            continue
        value = value.lower()
        if name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > 15:
                return None
            length = int(value)
        elif name == b"transfer-encoding":
            if chunked or value != b"chunked":
                return None
            chunked = True
            fields[place] = (name, value)  # as h11 has it
        elif value == b"close":
            keep = False
        elif value != b"keep-alive":
            return None
    if (chunked and length is not None) or status in _BODILESS:
        return None
    if not chunked and length is None:
        length = UNTIL_CLOSE
    return Head(status, fields, found.end(), length, keep)


class Chunks:
    """A body in chunks, as it comes. `over` says that it has ended, `odd` that the next chunk is
    one which is not for us; then and at the end `rest` is what was not taken. `wrong` says where a
    chunk did not end where it should."""

    __slots__ = ("_after", "_left", "odd", "over", "rest", "wrong")

    def __init__(self) -> None:
        self.over = self.odd = False
        self.wrong = ""
        self.rest = b""
        self._left = 0  # of the present chunk
        self._after = False  # the end of its line is still to come

    def feed(self, data: bytes) -> bytes:
        """The content of `data`."""
        if self.rest:
            data, self.rest = self.rest + data, b""
        pieces, place, size = [], 0, len(data)
        while place < size and not self.over:
            if self._left:
                piece = data[place : place + self._left]
                pieces.append(piece)
                place += len(piece)
                self._left -= len(piece)
                self._after = not self._left
            elif self._after:
                mark = data[place : place + 2]
                if mark == b"\r":
                    break
                if mark != b"\r\n":
                    self.wrong = f"malformed data after chunk: {mark!r}"
                    break
                place += 2
                self._after = False
            elif data.startswith(_END, place):
                place += len(_END)
                self.over = True
            elif (found := _CHUNK.match(data, place)) and (left := int(found[1], 16)):
                place = found.end()
                self._left = left
            else:
                self.odd = True
                break
        self.rest = data[place:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
