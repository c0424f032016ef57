"""What the ledger holds of the price of a run: one reading for statistics and for reports."""

from decimal import Decimal

from llmctl.types import Level
from llmctl.types.amounts import read_amount

ZERO = Decimal(0)


def paid(amount: str | None, currency: str | None, level: str | None) -> Decimal | None:
    """What a run cost, None where that is not known. What ran on this machine cost nothing."""
    if amount is None:
        return ZERO if level == Level.DEVICE else None
    exact = read_amount(amount)
    return None if exact and currency is None else exact


def happened(failed: int, *signs: object) -> bool:
    """Whether there was an answer, or a part of one, for which a provider may want money: the run
    did not fail, or there are `signs` of one (a first token, counts, a cost)."""
    return not failed or any(signs)
