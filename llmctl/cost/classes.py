"""Characters by the class that vocabularies treat alike, told by the first byte of each."""


def _classes() -> bytes:
    """Each byte of UTF-8 as the class of the character that it begins; `-` and `+` continue one."""
    table = bytearray(b"p" * 128 + b"+" * 48 + b"-" * 16 + b"o" * 64)
    kinds = {
        b"a": b"abcdefghijklmnopqrstuvwxyz",
        b"A": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"d": b"0123456789",
        b"s": b" ",
        b"t": b"\t",
        b"n": b"\r\n",
        b"u": b"-=*#_~.",  # signs of which lines are drawn
        b"R": b"\xd0",  # Cyrillic, its capitals first
        b"r": b"\xd1",
        b"k": b"\xd2\xd3",
        b"m": b"\xd4\xd5",
        b"l": bytes(range(0xC3, 0xCA)),  # Latin letters with accents
        b"q": b"\xc2\xe2",  # quotation marks, dashes, signs
        b"i": b"\xe0",
        b"j": b"\xe1",
        b"c": bytes((*range(0xE3, 0xEA), 0xEF)),  # Chinese, Japanese, wide forms
        b"h": bytes(range(0xEA, 0xEE)),
        b"e": bytes(range(0xF0, 0x100)),
    }
    for kind, members in kinds.items():
        for byte in members:
            table[byte] = kind[0]
    return bytes(table)


def only(kinds: bytes, *, beside: bytes = b"") -> bytes:
    """A table that leaves the first of `kinds` in the place of each of them and `.` in that of all
    else but what is `beside`, so that one search finds where they begin."""
    table = [kinds[0] if byte in kinds else ord(".") for byte in range(256)]
    for byte in beside:
        table[byte] = byte
    return bytes(table)


CLASSES = _classes()
LATIN, CYRILLIC, DIGITS, SIGNS = (only(kinds) for kinds in (b"aA", b"rKRk", b"d", b"pu"))
# Before the first character: whatever begins there begins a run.
OUTSIDE = b"\n"


def classed(encoded: bytes, table: bytes = CLASSES) -> bytes:
    """The class of each character of a text in UTF-8, after one for the place before them."""
    kinds = (OUTSIDE + encoded).translate(table)
    return kinds if encoded.isascii() else kinds.replace(b"R+", b"K").translate(None, b"+-")
