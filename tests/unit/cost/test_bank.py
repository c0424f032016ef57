"""The list of the Bank of Russia, in the shape in which it is served: windows-1251, decimal commas,
rates for 1, 10, 100 or 10,000 units, and the day for which they are set."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from llmctl.cost.bank import LONGEST, read_list
from llmctl.errors import ProviderFailed

ROW = (
    '<Valute ID="{id}"><NumCode>{number}</NumCode><CharCode>{code}</CharCode>'
    "<Nominal>{units}</Nominal><Name>{name}</Name><Value>{value}</Value>"
    "<VunitRate>{one}</VunitRate></Valute>"
)
ROWS = (
    ("R01235", "840", "USD", "1", "Доллар США", "81,9012", "81,9012"),
    ("R01239", "978", "EUR", "1", "Евро", "94,3201", "94,3201"),
    ("R01375", "156", "CNY", "10", "Юаней", "114,2030", "11,4203"),
    ("R01335", "398", "KZT", "100", "Тенге", "15,6789", "0,156789"),
    ("R01717", "860", "UZS", "10000", "Узбекских сумов", "67,1234", "0,00671234"),
)
TODAY = date(2026, 11, 25)
NAMES = ("id", "number", "code", "units", "name", "value", "one")


def listed(
    *rows: tuple[str, ...], day: str = "21.11.2026", head: str = "", encoding: str = "windows-1251"
) -> bytes:
    inside = "".join(ROW.format(**dict(zip(NAMES, row, strict=True))) for row in rows)
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>{head}'
        f'<ValCurs Date="{day}" name="Foreign Currency Market">{inside}</ValCurs>'
    )
    return text.encode(encoding)


def test_rates_are_for_one_unit() -> None:
    found = read_list(listed(*ROWS), TODAY)

    assert {pair: one.rate for pair, one in found.items()} == {
        "USD/RUB": Decimal("81.9012"),
        "EUR/RUB": Decimal("94.3201"),
        "CNY/RUB": Decimal("11.4203"),
        "KZT/RUB": Decimal("0.156789"),
        "UZS/RUB": Decimal("0.00671234"),
    }
    assert {(one.day, one.source, one.quote) for one in found.values()} == {
        (date(2026, 11, 21), "Bank of Russia", "RUB")
    }


def test_another_encoding_is_read_by_its_own_word() -> None:
    other = read_list(listed(*ROWS, encoding="utf-8"), TODAY)
    assert other.keys() == read_list(listed(*ROWS), TODAY).keys()


def test_tomorrows_rates_are_set_today() -> None:
    assert read_list(listed(*ROWS, day="26.11.2026"), TODAY)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "1111111111">'
    + "".join(f'<!ENTITY {new} "&{old};&{old};&{old};">' for old, new in pairwise("abcdefgh"))
    + "]>"
)
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
USD = ROWS[0]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b'{"USD": 80}',
        listed(),
        listed(USD)[:-9],
        listed(USD, day="2026-11-21"),
        listed(USD, day="31.02.2026"),
        listed(USD, day="27.11.2026"),
        listed((*USD[:2], "RUB", "1", "", "1,0000", "")),
        listed((*USD[:5], "81.9012", "")),
        listed((*USD[:5], "-81,9012", "")),
        listed((*USD[:5], "0,0000", "")),
        listed((*USD[:5], "1e9", "")),
        listed((*USD[:3], "0", "", "81,9012", "")),
        listed((*USD[:3], "", "", "81,9012", "")),
        listed((*USD[:2], "usd", "1", "", "81,9012", "")),
        listed((*USD[:2], 'U"]x', "1", "", "81,9012", "")),
        listed((*USD[:5], "&h;", ""), head=BOMB),
        listed((*USD[:5], "&a;", ""), head=FILE),
        listed(USD, head="<!DOCTYPE ValCurs>"),
        listed((*USD[:4], "<a><b/></a>", *USD[5:])),
        listed(USD).replace(b"windows-1251", b"no-such-code"),
        b"<ValCurs Date='21.11.2026'><Valute><CharCode>USD</CharCode></Valute></ValCurs>",
        listed(USD) + b" " * LONGEST,
    ],
    ids=lambda document: document[40:100],
)
def test_what_is_no_list_is_refused(document: bytes) -> None:
    with pytest.raises(ProviderFailed) as caught:
        read_list(document, TODAY)

    assert (caught.value.reason, caught.value.exit_code) == ("no-rates", 10)
    assert "passwd" not in caught.value.message
    assert "root:" not in caught.value.message
