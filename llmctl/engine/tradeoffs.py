"""What people weigh when they choose a model, worked out from the cards: open weights or closed,
who else serves them, what it takes to run them, whether they can be tuned, and its kind.

Nothing here is an opinion: every value stands in a card or follows from one by a rule in this file,
and what follows from nothing is unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from llmctl.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmctl.cards import Card, Model

Openness = Literal["open", "closed", "unknown"]
Made = Literal["base", "instructed", "tuned", "embedding", "image", "audio", "moderation"]

# A file of "four bits" takes five a weight (its scales count too), and a fifth more is needed to
# work with it: six bits, or three quarters of a byte.
BYTES_NUMERATOR, BYTES_DENOMINATOR = 3, 4
_PARAMETERS = re.compile(r"(?P<all>[\d.]+)(?P<unit>[MB])(?:, (?P<active>[\d.]+)(?P=unit) active)?")
_UNITS = {"M": 1_000_000, "B": 1_000_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOffs:
    """`served_by` are the other cards with the same weights, None where it is not known which these
    are. `parameters` counts all, `active` those that work on one token. `memory` (bytes) is stated
    by the card or derived from the parameters, as `memory_from` says. `tunable_by` is the provider,
    who trains it further for a customer, or the owner of the hardware, where the weights are open.
    """

    weights: Openness
    licence: str | None
    weights_of: str | None
    served_by: tuple[str, ...] | None
    parameters: int | None
    active: int | None
    memory: int | None
    memory_from: Literal["stated", "derived"] | None
    tunable: Literal["yes", "no", "unknown"]
    tunable_by: Literal["provider", "owner"] | None
    made: Made
    family: str | None


def tradeoffs(card: Card, model: Model, cards: Iterable[Card] | None) -> TradeOffs:
    """Of a model of `card`; `cards` are all there are, in whose order `served_by` is; without them
    that stays unknown."""
    parameters, active = counted(model.parameters)
    openness = _openness(model)
    memory, memory_from = _memory(model, parameters, openness)
    tunable, by = _tunable(model, openness)
    return TradeOffs(
        weights=openness,
        licence=model.licence,
        weights_of=model.weights_of,
        served_by=_served_by(card, model, cards),
        parameters=parameters,
        active=active,
        memory=memory,
        memory_from=memory_from,
        tunable=tunable,
        tunable_by=by,
        made=_made(model),
        family=model.family or (card.family if model.kind in ("chat", "base") else None),
    )


def counted(text: str | None) -> tuple[int | None, int | None]:
    """All and active parameters of "8B, 4.5B active"; None for what is not said."""
    from decimal import Decimal

    found = _PARAMETERS.fullmatch(text or "")
    if found is None:
        return None, None
    unit = _UNITS[found["unit"]]
    active = found["active"]
    return int(Decimal(found["all"]) * unit), int(Decimal(active) * unit) if active else None


def _openness(model: Model) -> Openness:
    if model.open_weights is None:
        return "open" if model.weights_of else "unknown"
    return "open" if model.open_weights else "closed"


def _served_by(card: Card, model: Model, cards: Iterable[Card] | None) -> tuple[str, ...] | None:
    if model.weights_of is None or cards is None:
        return None
    return tuple(
        other.id
        for other in cards
        if other.id != card.id and any(one.weights_of == model.weights_of for one in other.models)
    )


def _memory(
    model: Model, parameters: int | None, openness: Openness
) -> tuple[int | None, Literal["stated", "derived"] | None]:
    stated = (model.weights.memory if model.weights else None) or model.memory
    if stated is not None:
        return stated, "stated"
    if parameters is None or openness != "open":  # nobody else runs weights that are closed
        return None, None
    return parameters * BYTES_NUMERATOR // BYTES_DENOMINATOR, "derived"


def _tunable(
    model: Model, openness: Openness
) -> tuple[Literal["yes", "no", "unknown"], Literal["provider", "owner"] | None]:
    if model.tunable == "yes":
        return "yes", "provider"
    if openness == "open":
        return "yes", "owner"
    return model.tunable, None


def _made(model: Model) -> Made:
    if model.tuned_from is not None:
        return "tuned"
    return "instructed" if model.kind == "chat" else model.kind
