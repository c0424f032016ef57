"""What may be sent where: the verdict on a call, and every rule that forbids it.

Pure: nothing is looked up or sent. Whatever is not known counts as the worst.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl import catalogue
from llmctl.messages import _
from llmctl.privacy.controls import Sent, carrying, planned
from llmctl.privacy.levels import distance
from llmctl.privacy.standing import Standing, standing
from llmctl.settings import Loaded, Origin, Policy, ProviderSettings, Settings
from llmctl.settings.tighten import handled
from llmctl.types import Level, Verdict
from llmctl.values import replace

if TYPE_CHECKING:
    from datetime import date

    from llmctl.cards import Card, Model

# A rule that is broken, and how in words.
Reason = tuple[str, str]

ALLOWED_REVIEWS = {"flagged": ("no", "flagged"), "deny": ("no",)}


def judge(
    card: "Card",
    model: "Model | None",
    *,
    base_url: str,
    loaded: Loaded,
    elsewhere: bool = False,
    sent: Sent | None = None,
    today: "date | None" = None,
) -> Verdict:
    """The verdict for a call to `model` at `base_url`. `elsewhere` says that a local server would
    only pass the call on to a cloud; `sent` is what stands in the request, by default what llmctl
    adds to each unasked; `today` the day of UTC."""
    settings = loaded.settings
    own = settings.providers.get(card.id, ProviderSettings())
    if sent is None:
        dialect = catalogue.dialect_of(card, model, own)
        sent = carrying(planned(card, dialect, own, settings))
    found = standing(card, model, own, base_url, settings, sent, elsewhere=elsewhere, today=today)
    row = found.row
    verdict = Verdict(
        allowed=True,
        level=found.level,
        region=found.regions[0] if len(found.regions) == 1 else None,
        retention_days=found.retention_days,
        controls=sent.controls,
        attested=found.attested,
        facts_checked=row.source.checked if row else None,
        regions=found.regions,
        trains=found.trains,
        human_review=found.human_review,
        why=found.why,
        notes=found.notes,
        host=None if card.kind == "embedded" else urlsplit(base_url).hostname,
    )
    reasons = [
        *_broken(settings.policy, found, loaded),
        *_of_model(settings.policy, found, model, loaded),
        *_personal(settings.policy, found, sent, loaded),
        *_listed(settings.policy, card, base_url, loaded),
    ]
    return replace(
        verdict,
        allowed=not reasons,
        reasons=tuple(text for _rule, text in reasons),
        broken=tuple(rule for rule, _text in reasons),
    )


def _broken(policy: Policy, found: Standing, loaded: Loaded) -> Iterator[Reason]:
    """Every rule about what becomes of the data that forbids the call, each with its place."""

    def because(rule: str, text: str) -> Reason:
        return _because(loaded, rule, found.regions, text)

    if policy.max_level is not None and found.level.rank > policy.max_level.rank:
        yield because(
            "max_level",
            _("its privacy level is {level}, at worst {most} is allowed",
              level=_level(found), most=policy.max_level.value),
        )  # fmt: skip
    if policy.no_training and found.level.rank > Level.NO_TRAINING.rank:
        yield because(
            "no_training",
            _("it may train on the data (its privacy level is {level})", level=_level(found)),
        )
    if policy.unknown == "deny" and found.level is Level.UNKNOWN:
        yield because("unknown", _("nobody knows what becomes of the data"))
    if policy.regions is not None and not found.is_here and not _within(found, policy.regions):
        yield because("regions", _elsewhere(found, policy.regions))
    limit, kept = policy.max_retention_days, found.retention_days
    if limit is not None and (kept is None or kept > limit):
        yield because(
            "max_retention_days",
            _("how long it keeps data is not known, at most {limit} days are allowed", limit=limit)
            if kept is None
            else _("it keeps data for {days} days, at most {limit} are allowed", days=kept,
                   limit=limit),
        )  # fmt: skip
    allowed = ALLOWED_REVIEWS.get(policy.human_review or "")
    if allowed is not None and found.human_review not in allowed:
        yield because("human_review", _read_by_people(found.human_review))


def _level(found: Standing) -> str:
    level = found.level.value
    if not found.strange:
        return level
    return _("{level}, since llmctl does not know the option {names}", level=level,
             names=", ".join(found.strange))  # fmt: skip


def _read_by_people(review: str) -> str:
    match review:
        case "yes":
            return _("people may read the data")
        case "flagged":
            return _("people may read what is reported as abuse")
        case _:
            return _("nobody says whether people read the data")


def _of_model(
    policy: Policy, found: Standing, model: "Model | None", loaded: Loaded
) -> Iterator[Reason]:
    """The rules about the model itself. One that runs here has its weights here."""

    def because(rule: str, text: str) -> Reason:
        return _because(loaded, rule, (), text)

    if policy.open_weights and not (model and model.open_weights) and not found.is_here:
        yield because("open_weights", _("its weights are not known to be open"))
    licence = model.licence if model else None
    if policy.licences is not None and (licence or "").casefold() not in map(
        str.casefold, policy.licences
    ):
        yield _because(
            loaded, "licences", (licence or "",),
            _("the licence of its weights is {licence}, not {allowed}",
              licence=licence or _("unknown"), allowed="/".join(policy.licences)),
        )  # fmt: skip
    if policy.tunable and (model is None or model.tunable != "yes"):
        yield because("tunable", _("it is not known to be trained further for a customer"))


def _personal(policy: Policy, found: Standing, sent: Sent, loaded: Loaded) -> Iterator[Reason]:
    """The rules about personal data that would leave with the call as it is."""
    if found.is_here or not sent.personal:
        return
    kinds = ", ".join(f"{name} ({count})" for name, count in sent.personal)
    if policy.pii_regions is not None and not _within(found, policy.pii_regions):
        yield _because(
            loaded, "pii_regions", found.regions,
            _("there is personal data in it: {kinds}; {reason}", kinds=kinds,
              reason=_elsewhere(found, policy.pii_regions)),
        )  # fmt: skip
    for name, count in sent.personal:
        if handled(policy, name) == "local-only":
            rule = "pii_by" if name in policy.pii_by else "pii"
            yield _because(
                loaded, rule, (name,),
                _("there is personal data in it that must stay here: {kinds}",
                  kinds=f"{name} ({count})"),
            )  # fmt: skip


def _elsewhere(found: Standing, allowed: Sequence[str]) -> str:
    return _("its region is {region}, not {allowed}",
             region="/".join(found.regions) or _("unknown"), allowed="/".join(allowed))  # fmt: skip


def _listed(policy: Policy, card: "Card", base_url: str, loaded: Loaded) -> Iterator[Reason]:
    """The lists of providers that forbid the call. A second account counts as the provider it
    extends, and so does an address that is one of a provider's own."""
    settings = loaded.settings
    names = catalogue.lineage(card.id, settings)
    if policy.allow is not None:
        if not set(names) & set(policy.allow):
            text = _("it is not on the list of allowed providers")
            yield _because(loaded, "allow", names, text)
        elif not _is_really(card, names, base_url, settings):
            text = _("{host} is not a host of {name}, which is on the list of allowed providers",
                     host=urlsplit(base_url).hostname or base_url, name=card.name)  # fmt: skip
            yield _because(loaded, "allow", names, text)
    names += [name for name in policy.deny if _serves(name, base_url, settings)]
    if set(names) & set(policy.deny):
        yield _because(loaded, "deny", names, _("it is on the list of denied providers"))


def _is_really(card: "Card", names: Sequence[str], base_url: str, settings: Settings) -> bool:
    """Whether an address is that of the provider that goes by these names: one of its own hosts, or
    where the user has it, which is never the host of an API that we know by another name."""
    root = names[-1]
    taken = catalogue.is_users(root) and root in catalogue.shipped_ids()
    if catalogue.is_own_host(card, base_url) and not taken:
        return True
    from llmctl.privacy.rows import shipped_at

    away = distance(base_url) is Level.UNKNOWN
    there = {one.id for one in shipped_at(base_url) if one.kind == "api"} if away else set()
    if there:
        return root in there
    own = settings.providers.get(card.id, ProviderSettings())
    return card.kind != "api" or own.facts is not None


def _serves(provider: str, base_url: str, settings: Settings) -> bool:
    """Whether an address is one of the provider's own. Those of servers on this machine are like
    each other, and an account's are those of the first."""
    if provider not in catalogue.provider_ids(settings):
        return False
    found = catalogue.card(provider, settings)
    is_account = len(catalogue.lineage(provider, settings)) > 1
    return found.kind == "api" and not is_account and catalogue.is_own_host(found, base_url)


def _because(loaded: Loaded, rule: str, names: Sequence[str], text: str) -> Reason:
    """The rule, and `text` with its place: of the layer that forbids one of `names`, where the rule
    is a list."""
    keys = (*(f"policy.{rule}.{name}" for name in names), f"policy.{rule}")
    place = next((loaded.origins[key] for key in keys if key in loaded.origins), Origin("shipped"))
    return rule, _("{text} ({place})", text=text, place=place)


def _within(found: Standing, allowed: Sequence[str]) -> bool:
    return bool(found.regions) and set(found.regions) <= set(allowed)
