"""What would be allowed instead of a call that policy forbids: looked for only then."""

from collections.abc import Callable, Iterator
from typing import Any

from llmctl import catalogue
from llmctl.cards import Card, Control, Model
from llmctl.engine.names import find_model
from llmctl.errors import LlmctlError
from llmctl.keys import where
from llmctl.messages import _
from llmctl.privacy.controls import Sent, carrying, fitting, planned
from llmctl.privacy.levels import HERE
from llmctl.privacy.policy import judge
from llmctl.settings import Attested, Loaded, ProviderSettings
from llmctl.types import Json, Level, Verdict
from llmctl.values import dataclass, replace

MOST = 3
# The verdict under other settings of the provider, with other things sent.
Tried = Callable[[ProviderSettings, Sent], Verdict]
# Whether a model of a card is one that could be asked instead.
Fits = Callable[[Card, Model | None], bool]


@dataclass(frozen=True, slots=True)
class Way:
    """Something the user could change, and the level it would lead to."""

    what: str
    level: Level


@dataclass(frozen=True, slots=True)
class Allowed:
    """A model that policy allows, and whether it can be asked now."""

    provider: str
    model: str
    is_there: bool
    level: Level


def advice(
    card: Card,
    model: Model | None,
    base_url: str,
    loaded: Loaded,
    *,
    sent: Sent | None = None,
    elsewhere: bool = False,
) -> str:
    """A hint for people: what would make this call allowed, and the nearest models that are."""
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    sent = sent or _planned(card, model, own, loaded)
    found = [] if elsewhere else list(ways(card, model, base_url, loaded, sent))[:1]
    said = [_("{what} would reach {level}", what=one.what, level=one.level.value) for one in found]
    allowed = allowed_models(loaded, sent, without=card.id)
    names = ", ".join(f"-m {one.provider}/{one.model}" for one in allowed[:MOST])
    if names:
        said.append(_("allowed: {models}", models=names))
    if any(one.level in HERE for one in allowed):
        said.append(_("a model that stays here: llmctl models list local"))
    return "; ".join(said) or _("no model of any card is allowed: llmctl privacy list")


def _planned(card: Card, model: Model | None, own: ProviderSettings, loaded: Loaded) -> Sent:
    dialect = catalogue.dialect_of(card, model, own)
    controls = planned(card, dialect, own, loaded.settings)
    return carrying(controls)


def ways(
    card: Card, model: Model | None, base_url: str, loaded: Loaded, sent: Sent
) -> Iterator[Way]:
    """Each that alone would make the call allowed: controls, the tier, the user's own contract."""
    own = loaded.settings.providers.get(card.id, ProviderSettings())

    def tried(changed: ProviderSettings, sent: Sent) -> Verdict:
        providers = {**loaded.settings.providers, card.id: changed}
        there = replace(loaded, settings=replace(loaded.settings, providers=providers))
        return judge(card, model, base_url=base_url, loaded=there, sent=sent)

    dialect = catalogue.dialect_of(card, model, own)
    for one in fitting(card, dialect, own, whatever=True):
        if one.name not in sent.controls:
            changed = replace(own, extra={**own.extra, **one.when})
            verdict = tried(changed, carrying((one,), sent))
            if verdict.allowed:
                yield Way(_how(one, card, own, loaded), verdict.level)
    for tier in sorted({row.tier for row in card.privacy if row.tier} - {own.extra.get("tier")}):
        verdict = tried(replace(own, extra={**own.extra, "tier": tier}), sent)
        if verdict.allowed:
            key = f"providers.{card.id}.tier"
            yield Way(_("{key} = {tier}, if your account is one,", key=key, tier=tier),
                      verdict.level)  # fmt: skip
    yield from _contract(card, own, loaded, sent, tried)


def _how(control: Control, card: Card, own: ProviderSettings, loaded: Loaded) -> str:
    """What the user does so that a control is sent."""
    stated = {one.name: catalogue.setting_of(card, own, one) for one in card.settings}
    for name, wanted in control.when.items():
        if stated.get(name) != wanted:
            return f"providers.{card.id}.{name} = {wanted}"
    if control.default and loaded.settings.privacy.allow_logging:
        return _("{control} (leave --allow-logging out)", control=control.name)
    if control.body is None:
        return control.name
    import json

    first, *rest = control.body.split(".")
    value: Json = control.value
    for name in reversed(rest):
        value = {name: value}
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"-o '{first}={said}'"


def _contract(
    card: Card, own: ProviderSettings, loaded: Loaded, sent: Sent, tried: Tried
) -> Iterator[Way]:
    """What a contract would have to say; never more of it than is needed."""
    policy = loaded.settings.policy
    regions = policy.regions or policy.pii_regions
    wanted: dict[str, Any] = {"training": "no", "retention": 0, "human_review": "no"}
    if regions:
        wanted["regions"] = regions[:1]
    before = own.attest or Attested()

    def verdict(said: dict[str, Any]) -> Verdict:
        return tried(replace(own, attest=replace(before, **said)), sent)

    if not verdict(wanted).allowed:
        return
    for name in tuple(wanted):
        fewer = {key: value for key, value in wanted.items() if key != name}
        if verdict(fewer).allowed:
            wanted = fewer
    stated = ", ".join(f"{name} = {_as_toml(value)}" for name, value in wanted.items())
    yield Way(
        _("[providers.{provider}.attest] {stated}, if your contract says so,", provider=card.id,
          stated=stated), verdict(wanted).level,
    )  # fmt: skip


def _as_toml(value: Any) -> str:
    import json

    listed = list(value) if isinstance(value, tuple) else value
    return json.dumps(listed, ensure_ascii=False)


def allowed_models(
    loaded: Loaded, sent: Sent, *, without: str, fits: Fits | None = None
) -> list[Allowed]:
    """A model of each card that policy allows: first those that can be asked now, the nearest to
    what was asked for first, and the card in `without` last. With `fits` only those that it
    accepts; None is a model that only its server knows."""
    found: list[Allowed] = []
    for provider in catalogue.provider_ids(loaded.settings):
        try:
            found += list(_of_card(provider, loaded, sent, fits))[:1]
        except LlmctlError:  # a card or account that cannot be read is no help here
            continue
    found.sort(
        key=lambda one: (one.provider == without, not one.is_there, -one.level.rank, one.provider)
    )
    return found


def _of_card(
    provider: str, loaded: Loaded, sent: Sent, fits: Fits | None = None
) -> Iterator[Allowed]:
    """The models of one card that are allowed, the usual one first."""
    card = catalogue.card(provider, loaded.settings)
    own = loaded.settings.providers.get(provider, ProviderSettings())
    usual = find_model(card, card.default_model) if card.default_model else None
    models = [one for one in card.models if one.kind in ("chat", "base") and one != usual]
    listed: list[Model | None] = [*([usual] if usual else []), *models]
    if not listed and card.kind != "api":
        listed = [None]  # only its server knows its models
    if fits is not None:
        listed = [one for one in listed if fits(card, one)]
    base_url = catalogue.base_url(card, own)
    for model in listed:
        plan = replace(_planned(card, model, own, loaded), personal=sent.personal, hosts=sent.hosts)
        verdict = judge(card, model, base_url=base_url, loaded=loaded, sent=plan)
        if verdict.allowed:
            name = model.id if model else "MODEL"
            yield Allowed(provider, name, is_there(card, own, model), verdict.level)


def is_there(card: Card, own: ProviderSettings, model: Model | None) -> bool:
    """Whether a model can be asked now: its key or its file is there, the address of its server was
    set. Nothing is connected to: a refusal opens no socket."""
    match card.kind:
        case "api":
            return bool(where(card, own))
        case "embedded":
            from llmctl.engine.weights import present

            return model is not None and present(model) is not None
        case _:
            is_set = catalogue.base_url(card, own) != card.endpoint.base_url.rstrip("/")
            return is_set or own.base_url is not None or bool(where(card, own))
