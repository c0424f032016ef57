"""What tokens cost: the row of a card's price list that is in force, and amounts by it.

Amounts are exact decimals in the row's currency. What a row does not say is unknown (None), never
nothing: no figure here is a guess.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from llmctl.types import NOTHING
from llmctl.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from llmctl.cards import Card, ContextTier, Mode, Model, Price
    from llmctl.types import Usage

# The mode of a request that asks for none; its prices are those of the row itself.
STANDARD = "standard"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# What a prompt consists of, in the order of its price list: what is read from a cache is its
# beginning, and what is written to one follows. The rest, `input`, is text.
PARTS = ("cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input")

# What is charged by the piece.
PIECES = ("search", "image", "audio_second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one token costs, before the factor of the hour and of the host; None is unknown."""

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    cache_write_1h: Decimal | None
    audio_input: Decimal | None
    image_input: Decimal | None
    audio_output: Decimal | None
    image_output: Decimal | None


def row_at(model: Model, at: datetime, settings: Mapping[str, str] = NOTHING) -> Price | None:
    """The row in force at a moment of UTC under the values of settings; None before the first."""
    day = _utc(at).date().isoformat()
    for row in model.prices:  # newest first
        if row.since <= day and row.when.items() <= settings.items():
            return row
    return None


def amount(
    usage: Usage,
    row: Price,
    at: datetime,
    mode: str | None = None,
    factor: str = "1",
    apart: Mapping[str, int] = NOTHING,
) -> Decimal | None:
    """What `usage` costs by `row` at a moment of UTC, in the row's currency; None where a figure is
    missing that it needs. `mode` is a way of processing (`batch`), `factor` that of the host.

    Cached and cache-write tokens, which the input includes, pay their own prices; reasoning tokens
    are part of the output. `apart` are numbers of what a row prices apart by the names there:
    tokens that input or output include (`cache_write_1h`, `audio_input`, `image_output`, ...), and
    pieces (`search`).
    """
    given, answered = _split(usage, apart)
    if given is None or answered is None:
        return None
    from decimal import Decimal

    total = Decimal(0)
    bands = _bands(row, usage.input_tokens or 0)
    for tokens, tier in bands:
        if (cost := _sum(_taken(given, tokens), _rates(row, tier, mode))) is None:
            return None
        total += cost
    if (cost := _sum(answered, _rates(row, bands[-1][1], mode))) is None:
        return None
    total = (total + cost) * hour_factor(row, at) + Decimal(row.request or 0)
    for name in PIECES:
        if count := apart.get(name, 0):
            if (price := getattr(row, name)) is None:
                return None
            total += Decimal(price) * count
    return total * Decimal(factor)


def _split(
    usage: Usage, apart: Mapping[str, int]
) -> tuple[list[tuple[str, int]] | None, list[tuple[str, int]] | None]:
    """Input and output as (kind, tokens) in the order of the prompt; None for a side that was not
    reported or contradicts itself."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None, None
    counts = {name: apart.get(name, 0) for name in PARTS}
    counts["cache_read"] = usage.cached_tokens or 0
    counts["cache_write"] = (usage.cache_write_tokens or 0) - counts["cache_write_1h"]
    given = [*counts.items(), ("input", usage.input_tokens - sum(counts.values()))]
    beside = [(name, apart.get(name, 0)) for name in ("audio_output", "image_output")]
    text = usage.output_tokens - sum(count for _name, count in beside)
    answered = [*beside, ("output", text)]
    if any(count < 0 for _name, count in (*given, *answered)):
        return None, None
    return given, answered


def _sum(parts: Iterable[tuple[str, int]], rates: Rates) -> Decimal | None:
    from decimal import Decimal

    total = Decimal(0)
    for name, count in parts:
        if not count:
            continue
        if (price := getattr(rates, name)) is None:
            return None
        total += price * count
    return total


def rates_at(row: Price, tokens: int, mode: str | None = None) -> Rates:
    """What one token costs at the end of a prompt of `tokens` tokens."""
    return _rates(row, _bands(row, tokens)[-1][1], mode)


def hour_factor(row: Price, at: datetime) -> Decimal:
    """The factor of the window of the day in which a moment of UTC lies, 1 outside all."""
    from datetime import timedelta
    from decimal import Decimal

    moment = _utc(at)
    now = moment.strftime("%H:%M")
    for window in row.windows:
        start, _dash, end = window.utc.partition("-")
        over_night = start > end
        inside = (now >= start or now < end) if over_night else start <= now < end
        # A night's window belongs to the day on which it has begun.
        began = moment - timedelta(days=1) if over_night and now < end else moment
        if inside and (not window.days or DAYS[began.weekday()] in window.days):
            return Decimal(window.factor)
    return Decimal(1)


def host_factor(card: Card, model: str, host: str) -> str:
    """What all prices of a model are multiplied by at a host of the provider."""
    for one in card.price_factors:
        named = any(
            host.endswith(name[1:]) if name.startswith("*.") else host == name for name in one.hosts
        )
        if named and (not one.models or any(fnmatchcase(model, name) for name in one.models)):
            return one.factor
    return "1"


def source_of(row: Price) -> str:
    """Where a row comes from, for records: never translated, so that it can be compared."""
    source = row.source
    doubt = "" if source.confidence == "high" else f" (confidence: {source.confidence})"
    return source.title + doubt


def _utc(at: datetime) -> datetime:
    from datetime import UTC

    return at.astimezone(UTC)


def _bands(row: Price, tokens: int) -> list[tuple[int, ContextTier | None]]:
    """A prompt cut where its price changes: (tokens, tier), in the prompt's order. With a cliff it
    is one piece, all at the price of its size."""
    over = sorted(
        (tier for tier in row.tiers if tokens > tier.above_input_tokens),
        key=lambda tier: tier.above_input_tokens,
    )
    if not over or over[-1].rule == "cliff":
        return [(tokens, over[-1] if over else None)]
    ends = [*(tier.above_input_tokens for tier in over), tokens]
    starts = [0, *ends[:-1]]
    return [
        (end - start, tier) for start, end, tier in zip(starts, ends, [None, *over], strict=True)
    ]


def _taken(parts: list[tuple[str, int]], tokens: int) -> Iterator[tuple[str, int]]:
    """The next `tokens` of what is left in `parts`, which shrinks by them."""
    while parts and tokens:
        name, count = parts[0]
        taken = min(count, tokens)
        tokens -= taken
        if taken == count:
            parts.pop(0)
        else:
            parts[0] = (name, count - taken)
        if taken:
            yield name, taken


def _rates(row: Price, tier: ContextTier | None, mode: str | None) -> Rates:
    way = None if mode in (None, STANDARD) else row.modes.get(mode or "")
    if way is None and mode not in (None, STANDARD):
        return Rates(**dict.fromkeys(Rates.__dataclass_fields__))
    text = {
        name: _figure(row, tier, way, name)
        for name in ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    }
    beside = {
        # Without a figure of their own audio and pictures cost what text does.
        name: text[name.partition("_")[2]]
        if getattr(row, name) is None
        else _figure(row, tier, way, name)
        for name in ("audio_input", "image_input", "audio_output", "image_output")
    }
    return Rates(**text, **beside)


def _figure(row: Price, tier: ContextTier | None, way: Mode | None, name: str) -> Decimal | None:
    """One token's price: that of the mode, which holds below all tiers, or by its factor that of
    the tier or row. What a tier leaves out is unknown there."""
    from decimal import Decimal

    own = getattr(way, name, None) if tier is None else None
    if own is not None:
        return Decimal(own) / row.unit
    price = getattr(tier or row, name, None)
    if price is None:
        return None
    factor: str | None = "1"
    if way is not None:
        factor = way.factor
        if name == "cache_read" and way.cache_factor is not None:
            factor = way.cache_factor
    return None if factor is None else Decimal(price) * Decimal(factor) / row.unit
