"""What may be sent where: the privacy level a call reaches, and the rules that forbid it.

Pure: nothing is looked up or sent. Whatever is not known counts as the worst.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from llmctl import catalogue
from llmctl.cards import Card, Model, Privacy
from llmctl.messages import _
from llmctl.settings import Loaded, Origin, Policy, ProviderSettings, Settings
from llmctl.transport.egress import is_local
from llmctl.types import Level, Verdict
from llmctl.values import replace


def judge(
    card: Card, model: Model | None, *, base_url: str, loaded: Loaded, elsewhere: bool = False
) -> Verdict:
    """The verdict for a call to `model` at `base_url`. `elsewhere` says that a local server would
    only pass the call on to a cloud."""
    settings = loaded.settings
    own = settings.providers.get(card.id, ProviderSettings())
    facts = None if elsewhere else _facts(card, own, base_url)
    level = Level.UNKNOWN if elsewhere else _level(card, own, base_url, facts, settings)
    region = facts.regions[0] if facts and len(facts.regions) == 1 else None
    days = facts.retention_days if facts else None
    if level in (Level.DEVICE, Level.NETWORK):
        days = 0
    verdict = Verdict(
        allowed=True,
        level=level,
        region=region,
        retention_days=days,
        attested=tuple(one for one in own.attest if facts and one in facts.attestable),
        facts_checked=facts.source.checked if facts else None,
    )
    reasons = [
        *_broken(settings.policy, verdict, model, facts, loaded),
        *_listed(settings.policy, card, base_url, loaded),
    ]
    return replace(verdict, allowed=not reasons, reasons=tuple(reasons))


def _facts(card: Card, own: ProviderSettings, base_url: str) -> Privacy | None:
    """The card's facts for the account's tier and settings; without a stated tier the worst of
    them. None at a host for which they do not hold."""
    if own.facts is None:
        if card.kind == "api" and not catalogue.is_own_host(card, base_url):
            return None
        if card.kind == "local" and _distance(base_url) is Level.UNKNOWN:
            return None
    tier = own.extra.get("tier")
    rows = [one for one in card.privacy if one.tier is None or tier in (None, one.tier)]
    if any(one.when for one in rows):
        stated = {one.name: catalogue.setting_of(card, own, one) for one in card.settings}
        rows = [one for one in rows if one.when.items() <= stated.items()]
    return max(rows, key=lambda row: row.level.rank, default=None)


def _level(
    card: Card, own: ProviderSettings, base_url: str, facts: Privacy | None, settings: Settings
) -> Level:
    match card.kind:
        case "embedded":
            return Level.DEVICE
        case "local":
            return _reached(base_url, own, settings)
        case "api":
            if facts is None:
                return Level.UNKNOWN
            reached = [facts.level]
            reached += [facts.attestable[one] for one in own.attest if one in facts.attestable]
            return min(reached, key=lambda level: level.rank)


def _reached(base_url: str, own: ProviderSettings, settings: Settings) -> Level:
    """How far what is sent to a server of the user's own gets: to the server, and in the clear to
    the proxy before it."""
    from llmctl.transport.proxy import proxy_for

    distance = _distance(base_url)
    if distance is Level.DEVICE or base_url.startswith("https:"):
        return distance
    proxy = proxy_for(base_url, own.proxy or settings.network.proxy)
    if proxy is None:
        return distance
    return max(distance, _distance(f"//{proxy.host}"), key=lambda level: level.rank)


def _distance(base_url: str) -> Level:
    """How far away an address is, by its spelling alone; names are not looked up."""
    host = (urlsplit(base_url).hostname or "").lower()
    if is_local(host):
        return Level.DEVICE
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return Level.NETWORK if host.endswith((".local", ".lan", ".internal")) else Level.UNKNOWN
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return Level.NETWORK if address.is_private and not address.is_unspecified else Level.UNKNOWN


def _broken(
    policy: Policy,
    verdict: Verdict,
    model: Model | None,
    facts: Privacy | None,
    loaded: Loaded,
) -> Iterator[str]:
    """Every rule about facts that forbids the call, each with the place it stands in."""

    def because(rule: str, text: str) -> str:
        return _because(loaded, rule, facts.regions if facts else (), text)

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
    if policy.secrets in ("redact", "block") and verdict.level is not Level.DEVICE:
        yield because("secrets", _("it demands a search for secrets, which is not possible yet"))
    if policy.no_training and not here and (facts is None or facts.trains != "no"):
        yield because("no_training", _("it may train on the data"))
    if policy.open_weights and not (model and model.open_weights) and not here:
        yield because("open_weights", _("its weights are not known to be open"))


def _listed(policy: Policy, card: Card, base_url: str, loaded: Loaded) -> Iterator[str]:
    """The lists of providers that forbid the call. A second account counts as the provider it
    extends, and so does an address that is one of a provider's own."""
    settings = loaded.settings
    names = catalogue.lineage(card.id, settings)
    if policy.allow is not None and not set(names) & set(policy.allow):
        text = _("it is not on the list of allowed providers")
        yield _because(loaded, "allow", names, text)
    names += [name for name in policy.deny if _serves(name, base_url, settings)]
    if set(names) & set(policy.deny):
        yield _because(loaded, "deny", names, _("it is on the list of denied providers"))


def _serves(provider: str, base_url: str, settings: Settings) -> bool:
    """Whether an address is one of the provider's own. Those of servers on this machine are like
    each other, and an account's are those of the first."""
    if provider not in catalogue.provider_ids(settings):
        return False
    found = catalogue.card(provider, settings)
    is_account = len(catalogue.lineage(provider, settings)) > 1
    return found.kind == "api" and not is_account and catalogue.is_own_host(found, base_url)


def _because(loaded: Loaded, rule: str, names: Sequence[str], text: str) -> str:
    """`text` with the place of the rule: of the layer that forbids one of `names`, where the rule
    is a list."""
    keys = (*(f"policy.{rule}.{name}" for name in names), f"policy.{rule}")
    place = next((loaded.origins[key] for key in keys if key in loaded.origins), Origin("shipped"))
    return _("{text} ({place})", text=text, place=place)


def _within(facts: Privacy | None, allowed: tuple[str, ...]) -> bool:
    return facts is not None and bool(facts.regions) and set(facts.regions) <= set(allowed)
