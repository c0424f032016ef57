"""What can be wrong in the prices and controls of a card beyond the types of its entries."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmctl.cards import Card, Model, Price

_WINDOW = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
_TOKENS = ("input", "output", "cache_read", "cache_write", "cache_write_1h",
           "audio_input", "audio_output", "image_input", "image_output")  # fmt: skip
_PIECES = ("image", "audio_second", "search", "request")
_OF_TIER = _TOKENS[:5]
_OF_MODE = _TOKENS[:4]


def control_faults(found: Card) -> Iterator[str]:
    """Of what can be sent for privacy, and of rows that speak of it."""
    names = {one.name for one in found.controls}
    settings = {one.name for one in found.settings}
    for one in found.controls:
        if (one.header is None) == (one.body is None):
            yield _("the control {name} is sent neither in a header nor at a place in the body, or"
                    " in both", name=one.name)  # fmt: skip
        for name in one.when.keys() - settings:
            yield _("there is no setting {name} for {control} to depend on", name=name,
                    control=one.name)  # fmt: skip
    for row in found.privacy:
        for name in row.controls.keys() - names:
            yield _("there is no control {name}", name=name)


def price_faults(found: Card) -> Iterator[str]:
    """Of the prices of all models, of factors, and of names that must stand elsewhere."""
    names = {one.id for one in found.models}
    settings = {one.name for one in found.settings}
    for factor in found.price_factors:
        yield from _figure_faults(factor.factor, more_than_nothing=True)
    for name in found.free_when.keys() - settings:
        yield _("there is no setting {name} under which nothing is charged", name=name)
    for model in found.models:
        if model.tuned_from is not None and model.tuned_from not in names:
            yield _("{name} was made from {base}, which is no model of the card",
                    name=model.id, base=model.tuned_from)  # fmt: skip
        for price in model.prices:
            yield from _row_faults(price)
            for name in price.when.keys() - settings:
                yield _("there is no setting {name} for a price of {model} to depend on",
                        name=name, model=model.id)  # fmt: skip
        yield from _order_faults(model)


def _order_faults(model: Model) -> Iterator[str]:
    starts = [price.since for price in model.prices]
    if starts != sorted(starts, reverse=True):
        yield _("the prices of {name} are not newest first", name=model.id)
    rows = [(price.since, sorted(price.when.items())) for price in model.prices]
    for since in sorted({row[0] for row in rows if rows.count(row) > 1}):
        yield _("{name} has two prices since {since}", name=model.id, since=since)


def _row_faults(price: Price) -> Iterator[str]:
    if not _CURRENCY.fullmatch(price.currency):
        yield _("the currency {name} is not written like USD", name=price.currency)
    if price.unit < 1:
        yield _("a price per {unit} tokens says nothing", unit=price.unit)
    for figure in _amounts(price):
        yield from _figure_faults(figure)
    for mode in price.modes.values():
        for figure in filter(None, (mode.factor, mode.cache_factor)):
            yield from _figure_faults(figure, more_than_nothing=True)
    for window in price.windows:
        yield from _figure_faults(window.factor, more_than_nothing=True)
        if not _WINDOW.fullmatch(window.utc):
            yield _("the time of day {text} is not written like 16:30-00:30", text=window.utc)
    sizes = [tier.above_input_tokens for tier in price.tiers]
    if sizes != sorted(set(sizes)):
        yield _("the tiers of a price are not in the order of their sizes")


def _amounts(price: Price) -> Iterator[str]:
    """Every amount of money in a row of a price list."""
    rows: list[tuple[object, tuple[str, ...]]] = [(price, (*_TOKENS, *_PIECES))]
    rows += [(tier, _OF_TIER) for tier in price.tiers]
    rows += [(mode, _OF_MODE) for mode in price.modes.values()]
    for row, names in rows:
        yield from (figure for name in names if (figure := getattr(row, name)) is not None)


def _figure_faults(figure: str, *, more_than_nothing: bool = False) -> Iterator[str]:
    """Of a text that must be a decimal number from zero on, or above it where it multiplies."""
    try:
        number = Decimal(figure)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        yield _("the price {figure} is no number", figure=figure)
    elif number < 0:
        yield _("the price {figure} is negative", figure=figure)
    elif more_than_nothing and not number:
        yield _("a factor of {figure} would make everything free", figure=figure)
