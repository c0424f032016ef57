"""The check digits of the numbers that are looked for. All take digits without separators and say
whether they are right; lengths and first digits are checked too, as far as the rules fix them."""

from functools import cache

_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, *_INN_10)
_INN_12 = (3, *_INN_11)
# Twice a digit, and the digits of that added up.
_TWICE = str.maketrans("0123456789", "0246813579")
# Numbers up to this one were given out before there were check digits.
_SNILS_UNCHECKED = 1_001_998


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    once, twice = digits[::-2], digits[-2::-2].translate(_TWICE)
    return (sum(map(int, once)) + sum(map(int, twice))) % 10 == 0


def inn(digits: str) -> bool:
    """The taxpayer's number: 10 digits of a company, 12 of a person."""
    if digits.startswith("00") or not digits.strip("0"):
        return False
    if len(digits) == 10:
        return _weighed(digits, _INN_10)
    return len(digits) == 12 and _weighed(digits, _INN_11) and _weighed(digits, _INN_12)


def _weighed(digits: str, weights: tuple[int, ...]) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return total % 11 % 10 == int(digits[len(weights)])


def snils(digits: str) -> bool:
    """The number of the pension insurance: nine digits and two that check them."""
    if len(digits) != 11 or int(digits[:9]) <= _SNILS_UNCHECKED:
        return False
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
    return total % 101 % 100 == int(digits[9:])


def ogrn(digits: str) -> bool:
    """The register number of a company (13 digits) or of a sole trader (15 digits)."""
    if len(digits) == 13 and digits[0] in "15":
        return int(digits[:12]) % 11 % 10 == int(digits[12])
    return len(digits) == 15 and digits[0] == "3" and int(digits[:14]) % 13 % 10 == int(digits[14])


def iban(value: str) -> bool:
    """ISO 13616: a country's length and kinds of characters, and the remainder by 97. `value` is
    in capitals and without spaces."""
    shape = _iban_shapes().get(value[:2])
    if shape is None or not value[2:4].isdigit() or len(value) != 4 + sum(n for n, _kind in shape):
        return False
    place = 4
    for count, kind in shape:
        part = value[place : place + count]
        fits = part.isdigit() if kind == "n" else part.isalpha() if kind == "a" else part.isalnum()
        if not fits:
            return False
        place += count
    return int("".join(str(int(one, 36)) for one in value[4:] + value[:4])) % 97 == 1


def iban_length(country: str) -> int:
    """How many characters an IBAN of the country has; 0 for countries without."""
    shape = _iban_shapes().get(country)
    return 4 + sum(count for count, _kind in shape) if shape else 0


# How accounts are written in each country: so many digits (n), letters (a), either (c).
_IBAN = """
AD 8n12c AE 3n16n AL 8n16c AT 5n11n AZ 4a20c BA 3n3n8n2n BE 3n7n2n BG 4a6n8c BH 4a14c BI 5n5n11n2n
BR 8n5n10n1a1c BY 4c4n16c CH 5n12c CR 4n14n CY 3n5n16c CZ 4n6n10n DE 8n10n DJ 5n5n11n2n DK 4n9n1n
DO 4c20n EE 2n2n11n1n EG 4n4n17n ES 4n4n1n1n10n FI 3n11n FK 2a12n FO 4n9n1n FR 5n5n11c2n GB 4a6n8n
GE 2a16n GI 4a15c GL 4n9n1n GR 3n4n16c GT 4c20c HN 4a20n HR 7n10n HU 3n4n1n15n1n IE 4a6n8n
IL 3n3n13n IQ 4a3n12n IS 4n2n6n10n IT 1a5n5n12c JO 4a4n18c KW 4a22c KZ 3n13c LB 4n20c LC 4a24c
LI 5n12c LT 5n11n LU 3n13c LV 4a13c LY 3n3n15n MC 5n5n11c2n MD 2c18c ME 3n13n2n MK 3n10c2n MN 4n12n
MR 5n5n11n2n MT 4a5n18c MU 4a2n2n12n3n3a NI 4a20n NL 4a10n NO 4n6n1n OM 3n16c PK 4a16c PL 8n16n
PS 4a21c PT 4n4n11n2n QA 4a21c RO 4a16c RS 3n13n2n RU 9n5n15c SA 2n18c SC 4a2n2n16n3a SD 2n12n
SE 3n16n1n SI 5n8n2n SK 4n6n10n SM 1a5n5n12c SO 4n3n12n ST 4n4n11n2n SV 4a20n TL 3n14n2n
TN 2n3n13n2n TR 5n1n16c UA 6n19c VA 3n15n VG 4a16n XK 4n10n2n YE 4a4n18c
"""


@cache
def _iban_shapes() -> dict[str, list[tuple[int, str]]]:
    words = iter(_IBAN.split())
    shapes = {}
    for country in words:
        parts, number = [], ""
        for sign in next(words):
            if sign.isdigit():
                number += sign
            else:
                parts.append((int(number), sign))
                number = ""
        shapes[country] = parts
    return shapes
