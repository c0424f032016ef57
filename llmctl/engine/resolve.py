"""From a model's name to everything a call needs: card, key, policy verdict, dialect, target."""

from dataclasses import replace
from typing import Any

from llmctl import catalogue
from llmctl.cards import Card, CardQuirks, Model
from llmctl.dialects import DIALECTS
from llmctl.engine.names import find_model, near_models, split, unalias
from llmctl.engine.placed import placed
from llmctl.engine.reach import (
    PLAIN_KEYS,
    address_of,
    auth_of,
    ca_file_of,
    card_headers,
    key_for,
    key_headers,
    merged,
    stated,
    target_of,
)
from llmctl.engine.route import Route
from llmctl.engine.turns import turn_file
from llmctl.errors import PrivacyRefused
from llmctl.messages import _
from llmctl.privacy.controls import Sent, carrying, fitting, headers, planned, with_controls
from llmctl.privacy.policy import judge
from llmctl.settings import Loaded, ProviderSettings
from llmctl.types import Verdict

__all__ = [
    "PLAIN_KEYS",
    "address_of",
    "auth_of",
    "ca_file_of",
    "card_headers",
    "find_model",
    "judged",
    "key_for",
    "key_headers",
    "merged",
    "near_models",
    "resolve",
    "split",
    "stated",
    "target_of",
    "unalias",
]


def resolve(name: str, loaded: Loaded, *, shown: bool = False) -> Route:
    """The route for a model's name; one that is only `shown`, with nothing sent, needs no key.

    Raises UsageError for a bare id that no card or several have, NotFound for a model that a card
    rules out, ConfigError for settings of a provider that there is not, PrivacyRefused where policy
    forbids it, AuthFailed without a key. Nothing is sent.
    """
    settings = loaded.settings
    place = placed(name, loaded)
    card, own, model_card = place.card, place.own, place.model_card
    dialect = DIALECTS[place.spoken]()
    base_url = address_of(card, own)
    verdict = judged(card, model_card, base_url, loaded, elsewhere=place.passed_on)
    controls = planned(card, place.spoken, own, settings)
    secret = key_for(card, own, base_url, shown=shown)
    lacking: dict[str, Any] = dict.fromkeys(dialect.lacks, False)
    quirks = merged(card.quirks, *_layers(model_card))
    if settings.privacy.allow_logging:
        lacking["refuse_storage"] = False
    quirks = replace(
        with_controls(quirks, controls),
        settings=stated(card, own),
        inline_bytes=card.limits.inline_bytes,
        **lacking,
    )
    return Route(
        requested=name,
        provider=card.id,
        model=place.model,
        card=card,
        model_card=model_card,
        dialect=dialect,
        quirks=quirks,
        verdict=verdict,
        secret=secret,
        passed_on=place.passed_on,
        inherited=own.facts == "inherit",
        elsewhere=_if_passed_on(card, model_card, base_url, loaded)
        if dialect.whereabouts(place.model)
        else None,
        target=target_of(card, own, settings, secret, quirks, headers(controls)),
        turn=turn_file(card, own, base_url, secret, quirks.settings),
    )


def _layers(model: Model | None) -> tuple[CardQuirks, ...]:
    """What a model's entry adds to the quirks of its provider."""
    return () if model is None else (CardQuirks(output_limit=model.output_limit), model.quirks)


def judged(
    card: Card, model: Model | None, base_url: str, loaded: Loaded, *, elsewhere: bool
) -> Verdict:
    """The verdict of policy on the provider alone; raises PrivacyRefused where no request to it
    could be allowed, whatever is sent to ask that less becomes of the data."""
    verdict = judge(card, model, base_url=base_url, loaded=loaded, elsewhere=elsewhere)
    if verdict.allowed:
        return verdict
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    every = fitting(card, catalogue.dialect_of(card, model, own), own)
    most = carrying(every)
    if most.controls == verdict.controls or not judge(
        card, model, base_url=base_url, loaded=loaded, elsewhere=elsewhere, sent=most
    ).allowed:  # fmt: skip
        raise refusal(card, model, base_url, loaded, verdict, elsewhere=elsewhere)
    return verdict


def refusal(
    card: Card,
    model: Model | None,
    base_url: str,
    loaded: Loaded,
    verdict: Verdict,
    *,
    elsewhere: bool,
    sent: Sent | None = None,
) -> PrivacyRefused:
    """The error for a call that policy forbids: every rule it breaks, and what would be allowed."""
    from llmctl.engine.nearest import advice

    reasons = "; ".join(verdict.reasons)
    return PrivacyRefused(
        _("policy forbids {provider}: its server only passes this model on to a cloud;"
          " {reasons}", provider=card.id, reasons=reasons)
        if elsewhere
        else _("policy forbids {provider}: {reasons}", provider=card.id, reasons=reasons),
        hint=advice(card, model, base_url, loaded, sent=sent, elsewhere=elsewhere),
        provider=card.id,
        details={"rules": verdict.broken},
    )  # fmt: skip


def _if_passed_on(card: Card, model: Model | None, base_url: str, loaded: Loaded) -> Verdict:
    return judge(card, model, base_url=base_url, loaded=loaded, elsewhere=True)
