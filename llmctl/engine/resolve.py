"""From a model's name to everything a call needs: card, key, policy verdict, dialect, target."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from llmctl import catalogue
from llmctl.cards import Card, CardQuirks, Model
from llmctl.dialects import DIALECTS
from llmctl.engine.route import Route
from llmctl.engine.turns import turn_file
from llmctl.errors import AuthFailed, ConfigError, NotFound, PrivacyRefused, UsageError
from llmctl.keys import Secret, find
from llmctl.keys.foreign import refuse_foreign
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.types import Quirks, Verdict

if TYPE_CHECKING:
    from llmctl.transport.target import Target


# The key itself goes into a header; other kinds exchange it for a token first.
PLAIN_KEYS = ("none", "key", "optional-key")
# Nothing else lets one in, but for a client certificate.
NEEDED_KEYS = ("key", "gigachat")


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
    dialect = DIALECTS[dialect_of(card, model_card, own)]()
    base_url = address_of(card, own)
    passed_on = dialect.runs_elsewhere(model)
    verdict = judged(card, model_card, base_url, loaded, elsewhere=passed_on)
    secret = key_for(card, own, base_url)
    lacking: dict[str, Any] = dict.fromkeys(dialect.lacks, False)
    quirks = merged(card.quirks, *_layers(model_card))
    quirks = replace(quirks, settings=stated(card, own), **lacking)
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
        turn=turn_file(card, own, base_url, secret, quirks.settings),
    )


def dialect_of(card: Card, model: Model | None, own: ProviderSettings) -> str:
    """The name of the dialect: the model's own, else the one that a setting picks, else the
    card's."""
    if model is not None and model.dialect is not None:
        return model.dialect
    for one in card.settings:
        picked = card.dialect_by.get(one.name, {}).get(catalogue.setting_of(card, own, one) or "")
        if picked is not None:
            return picked
    return card.dialect


def _layers(model: Model | None) -> tuple[CardQuirks, ...]:
    """What a model's entry adds to the quirks of its provider."""
    return () if model is None else (CardQuirks(output_limit=model.output_limit), model.quirks)


def address_of(card: Card, own: ProviderSettings) -> str:
    """Where requests go; raises ConfigError where every account has an address of its own and none
    is set."""
    base_url = catalogue.base_url(card, own)
    if card.endpoint.base_url_required and base_url == card.endpoint.base_url:
        raise ConfigError(
            _("{provider} has another address for every account", provider=card.id),
            hint=_("set yours: llmctl config set providers.{provider}.base_url {url}",
                   provider=card.id, url=base_url),
        )  # fmt: skip
    return base_url


def target_of(
    card: Card, own: ProviderSettings, settings: Settings, secret: Secret | None, quirks: Quirks
) -> "Target":
    """Where a provider is and how it is reached."""
    from llmctl.transport.target import Target

    network = settings.network
    return Target(
        provider=card.id,
        base_url=catalogue.base_url(card, own),
        headers={**card_headers(card, quirks.settings), **key_headers(card, secret)},
        auth=auth_of(card, own, secret, quirks),
        ca_file=ca_file_of(card, own, settings),
        cert_file=quirks.settings.get("cert_file"),
        key_file=quirks.settings.get("key_file"),
        fixable=card.authority is not None,
        proxy=own.proxy or network.proxy,
        local_only=settings.policy.local_only,
        connect_timeout=network.connect_timeout,
        idle_timeout=own.idle_timeout or network.idle_timeout,
        close_connection=quirks.close_connection,
        urls={**card.endpoint.urls, **own.urls},
    )


def ca_file_of(card: Card, own: ProviderSettings, settings: Settings) -> str | None:
    """The file of further certificates: the provider's setting, what its users have in their
    environment for other programs, the setting for all."""
    names = card.authority.env if card.authority else ()
    here = (os.environ.get(name, "").strip() for name in names)
    return own.ca_file or next(filter(None, here), None) or settings.network.ca_file


def auth_of(card: Card, own: ProviderSettings, secret: Secret | None, quirks: Quirks) -> Any:
    """The flow (an httpx.Auth, which only transport may name) that exchanges the key for a token;
    None where the key is sent as it stands."""
    if card.auth.kind in PLAIN_KEYS:
        return None
    from llmctl.settings.places import paths
    from llmctl.transport.auth import AUTHS, Grant

    return AUTHS[card.auth.kind](
        Grant(
            provider=card.id,
            secret=secret.reveal() if secret else None,
            base_url=catalogue.base_url(card, own),
            urls={**card.endpoint.urls, **own.urls},
            settings=quirks.settings,
            cache=paths().cache / "tokens",
        )
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
        _("no provider or model is called {name}", name=name),
        hint=_("a file of your own: -m local/{name}", name=name)
        if name.lower().endswith(".gguf")
        else _nearest(name, known, settings),
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
    """The key; raises AuthFailed where the provider needs one and there is none, and for one that
    is another provider's. A host that is not
    the provider's own (a server of the user's) needs none; one that there is goes along."""
    if card.auth.kind == "none":
        return None
    secret = find(card, own)
    needed = card.auth.kind in NEEDED_KEYS and catalogue.is_own_host(card, base_url)
    if secret is None and needed and "cert_file" not in stated(card, own):
        variable = _(" or set {name}", name=card.auth.env[0]) if card.auth.env else ""
        raise AuthFailed(
            _("there is no key for {provider}", provider=card.id),
            hint=_("store one: llmctl keys set {provider}{variable}", provider=card.id,
                   variable=variable),
            provider=card.id,
            reason="no-key",
        )  # fmt: skip
    if secret is not None:
        refuse_foreign(card, own, base_url, secret)
    return secret


def stated(card: Card, own: ProviderSettings) -> Mapping[str, str]:
    """The values of the settings that the card adds: from the user's settings, the environment or
    the card; raises ConfigError for one that must be given and is not, or has no such choice."""
    found = {}
    for one in card.settings:
        value = catalogue.setting_of(card, own, one)
        hint = _("set it: llmctl config set providers.{provider}.{name} VALUE", provider=card.id,
                 name=one.name)  # fmt: skip
        if value is None:
            if one.required:
                raise ConfigError(
                    _("{provider} needs the setting {name}: {help}", provider=card.id,
                      name=one.name, help=one.help),
                    hint=hint + (_(" or set {name}", name=one.env[0]) if one.env else ""),
                )  # fmt: skip
            continue
        if one.choices and value not in one.choices:
            raise ConfigError(
                _("providers.{provider}.{name} is {value}, not one of: {choices}",
                  provider=card.id, name=one.name, value=value, choices=", ".join(one.choices)),
                hint=hint,
            )  # fmt: skip
        found[one.name] = value
    return found


def card_headers(card: Card, stated: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that the card adds to every request, by the values of its settings."""
    if not card.headers:
        return {}
    from string import Formatter

    sent = {}
    for one in card.headers:
        needed = {name for _text, name, _spec, _how in Formatter().parse(one.value) if name}
        if needed <= stated.keys() and one.when.items() <= stated.items():
            sent[one.name] = one.value.format_map(stated)
    return sent


def key_headers(card: Card, secret: Secret | None) -> Mapping[str, str]:
    if secret is None or card.auth.kind not in PLAIN_KEYS:
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
