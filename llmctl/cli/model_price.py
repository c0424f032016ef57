"""The price of a model that is in force, for scripts, for a column and for a list of facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.types import OWN_HARDWARE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from llmctl.card_prices import ContextTier, Mode
    from llmctl.cards import Card, Model, Price
    from llmctl.cost.tariff import Tariff
    from llmctl.settings import ProviderSettings
    from llmctl.types import Json

# Of one million tokens, whatever the unit of the card.
PER = 1_000_000
_OF_TOKENS = ("input", "output", "cache_read", "cache_write", "cache_write_1h",
              "audio_input", "audio_output", "image_input", "image_output")  # fmt: skip
_OF_PIECES = ("image", "audio_second", "search", "request")


def in_force(card: Card, model: Model, own: ProviderSettings, at: datetime) -> Tariff:
    """What is charged under the user's settings, at the address that they say."""
    from llmctl.cost.tariff import tariff
    from llmctl.engine.placed import place_of

    return tariff(card, model, place_of(card, own, model.id, model).terms, at)


def price_facts(charged: Tariff) -> dict[str, Json] | None:
    """Figures are decimals as texts, per million tokens or per piece, null where they are not
    known; None where there is no price. Own hardware charges nothing for its answers."""
    row = charged.row
    if charged.free is not None:
        return {"currency": charged.currency, "vat": "none", "since": None,
                **dict.fromkeys((*_OF_TOKENS, *_OF_PIECES)), "input": "0", "output": "0",
                "tiers": [], "modes": {}, "windows": [], "source": None}  # fmt: skip
    if row is None:
        return None
    tiers = [
        {name: value if isinstance(value, int) else per_million(value, row)
         for name, value in asdict(tier).items() if name != "rule"} | {"rule": tier.rule}
        for tier in row.tiers
    ]  # fmt: skip
    modes = {
        name: {key: value if key.endswith("factor") else per_million(value, row)
               for key, value in asdict(mode).items()}
        for name, mode in row.modes.items()
    }  # fmt: skip
    return {
        "currency": row.currency,
        "vat": row.vat,
        "since": row.since,
        **{name: per_million(getattr(row, name), row) for name in _OF_TOKENS},
        **{name: getattr(row, name) for name in _OF_PIECES},
        "tiers": tiers,
        "modes": modes,
        "windows": [{**asdict(one), "days": list(one.days)} for one in row.windows],
        "source": asdict(row.source),
    }


def per_million(figure: str | None, row: Price) -> str | None:
    """A price per `unit` of the row as one per million tokens."""
    if figure is None:
        return None
    from decimal import Decimal

    from llmctl.types.amounts import plain

    return plain(Decimal(figure) * PER / row.unit)


def column(charged: Tariff) -> str:
    """`0.1 / 0.5 USD`: input and output per million tokens."""
    row = charged.row
    if charged.free is not None:
        return _("none")
    if row is None or (row.input is None and row.output is None):
        return _("unknown")
    figures = [row.input] if row.output is None else [row.input, row.output]
    both = " / ".join(per_million(one, row) or "?" for one in figures)
    return f"{both} {row.currency}"


def _figures(one: Price | ContextTier | Mode, row: Price) -> str:
    """Every price of tokens that is stated, as `input 2, output 10`."""
    figures = {
        _("input"): one.input,
        _("output"): one.output,
        _("read from cache"): one.cache_read,
        _("written to cache"): one.cache_write,
        _("for an hour"): getattr(one, "cache_write_1h", None),
    }
    return ", ".join(
        f"{name} {per_million(price, row)}" for name, price in figures.items() if price
    )


def _factors(mode: Mode) -> str:
    """What a mode multiplies all other prices by."""
    if mode.factor is None:
        return ""
    if mode.cache_factor is None:
        return _("times {factor}", factor=mode.factor)
    return _("times {factor}, read from cache times {cached}", factor=mode.factor,
             cached=mode.cache_factor)  # fmt: skip


def in_words(charged: Tariff) -> Iterator[tuple[str, str]]:
    """Labels and texts for people, a line each."""
    from llmctl.cli.privacy_shown import confidence

    row = charged.row
    if charged.free is not None:
        yield (
            _("price"),
            _("none: it runs on hardware of your own")
            if charged.free == OWN_HARDWARE
            else _("none: free of charge under your settings"),
        )
        return
    if row is None:
        from llmctl.cost.tariff import NO_PRICE
        from llmctl.output.estimates import reason

        yield (
            _("price"),
            _("unknown")
            if charged.why == NO_PRICE
            else _("unknown: {reason}", reason=reason(charged.why)),
        )
        return
    vat = {"included": _("with VAT"), "excluded": _("without VAT")}.get(row.vat, "")
    yield (
        _("price"),
        _("{figures} {currency} per million tokens{vat}, since {date}", figures=_figures(row, row),
          currency=row.currency, vat=f" {vat}" if vat else "", date=row.since),
    )  # fmt: skip
    for tier in row.tiers:
        yield "", _("from {count} tokens of input on: {figures}",
                    count=tier.above_input_tokens + 1, figures=_figures(tier, row))  # fmt: skip
    for name, mode in row.modes.items():
        yield "", f"{name}: {', '.join(filter(None, (_figures(mode, row), _factors(mode))))}"
    for window in row.windows:
        yield "", _("times {factor} at {time} UTC {days}", factor=window.factor, time=window.utc,
                    days=" ".join(window.days))  # fmt: skip
    if row.search:
        yield "", _("a search {price} {currency}", price=row.search, currency=row.currency)
    yield "", _("by: {source} ({confidence} confidence), checked {date}", source=row.source.title,
                confidence=confidence(row.source.confidence), date=row.source.checked)  # fmt: skip
