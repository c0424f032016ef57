"""Which words of one text are not in another, word by word.

Words are compared by their longest common subsequence, worked out on whole rows at once in the bits
of long integers (Hyyrö 2004): exact, and in a time that depends on the lengths alone, however the
texts are made.
"""

import re
from collections.abc import Sequence

from llmctl.values import dataclass

# Words of either text that are compared at most, without what both begin and end with.
LONGEST = 5000
# Texts of so many words that share less than this are different altogether: no word is marked.
WORDS, SHARED = 12, 0.25
# Chinese and Japanese have no blanks between words: there a sign stands for itself.
_TOKENS = re.compile(r"\s+|[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive characters of a text; `differs` says that the other text does not have them."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The text in `pieces`, which make it up. `missing` counts words of the other text that this
    one lacks, `same` is the share of words in common, `whole` says that the texts have too little
    in common for marks to mean anything, `cut` that one is too long to be looked through."""

    pieces: tuple[Piece, ...]
    missing: int = 0
    same: float = 1.0
    whole: bool = False
    cut: bool = False


def difference(text: str, other: str) -> Difference:
    """What of `text` is not in `other`. Blanks and line ends make no difference."""
    tokens = _TOKENS.findall(text)
    places = [at for at, token in enumerate(tokens) if not token.isspace()]
    ours = [tokens[at] for at in places]
    theirs = [token for token in _TOKENS.findall(other) if not token.isspace()]
    start, end = _ends(ours, theirs)
    middle, between = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    cut = max(len(middle), len(between)) > LONGEST
    common = set() if cut else _common(middle, between)
    shared = start + end + len(common)
    same = 2 * shared / (len(ours) + len(theirs)) if ours or theirs else 1.0
    missing = len(theirs) - shared
    if same < SHARED and min(len(ours), len(theirs)) >= WORDS:
        return Difference(pieces=(Piece(text, False),), missing=missing, same=same, whole=True)
    marked = {places[start + at] for at in range(len(middle)) if at not in common}
    return Difference(pieces=_pieces(tokens, marked), missing=missing, same=same, cut=cut)


def _ends(ours: Sequence[str], theirs: Sequence[str]) -> tuple[int, int]:
    """How many words both begin with, and how many of the others both end with."""
    least = min(len(ours), len(theirs))
    start = 0
    while start < least and ours[start] == theirs[start]:
        start += 1
    end = 0
    while end < least - start and ours[-1 - end] == theirs[-1 - end]:
        end += 1
    return start, end


def _common(ours: Sequence[str], theirs: Sequence[str]) -> set[int]:
    """Places in `ours` of a longest common subsequence."""
    where: dict[str, int] = {}
    for at, token in enumerate(ours):
        where[token] = where.get(token, 0) | 1 << at
    every = (1 << len(ours)) - 1
    row, rows = every, []
    for token in theirs:
        known = row & where.get(token, 0)
        row = (row + known | row - known) & every
        rows.append(row)
    # A bit that is 0 says: with this word of ours the common subsequence is one word longer.
    found: set[int] = set()
    column, line = len(ours), len(theirs)
    while column and line:
        bit = 1 << column - 1
        if rows[line - 1] & bit:
            column -= 1
            continue
        line -= 1
        if not line or rows[line - 1] & bit:
            column -= 1
            found.add(column)
    return found


def _pieces(tokens: Sequence[str], marked: set[int]) -> tuple[Piece, ...]:
    """Neighbours of one kind put together; blanks between two marked words are marked with them."""
    pieces: list[Piece] = []
    text: list[str] = []
    differs = False
    for at, token in enumerate(tokens):
        mine = at in marked
        if token.isspace():
            mine = differs and at + 1 in marked
        if mine is not differs:
            if text:
                pieces.append(Piece("".join(text), differs))
            text, differs = [], mine
        text.append(token)
    if text:
        pieces.append(Piece("".join(text), differs))
    return tuple(pieces)
