"""What the words beside a number say it is: "ИНН", `"phone":`, the head of a column.

The nearest word decides, so that in "ИНН 7707083893, заказ 5002100151" the second number is an
order. Kinds are the types of findings, and `other` for whatever else has numbers.
"""

from bisect import bisect_right
from functools import cache
from re import Pattern

# Cyrillic words go on with endings, Latin ones stop. Left of a word stands no letter of its
# alphabet; an underscore or a digit may.
_WORDS = {
    "phone": r"телефон\w*|тел|моб(?:ильн\w+)?|звон\w+|(?:по|пере|до)звон\w+|факс\w*|ватсап\w*"
    r"|вотсап\w*|вайбер\w*|смс|набер\w+|мой номер|номер для связи|номер абонента|сотов\w+"
    r"|tel|telephone|phones?|phoned|phoning|phone_?(?:number|no)|mobile|mob|cell|cellphone|fax"
    r"|whatsapp|viber|sms|msisdn|dial|ring|call|calls|called|calling|hotline"
    r"|(?:my|his|her|their|our|your|contact) number|reach (?:me|us|him|her|them)",
    "inn": r"инн|и\.н\.н|налогоплательщик\w*|налогов\w+ номер\w*|inn|taxpayer"
    r"|tax[ _]?(?:id|number|no)|itn",
    "snils": r"снилс\w*|пенсионн\w+|страхов\w+ номер\w*|страхов\w+ свидетельств\w+|snils"
    r"|pension (?:insurance )?(?:number|no|account)|insurance (?:number|no|account)",
    "ogrn": r"огрн|огрнип|ogrn|ogrnip|psrn|psrnsp|(?:государственн\w+ )?регистрационн\w+ номер\w*"
    r"|(?:state |primary )+registration (?:number|no)",
    "passport_ru": r"паспорт(?:а|у|ом|е|ы|ные|ных|ными|ам)?"
    r"(?! (?:сделк|качеств|издели|безопасн|объект|проект|оборудован|здани|отход|доступн|прибор"
    r"|двигател|транспорт|тс))|passports?(?!\.js)|passport_?\w*(?!\.js)"
    r"|документ\w* удостоверяющ\w+",
    "foreign_passport": r"загран\w*|заграничн\w+ паспорт\w*|международн\w+ паспорт\w*",
    "card": r"карт(?:а|ы|е|у|ой|очк\w+)|карт|visa|виза|mastercard|maestro|мир|amex"
    r"|american express|unionpay|cards?|credit ?card|debit|card_?(?:number|no)|pan"
    r"|cc_?(?:number|no|num)",
    "other": r"заказ\w*|orders?|сч[её]т\w*|л/с|accounts?|acct|invoice|артикул\w*|sku|штрих\w*"
    r"|barcode|ean(?:13)?|gtin|upc|isbn|issn|imei|imsi|iccid|трек\w*|tracking|track|накладн\w+"
    r"|договор\w*|контракт\w*|contract|ticket|тикет\w*|заявк\w+|обращени\w+|id|ids|uid|uuid|guid"
    r"|код\w*|code|swift|окпо|октмо|окато|оквэд|кбк|уин|хеш\w*|hash|commit|build|сборк\w+|верси\w+"
    r"|version|serial|s/n|серийн\w+|vin|timestamp|unix|unixtime|epoch|parcel|посылк\w*"
    r"|отправлени\w+|request|запрос\w*|сумм\w+|amount|price|цен\w+"
    r"|водительск\w+(?: удостоверени\w+)?|полис\w*(?: омс| дмс| осаго| каско)?"
    r"|свидетельств\w+|диплом\w*|аттестат\w*|стс|птс|военн\w+ билет\w*|техпаспорт\w*"
    r"|паспорт\w* (?:сделк|качеств|издели|безопасн|объект|проект|оборудован|здани|отход|доступн"
    r"|прибор|двигател|транспорт|тс)\w*|driver\w*|licen[cs]e|policy|part|p/n|models?|модел\w+|isin"
    r"|кадастров\w+|дел[оау]|протокол\w*|чек\w*|receipt|транзакци\w+|transaction|seed|random",
}
# How many digits each kind of number can have: a word that cannot mean a number is passed over, so
# that "ИНН/ОГРН" names both that follow it.
_DIGITS = {
    "phone": range(6, 16),
    "inn": (10, 12),
    "snils": (11,),
    "ogrn": (13, 15),
    "passport_ru": (9, 10),
    "foreign_passport": (9,),
    "card": range(14, 20),
    "other": range(100),
}
_AFTER = {
    "inn": r"[ ,]{0,2}[(-][ ]?(?:это )?(?:инн|inn)\b",
    "snils": r"[ ,]{0,2}[(-][ ]?(?:это )?(?:снилс|snils)\b",
    "ogrn": r"[ ,]{0,2}[(-][ ]?(?:это )?(?:огрн|огрнип|ogrn)\b",
    "phone": r"[ ,]{0,2}[(-][ ]?(?:это )?(?:тел|телефон|моб|сот|раб|дом|факс|phone|tel|mobile|cell"
    r"|home|work|office|fax)\b",
    "card": r"[ ,]{0,2}[(-][ ]?(?:это )?(?:карт|card|visa|mir|mastercard)",
}
_REACH = 70
_CELL = 40  # a head of a column is a word or a few
_LONGEST_HEADS = 1000
_HEAD_DIGITS = 8
_RAGGED = 2  # a row may have a sign within quotes, or leave the last columns out
# One of these stands in a line of heads that matters here.
_HEADS = (
    "инн", "inn", "тел", "phone", "tel", "mob", "моб", "fax", "факс", "снилс", "snils", "огрн",
    "ogrn", "паспорт", "passport", "карт", "card", "tax", "звон", "сот", "order", "заказ", "код",
)  # fmt: skip


@cache
def _labels() -> Pattern[str]:
    import re

    kinds = "|".join(f"(?P<{kind}>{words})" for kind, words in _WORDS.items())
    return re.compile(rf"(?=[a-zа-яё])(?<![a-zа-яё])(?:{kinds})(?![a-zа-яё])")


@cache
def _after(kind: str) -> Pattern[str]:
    import re

    return re.compile(_AFTER[kind])


@cache
def _camel() -> Pattern[str]:
    import re

    return re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


class Label:
    """`kind` of a word, and whether it stands right beside the number."""

    def __init__(self, kind: str, gap: str, *, is_close: bool = False) -> None:
        self.kind = kind
        self.gap = gap
        self._is_close = is_close

    @property
    def is_close(self) -> bool:
        """Whether nothing but signs and filling words stands between."""
        return self._is_close or _filling().fullmatch(self.gap) is not None


@cache
def _sentence() -> Pattern[str]:
    import re

    return re.compile(r"[.!?]\s")


@cache
def _filling() -> Pattern[str]:
    import re

    return re.compile(
        r"(?:[^\w\n]|_|\n(?!\n)|номер[а-я]*|number|num|no|n|is|are|at|мой|my|me|us|him|her|on|по"
        r"|раб|дом|моб"
        r"|сот|на|для|связи|рф|российской|федерации|гражданина|серия|и|series|and|value"
        r"|type|td|th|tr"
        r"|b|strong|span|string|text|div|p|li|br|dd|dt|href|data|организации"
        r"|физлица|юрлица|компании)*"
    )


class Labels:
    """The labels of one text; what takes long is done when it is first needed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tables: _Tables | None = None

    def before(self, start: int, digits: int, *, strong: bool = False) -> Label | None:
        """The nearest word before `start` that can mean a number of so many digits. A number that
        is `strong` by itself is another's only by a word right beside it."""
        window = self._text[max(0, start - _REACH) : start]
        if not window.isascii() or not window.islower():
            window = lower(_spread(window))
        passed = False
        for word in reversed(list(_labels().finditer(window))):
            kind = str(word.lastgroup)
            if digits in _DIGITS[kind]:
                label = Label(kind, window[word.end() :])
                if not (strong and kind == "other" and not label.is_close):
                    # What an earlier sentence speaks of, another word had been nearer to.
                    return None if passed and _sentence().search(label.gap) else label
                passed = True
        return None

    def nearest(self, start: int, end: int, digits: int, *, strong: bool = False) -> Label | None:
        """What the text says the number at `start:end` is: by the word right behind it, the nearest
        one before it on its line, the head of its column, the one that ends the line above."""
        tail = lower(self._text[end : end + 24])
        if tail.lstrip(" ,").startswith(("(", "-")):
            for kind in _AFTER:
                if digits in _DIGITS[kind] and _after(kind).match(tail):
                    return Label(kind, "", is_close=True)
        label = self.before(start, digits, strong=strong)
        if label is not None and "\n" not in label.gap:
            return label
        head = self.head(start)
        if head is not None and digits in _DIGITS[head]:
            return Label(head, "", is_close=True)
        return label if label is not None and label.is_close else None

    def kind(self, start: int, end: int, digits: int, *, strong: bool = False) -> str | None:
        label = self.nearest(start, end, digits, strong=strong)
        return label.kind if label is not None else None

    def head(self, start: int) -> str | None:
        """The kind in the head of the column in which `start` lies; None outside of tables."""
        if self._tables is None:
            self._tables = _Tables(self._text)
        return self._tables.head(start)


def lower(text: str) -> str:
    """As many characters as before, whatever their lower case."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(one.lower()[:1] or one for one in text)


def _spread(window: str) -> str:
    """`clientInn` as `client_inn`; places shift, which only matters to nobody."""
    return _camel().sub("_", window)


class _Tables:
    """Blocks of lines under a line of heads, with one sign between the columns."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._blocks: list[tuple[int, str, dict[int, str]]] = []
        self._read()

    def head(self, start: int) -> str | None:
        at = bisect_right(self._starts, start) - 1
        if at < 0 or start >= self._blocks[at][0]:
            return None
        _end, sign, kinds = self._blocks[at]
        line = self._text.rfind("\n", 0, start) + 1
        return kinds.get(_column(self._text[line:start], sign))

    def _read(self) -> None:
        place, sign, width = 0, "", 0
        kinds: dict[int, str] = {}
        for line in self._text.split("\n"):
            end = place + len(line) + 1
            if kinds and sign in line and abs(len(_cells(line, sign)) - width) <= _RAGGED:
                self._blocks[-1] = (end, sign, kinds)
            else:
                sign, kinds = _heads(line)
                width = len(_cells(line, sign)) if kinds else 0
                if kinds:
                    self._starts.append(end)
                    self._blocks.append((end, sign, kinds))
            place = end


def _heads(line: str) -> tuple[str, dict[int, str]]:
    """The sign between the heads of columns and the kind of each that has one."""
    if len(line) > _LONGEST_HEADS or not any(one in (low := lower(line)) for one in _HEADS):
        return "", {}
    if sum(map(str.isdigit, low)) > _HEAD_DIGITS:
        return "", {}
    if _code().search(line) is not None:
        return "", {}
    for sign in ("\t", "|", ";", ",", "  "):
        if sign in line.strip():
            cells = _cells(line, sign)
            kinds = {}
            for number, cell in enumerate(cells):
                cell = lower(_spread(cell.strip(" \"'"))) if len(cell) <= _CELL else ""
                found = _labels().search(cell) if cell else None
                if found is not None and found.lastgroup is not None:
                    kinds[number] = found.lastgroup
            return (sign, kinds) if len(cells) > 1 else ("", {})
    return "", {}


@cache
def _code() -> Pattern[str]:
    """What stands in no head of a column."""
    import re

    return re.compile(r"[={}\[\]]|\w\(|[,:({]\s*$")


def _cells(line: str, sign: str) -> list[str]:
    return _wide(line) if sign == "  " else line.split(sign)


def _wide(text: str) -> list[str]:
    return [one for one in text.split("  ") if one.strip()]


def _column(before: str, sign: str) -> int:
    """The number of the column that `before`, a line up to some place, leads into."""
    if sign == "  ":
        return len(_wide(before)) if before.endswith("  ") else max(0, len(_wide(before)) - 1)
    if '"' not in before:
        return before.count(sign)
    inside = count = 0
    for one in before:
        inside ^= one == '"'
        count += one == sign and not inside
    return count
