"""Numbers in texts, in the ways people and models write them, and how near is near enough.

`1,000` is a thousand to some and one to others, and an answer does not say which: such a numeral
has both values, and either may be the right one. A point is never taken for anything else where it
can be a decimal one, but for `1.000`, which is a thousand in much of Europe.
"""

import decimal
import re
from collections.abc import Iterator
from decimal import Decimal

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass

GAPS = " \u00a0\u2009\u202f'’_٬"  # between groups of digits, never before decimals
# A sign counts where no letter or digit stands before it: in `10-20` there is none.
NUMERAL = re.compile(
    r"(?<![\w.,])(?P<sign>[-+−–]?)(?:[$€₽£¥]\s?)?"
    rf"(?P<digits>(?:\d{{1,3}}(?:[{GAPS}]\d{{3}}(?!\d))+|\d+)(?:[.,٫]\d+)*|[.,]\d+)"
    r"(?:[eE](?P<power>[-+−]?\d{1,6})(?!\w)"
    r"|\s?(?:[×·*]|\\times|\\cdot)\s?10(?:\^\{?(?P<tens>[-+−]?\d{1,6})\}?"
    r"|(?P<raised>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})))?"
)
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
TOLERANCE = re.compile(r"(?:±|\+/-|\+-)")
# Enough that differences of numbers of everyday lengths are exact.
PRECISION = 200


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far from the right number one may be, both ends included: `by`, a share of the right
    number where `percent`."""

    by: Decimal = Decimal(0)
    percent: bool = False

    def allows(self, found: Decimal, right: Decimal) -> bool:
        if found == right:
            return True
        with decimal.localcontext(prec=PRECISION):
            try:
                bound = abs(right) * self.by / 100 if self.percent else self.by
                return abs(found - right) <= bound
            except ArithmeticError:  # 1e999999999 is near nothing
                return False


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text: as it stands there, and what it may be, the likelier first."""

    text: str
    values: tuple[Decimal, ...]


def numerals(text: str) -> Iterator[Numeral]:
    """The numbers of a text, in order; dates, versions and the like are none."""
    for found in NUMERAL.finditer(text):
        if values := tuple(_values(found)):
            yield Numeral(found[0], values)


def last_numeral(text: str) -> Numeral | None:
    found = list(numerals(text))
    return found[-1] if found else None


def _values(found: re.Match[str]) -> Iterator[Decimal]:
    sign = "-" if found["sign"] in ("-", "−", "–") and found["sign"] else ""
    raised = found["raised"].translate(RAISED) if found["raised"] else None
    power = (found["power"] or found["tens"] or raised or "0").replace("−", "-")
    for digits in _readings(found["digits"]):
        try:
            yield Decimal(f"{sign}{digits}E{power}")
        except decimal.InvalidOperation:
            continue


def _readings(digits: str) -> Iterator[str]:
    """Plain digits with a point for what stands in a text; nothing where it is no number."""
    plain = re.sub(f"(?<=[0-9])[{GAPS}](?=[0-9])", "", _western(digits))
    gapped = plain != _western(digits)
    points, commas = plain.count("."), plain.count(",")
    if points and commas:
        decimals = "." if plain.rfind(".") > plain.rfind(",") else ","
        groups = "," if decimals == "." else "."
        whole, _mark, rest = plain.partition(decimals)
        if rest.isdecimal() and _grouped(whole, groups):
            yield f"{whole.replace(groups, '')}.{rest}"
        return
    if points + commas == 0:
        yield plain
        return
    mark = "." if points else ","
    as_groups = not gapped and _grouped(plain, mark)
    if points + commas > 1:
        if as_groups:
            yield plain.replace(mark, "")
        return
    if as_groups and mark == ",":
        yield plain.replace(mark, "")
    yield plain.replace(mark, ".")
    if as_groups and mark == ".":
        yield plain.replace(mark, "")


def _grouped(digits: str, mark: str) -> bool:
    return re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+", digits) is not None


def _western(digits: str) -> str:
    """Any script's digits as 0 to 9, an Arabic decimal mark as a point."""
    return "".join(str(int(one)) if one.isdecimal() else one for one in digits).replace("٫", ".")


def read_number(text: str) -> tuple[str, Tolerance]:
    """(number or @COLUMN as typed, tolerance) of `3.14±0.01`, `100±5%`, `@expected+-1`; raises
    UsageError for a number or tolerance that is none, or that can be read in two ways."""
    written, *more = TOLERANCE.split(text.strip(), maxsplit=1)
    written = written.strip()
    if not written.startswith("@"):
        the_number(written, text)
    if not more:
        return written, Tolerance()
    share = more[0].strip()
    by = the_number(share.removesuffix("%"), text)
    if by < 0:
        raise _unread(text)
    return written, Tolerance(by, share.endswith("%"))


def the_number(written: str, text: str) -> Decimal:
    """What a user typed, in one of the ways of an answer; raises UsageError naming `text`."""
    found = NUMERAL.fullmatch(written.strip())
    values = tuple(_values(found)) if found is not None else ()
    if len(values) == 2 and "," in written:
        ways = _(" or ").join(format(value.normalize(), "f") for value in values)
        raise UsageError(
            _("{text} can be read in two ways", text=text),
            hint=_("did you mean: {names}", names=ways),
        )
    if not values:
        raise _unread(text)
    return values[0]


def _unread(text: str) -> UsageError:
    return UsageError(
        _("{text} is no number with a tolerance", text=text or '""'),
        hint=_("such as: --check number=42, number=3.14±0.01, number=100±5%"),
    )
