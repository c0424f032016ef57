"""What is known of the privacy of each provider, and of one model: as data."""

from collections.abc import Iterator
from dataclasses import asdict

from llmctl import catalogue
from llmctl.cards import Card, Control, Model, Privacy, Source
from llmctl.engine.names import find_model
from llmctl.engine.nearest import ways
from llmctl.engine.placed import placed
from llmctl.expiry import expires_on
from llmctl.privacy.controls import carrying, fitting, planned
from llmctl.privacy.policy import judge
from llmctl.privacy.rows import row_of, rows_of
from llmctl.settings import Loaded, ProviderSettings
from llmctl.types import Json, Verdict
from llmctl.values import replace

# What a row says, in the order in which people ask.
FACTS = ("trains", "retention_days", "zero_retention", "human_review", "regions", "legal",
         "certificates")  # fmt: skip
# A fact that a row leaves at one of these is not known.
NOT_KNOWN = (None, "unknown", ())


def overview(loaded: Loaded) -> Iterator[dict[str, Json]]:
    """A row for each provider and tier, with what is sent unasked and what the user attested."""
    settings = loaded.settings
    for provider in catalogue.provider_ids(settings):
        card = catalogue.card(provider, settings)
        own = settings.providers.get(provider, ProviderSettings())
        model = find_model(card, card.default_model) if card.default_model else None
        tiers = list(dict.fromkeys(row.tier for row in rows_of(card, own, model))) or [None]
        for tier in tiers:
            extra = own.extra if tier is None else {**own.extra, "tier": tier}
            changed = {**settings.providers, provider: replace(own, extra=extra)}
            there = replace(loaded, settings=replace(settings, providers=changed))
            yield _line(card, model, tier, there)


def _line(card: Card, model: Model | None, tier: str | None, loaded: Loaded) -> dict[str, Json]:
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    base_url = catalogue.base_url(card, own)
    verdict = judge(card, model, base_url=base_url, loaded=loaded)
    row = row_of(card, own, model)
    return {
        "provider": card.id,
        "tier": tier,
        "level": verdict.level.value,
        "regions": list(verdict.regions),
        "retention_days": verdict.retention_days,
        "trains": verdict.trains,
        "human_review": verdict.human_review,
        "zero_retention": row.zero_retention if row else None,
        "controls": list(verdict.controls),
        "attested": list(verdict.attested),
        "checked": row.source.checked if row else None,
        "expires": expires_on(row.source).isoformat() if row else None,
        "confidence": row.source.confidence if row else None,
        "allowed": verdict.allowed,
    }


def explained(name: str, loaded: Loaded) -> dict[str, Json]:
    """Everything that decides on the privacy of a model; raises what naming one raises. No key is
    needed, nothing is sent, and a policy that forbids the model is told and not obeyed."""
    place = placed(name, loaded)
    card, own, known, base_url = place.card, place.own, place.model_card, place.base_url
    elsewhere = place.passed_on
    sent = carrying(planned(card, place.spoken, own, loaded.settings))
    asked = sent.controls
    verdict = judge(card, known, base_url=base_url, loaded=loaded, elsewhere=elsewhere, sent=sent)
    row = None if elsewhere or not verdict.facts_checked else row_of(card, own, known)
    possible = fitting(card, place.spoken, own, whatever=True)
    helpful = [] if verdict.allowed or elsewhere else ways(card, known, base_url, loaded, sent)
    return {
        "provider": card.id,
        "model": place.model,
        "name": card.name,
        "host": verdict.host,
        "tier": row.tier if row else None,
        **_verdict(verdict),
        "facts": list(_facts(row)) if row else [],
        "controls": [_control(one, row, asked) for one in possible],
        "lowered_by": [
            {"feature": one.feature, "level": one.level.value,
             "retention_days": one.retention_days, "note": one.note}
            for one in (row.lowered if row else ())
        ],
        "source": source_json(row.source) if row else None,
        "terms": row.notes if row else None,
        "would_help": [{"what": one.what, "level": one.level.value} for one in helpful],
    }  # fmt: skip


def _verdict(verdict: Verdict) -> dict[str, Json]:
    return {
        "level": verdict.level.value,
        "regions": list(verdict.regions),
        "retention_days": verdict.retention_days,
        "trains": verdict.trains,
        "human_review": verdict.human_review,
        "attested": list(verdict.attested),
        "why": list(verdict.why),
        "notes": list(verdict.notes),
        "allowed": verdict.allowed,
        "reasons": list(verdict.reasons),
    }


def _facts(row: Privacy) -> Iterator[dict[str, Json]]:
    """Each fact of a row as the card has it, before controls and contracts."""
    for name in FACTS:
        value = getattr(row, name)
        yield {
            "fact": name,
            "value": None if value in NOT_KNOWN else list(value) if name in LISTS else value,
            "scope": row.scopes.get(name),
            "source": source_json(row.sources.get(name, row.source)),
        }


LISTS = ("regions", "certificates")


def _control(one: Control, row: Privacy | None, asked: tuple[str, ...]) -> dict[str, Json]:
    effect = row.controls.get(one.name) if row else None
    return {
        "name": one.name,
        "sent": one.name in asked,
        "default": one.default,
        "effect": one.effect,
        "cost": one.cost,
        "level": effect.level.value if effect else None,
        "source": source_json(one.source),
    }


def source_json(source: Source) -> dict[str, Json]:
    """A source with the day until which it is relied on."""
    return {**asdict(source), "expires": expires_on(source).isoformat()}
