"""What pictures will cost: by the piece exactly, by their tokens no more than that the model's
longest answer bounds them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from llmctl.cost.asked import model_limit
from llmctl.cost.estimate import NO_FIGURE
from llmctl.cost.money import Money
from llmctl.cost.prices import hour_factor, rates_at, source_of
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cards import Model
    from llmctl.cost.estimate import Estimate
    from llmctl.cost.tariff import Tariff
    from llmctl.types import Image

ZERO = Decimal(0)


def drawn(found: Estimate, charged: Tariff, call: Image, model: Model | None) -> Estimate:
    """`found`, whose tokens are those of the prompt, with the amounts for `call.count` pictures.

    `low` is the prompt with the pictures that have a price by the piece, `high` and `high_input`
    are the most of both together; they are None where nothing bounds what a picture takes, and so
    a cap does not let it pass unasked.
    """
    if charged.free is not None:
        none = Money(ZERO, charged.currency or "USD")
        return replace(
            found, low=none, usual=none, high=none, high_input=none, token_price=ZERO,
            price_source=charged.free,
        )  # fmt: skip
    row = charged.row
    if row is None:
        return found
    rates = [rates_at(row, size, charged.mode) for size in (found.input_least, found.input_most)]
    inputs = [one.input for one in rates if one.input is not None]
    by_piece = row.image is not None
    if not charged.prices_pictures or (len(inputs) < 2 and not (by_piece and row.input is None)):
        return replace(found, why=NO_FIGURE)
    least, most = (min(inputs), max(inputs)) if inputs else (ZERO, ZERO)
    factor = hour_factor(row, charged.at) * Decimal(charged.factor)
    pieces = Decimal(row.image or 0) * call.count
    once = (Decimal(row.request or 0) + pieces) * Decimal(charged.factor)
    low = least * factor * found.input_least + once
    high: Decimal | None = most * factor * found.input_most + once
    if not by_piece:
        tokens = model_limit(model)
        dearest = [one for one in (rates[1].output, rates[1].image_output) if one is not None]
        if tokens is None or not dearest or high is None:
            high = None
        else:
            high += max(dearest) * factor * tokens * call.count
    money = None if high is None else Money(high, row.currency)
    return replace(
        found,
        low=Money(low, row.currency),
        usual=money if by_piece else None,
        high=money,
        high_input=money,
        token_price=None if money is None else ZERO,
        price_source=source_of(row),
        price_date=row.source.checked,
        vat=row.vat,
    )
