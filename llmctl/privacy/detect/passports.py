"""Russian passports: a series of four digits and a number of six, without a check digit.

A word must say it (`паспорт`, `passport`), or the way it is written: `40 11 номер 765432`,
`серия 4509 № 654321`.
"""

from collections.abc import Iterator

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.labels import Labels
from llmctl.privacy.detect.shape import is_amount, pattern, stands_alone

_SIGN = r"(?:№|номер|N[oо°º]?\b\.?|n[oо]?\b\.?|#|number\b|num\b)"
_WRITTEN = (
    r"[0-9](?<![0-9][0-9])[0-9][ \-]?[0-9]{2}(?![0-9]{7})"
    rf"(?:[ ,;:\-]{{0,3}}(?P<sign>{_SIGN})[ .:№]{{0,3}}|[ \-]{{0,3}})"
    r"[0-9]{3}[ ]?[0-9]{3}(?![0-9])"
)
_FOREIGN = rf"[0-9](?<![0-9][0-9])[0-9][ ]?(?:{_SIGN}[ ]?)?[0-9]{{7}}(?![0-9])"
# Letters that a reader of scanned pages takes digits for.
_READ = "[0-9OОoоQЗзIl|бБ]"
_SCANNED = rf"{_READ}{{2}}[ \-]?{_READ}{{2}}[ ]?{_SIGN}?[ ]?{_READ}{{3}}[ ]?{_READ}{{3}}(?!\w)"
_SERIES = (
    r"(?:[Сс]ери[яиюей]|СЕРИ[ЯИЮЕЙ]|[Ss]eri(?:es|a)|SERIES)\w{0,12}[^0-9]{1,30}"
    r"([0-9]{2}[ ]?[0-9]{2})(?![0-9])"
)
_NUMBER = (
    r"[^0-9]{0,40}(?:[Нн]омер|НОМЕР|[Nn]umber|NUMBER|[Nn]o\b|№)\w{0,12}"
    r"[^0-9]{0,30}([0-9]{6})(?![0-9])"
)
_REACH = 90
_YEARS = frozenset(range(98, 100)) | frozenset(range(30)) | {97}


def passports(text: str, labels: Labels) -> Iterator[Finding]:
    for match in pattern(_WRITTEN).finditer(text):
        start, end = match.span()
        if (
            stands_alone(text, start, end, "passport_ru", labels)
            and not is_amount(text, start, end)
            and _is_meant(text, start, end, match["sign"] is not None, labels)
        ):
            yield Finding("passport_ru", start, end)
    low = text.lower()
    if "паспорт" in low or "passport" in low:
        yield from _foreign(text, labels)
        yield from _in_fields(text)
        yield from _scanned(text, labels)


def _is_meant(text: str, start: int, end: int, signed: bool, labels: Labels) -> bool:
    label = labels.nearest(start, end, 10, strong=True)
    if label is not None:
        return label.kind == "passport_ru"
    if not signed:
        return False
    digits = pattern(r"[^0-9]").sub("", text[start:end])
    series = pattern(r"(?i)(?:серия|серии|series)\W{0,4}$").search(text[max(0, start - 12) : start])
    apart = text[start + 2] in " -"
    return int(digits[2:4]) in _YEARS and digits[:2] != "00" and (apart or series is not None)


def _foreign(text: str, labels: Labels) -> Iterator[Finding]:
    """The passport for journeys: two digits and seven."""
    for match in pattern(_FOREIGN).finditer(text):
        start, end = match.span()
        label = labels.nearest(start, end, 9)
        apart = not text[start:end].isdigit()
        said = label is not None and (
            label.kind == "foreign_passport"
            or (label.kind == "passport_ru" and apart and label.is_close)
        )
        if said and stands_alone(text, start, end, "foreign_passport", labels):
            yield Finding("passport_ru", start, end)


def _in_fields(text: str) -> Iterator[Finding]:
    """Series and number in fields of their own, as in JSON: each is found for itself."""
    for series in pattern(_SERIES).finditer(text):
        number = pattern(_NUMBER).match(text, series.end())
        around = text[max(0, series.start() - _REACH) : series.end() + 40].lower()
        if number is not None and ("паспорт" in around or "passport" in around):
            yield Finding("passport_ru", *series.span(1))
            yield Finding("passport_ru", *number.span(1))


def _scanned(text: str, labels: Labels) -> Iterator[Finding]:
    for word in pattern(r"(?i)паспорт|passport").finditer(text):
        match = pattern(_SCANNED).search(text, word.end(), word.end() + 40)
        if match is not None and sum(map(str.isdigit, match[0])) >= 7:
            label = labels.nearest(*match.span(), 10)
            said = label is not None and label.kind == "passport_ru"
            if said and not is_amount(text, *match.span()):
                yield Finding("passport_ru", *match.span())
