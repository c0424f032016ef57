"""How many tokens a text may take at most, for a cap to be kept, whatever stands in it."""

from __future__ import annotations

from math import ceil

from llmctl.cost.classes import CLASSES, CYRILLIC, DIGITS, LATIN, classed, only

# What a character takes at most, by its class: what o200k and cl100k make of random texts of such
# characters, with a little room. Two, three and four are all bytes of a character, and more than
# those no vocabulary of bytes can take.
HIGHEST = {
    b"a": 0.57, b"A": 0.65, b"d": 1.0, b"p": 1.0, b"u": 1.0, b"n": 1.0, b"t": 1.0, b"s": 0.05,
    b"r": 0.96, b"R": 0.96, b"K": 1.3, b"k": 2.0, b"m": 2.0, b"o": 2.0, b"l": 1.4, b"Q": 1.1,
    b"q": 3.0, b"i": 2.3, b"j": 3.0, b"c": 2.6, b"h": 3.0, b"P": 3.0, b"e": 4.0,
}  # fmt: skip
# What is added once for each run of letters, of digits and of more spaces than one, and for a space
# before a letter of a rare script, to which it is not joined.
WORD, NUMBER, GAP, APART = 0.5, 1.0, 2.0, 1.0

BLANKS, RARE = only(b"s"), only(b"kmolQqijchPe", beside=b"s")


def _narrower() -> bytes:
    """The classes, with those apart that take less or more than others of theirs."""
    table = bytearray(CLASSES)
    table[0xC2] = ord("Q")  # signs of two bytes
    for lead in range(0xC4, 0xCA):
        table[lead] = ord("m")  # Latin letters that few languages have
    table[0xEE] = table[0xEF] = ord("P")  # private characters, wide forms
    return bytes(table)


NARROWER = _narrower()


def at_most(text: str) -> int:
    """More tokens than any text of such characters was seen to take, and no more than its bytes."""
    if not text:
        return 0
    encoded = text.encode("utf-8", "surrogatepass")
    kinds = classed(encoded, NARROWER)
    total = sum(kinds.count(kind) * highest for kind, highest in HIGHEST.items())
    total -= HIGHEST[b"n"]  # the place before the first character
    words = kinds.translate(LATIN).count(b".a") + kinds.count(b"aA")
    words += kinds.translate(CYRILLIC).count(b".r")
    total += WORD * words + NUMBER * kinds.translate(DIGITS).count(b".d")
    total += GAP * kinds.translate(BLANKS).count(b".ss")
    total += APART * kinds.translate(RARE).count(b"sk")
    return min(ceil(total), len(encoded))
