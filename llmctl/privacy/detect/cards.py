"""Payment cards: the networks' first digits and lengths, and the check digit.

A tenth of all numbers pass the check digit alone; with first digits, lengths, the groups that
people write and the words beside it what is left is a card.
"""

from collections.abc import Iterator
from functools import cache

from llmctl.privacy.detect import checksums
from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.labels import Labels
from llmctl.privacy.detect.shape import pattern, stands_alone

_LONG = (16, 17, 18, 19)
_MAESTRO = (16, 18, 19)
# From, to, lengths. Visa's old 13 digits are left out: article numbers (EAN-13) look the same.
_NETWORKS = (
    ("4", "4", (16, 19)),  # Visa
    ("2200", "2204", _LONG),  # Mir
    ("51", "55", (16,)), ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)), ("37", "37", (15,)),  # American Express
    ("62", "62", _LONG), ("8100", "8171", _LONG),  # UnionPay
    ("6011", "6011", _LONG), ("644", "659", _LONG),  # Discover
    ("3528", "3589", _LONG),  # JCB
    ("300", "305", (14, 16)), ("3095", "3095", (14, 16)), ("36", "36", (14, 16)),  # Diners Club
    ("38", "39", (14, 16)),
    ("5018", "5018", _MAESTRO), ("5020", "5020", _MAESTRO), ("5038", "5038", _MAESTRO),  # Maestro
    ("5893", "5893", _MAESTRO), ("6304", "6304", _MAESTRO), ("6390", "6390", _MAESTRO),
    ("6759", "6759", _MAESTRO), ("6761", "6763", _MAESTRO),
    ("5019", "5019", (16,)),  # Dankort
    ("506099", "506198", _MAESTRO),  # Verve
    ("508500", "508999", (16,)), ("606985", "608500", (16,)),  # RuPay
    ("8600", "8600", (16,)), ("9860", "9860", (16,)),  # Uzcard, Humo
    ("9792", "9792", (16,)), ("9112", "9112", (16,)),  # Troy, Belkart
    ("9417", "9417", (16,)), ("9051", "9051", (16,)),  # Elcart, ArCa
)  # fmt: skip
# How many digits people write between spaces or dashes.
_GROUPS = frozenset(
    {(4, 4, 4, 4), (8, 8), (6, 10), (4, 6, 5), (4, 6, 4), (4, 4, 4, 2), (4, 4, 4, 3)}
    | {(4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (6, 13), (6, 12), (4, 4, 4, 6)}
)
_DOTTED = frozenset({(4, 4, 4, 4)})
_SIGNS = dict.fromkeys(map(ord, " -."))
# Up to five, with one sign between them.
_DIGITS = (
    r"([0-9]{1,20})(?:([ \-]{1,3}|\.)([0-9]{1,20})"
    r"(?:\2([0-9]{1,20})(?:\2([0-9]{1,20})(?:\2([0-9]{1,20}))?)?)?)?"
)


def cards(text: str, labels: Labels) -> Iterator[Finding]:
    # The first group has four, six, eight digits, or it is all of the number.
    first = pattern(
        r"[2-689](?<![0-9][0-9])(?=[0-9]{3}(?:[ \-.]|[0-9]{2}[ \-.]|[0-9]{4}[ \-.]|[0-9]{10}))"
        r"(?=(?:[ \-.]{0,3}[0-9]){13})"
    )
    place = 0
    while (match := first.search(text, place)) is not None:
        end = _card(text, match.start(), labels)
        if end is not None:
            yield Finding("card", match.start(), end)
        place = end or match.end()


def _card(text: str, start: int, labels: Labels) -> int | None:
    """The end of the longest card that begins at `start`."""
    match = pattern(_DIGITS).match(text, start)
    if match is None:
        return None
    groups = [match.span(number) for number in (1, 3, 4, 5, 6) if match[number]]
    for count in _counts(tuple([end - begin for begin, end in groups]), match[2]):
        end = groups[count - 1][1]
        if _fits(text[start:end].translate(_SIGNS)) and _is_meant(text, start, end, labels):
            return end
    return None


@cache
def _counts(lengths: tuple[int, ...], gap: str | None) -> list[int]:
    """How many of the groups can be a card, the most first."""
    known = _DOTTED if gap == "." else _GROUPS
    counts = [count for count in range(len(lengths), 1, -1) if lengths[:count] in known]
    return counts + [1] * (14 <= lengths[0] <= 19)


def _fits(digits: str) -> bool:
    return checksums.luhn(digits) and len(set(digits)) > 1 and _has_network(digits)


def _has_network(digits: str) -> bool:
    return any(
        low <= digits[: len(low)] <= high and len(digits) in lengths
        for low, high, lengths in _NETWORKS
    )


def _is_meant(text: str, start: int, end: int, labels: Labels) -> bool:
    if not stands_alone(text, start, end, "card", labels):
        return False
    label = labels.nearest(start, end, sum(map(str.isdigit, text[start:end])), strong=True)
    if label is not None and label.kind != "other":
        return label.kind == "card" or not _in_a_row(text, start, end)
    return label is None and not _in_a_row(text, start, end)


def _in_a_row(text: str, start: int, end: int) -> bool:
    """Whether more of its kind stands beside it: a longer number, or figures of a table."""
    behind = pattern(r"-[0-9]|[ ][0-9]{4}(?![0-9])").match(text, end)
    ahead = pattern(r"(?<![0-9])[0-9]{4}[ \-]\Z|[0-9]-\Z").search(text, max(0, start - 5), start)
    return behind is not None or ahead is not None
