"""Check digits against another implementation, and those that it lacks against their definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from stdnum import iban, luhn
from stdnum.ru import inn, ogrn

from llmctl.privacy.detect import checksums

DIGITS = some.text("0123456789", min_size=1, max_size=20)


@given(DIGITS)
def test_luhn(digits: str) -> None:
    assert checksums.luhn(digits) == luhn.is_valid(digits)


@given(
    some.sampled_from((10, 12)).flatmap(
        lambda size: some.text("0123456789", min_size=size, max_size=size)
    )
)
def test_inn(digits: str) -> None:
    if not digits.startswith("00"):  # no region has that number
        assert checksums.inn(digits) == inn.is_valid(digits)


@given(some.integers(10**8, 10**9 - 1))
def test_every_inn_with_its_check_digit_is_right(number: int) -> None:
    whole = f"{number}{inn.calc_company_check_digit(str(number))}"

    assert checksums.inn(whole)
    assert sum(checksums.inn(f"{number}{last}") for last in range(10)) == 1


@given(some.integers(10**9, 10**10 - 1))
def test_every_persons_inn_with_its_check_digits_is_right(number: int) -> None:
    assert checksums.inn(f"{number}{inn.calc_personal_check_digits(str(number))}")


@given(some.integers(10**11, 2 * 10**11 - 1), some.integers(3 * 10**13, 4 * 10**13 - 1))
def test_every_ogrn_with_its_check_digit_is_right(company: int, trader: int) -> None:
    right = [last for last in "0123456789" if checksums.ogrn(f"{company}{last}")]
    assert right == [ogrn.calc_check_digit(f"{company}0")]

    # The last digit of the remainder by 13; stdnum takes the remainder itself, which may have two.
    right = [last for last in "0123456789" if checksums.ogrn(f"{trader}{last}")]
    assert right == [ogrn.calc_check_digit(f"{trader}0")[-1]]


@pytest.mark.parametrize(
    ("digits", "right"),
    [
        # 1*9+1*8+2*7+2*6+3*5+3*4+4*3+4*2+5*1 = 95
        ("11223344595", True), ("11223344594", False),
        # 0*9+8*8+7*7+6*6+5*5+4*4+3*3+0*2+3*1 = 202 = 2*101
        ("08765430300", True), ("08765430302", False),
        # 0*9+0*8+1*7+1*6+0*5+1*4+9*3+9*2+9*1 = 71
        ("00110199971", True),
        # up to 001-001-998 there are no check digits
        ("00100199800", False), ("00000000000", False),
        ("1122334459", False), ("112233445950", False),
    ],
)  # fmt: skip
def test_snils(digits: str, right: bool) -> None:
    assert checksums.snils(digits) is right


@given(some.integers(1_001_999, 999_999_999))
def test_every_snils_has_one_pair_of_check_digits(number: int) -> None:
    nine = f"{number:09}"
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(9, 0, -1), strict=True))
    while total > 101:
        total %= 101
    expected = 0 if total in (100, 101) else total

    assert [two for two in range(100) if checksums.snils(f"{nine}{two:02}")] == [expected]


@pytest.mark.parametrize("country", sorted(checksums._iban_shapes()))
def test_the_lengths_of_iban(country: str) -> None:
    """Every country that both know has one length; an account of zeros and A's passes where its
    check digits are right."""
    known = iban._ibandb.info(country + "00")[0][1].get("bban")
    if known is not None:
        import re

        parts = [(int(size), kind) for size, kind in re.findall(r"(\d+)!([nac])", known)]
        ours = checksums._iban_shapes()[country]
        assert sum(size for size, _kind in parts) == sum(size for size, _kind in ours)
        assert [kind for size, kind in parts for _one in range(size)] == [
            kind for size, kind in ours for _one in range(size)
        ]
