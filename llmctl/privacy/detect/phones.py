"""Telephone numbers: international, Russian, North American, of others where a word says so.

How a number is written tells most: the groups of digits, brackets, dashes. What could be any number
(ten digits in one piece) needs a word beside it.
"""

from collections.abc import Iterator
from functools import cache
from itertools import chain

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.labels import Labels, lower
from llmctl.privacy.detect.shape import digits_in, is_amount, pattern

_SHORT = 4096
_FEWEST_DIGITS = 6
# Digits after the country's code (ITU-T E.164 and the countries' own plans).
_COUNTRIES = """
1:10 7:10 20:8-10 27:9 30:10 31:9 32:8-9 33:9 34:9 36:8-9 39:6-11 40:9 41:9 43:7-13 44:9-10 45:8
46:7-10 47:8 48:9 49:7-12 51:8-9 52:10 53:8 54:10-11 55:10-11 56:9 57:8-10 58:10 60:7-10 61:9
62:8-12 63:8-10 64:8-10 65:8 66:8-9 81:9-10 82:8-10 84:9-10 86:10-11 90:10 91:10 92:9-10 93:9
94:9 95:7-10 98:10 351:9 352:6-9 353:7-9 354:7 355:8-9 356:8 357:8 358:7-11 359:8-9 370:8 371:8
372:7-8 373:8 374:8 375:9 376:6-9 377:8-9 380:9 381:8-9 382:8 383:8 385:8-9 386:8 387:8 389:8
420:9 421:9 423:7 852:8 853:8 855:8-9 856:8-10 880:8-10 886:8-9 960:7 961:7-8 962:8-9 963:8-9
964:8-10 965:8 966:8-9 967:7-9 968:8 970:8-9 971:8-9 972:8-9 973:8 974:8 975:8 976:8 977:8-10
992:9 993:8 994:9 995:9 996:9 998:9
"""
_OTHERS = ("21", "22", "23", "24", "25", "26", "29", "50", "59", "67", "68", "69", "80", "87", "97")
# Codes of Russian mobile networks (900-999 without those not given out).
_MOBILE = frozenset(
    str(code)
    for codes in (
        range(900, 907),
        range(908, 940),
        (941,),
        range(949, 954),
        range(955, 972),
        range(977, 1000),
    )
    for code in codes
    if code not in (935, 957, 998)
)
_PLUS_AFTER = r"(?:(?:tel|phone|тел|телефон|mobile|wa\.me|t\.me)[\w]{0,12}[\"']?[=:/]{1,3}|[=/)])$"
_RUSSIAN = (
    r"[78](?<![0-9][78])[ \-.]{0,3}\(?([3-9][0-9]{2})\)?[ \-.]{0,3}"
    r"([0-9](?:[ \-.]{0,3}[0-9]){6})(?![0-9])"
)
_RUSSIAN_TOWN = (
    r"[78](?<![0-9][78])[ \-]{0,2}\([3-8][0-9](?:[ \-]?[0-9]){2,3}\)"
    r"[ \-]{0,2}[0-9](?:[ \-]?[0-9]){4,5}(?![0-9])"
)
_BRACKETS = (
    r"(?:1(?<![0-9]1)[\- ])?\((?<!\w\()[2-9][0-9]{2}\)[ \-.]{0,2}"
    r"[0-9]{3}[ \-.]?[0-9]{2}[ \-.]?[0-9]{2}(?![0-9])"
)
_BRACKETS_TOWN = r"\((?<!\w\()[3-8][0-9]{3,4}\)[ \-]{0,2}[0-9]{1,2}-[0-9]{2}-[0-9]{2}(?![0-9])"
_AREA = r"[3489](?<![0-9][0-9])[0-9]{2}[ \-][0-9]{3}-[0-9]{2}-[0-9]{2}(?![0-9])"
_AMERICAN = (
    r"(?:1(?<![0-9]1)[\-]|1(?<![0-9]1)[.](?=[0-9]{3}[.])|1(?<![0-9]1)[ ](?=[0-9]{3}[ ]))?"
    r"[2-9](?<![0-9][0-9])[0-9]{2}(?:([\-.])[2-9][0-9]{2}\1|[ ][2-9][0-9]{2}-)[0-9]{4}(?![0-9])"
)
_ANY = r"[(]?[0-9](?<![0-9][0-9])(?:[ \-./]{0,2}[()]?[ \-./]{0,2}[0-9]){5,14}(?![0-9])"
_CLOSE = (
    r"(?i)(?:тел(?:ефон\w{0,3})?|моб(?:ильн\w{1,3})?|факс\w{0,2}"
    r"|tel|telephone|phones?|mobile|mob|fax|whatsapp|ватсап\w?"
    r"|viber|сот(?:овый)?|cell(?:phone)?)"
    r"(?:_?(?:number|no))?(?![a-zа-яё])"
)
_CLOSE_STEMS = (
    "тел", "моб", "факс", "tel", "phone", "mob", "fax", "whatsapp", "ватсап", "viber", "сот",
    "cell",
)  # fmt: skip
_WEAK_STEMS = (
    "звон", "позвон", "перезвон", "дозвон", "набер", "call", "ring", "dial", "text", "sms", "смс",
    "reach", "hotline", "my ", "his ", "her ", "their ", "our ", "your ", "contact ", "мой ",
)  # fmt: skip
_WEAK = (
    r"(?i)(?:звон\w{1,6}|(?:по|пере|до)звон\w{1,6}|набер\w{1,4}"
    r"|call|ring|dial|text|sms|смс|reach (?:me|us)|hotline"
    r"|(?:my|his|her|their|our|your|contact) number|мой номер)(?![a-zа-яё])"
)
_GAP = (
    r"(?:[^\w\n]|_|номер[а-я]{0,3}|number|num|no|is|are|at|on|me|us|him|her"
    r"|мой|по|раб|дом|моб|для|связи"
    r"|контактный|type|text|value|td|b|\n){0,8}"
)
# Numbers of one kind behind one word: id IN (79161234567, 79161234568).
_LISTED = r"\W*(?:in\W+)?(?:[0-9]{11}\W+)*"
# A number with dots like those of versions and addresses.
_DOTTED = r"[78]\.[0-9]{3}\.[0-9]{3}\.[0-9]{4}"
_STANDARD = r"(?:ГОСТ|ОСТ|ТУ|СНиП|СП|ISO|DIN|RFC)(?: Р)?[ №]{1,2}\Z"
_THOUSANDS = r"\(?[0-9]{1,3}(?: [0-9]{3})+"
_DATE = (
    r"(?:[12][0-9]{3}[\-./][01]?[0-9][\-./][0-3]?[0-9]"
    r"|[0-3]?[0-9][\-./][01]?[0-9][\-./](?:[12][0-9])?[0-9]{2})(?!-)"
)


def phones(text: str, labels: Labels) -> Iterator[Finding]:
    if len(text) < _SHORT and sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return
    searches = (
        _international(text), _russian(text, labels), _written(text), _named(text),
        _in_columns(text, labels),
    )  # fmt: skip
    for one in chain.from_iterable(searches):
        if not is_amount(text, one.start, one.end):
            yield one


def _is_whole(text: str, start: int, end: int, *, divided: bool) -> bool:
    """Whether no letter, digit or part of a longer number touches it."""
    before, after = text[start - 1 : start], text[end : end + 1]
    ahead = text[max(0, start - 2) : start - 1]
    escaped = ahead == "\\" and before in ("n", "r", "t")
    if before and not escaped:
        if (before.isalnum() and (before.isascii() or before.isdigit())) or before in "_№#&@\\":
            return False
        if before == "/" and text[max(0, start - 6) : start] != "wa.me/":
            if not (divided and ahead.isdigit()):
                return False
        elif before in ".-+" and ahead.isalnum() and (before != "." or ahead.isdigit()):
            return before == "-" and not ahead.isascii()
    if after and (after == "_" or after.isdigit() or (after.isascii() and after.isalpha())):
        return False
    behind = text[end + 1 : end + 2]
    if after in (".", ":", "%") and behind.isdigit():
        return False
    return not (after == "-" and behind.isalnum() and behind.isascii())


# ---- +44 20 7946 0958


@cache
def _lengths() -> dict[str, range]:
    found = {}
    for entry in _COUNTRIES.split():
        code, _sign, lengths = entry.partition(":")
        least, _sign, most = lengths.partition("-")
        found[code] = range(int(least), int(most or least) + 1)
    return found


def _country(digits: str) -> tuple[str, range] | None:
    for size in (1, 2, 3):
        if (lengths := _lengths().get(digits[:size])) is not None:
            return digits[:size], lengths
    return (digits[:3], range(6, 11)) if digits[:2] in _OTHERS else None


def _international(text: str) -> Iterator[Finding]:
    group = pattern(r"([ \-./()]{0,4})([0-9]{1,15})")
    for plus in pattern(r"\+(?=[ ]?\(?[0-9])").finditer(text):
        start = plus.start()
        before = text[max(0, start - 24) : start].lower()
        glued = before[-1:].isalnum() or before.endswith(("+", "*", "/", "=", "_", ")", "]", "}"))
        free = before.endswith(("\\n", "\\t")) or pattern(_PLUS_AFTER).search(before) is not None
        if glued and not free:
            continue
        place = start + 1
        groups: list[tuple[str, int, int]] = []
        while (match := group.match(text, place)) is not None and len(groups) < 9:
            groups.append((match[2], match.start(2), match.end(2)))
            place = match.end()
        if groups and (end := _international_end(text, groups)) is not None:
            yield Finding("phone", start, end)


def _international_end(text: str, groups: list[tuple[str, int, int]]) -> int | None:
    """The end of the longest run of groups that makes a number of its country."""
    for count in range(len(groups), 0, -1):
        digits = "".join(one[0] for one in groups[:count])
        known = _country(digits)
        if known is None or not 8 <= len(digits) <= 16:
            continue
        code, lengths = known
        own = digits[len(code) :]
        if count > 2 and pattern(_DATE).match(text, groups[1][1]):
            continue  # +1 2025-11-25
        end = groups[count - 1][2]
        if own.startswith("0") and text[groups[1][1] - 1] == "(" if count > 1 else False:
            own = own[1:]  # +44 (0)20 …
        fits = len(own) in lengths and (not own.startswith("0") or code == "39")
        if fits and _is_aligned(code, groups[:count]) and _is_plan(code, own):
            after, behind = text[end : end + 1], text[end + 1 : end + 2]
            if not after.isdigit() and not (after in ("-", ".") and behind.isdigit()):
                return end
    return None


def _is_aligned(code: str, groups: list[tuple[str, int, int]]) -> bool:
    """Whether the country's code is not torn apart: +12 345 678 901 is no number of country 1."""
    first = groups[0][0]
    if len(groups) == 1 or first == code:
        return True
    return first.startswith(code) and len(first) >= len(code) + 2


def _is_plan(code: str, own: str) -> bool:
    if code == "1":
        return own[0] in "23456789" and own[3] in "23456789"
    if code == "7":
        return own[0] in "3456789"
    return len(set(own)) > 1


# ---- 8 (495) 777-00-11


def _russian(text: str, labels: Labels) -> Iterator[Finding]:
    for match in pattern(_RUSSIAN).finditer(text):
        start, end = match.span()
        divided = not match[0].isdigit()
        if not _is_whole(text, start, end, divided=divided):
            continue
        if divided:
            free = match[1] == "800" or "(" in match[0]
            if pattern(_DOTTED).fullmatch(match[0]) and match[1] not in _MOBILE and not free:
                continue
            if _is_layout(match[0], match[2], free=free):
                yield Finding("phone", start, end)
        elif match[1] in _MOBILE or match[0].startswith("8800"):
            label = labels.nearest(start, end, 11)
            listed = label is not None and pattern(_LISTED).fullmatch(label.gap) is not None
            if label is None or label.kind == "phone" or not (label.is_close or listed):
                yield Finding("phone", start, end)
    for match in pattern(_RUSSIAN_TOWN).finditer(text):
        if digits_in(text, *match.span()) == 11 and _is_whole(text, *match.span(), divided=True):
            yield Finding("phone", *match.span())


_LAYOUTS = frozenset({(7,), (3, 4), (3, 2, 2), (2, 2, 3), (4, 3), (2, 3, 2), (3, 1, 3)})
_FREE_LAYOUTS = _LAYOUTS | {(1, 3, 3), (1, 2, 2, 2), (3, 3, 1), (2, 5), (5, 2), (1, 6)}


def _is_layout(whole: str, rest: str, *, free: bool) -> bool:
    """Whether the seven last digits are divided as people do it, and the first ones by groups."""
    groups = tuple(map(len, pattern(r"[0-9]+").findall(rest)))
    torn = pattern(r"[78][0-9]{1,2}[^0-9]").match(whole) is not None
    return not torn and groups in (_FREE_LAYOUTS if free else _LAYOUTS)


# ---- (415) 555-0132, 916 123-45-67


def _written(text: str) -> Iterator[Finding]:
    for shape in (_BRACKETS, _BRACKETS_TOWN, _AREA, _AMERICAN):
        for match in pattern(shape).finditer(text):
            start, end = match.span()
            standard = pattern(_STANDARD).search(text, max(0, start - 12), start)
            if standard is None and _is_whole(text, start, end, divided=True):
                yield Finding("phone", start, end)


# ---- what a word right before it says


def _named(text: str) -> Iterator[Finding]:
    low = lower(text)
    for stems, words, least in ((_CLOSE_STEMS, _CLOSE, 6), (_WEAK_STEMS, _WEAK, 9)):
        for stem in stems:
            at = low.find(stem)
            while at >= 0:
                end = at + len(stem)
                word = pattern(words).match(text, at)
                if word is not None and not low[at - 1 : at].isalpha():
                    end = word.end()
                    begin = pattern(_GAP).match(text, end)
                    start = begin.end() if begin is not None else end
                    if text[start - 1 : start] == "(":
                        start -= 1
                    match = pattern(_ANY).match(text, start)
                    if match is not None and _is_number(text, *match.span(), least):
                        yield Finding("phone", *match.span())
                at = low.find(stem, end)


def _in_columns(text: str, labels: Labels) -> Iterator[Finding]:
    """Numbers under a head that says telephone."""
    if "\n" not in text:
        return
    for match in pattern(_ANY).finditer(text):
        start, end = match.span()
        if text[start - 1 : start] == "+" or not 7 <= end - start <= 24:
            continue  # the first has been found, the others are none
        if labels.head(start) == "phone" and _is_number(text, start, end, _FEWEST_DIGITS):
            yield Finding("phone", start, end)


def _is_number(text: str, start: int, end: int, least: int) -> bool:
    said = text[start:end]
    if pattern(_THOUSANDS).fullmatch(said) or pattern(_DATE).match(said):
        return False
    if pattern(r"[0-9]+\.[0-9]+").fullmatch(said):
        return False
    if not least <= digits_in(text, start, end) <= 15 or len(set(said) - set(" -./()")) == 1:
        return False
    return _is_whole(text, start, end, divided=True)
