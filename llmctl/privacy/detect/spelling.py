r"""A text as its author meant it: digits, spaces and dashes of all kinds as plain ones, without
characters that nobody sees (soft hyphens, colours of a terminal), and with the escapes of JSON,
HTML, URLs, mail and Markdown read: `\u0040`, `&#64;`, `%40`, `=3D`, `\_`."""

from bisect import bisect_right
from functools import cache
from re import Match, Pattern

from llmctl.privacy.detect.finding import Finding

_UNSEEN = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_DASHES = "\u2010-\u2015\u2212\ufe58\ufe63"
_DIGIT_ZEROS = (0x0660, 0x06F0, 0x0966, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
_FULL_WIDTH = range(0xFF01, 0xFF5F)
# Signs of which one stands in every escape.
_SIGNS = ("\\", "%", "&", "=3D", "\x1b")
_SURROGATES = range(0xD800, 0xE000)
_ESCAPED = (
    # Who logs in where stands before the @ of a URL, and goes on with it when it is read.
    r"(?P<login>://[^\s/@\"'<>\\]{1,300}@)"
    r"|(?P<colour>(?:\x1b|\\x1[bB]|\\u001[bB]|\\033|\\e)\[[0-9;?]{0,24}[A-Za-z])"
    r"|\\(?:u(?P<wide>[0-9a-fA-F]{4})|x(?P<narrow>[2-7][0-9a-fA-F]))"
    r"|\\{1,2}(?P<mark>[_@+\-])"
    # An encoder of URLs leaves letters and digits as they are, but for those beyond ASCII.
    r"|(?P<url>%(?:0[9aAdD]|2[0-9a-fA-F]|3[a-fA-F]|40|5[b-fB-F]|60|7[b-eB-E]"
    r"|[c-dC-D][0-9a-fA-F]%[89abAB][0-9a-fA-F]|[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){2}))"
    r"|(?P<entity>&(?:\#[0-9]{2,7}|\#[xX][0-9a-fA-F]{2,6}"
    r"|quot|apos|amp|lt|gt|nbsp|ensp|emsp|thinsp|shy|zwnj|zwj|ndash|mdash|num|commat|plus|equals"
    r"|colon|period|lowbar|hyphen|dash|lpar|rpar);)"
    r"|(?P<mail>=3D)"
)


class Plain:
    """`text` is what is searched; `original` carries a finding back to where it was."""

    def __init__(self, text: str) -> None:
        self.text = text
        # For each piece that became shorter: where it lies in the new text and in the old one.
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._were: list[int] = []
        self._shifts: list[int] = [0]
        if not text.isascii() and _odd().search(text) is not None:
            self.text = text = text.translate(_table())
        if not text.isascii() or any(one in text for one in _SIGNS):
            self._shorten(text)

    def _shorten(self, text: str) -> None:
        parts: list[str] = []
        place = size = 0
        for match in _pieces().finditer(text):
            meant = _meant(match)
            if meant is None:
                continue
            start, end = match.span()
            parts += (text[place:start], meant)
            size += start - place
            self._begins.append(size)
            self._were.append(start)
            size += len(meant)
            self._ends.append(size)
            self._shifts.append(end - size)
            place = end
        if parts:
            self.text = "".join((*parts, text[place:]))

    def original(self, one: Finding) -> Finding:
        if not self._ends:
            return one
        start, _end = self._was(one.start)
        _start, end = self._was(one.end - 1)
        return Finding(one.type, start, end, one.name, one.severe)

    def _was(self, place: int) -> tuple[int, int]:
        """Where in the old text the character at a place of the new one begins and ends."""
        at = bisect_right(self._ends, place)
        if at < len(self._begins) and self._begins[at] <= place:
            return self._were[at], self._ends[at] + self._shifts[at + 1]
        was = place + self._shifts[at]
        return was, was + 1


def _meant(match: Match[str]) -> str | None:
    """What a piece stands for: one character, or none; None where it stays as it is."""
    kind, said = match.lastgroup, match[0]
    match kind:
        case "wide" | "narrow":
            code = int(match[kind], 16)
            meant = "\ufffd" if code in _SURROGATES else chr(code)
        case "url":
            try:
                meant = bytes.fromhex(said.replace("%", "")).decode()
            except UnicodeDecodeError:
                return None
        case "entity":
            from html import unescape

            meant = unescape(said)
        case "mark":
            return match["mark"]
        case "mail":
            return "="
        case "login":
            return None
        case _:
            return ""
    return "" if _unseen().match(meant) else meant.translate(_table())


@cache
def _pieces() -> Pattern[str]:
    import re

    return re.compile(f"{_ESCAPED}|[{_UNSEEN}]")


@cache
def _odd() -> Pattern[str]:
    import re

    zeros = "".join(f"{chr(zero)}-{chr(zero + 9)}" for zero in _DIGIT_ZEROS)
    wide = f"{chr(_FULL_WIDTH[0])}-{chr(_FULL_WIDTH[-1])}"
    return re.compile(f"[{_SPACES}{_DASHES}{zeros}{wide}]")


@cache
def _unseen() -> Pattern[str]:
    import re

    return re.compile(f"[{_UNSEEN}]")


@cache
def _table() -> dict[int, str]:
    """One character for one, so that places stay what they are."""
    table = {code: chr(code - 0xFEE0) for code in _FULL_WIDTH}
    for zero in _DIGIT_ZEROS:
        table |= {zero + digit: str(digit) for digit in range(10)}
    table |= dict.fromkeys(_members(_SPACES), " ")
    table |= dict.fromkeys(_members(_DASHES), "-")
    return table


def _members(ranges: str) -> list[int]:
    """The characters of a class such as `ab-d`."""
    codes: list[int] = []
    place = 0
    while place < len(ranges):
        if ranges[place + 1 : place + 2] == "-":
            codes += range(ord(ranges[place]), ord(ranges[place + 2]) + 1)
            place += 3
        else:
            codes.append(ord(ranges[place]))
            place += 1
    return codes
