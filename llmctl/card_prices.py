"""The part of cards that says what things cost, and where a card's facts come from. Everything is
to be had from `llmctl.cards`, which holds the rest of the schema."""

from collections.abc import Mapping
from typing import Literal

from llmctl.types import NOTHING
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from: a document and its section, and when it was checked. What it says
    is relied on until `expires` (a day), or for 90 days: see `llmctl.expiry`."""

    title: str
    checked: str
    url: str | None = None
    confidence: Literal["high", "medium", "low"] = "high"
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextTier:
    """A price from a prompt size on; with `cliff` the whole prompt pays it, not the part above."""

    above_input_tokens: int
    rule: Literal["cliff", "marginal"] = "cliff"
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A cheaper or dearer way of processing (`batch`, `async`, `flex`, `priority`): prices of its
    own per `unit`, which hold below all tiers, and a factor for all other prices of tokens;
    `cache_factor` takes its place for tokens read from a cache. Without a factor, a price that is
    not stated is unknown."""

    factor: str | None = None
    cache_factor: str | None = None
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A factor on the prices of tokens that holds at some time of day, `HH:MM-HH:MM` in UTC, the
    second not included, past midnight allowed. `days` are those on which the time begins, by UTC;
    none: all."""

    utc: str
    factor: str
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A row of the price list, per `unit` tokens, in `currency`; in force from 00:00 UTC of `since`
    until the next row begins. What an answer cost before the oldest row is unknown.

    Per `unit` tokens are `input`, `output`, `cache_read`, `cache_write` (for five minutes, or as
    long as the provider keeps it), `cache_write_1h`, and the prices of audio and pictures; `image`,
    `audio_second`, `search` and `request` are per piece. "0" is free; without a figure the price is
    unknown, except that audio and pictures cost what text does. `when` are the values of settings
    under which alone the row holds (`scope = "GIGACHAT_API_B2B"`).
    """

    since: str
    currency: str
    source: Source
    when: Mapping[str, str] = NOTHING
    unit: int = 1_000_000
    vat: Literal["included", "excluded", "none", "unknown"] = "unknown"
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    audio_input: str | None = None
    audio_output: str | None = None
    image_input: str | None = None
    image_output: str | None = None
    image: str | None = None
    audio_second: str | None = None
    search: str | None = None
    request: str | None = None
    tiers: tuple[ContextTier, ...] = ()
    modes: Mapping[str, Mode] = NOTHING
    windows: tuple[Window, ...] = ()
    disagrees: Mapping[str, str] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFactor:
    """What every price is multiplied by at some of the provider's hosts (a leading `*.` stands for
    any sub-domain), for models whose ids match one of `models` (`*` allowed; none: all)."""

    hosts: tuple[str, ...]
    factor: str
    source: Source
    models: tuple[str, ...] = ()
