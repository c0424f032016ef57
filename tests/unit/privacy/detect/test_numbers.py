"""IBAN, INN, SNILS and OGRN. The numbers are public ones: of companies in the register, of the
IBAN registry's examples, and those that explain SNILS."""

import pytest

from tests.unit.privacy.detect.marked import check, plain, spread

COMPANIES = ("7707083893", "7736050003", "7736207543", "7706107510")
PEOPLE = ("500100732259",)
INN = (*COMPANIES, *PEOPLE)
OGRN = ("1027700132195", "1027700070518", "1027700229193", "1027700043502", "304500116000157")

INN_SAID = """\
ИНН @
ИНН: @
инн @.
инн@
ИНН №@
ИНН № @, КПП 770701001
ИНН/КПП @/770701001
ИНН/КПП: @ / 770701001
ИНН организации @ не найден в реестре
Мой ИНН — @, проверьте
ИНН (налогоплательщика): @
Идентификационный номер налогоплательщика @
Укажите ИНН контрагента ООО «Ромашка» (@) в счёте
реквизиты: КПП 770701001, ИНН @, БИК 044525225
@ (ИНН)
@ — ИНН заказчика
INN @
INN: @, KPP 770701001
the INN is @.
Taxpayer number @ was rejected
tax ID: @
{"inn": "@"}
{"inn": @, "kpp": "770701001"}
{"clientInn":"@"}
{"client_inn": "@", "n": 1}
'inn' => '@',
inn=@
?inn=@&kpp=770701001
<inn>@</inn>
<td>ИНН</td><td>@</td>
<ИНН>@</ИНН>
| ИНН | @ |
ИНН\\t@\\tКПП\\t770701001
ИНН;@;КПП;770701001
ИНН\u00a0@
ИНН:\u2009@
ИНН\\n@
name;inn;city\\nРомашка;@;Москва\\nЛютик;@;Омск
name,inn,kpp\\n"Ромашка, ООО",@,770701001
| № | Название | ИНН |\\n|---|---|---|\\n| 1 | Ромашка | @ |
Название      ИНН           КПП\\nРомашка       @    770701001
"""

INN_NOT = """\
Заказ № @ передан в доставку
order @
Номер заявки: @
артикул @
@
id=@
{"id": @}
{"order_id": "@"}
Умножь @ на 2
user @ logged in
ИНН не указан, номер заказа @
ИНН: не указан. Код товара @
ИНН 0@
ИНН a@
ИНН @5
ИНН 1.@
track @
Штрихкод @ не читается
build @ failed
Сумма @ руб.
x = @
[@, 1, 2]
timestamp: @
The inner @ loop
name;id\\nРомашка;@
"""

INN_WRONG = """\
ИНН 7707083894
ИНН 7707083983
ИНН: 500100732258
ИНН 500100732250
ИНН 123456789
ИНН 0000000000
ИНН 12345678901
инн 1234567890
INN 1111111111
"""


@pytest.mark.parametrize("text", spread(INN_SAID, INN))
def test_inn(text: str) -> None:
    check(text, "inn")


@pytest.mark.parametrize("text", [*plain(INN_NOT, INN), *plain(INN_WRONG)])
def test_no_inn(text: str) -> None:
    check(text, "inn")


def test_an_inn_written_with_spaces_or_in_other_digits() -> None:
    check("ИНН ⟦77 07 083893⟧", "inn")
    check("ИНН: ⟦7707 083 893⟧", "inn")
    check("ИНН ⟦5001 0073 2259⟧", "inn")
    check("ИНН ⟦７７０７０８３８９３⟧", "inn")  # full width
    check("ИНН ⟦7707\u00ad083893⟧", "inn")  # a soft hyphen
    check("ИНН\u200b ⟦77070\u200b83893⟧", "inn")


# ---- SNILS

SNILS = ("112-233-445 95", "087-654-303 00")
SNILS_SAID = """\
СНИЛС @
СНИЛС: @.
снилс@
Номер СНИЛС @ указан в анкете
@
Пенсионный номер @ принадлежит ей
Страховой номер: @
Мой @, а твой?
SNILS @
SNILS: @, thanks
pension insurance number @
{"snils": "@"}
{"snils":"@","inn":null}
snils=@
<snils>@</snils>
<td>СНИЛС</td><td>@</td>
| СНИЛС | @ |
фио;снилс\\nИванов И. И.;@
ФИО,СНИЛС,Город\\nИванов,@,Омск
СНИЛС\u00a0@
паспорт утерян, СНИЛС @
(@)
«@»
СНИЛС\\n@
"""
SNILS_PLAIN = """\
СНИЛС @
СНИЛС: @
снилс@
СНИЛС без дефисов: @ указан в анкете
Пенсионный номер @
страховой номер @
SNILS @
{"snils": "@"}
{"snils": @}
snils=@
<snils>@</snils>
| СНИЛС | @ |
фио;снилс\\nИванов И. И.;@
name,snils,city\\nИванов,@,Омск
@ (СНИЛС)
"""
SNILS_NOT = """\
@
Заказ @
id @
трек @
order @ shipped
{"id": @}
x = @
Multiply @ by 2
ИНН @
1.@
a@
@b
"""
SNILS_WRONG = """\
СНИЛС 112-233-445 96
СНИЛС 11223344596
112-233-445 59
112-233-445
123-456-789 01
087-654-303 01
000-000-000 00
2026-112-233-445 95
112-233-445 95-7
часть 112-233-445 12
"""


@pytest.mark.parametrize(
    "text",
    [
        *spread(
            SNILS_SAID,
            (*SNILS, "112-233-445-95", "087\u2013654\u2013303 00", "112-233-445\u00a095"),
        ),
        *spread(SNILS_PLAIN, ("11223344595", "08765430300", "112 233 445 95")),
    ],
)
def test_snils(text: str) -> None:
    check(text, "snils")


@pytest.mark.parametrize(
    "text", [*plain(SNILS_NOT, ("11223344595", "08765430300")), *plain(SNILS_WRONG)]
)
def test_no_snils(text: str) -> None:
    check(text, "snils")


# ---- OGRN

OGRN_SAID = """\
ОГРН @
ОГРН: @.
ОГРНИП @
огрн@
ОГРН № @ от 12.03.2009
ИНН/ОГРН указан в уставе: @
ОГРН в договоре № 5 указан неверно, верно так: @
ОГРН/ИНН: @
Основной государственный регистрационный номер @
OGRN @
OGRN: @, Moscow
PSRN @
primary state registration number @
{"ogrn": "@"}
{"ogrn": @}
{"companyOgrn":"@"}
ogrn=@
<ogrn>@</ogrn>
<td>ОГРН</td><td>@</td>
| ОГРН | @ |
ОГРН\\t@
name;ogrn\\nРомашка;@
название,огрн,город\\nРомашка,@,Омск
| № | ОГРН |\\n|---|---|\\n| 1 | @ |
ОГРН\u00a0@
@ (ОГРН)
КПП 770701001, ОГРН @, БИК 044525225
ОГРН\\n@
ОГРН организации — @
"""
OGRN_NOT = """\
@
EAN @
штрихкод @
timestamp @
{"created_at": @}
order @
x = @
0.@
a@
ОГРН a@
Заказ @ доставлен
ts=@
"""
OGRN_WRONG = """\
ОГРН 1027700132196
ОГРН 9027700132195
ОГРНИП 304500116000158
ОГРН 102770013219
ОГРН 0000000000000
EAN 4006381333931
ISBN 9785170910540
Unix time 1764000000000
"""


@pytest.mark.parametrize("text", spread(OGRN_SAID, OGRN))
def test_ogrn(text: str) -> None:
    check(text, "ogrn")


@pytest.mark.parametrize("text", [*plain(OGRN_NOT, OGRN), *plain(OGRN_WRONG)])
def test_no_ogrn(text: str) -> None:
    check(text, "ogrn")


# ---- IBAN: the examples of the registry

IBAN = (
    "GB29NWBK60161331926819", "DE89370400440532013000",
    "FR1420041010050500013M02606", "NL91ABNA0417164300",
    "CH9300762011623852957", "ES9121000418450200051332",
    "IT60X0542811101000000123456", "NO9386011117947",
    "PL61109010140000071219812874", "KZ86125KZT5004100100",
    "BY13NBRB3600900000002Z00AB00", "UA213223130000026007233566001",
    "AE070331234567890123456", "TR330006100519786457841326",
    "GE29NB0000000101904917", "AZ21NABZ00000000137010001944",
    "SE4550000000058398257466", "BR1800360305000010009795493C1",
    "MT84MALT011000012345MTLCAST001S", "SC18SSCB11010000000000001497USD",
)  # fmt: skip
IBAN_SAID = """\
IBAN @
IBAN: @.
Pay to @ by Friday
счёт @ в банке
{"iban": "@"}
name,iban\\nKlaus,@
<iban>@</iban>
(@)
| @ | 100 |
"""
IBAN_NOT = """\
X@
@X9
_@
"""
IBAN_WRONG = """\
GB82WEST12345698765433
DE89 3704 0044 0532 0130 01
DE8937040044053201300
ZZ89370400440532013000
XX00 0000 0000 0000 0000
GB00NWBK60161331926819
DE12ABCD00440532013000
AB12 is a room, CD34 another one
ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12
5f3c2a9e-8b25-4427-a173-b3b9a72b9ea6
sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709
RA123456785RU
SE35 5000 0000
"""


def in_fours(value: str) -> str:
    return " ".join(value[at : at + 4] for at in range(0, len(value), 4))


@pytest.mark.parametrize(
    "text",
    [
        *spread(IBAN_SAID, IBAN),
        *spread("IBAN @ at our bank", map(in_fours, IBAN)),
        *spread("Wire it: @", [in_fours(one).replace(" ", "\u00a0") for one in IBAN]),
        *spread("iban: @", [one.lower() for one in IBAN]),
        *spread("@", [in_fours(one).replace(" ", "-") for one in IBAN]),
    ],
)
def test_iban(text: str) -> None:
    check(text, "iban")


@pytest.mark.parametrize("text", [*plain(IBAN_NOT, IBAN), *plain(IBAN_WRONG)])
def test_no_iban(text: str) -> None:
    check(text, "iban")
