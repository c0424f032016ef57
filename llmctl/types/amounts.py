"""Amounts of money as strangers and files state them."""

from decimal import Context, Decimal, InvalidOperation

# Powers of ten. What lies outside is no price of an answer but something that was made up; within,
# no sum of amounts is ever rounded in EXACT, and an amount stays short as text.
LARGEST, SMALLEST = 15, -40
EXACT = Context(prec=100)


def read_amount(stated: object) -> Decimal | None:
    """The exact amount in a number or its text (a float as it is spelt, to its last digit); None
    for what is negative, out of bounds or no number."""
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        return None
    try:
        amount = Decimal(str(stated))
    except (InvalidOperation, ValueError):  # an int of thousands of digits is the second
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or amount < 0:  # not a number, or infinite
        return None
    if exponent >= SMALLEST and amount.adjusted() <= LARGEST:
        return amount
    return None if amount else Decimal(0)


def plain(exact: Decimal) -> str:
    """The one way in which amounts are written for programs: digits without an exponent, and
    without zeros at the end that say nothing."""
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
