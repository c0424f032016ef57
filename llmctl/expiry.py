"""Until when a fact of a card is relied on: prices and terms change, and nobody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from llmctl.cards import Card, Source

# A fact whose source names no day is relied on for so long after it was checked.
RELIED_ON_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something a card says: `what` names it ("the price of gpt-6-luna since 2026-11-23"), and it
    is relied on up to and with the day `until`."""

    card: str
    what: str
    source: Source
    until: date


def expires_on(source: Source) -> date:
    """The last day on which what the source says is relied on; raises ValueError for a card whose
    dates are none."""
    from datetime import date, timedelta

    if source.expires is not None:
        return date.fromisoformat(source.expires)
    return date.fromisoformat(source.checked) + timedelta(days=RELIED_ON_DAYS)


def is_stale(source: Source, today: date) -> bool:
    return expires_on(source) < today


def dated_facts(card: Card) -> Iterator[Fact]:
    """Everything in a card that has a source of its own, in the order of the card. Names are the
    same in every language, for reports and records."""

    def fact(what: str, source: Source) -> Fact:
        return Fact(card=card.id, what=what, source=source, until=expires_on(source))

    if card.source is not None:
        yield fact("what has no source of its own", card.source)
    if card.authority is not None:
        yield fact("the certificate authority", card.authority.source)
    for factor in card.price_factors:
        yield fact(f"the price factor at {', '.join(factor.hosts)}", factor.source)
    for control in card.controls:
        yield fact(f"the control {control.name}", control.source)
    for privacy in card.privacy:
        under = ", ".join(f"{name}={value}" for name, value in privacy.when.items())
        row = f"privacy ({f'{privacy.tier} tier' if privacy.tier else under or 'all'})"
        yield fact(row, privacy.source)
        for name, source in privacy.sources.items():
            yield fact(f"{row}: {name}", source)
        for lowered in privacy.lowered:
            if lowered.source is not None:
                yield fact(f"{row}: {lowered.feature}", lowered.source)
    for model in card.models:
        if model.source is not None:
            yield fact(f"the model {model.id}", model.source)
        for price in model.prices:
            yield fact(f"the price of {model.id} since {price.since}", price.source)
