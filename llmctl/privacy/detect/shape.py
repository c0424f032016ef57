"""What the searches for numbers share."""

from functools import cache
from re import Pattern
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmctl.privacy.detect.labels import Labels

# What is written with dashes itself goes on behind one; an INN has its KPP there.
_LONGER = frozenset({"snils", "card", "passport_ru"})
_ESCAPED = ("\\n", "\\r", "\\t")


# What is counted: money, things, lines in the head of a diff.
_UNITS = (
    r"(?i)\s?(?:₽|\$|€|£|%|°|руб|р\.|коп|тыс|млн|млрд|usd|eur|rub|gbp|dollar|euro|million|billion"
    r"|шт|единиц|записей|кг|км|мб|гб"
    r"|items|units|records|requests|downloads|(?:nano|micro|milli)?seconds"
    r"|байт|bytes?\b|kb\b|mb\b|ms\b|мс\b|сек|человек|people|users|tokens"
    r"|токен|чел\.|строк|rows|раз\b|times\b)|,[0-9]{1,9} (?:\+[0-9,]{1,20} )?@@"
)


@cache
def pattern(text: str) -> Pattern[str]:
    """Compiled the first time it is needed."""
    import re

    return re.compile(text)


def begins(text: str, at: int) -> bool:
    """Whether no word goes on at `at`; a line end as JSON writes it is not part of the word, nor
    are the signs of a list, of an option or of Markdown."""
    ahead = text[max(0, at - 4) : at].rstrip("_-")[-1:]
    if not (ahead.isascii() and ahead.isalnum()):
        return True
    return text[max(0, at - 2) : at] in _ESCAPED


def stands_alone(text: str, start: int, end: int, kind: str, labels: "Labels") -> bool:
    """Whether a number is whole: not a piece of a longer one, of a word, a fraction or a version.

    A word of its kind may be glued to it ("инн7707083893"), or a line end as JSON writes it.
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    if before == "." and text[start - 2 : start - 1].isdigit():
        return False
    if before and (before.isalnum() or before in "_-"):
        stray = before != "-" or text[max(0, start - 2) : start - 1].isalnum()
        if stray and text[max(0, start - 2) : start] not in _ESCAPED:
            label = labels.before(start, digits_in(text, start, end))
            if label is None or label.kind != kind or label.gap.strip("_-"):
                return False
    if after == "_" or (after.isascii() and after.isalnum()) or after.isdigit():
        return False
    more = ".-" if kind in _LONGER else "."
    return not (after and after in more and text[end + 1 : end + 2].isdigit())


def digits_in(text: str, start: int, end: int) -> int:
    return sum(map(str.isdigit, text[start:end]))


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether a number counts something, and names nobody."""
    return pattern(_UNITS).match(text, end) is not None or text[start - 1 : start] in tuple("$€£₽")
