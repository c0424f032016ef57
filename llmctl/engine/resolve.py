"""From a model's name to everything a call needs: card, key, policy verdict, dialect, target."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.cards import Card, CardQuirks, Model
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.errors import AuthFailed, NotFound, PrivacyRefused, UsageError
from llmctl.keys import Secret, find
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.types import Quirks, Verdict

if TYPE_CHECKING:
    from llmctl.transport.target import Target


def resolve(name: str, loaded: Loaded) -> Route:
    """The route for a model's name.

    Raises UsageError for a bare id that no card or several have, NotFound for a model that a card
    rules out, ConfigError for settings of a provider that there is not, PrivacyRefused where policy
    forbids it, AuthFailed without a key. Nothing is sent.
    """
    settings = loaded.settings
    catalogue.refuse_strangers(loaded)
    provider, model = split(unalias(name, settings), settings)
    card = catalogue.card(provider, settings)
    own = settings.providers.get(provider, ProviderSettings())
    model_card = find_model(card, model)
    if model_card is None and card.kind == "api" and card.models and not card.any_model:
        raise NotFound(
            _("{provider} has no model {model}", provider=provider, model=model),
            hint=near_models(card, model)
            or _("see what there is: llmctl models list {provider}", provider=provider),
            provider=provider,
        )
    dialect = DIALECTS[(model_card and model_card.dialect) or card.dialect]()
    base_url = catalogue.base_url(card, own)
    passed_on = dialect.runs_elsewhere(model)
    verdict = judged(card, model_card, base_url, loaded, elsewhere=passed_on)
    secret = key_for(card, own, base_url)
    quirks = merged(card.quirks, model_card.quirks if model_card else CardQuirks())
    return Route(
        requested=name,
        provider=provider,
        model=model_card.id if model_card and model in model_card.aliases else model,
        card=card,
        model_card=model_card,
        dialect=dialect,
        quirks=quirks,
        verdict=verdict,
        secret=secret,
        passed_on=passed_on,
        elsewhere=_if_passed_on(card, model_card, base_url, loaded)
        if dialect.whereabouts(model)
        else None,
        target=target_of(card, own, settings, secret, quirks),
    )


def target_of(
    card: Card, own: ProviderSettings, settings: Settings, secret: Secret | None, quirks: Quirks
) -> "Target":
    """Where a provider is and how it is reached."""
    from llmctl.transport.target import Target

    network = settings.network
    return Target(
        provider=card.id,
        base_url=catalogue.base_url(card, own),
        headers=key_headers(card, secret),
        ca_file=own.ca_file or network.ca_file,
        proxy=own.proxy or network.proxy,
        local_only=settings.policy.local_only,
        connect_timeout=network.connect_timeout,
        idle_timeout=own.idle_timeout or network.idle_timeout,
        close_connection=quirks.close_connection,
    )


def unalias(name: str, settings: Settings) -> str:
    """The name behind an alias, followed through further aliases; raises UsageError in a circle."""
    seen = [name]
    while (name := settings.aliases.get(name, name)) != seen[-1]:
        if name in seen:
            raise UsageError(
                _("the alias {name} leads back to itself", name=name),
                hint=_("mend it: llmctl config edit"),
            )
        seen.append(name)
    return name


def split(name: str, settings: Settings) -> tuple[str, str]:
    """(provider, model): at the first slash when a provider stands before it, else by the card
    that has the bare id."""
    known = catalogue.provider_ids(settings)
    provider, slash, model = name.partition("/")
    if slash and provider in known:
        if not model:
            raise UsageError(
                _("{name} names no model", name=name),
                hint=_("see what there is: llmctl models list {provider}", provider=provider),
            )
        return provider, model
    having = _having(name, known, settings)
    if len(having) == 1:
        return having[0], name
    if name in known:
        raise UsageError(
            _("{name} is a provider; which of its models?", name=name),
            hint=_("such as: -m {name}/{model}", name=name,
                   model=catalogue.card(name, settings).default_model or "MODEL"),
        )  # fmt: skip
    if having:
        raise UsageError(
            _("several providers have {name}", name=name),
            hint=_("say which: {names}", names=", ".join(f"{one}/{name}" for one in having)),
        )
    raise UsageError(
        _("no provider or model is called {name}", name=name), hint=_nearest(name, known, settings)
    )


def _having(name: str, known: list[str], settings: Settings) -> list[str]:
    """The providers a bare id may mean: the makers of that model before those who resell it, and
    never a second account, which has the models of the first."""
    accounts = {one for one, own in settings.providers.items() if own.extends}
    cards = [catalogue.card(one, settings) for one in known if one not in accounts]
    having = [card for card in cards if find_model(card, name)]
    makers = [card for card in having if not card.reseller]
    return [card.id for card in makers or having]


def _nearest(name: str, known: list[str], settings: Settings) -> str:
    from difflib import get_close_matches

    provider, slash, model = name.partition("/")
    if slash and (close := get_close_matches(provider, known, 2)):
        return _(
            "did you mean: -m {names}", names=_(" or ").join(f"{one}/{model}" for one in close)
        )
    names = [f"{one}/{model.id}" for one in known for model in catalogue.card(one, settings).models]
    bare = {full.partition("/")[2]: full for full in names}
    near = get_close_matches(name, names, 3) or [
        bare[one] for one in get_close_matches(name, list(bare), 3)
    ]
    if near:
        return _("did you mean: -m {names}", names=_(" or ").join(near))
    return _("see them all: llmctl models list")


def near_models(card: Card, model: str) -> str | None:
    """A hint with the card's models that are spelt much like `model`, None without any."""
    from difflib import get_close_matches

    near = get_close_matches(model, [one.id for one in card.models if one.id != model], 3)
    if not near:
        return None
    return _("did you mean: -m {names}", names=_(" or ").join(f"{card.id}/{one}" for one in near))


def find_model(card: Card, model: str) -> Model | None:
    """The card's entry for `model`, by id, alias or pattern."""
    from fnmatch import fnmatchcase

    for one in card.models:
        if model == one.id or model in one.aliases:
            return one
    for one in card.models:
        if any(fnmatchcase(model, pattern) for pattern in one.match):
            return one
    return None


def judged(
    card: Card, model: Model | None, base_url: str, loaded: Loaded, *, elsewhere: bool
) -> Verdict:
    """The verdict of policy; raises PrivacyRefused where it forbids the call."""
    from llmctl.privacy.policy import judge

    verdict = judge(card, model, base_url=base_url, loaded=loaded, elsewhere=elsewhere)
    if not verdict.allowed:
        reasons = "; ".join(verdict.reasons)
        raise PrivacyRefused(
            _("policy forbids {provider}: its server only passes this model on to a cloud;"
              " {reasons}", provider=card.id, reasons=reasons)
            if elsewhere
            else _("policy forbids {provider}: {reasons}", provider=card.id, reasons=reasons),
            hint=_("a model that stays here: llmctl models list local"),
            provider=card.id,
        )  # fmt: skip
    return verdict


def _if_passed_on(card: Card, model: Model | None, base_url: str, loaded: Loaded) -> Verdict:
    from llmctl.privacy.policy import judge

    return judge(card, model, base_url=base_url, loaded=loaded, elsewhere=True)


def key_for(card: Card, own: ProviderSettings, base_url: str) -> Secret | None:
    """The key; raises AuthFailed where the provider needs one and there is none. A host that is not
    the provider's own (a server of the user's) is asked without one."""
    if card.auth.kind == "none":
        return None
    secret = find(card, own)
    if secret is None and card.auth.kind == "key" and catalogue.is_own_host(card, base_url):
        variable = _(" or set {name}", name=card.auth.env[0]) if card.auth.env else ""
        raise AuthFailed(
            _("there is no key for {provider}", provider=card.id),
            hint=_("store one: llmctl keys set {provider}{variable}", provider=card.id,
                   variable=variable),
            provider=card.id,
            reason="no-key",
        )  # fmt: skip
    return secret


def key_headers(card: Card, secret: Secret | None) -> Mapping[str, str]:
    if secret is None:
        return {}
    return {card.auth.header: f"{card.auth.scheme} {secret.reveal()}".strip()}


def merged(*layers: CardQuirks) -> Quirks:
    """The defaults of the dialect with the card's departures on top, later layers last."""
    quirks = Quirks()
    for layer in layers:
        stated = {
            one.name: value
            for one in fields(CardQuirks)
            if (value := getattr(layer, one.name)) is not None
        }
        quirks = replace(quirks, **stated)
    return quirks
