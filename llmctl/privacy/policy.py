"""What may be sent where: the privacy level a call reaches, and the rules that forbid it.

Pure: nothing is looked up or sent. Whatever is not known counts as the worst.
"""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from llmctl import catalogue
from llmctl.cards import Card, Model, Privacy
from llmctl.messages import _
from llmctl.settings import Loaded, Policy, ProviderSettings
from llmctl.types import Level, Verdict


def judge(
    card: Card, model: Model | None, *, base_url: str, loaded: Loaded, elsewhere: bool = False
) -> Verdict:
    """The verdict for a call to `model` at `base_url`. `elsewhere` says that a local server would
    only pass the call on to a cloud."""
    settings = loaded.settings
    own = settings.providers.get(card.id, ProviderSettings())
    facts = _facts(card, own, base_url)
    level = Level.UNKNOWN if elsewhere else _level(card, own, base_url, facts)
    region = facts.regions[0] if facts and len(facts.regions) == 1 else None
    days = facts.retention_days if facts else None
    if level in (Level.DEVICE, Level.NETWORK):
        days = 0
    verdict = Verdict(
        allowed=True,
        level=level,
        region=region,
        retention_days=days,
        attested=tuple(own.attest),
        facts_checked=facts.source.checked if facts else None,
    )
    reasons = tuple(_broken(settings.policy, verdict, card, model, facts, loaded))
    if not reasons:
        return verdict
    return Verdict(
        allowed=False,
        level=level,
        region=region,
        retention_days=days,
        attested=verdict.attested,
        facts_checked=verdict.facts_checked,
        reasons=reasons,
    )


def _facts(card: Card, own: ProviderSettings, base_url: str) -> Privacy | None:
    """The card's facts for the account's tier; without a stated tier the worst of them."""
    if card.kind == "api" and not catalogue.is_own_host(card, base_url) and own.facts is None:
        return None
    tier = own.extra.get("tier")
    rows = [one for one in card.privacy if one.tier is None or tier in (None, one.tier)]
    return max(rows, key=lambda row: row.level.rank, default=None)


def _level(card: Card, own: ProviderSettings, base_url: str, facts: Privacy | None) -> Level:
    match card.kind:
        case "embedded":
            return Level.DEVICE
        case "local":
            return _distance(base_url)
        case "api":
            if facts is None:
                return Level.UNKNOWN
            reached = [facts.level]
            reached += [facts.attestable[one] for one in own.attest if one in facts.attestable]
            return min(reached, key=lambda level: level.rank)


def _distance(base_url: str) -> Level:
    """How far away a server of the user's own is, by its address alone; names are not looked up."""
    host = (urlsplit(base_url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return Level.DEVICE
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return Level.NETWORK if host.endswith((".local", ".lan", ".internal")) else Level.UNKNOWN
    if address.is_loopback:
        return Level.DEVICE
    return Level.NETWORK if address.is_private and not address.is_unspecified else Level.UNKNOWN


def _broken(
    policy: Policy,
    verdict: Verdict,
    card: Card,
    model: Model | None,
    facts: Privacy | None,
    loaded: Loaded,
) -> Iterator[str]:
    """Every rule that forbids the call, each with the place it stands in."""

    def because(rule: str, text: str) -> str:
        return _("{text} ({place})", text=text, place=loaded.origin(f"policy.{rule}"))

    here = verdict.level in (Level.DEVICE, Level.NETWORK)
    if policy.max_level is not None and verdict.level.rank > policy.max_level.rank:
        yield because(
            "max_level",
            _("its privacy level is {level}, at worst {most} is allowed",
              level=verdict.level.value, most=policy.max_level.value),
        )  # fmt: skip
    if policy.regions is not None and not here and not _within(facts, policy.regions):
        regions = "/".join(facts.regions) if facts and facts.regions else _("unknown")
        yield because(
            "regions",
            _("its region is {region}, not {allowed}", region=regions,
              allowed="/".join(policy.regions)),
        )  # fmt: skip
    limit = policy.max_retention_days
    if limit is not None and (verdict.retention_days is None or verdict.retention_days > limit):
        kept = verdict.retention_days
        yield because(
            "max_retention_days",
            _("it keeps data for {days} days, not {limit}",
              days=_("unknown") if kept is None else kept, limit=limit),
        )  # fmt: skip
    if policy.no_training and not here and (facts is None or facts.trains != "no"):
        yield because("no_training", _("it may train on the data"))
    if policy.open_weights and not (model and model.open_weights) and not here:
        yield because("open_weights", _("its weights are not known to be open"))
    if policy.allow is not None and card.id not in policy.allow:
        yield because("allow", _("it is not on the list of allowed providers"))
    if card.id in policy.deny:
        yield because("deny", _("it is on the list of denied providers"))


def _within(facts: Privacy | None, allowed: tuple[str, ...]) -> bool:
    return facts is not None and bool(facts.regions) and set(facts.regions) <= set(allowed)
