"""What one call is charged by: which row, in which mode, at which host; or why that is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl.catalogue import is_own_host
from llmctl.cost.prices import STANDARD, amount, host_factor, row_at, source_of
from llmctl.dialects.look import count_at
from llmctl.dialects.media import files_of
from llmctl.privacy.levels import is_own
from llmctl.types import NOTHING, OWN_HARDWARE, Cost, CostKind, Usage
from llmctl.types.amounts import plain
from llmctl.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llmctl.cards import Card, Model, Price
    from llmctl.types import Call, Json

# A price source that is no document; never translated, as records are compared.
FREE = "free of charge"

# Why a cost is not known.
PASSED_ON, ELSEWHERE, NOT_LISTED, NO_PRICE, NO_MODE, NO_USAGE, NO_FIGURE = (
    "passed-on",  # a local server only passes the call on to a cloud
    "other-host",  # the address is none of the provider's own
    "model-not-listed",  # the card does not know the model
    "no-price",  # no row is in force
    "mode-not-priced",  # the row does not say what this way of processing costs
    "usage-not-reported",  # without tokens of input and output there is nothing to multiply
    "price-incomplete",  # the row lacks a figure that the usage needs
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is known of a call beside its card and model: `url` is where it goes, `inherit` says
    that the card's facts hold there whatever the host, `passed_on` that a local server sends it on
    to a cloud, `settings` are the values of what the card
    adds, `options` the request's own fields, `media` the kinds of parts beside text (`audio`)."""

    url: str = ""
    inherit: bool = False
    passed_on: bool = False
    settings: Mapping[str, str] = NOTHING
    options: Mapping[str, Json] = NOTHING
    media: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """`row` is None where nothing is charged (`free` says why) and where that is unknown (`why`).
    `apart` are the numbers in the answer of what the row prices apart; None where it does not tell
    one that is needed. `draws` says that the model is one for pictures."""

    at: datetime
    row: Price | None = None
    mode: str = STANDARD
    factor: str = "1"
    free: str | None = None
    currency: str | None = None
    why: str | None = None
    apart: Mapping[str, int] | None = NOTHING
    draws: bool = False

    def cost(self, usage: Usage | None, pictures: int | None = None) -> Cost:
        """The cost of an answer that took `usage`, with so many `pictures` in it; None where it was
        no picture that was asked for."""
        if self.free is not None:
            return Cost("0", self.currency or "USD", CostKind.COMPUTED, self.free, None)
        if self.row is None:
            return Cost(why=self.why)
        apart = self.apart
        if pictures is not None:
            if pictures and not self.prices_pictures:
                return Cost(why=NO_FIGURE)
            if self.row.image is not None:
                if not pictures:  # whether a refusal is charged nobody says
                    return Cost(why=NO_USAGE)
                apart = {**(apart or {}), "image": pictures}
                if self.row.input is None and self.row.output is None:
                    usage = Usage(0, 0)  # nothing is charged by tokens
        if usage is None or usage.input_tokens is None or usage.output_tokens is None:
            return Cost(why=NO_USAGE)
        exact = None
        if apart is not None:
            exact = amount(usage, self.row, self.at, self.mode, self.factor, apart)
        if exact is None:
            return Cost(why=NO_FIGURE)
        return Cost(
            plain(exact),
            self.row.currency,
            CostKind.COMPUTED,
            source_of(self.row),
            self.row.source.checked,
        )

    @property
    def prices_pictures(self) -> bool:
        """Whether the row tells what a picture costs: by the piece, by its tokens, or because all
        that such a model makes are pictures (`draws`)."""
        row = self.row
        return row is not None and (
            row.image is not None or row.image_output is not None or self.draws
        )


def tariff(
    card: Card,
    model: Model | None,
    terms: Terms,
    at: datetime,
    *,
    mode: str | None = None,
    details: Mapping[str, Json] | None = None,
) -> Tariff:
    """What a call to `model` (None: one that the card does not list) at a moment of UTC is charged
    by. `mode` beats what the request says, and what the answer says (`details`, None before there
    is one) beats both."""
    if terms.passed_on:
        return Tariff(at=at, why=PASSED_ON)
    if not (terms.inherit or is_at_home(card, terms.url)):
        return Tariff(at=at, why=ELSEWHERE)
    if card.kind != "api":
        return Tariff(at=at, free=OWN_HARDWARE)
    if card.free_when and card.free_when.items() <= terms.settings.items():
        return Tariff(at=at, free=FREE, currency=card.currency)
    if model is None:
        return Tariff(at=at, why=NOT_LISTED)
    row = row_at(model, at, terms.settings)
    if row is None:
        return Tariff(at=at, why=NO_PRICE)
    mode = mode or mode_of(card, terms, details or NOTHING)
    if mode is None or (mode != STANDARD and mode not in row.modes):
        return Tariff(at=at, why=NO_MODE)
    host = (urlsplit(terms.url).hostname or "").lower()
    return Tariff(
        at=at,
        row=row,
        mode=mode,
        factor=host_factor(card, model.id, host),
        draws=model.kind == "image",
        apart=NOTHING
        if details is None
        else apart({**card.counts, **model.counts}, row, terms, details),
    )


def is_at_home(card: Card, url: str) -> bool:
    """Whether what the card says of prices holds at an address: at the provider's own hosts, for
    servers that people run themselves on machines of theirs."""
    return is_own_host(card, url) if card.kind == "api" else is_own(card, url)


def apart(
    counts: Mapping[str, str], row: Price, terms: Terms, details: Mapping[str, Json]
) -> Mapping[str, int] | None:
    """The numbers of what `row` prices apart, at the places of a card's `counts`; None where an
    answer does not tell how much of it is a sound or a picture and that matters for its price."""
    found = {name: _at(details, path.split(".")) for name, path in counts.items()}
    for name in ("audio_input", "image_input", "audio_output", "image_output"):
        if getattr(row, name) is None:
            found.pop(name, None)  # costs what text does
        elif found.get(name) is None and _may_hold(name, terms):
            return None
    return {name: count for name, count in found.items() if count}


def _may_hold(name: str, terms: Terms) -> bool:
    """Whether there may be tokens of such a kind: what was sent is known, what comes is not."""
    kind, _mark, side = name.partition("_")
    return side == "output" or kind in terms.media


def _at(value: Json, path: list[str]) -> int | None:
    """The number at a path, or that of a list's entries, 1 for a table; a step into a list picks
    the entry that has the step's name as one of its values (`details.IMAGE.tokenCount`)."""
    for step in path:
        if isinstance(value, list):
            entries = (one for one in value if isinstance(one, dict))
            value = next((one for one in entries if step in one.values()), None)
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict):
        return 1 if value else None
    return count_at(value)


def mode_of(card: Card, terms: Terms, details: Mapping[str, Json] = NOTHING) -> str | None:
    """The mode by the card's `mode_by`: as the answer says, else the request, else the settings;
    None for a value that the card does not know, and for two modes at once."""
    found = set()
    for name, modes in card.mode_by.items():
        for said in (details, terms.options, terms.settings):
            value = said.get(name)
            if isinstance(value, str):
                found.add(modes.get(value.lower()))
                break
    found.discard(STANDARD)
    return STANDARD if not found else found.pop() if len(found) == 1 else None


def media_of(call: Call) -> frozenset[str]:
    """The kinds (`image`, `audio`, ...) of what a call holds beside text."""
    return frozenset(one.media_type.partition("/")[0] for one in files_of(call))
