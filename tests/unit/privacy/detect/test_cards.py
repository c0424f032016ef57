"""Payment cards: the numbers that the networks and payment services publish for tests."""

import pytest

from tests.unit.privacy.detect.marked import check, plain, spread

SIXTEEN = (
    "4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100",
    "2223003122003222", "6011111111111117", "3530111333300000", "6200000000000005",
    "2200700112233449",
)  # fmt: skip
OTHERS = ("378282246310005", "371449635398431", "30569309025904", "38520000023237")
ALL = (*SIXTEEN, *OTHERS)

SAID = """\
Карта @
Номер карты @, срок 09/28.
карта@
Переведи на карту Мир @ пять тысяч рублей.
Оплатил картой @ вчера
Card number @, expiry 04/29.
Visa @ was declined twice.
card:@
My card is @.
@
Запиши: @
{"pan": "@"}
{"card_number": @, "exp": "09/28"}
{"cardNumber":"@"}
card=@&cvc=123
<pan>@</pan>
<td>Карта</td><td>@</td>
| @ | 09/28 |
name;card\\nИванов;@
1,@,Иванов
"@"
Заказ оплачен картой @
Wire from Fatima, card @.
(@)
Карта\u00a0@
@ (карта)
"""
NOT = """\
Заказ № @ передан в доставку
order @
Order id: @
трек @
Штрихкод @
IMEI @
{"order_id": "@"}
{"id": @}
id=@
0.@
a@
@b
@5
5@
-1.@
v@
x_@
order_id;sum\\n@;100
"""
WRONG = """\
4111111111111112
4111 1111 1111 1112
Карта 4276 0100 4455 1124
1234567890123456
card 1234 5678 9012 3456
0000000000000000
9999 9999 9999 9999
7911111111111111
4111111111111
card 4222222222222
EAN 4006381333931
4006381333931
ISBN 978-3-16-148410-0
Order 4532 1111 2222 3333 4444 shipped
4111 1111 1111 1111 1111 1111
40817810099910004312
р/с 40702810400000001234
1764000000000000
1764000000000000000
175928847299117063
8b255427-c173-493d-b3b9-a72b9ea6a4e4
2026-11-25 10:15:30.123456
192.168.100.200
41111111.11111111
4111-11-11-11111111-11
4,111,111,111,111,111
4 111 111 111 111 111
sha 4111111111111111abcdef
0x4111111111111111
2026 2027 2028 2029 2030
12 24 36 48 60 72 84 96
"""


def grouped(digits: str, sign: str) -> str:
    cuts = {16: (4, 8, 12), 15: (4, 10), 14: (4, 10)}[len(digits)]
    parts = [digits[a:b] for a, b in zip((0, *cuts), (*cuts, len(digits)), strict=True)]
    return sign.join(parts)


@pytest.mark.parametrize(
    "text",
    [
        *spread(SAID, ALL[:4] + OTHERS[:1]),
        *spread("карта @\n@", ALL),
        *spread("Номер карты @, срок 09/28.\n@\nCard: @.", [grouped(one, " ") for one in ALL]),
        *spread("card @", [grouped(one, sign) for one in ALL for sign in ("-", " - ", "  ")]),
        *spread("карта @", [grouped(one, "\u00a0") for one in ALL]),
        *spread("карта @", [grouped(one, "\u2013") for one in ALL]),
    ],
)
def test_card(text: str) -> None:
    check(text, "card")


@pytest.mark.parametrize("text", [*plain(NOT, ALL[:6]), *plain(WRONG)])
def test_no_card(text: str) -> None:
    check(text, "card")


def test_a_card_beside_other_numbers() -> None:
    check("Карта ⟦4111 1111 1111 1111⟧ 12/28 123", "card")
    check("Карта ⟦4111 1111 1111 1111⟧ 2028", "card")
    check("⟦4111111111111111⟧ ⟦5555555555554444⟧", "card")
    check("⟦4111 1111 1111 1111⟧, ⟦5555 5555 5555 4444⟧", "card")
    check("карта ⟦４１１１ １１１１ １１１１ １１１１⟧", "card")
    check("карта ⟦4111\u00ad1111\u00ad1111\u00ad1111⟧", "card")
    check("заказ 12, карта: ⟦4111111111111111⟧", "card")
