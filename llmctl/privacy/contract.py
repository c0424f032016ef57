"""What the user says of their own contract with a provider, and what that makes of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.messages import _
from llmctl.privacy.levels import better, following, worse
from llmctl.types import Level
from llmctl.values import replace

if TYPE_CHECKING:
    from datetime import date

    from llmctl.cards import Card
    from llmctl.privacy.standing import Standing
    from llmctl.settings import Attested, ProviderSettings


def attested(
    found: Standing, own: ProviderSettings, base_url: str, card: Card, today: date
) -> Standing:
    """With what the user says of their own contract, as long as that is in force."""
    said = own.attest
    foreign = card.kind == "api" and own.facts is None and not catalogue.is_own_host(card, base_url)
    if said is None or foreign:
        return found
    day = today.isoformat()
    if said.until is not None and said.until < day:
        return found.saying(
            _("what you attested of {name} was in force until {day} and counts no more",
              name=card.id, day=said.until), note=True,
        )  # fmt: skip
    if said.since is not None and said.since > day:
        return found.saying(
            _("what you attested of {name} counts from {day} on", name=card.id, day=said.since),
            note=True,
        )
    return _by_contract(found, said)


def _by_contract(found: Standing, said: Attested) -> Standing:
    # Where a card contradicts itself or is old, its word on training is worth what its level is.
    believed = found.trains if found.level.rank <= Level.NO_TRAINING.rank else "unknown"
    trains = said.training or believed
    days = found.retention_days if said.retention is None else said.retention
    level = found.level
    if trains == "no" and (said.training is not None or said.retention is not None):
        level = better(level, following(trains, days))
    elif trains == "yes":
        level = worse(level, Level.MAY_TRAIN)
    if days:
        level = worse(level, Level.NO_TRAINING)
    told = words(said)
    return replace(
        found,
        level=level,
        trains=said.training or found.trains,
        retention_days=days,
        human_review=said.human_review or found.human_review,
        regions=found.regions if said.regions is None else said.regions,
        attested=told,
    ).saying(_("attested by you: {what}", what=", ".join(told)))


def words(said: Attested) -> tuple[str, ...]:
    """What a receipt lists, each `name=value`."""
    stated = {
        "training": said.training,
        "retention": None if said.retention is None else str(said.retention),
        "human_review": said.human_review,
        "regions": None if said.regions is None else "+".join(said.regions),
        "document": said.document,
    }
    return tuple(f"{name}={value}" for name, value in stated.items() if value is not None)
