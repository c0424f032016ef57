"""Amounts of money as people write them. What is read here stays text: checking the settings must
not load decimals at every start."""

import re
from typing import Any

from llmctl.errors import UsageError
from llmctl.messages import _

# Thousands may stand apart by any of the usual spaces: `1 500`.
NUMBER = r"((?:[0-9]{1,3}(?:[ \u00a0\u2009\u202f][0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?)"
WRITTEN = re.compile(rf"{NUMBER}\s*([A-Za-z]{{3}}|[$€₽])|([$€])\s*{NUMBER}")
# `1,500` is one and a half to some and fifteen hundred to others.
TWO_WAYS = re.compile(r"([1-9][0-9]{0,2})[.,]([0-9]{3})")
SIGNS = {"$": "USD", "€": "EUR", "₽": "RUB"}


def read_written(text: str) -> tuple[str, str]:
    """(digits with a point, code of the currency) of `0.50 USD`, `12,5 RUB`, `$3`, `100₽`,
    `1 500 USD`; raises UsageError for anything else, and for what can be read in two ways."""
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            _("{text} is no amount of money", text=text or '""'),
            hint=_('write an amount and its currency: "0.50 USD", "100 RUB"'),
        )
    number, currency = found[1] or found[4], found[2] or found[3]
    currency = SIGNS.get(currency, currency.upper())
    if (either := TWO_WAYS.fullmatch(number)) is not None:
        whole, rest = either[1], either[2]
        digits = rest.rstrip("0")
        digits += "0" * (len(digits) == len(rest))  # three digits again would say nothing
        small = f"{whole}.{digits}" if digits else whole
        ways = (f'"{whole}{rest} {currency}"', f'"{small} {currency}"')
        raise UsageError(
            _("{text} can be read in two ways", text=text),
            hint=_("did you mean: {names}", names=_(" or ").join(ways)),
        )
    return re.sub(r"\s", "", number).replace(",", "."), currency


class Amount:
    """An amount of money as text, written `Annotated[str, Amount()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        function = {"type": "no-info", "function": _fitting}
        return {"type": "function-after", "schema": handler(source), "function": function}

    def allows(self, text: str) -> bool:
        try:
            read_written(text)
        except UsageError:
            return False  # pydantic is to be asked, which says why
        return True


def _fitting(text: str) -> str:
    try:
        read_written(text)
    except UsageError as error:
        raise ValueError(f"{error.message}; {error.hint}") from None
    return text
