"""Numbers with check digits: IBAN, and the Russian registers' INN, SNILS and OGRN.

A number of ten digits passes its check by chance once in eleven times: only with a word beside it
that says what it is does it count. Each pattern begins with what the number begins with and repeats
nothing without a bound, so that a text of nothing but digits is searched in one pass.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from llmctl.privacy.detect import checksums
from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.labels import Labels
from llmctl.privacy.detect.shape import pattern, stands_alone

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = 4096
_FEWEST_DIGITS = 7
_WHOLE = {
    "inn": r"[0-9](?<![0-9][0-9])(?:[0-9]{11}|[0-9]{9})(?![0-9])",
    "ogrn": r"[135](?<![0-9][0-9])(?:[0-9]{14}|[0-9]{12})(?![0-9])",
    "snils": r"[0-9](?<![0-9][0-9])[0-9]{2}[ \-]{0,2}[0-9]{3}[ \-]{0,2}[0-9]{3}[ \-]{0,3}[0-9]{2}"
    r"(?![0-9])",
}
_LENGTHS = {"inn": (12, 10), "ogrn": (15, 13), "snils": (11,)}
_NAMED = {
    "inn": r"(?:ИНН|[Ии]нн|INN|[Ii]nn|налогоплательщика)(?![A-Za-zА-Яа-яё])",
    "ogrn": r"(?:ОГРН|[Оо]грн|OGRN|[Oo]grn)(?:ИП|ип|IP|ip)?(?![A-Za-zА-Яа-яё])",
    "snils": r"(?:СНИЛС|[Сс]нилс|SNILS|[Ss]nils)(?![A-Za-zА-Яа-яё])",
}


def found(text: str, labels: Labels, wanted: Collection[str]) -> Iterator[Iterable[Finding]]:
    if len(text) < _SHORT and sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return
    if "iban" in wanted:
        yield _ibans(text)
    from llmctl.privacy.detect.cards import cards
    from llmctl.privacy.detect.passports import passports

    if "card" in wanted:
        yield cards(text, labels)
    for kind in ("snils", "ogrn", "inn"):
        if kind in wanted:
            yield _whole(text, labels, kind)
            yield _spaced(text, kind)
    if "passport_ru" in wanted:
        yield passports(text, labels)


def _ibans(text: str) -> Iterator[Finding]:
    """A country, two check digits and an account, in one piece or in groups, in capitals or not."""
    start_of = pattern(
        r"[A-Za-z](?:(?<![A-Za-z0-9_][A-Za-z])|(?<=[Ii][Bb][Aa][Nn][A-Za-z]))"
        r"[A-Za-z][0-9]{2}(?=[ \-]?[A-Za-z0-9])"
    )
    group_of = pattern(r"[ \-]{0,2}([A-Za-z0-9]{1,34})")
    for match in start_of.finditer(text):
        start = match.start()
        length = checksums.iban_length(text[start : start + 2].upper())
        end, size = start, 0
        while size < length and (group := group_of.match(text, end)) is not None:
            end, size = group.end(), size + len(group[1])
        value = text[start:end]
        cased = (
            value.isupper() or value.islower() or "iban" in text[max(0, start - 12) : start].lower()
        )
        if size == length and cased and text[end : end + 1] != "_":
            plain = value.upper().replace(" ", "").replace("-", "")
            if checksums.iban(plain):
                yield Finding("iban", start, end)


def _whole(text: str, labels: Labels, kind: str) -> Iterator[Finding]:
    """Numbers in one piece, or as their own spelling divides them (SNILS)."""
    check = _check(kind)
    for match in pattern(_WHOLE[kind]).finditer(text):
        start, end = match.span()
        digits = match[0].replace(" ", "").replace("-", "")
        if check(digits) and stands_alone(text, start, end, kind, labels):
            # Ten digits pass by chance too often to be strong by themselves.
            said = labels.kind(start, end, len(digits), strong=len(digits) != 10)
            if said == kind or (_is_typical(match[0]) and said != "other"):
                yield Finding(kind, start, end)


def _is_typical(number: str) -> bool:
    """`112-233-445 95` is written like nothing else."""
    return pattern(r"[0-9]{3}-[0-9]{3}-[0-9]{3}[ \-]{1,3}[0-9]{2}").fullmatch(number) is not None


def _spaced(text: str, kind: str) -> Iterator[Finding]:
    """Numbers with spaces anywhere, right behind the word that names them."""
    check = _check(kind)
    for name in pattern(_NAMED[kind]).finditer(text):
        begin = pattern(r"(?:[^\w\n]|№|номер ){0,12}").match(text, name.end())
        start = begin.end() if begin else name.end()
        for length in _LENGTHS[kind]:
            more = length - 1
            match = pattern(rf"[0-9](?:[ \-.]?[0-9]){{{more}}}(?![0-9A-Za-z])").match(text, start)
            if match is not None and check(pattern(r"[^0-9]").sub("", match[0])):
                yield Finding(kind, *match.span())
                break


def _check(kind: str) -> "Callable[[str], bool]":
    return {"inn": checksums.inn, "ogrn": checksums.ogrn, "snils": checksums.snils}[kind]
