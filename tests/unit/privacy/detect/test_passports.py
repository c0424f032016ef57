"""Russian passports: a series of four digits and a number of six."""

import pytest

from tests.unit.privacy.detect.marked import check, plain, spread

WRITTEN = (
    "45 08 123456", "4508 123456", "4508123456", "45 08 № 123456", "4508 №123456", "4509 № 654321",
    "40 11 номер 765432", "45-08 123456", "4508 123 456", "45 08 123 456", "4508-123456",
    "45 08 N 123456", "45 08, № 123456",
)  # fmt: skip
SAID = """\
Паспорт @
паспорт: @, выдан ОВД района Хамовники 12.03.2009.
паспорт РФ @
паспорт гражданина РФ @
Паспорт серия @
паспорт серии @ выдан в 2009 году
Паспортные данные: @
Мой паспорт — @
Данные паспорта: @, код подразделения 770-001
серия и номер паспорта: @
Серия и номер паспорта (РФ): @
предъявлен паспорт на имя Ольги Николаевой, @
Russian passport @ was scanned at the desk.
passport: @
Passport No. @
passport series and number: @
{"passport": "@"}
{"passportNumber":"@"}
<passport>@</passport>
<td>Паспорт</td><td>@</td>
| Паспорт | @ |
фио;паспорт\\nИванов;@
Паспорт\u00a0@
Паспорт\\n@
документ, удостоверяющий личность: паспорт, @
паспорт@
"""
UNSAID = """\
@
серия @
Серия @, выдан ОВД
предъявил @
"""
NOT = """\
Заказ @
ИНН @
order @
свидетельство @
Водительское удостоверение @
полис ОМС @
a@
0.@
@5
"""
NONE = """\
Passport.js has 1234567890 downloads
passport office handled 4509 654321 requests
4508 123456
45 08 123456
4508123456
Кв. метр стоит 245000, площадь 45.08 м, этаж 12 из 34.
паспорт сделки 4508 123456
паспорт качества 4508123456
техпаспорт 4508 123456
паспорт выдан 12.03.2009
паспорт выдан 12-03-2009, код 770-001
Паспорт готов, позвоните 5 раз
паспорта 12 человек
водительское удостоверение серия 7714 № 123456
полис серия 4509 № 654321
аттестат серия 4509 № 654321
диплом 4509 № 654321
загрузил 4508 123456 строк
The passport library 2.14.3 uses 4096 dimensions
2026-11-25 101530
1764000000 seconds
код 4508 № 12345
версия 40 11 номер сборки 765432
passport.authenticate(1234)
"""


@pytest.mark.parametrize(
    "text",
    [
        *spread(SAID, WRITTEN),
        *spread(UNSAID, [one for one in WRITTEN if "номер" in one or one == "45 08 № 123456"]),
    ],
)
def test_passport(text: str) -> None:
    check(text, "passport_ru")


@pytest.mark.parametrize("text", [*plain(NOT, WRITTEN[:6]), *plain(NONE)])
def test_no_passport(text: str) -> None:
    check(text, "passport_ru")


def test_passports_in_fields_of_scans_and_for_journeys() -> None:
    check('{"passport_series": "⟦4508⟧", "passport_number": "⟦123456⟧"}', "passport_ru")
    check('{"passport": {"series": "⟦45 08⟧", "number": "⟦123456⟧"}}', "passport_ru")
    check("Паспорт: серия ⟦4508⟧, выдан, номер ⟦123456⟧", "passport_ru")
    check("паспорт ⟦45 О8 12З456⟧", "passport_ru")
    check("ПАСПОРТ ⟦4S08 123456⟧".replace("S", "5"), "passport_ru")
    check("загранпаспорт ⟦71 1234567⟧", "passport_ru")
    check("заграничный паспорт ⟦71 № 1234567⟧ до 2030", "passport_ru")
    check("паспорт ⟦４５ ０８ １２３４５６⟧", "passport_ru")
    check("паспорт ⟦45\u00a008\u00a0123456⟧", "passport_ru")
    check("паспорт ⟦4508\u00ad123456⟧", "passport_ru")
