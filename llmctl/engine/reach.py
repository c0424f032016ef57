"""How a provider is reached: its address, key, settings and headers, and where it departs from its
dialect."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from llmctl import catalogue
from llmctl.cards import Card, CardQuirks
from llmctl.errors import AuthFailed, ConfigError
from llmctl.keys import Secret, find
from llmctl.keys.foreign import refuse_foreign
from llmctl.messages import _
from llmctl.settings import ProviderSettings, Settings
from llmctl.types import NOTHING, Quirks

if TYPE_CHECKING:
    from llmctl.transport.target import Target

# The key itself goes into a header; other kinds exchange it for a token first.
PLAIN_KEYS = ("none", "key", "optional-key")
# Nothing else lets one in, but for a client certificate.
NEEDED_KEYS = ("key", "gigachat")
MISSING = Secret("missing", "nowhere")


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
    card: Card,
    own: ProviderSettings,
    settings: Settings,
    secret: Secret | None,
    quirks: Quirks,
    asked: Mapping[str, str] = NOTHING,
) -> "Target":
    """Where a provider is and how it is reached; `asked` are headers for the sake of privacy."""
    from llmctl.transport.target import Target

    network = settings.network
    return Target(
        provider=card.id,
        base_url=catalogue.base_url(card, own),
        headers={**card_headers(card, quirks.settings), **asked, **key_headers(card, secret)},
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


def key_for(
    card: Card, own: ProviderSettings, base_url: str, *, shown: bool = False
) -> Secret | None:
    """The key; raises AuthFailed where the provider needs one and there is none, and for one that
    is another provider's. A host that is not the provider's own (a server of the user's) needs
    none; one that there is goes along. Where a call is only `shown`, a word stands for a key that
    is missing, so that the call is shown with the header that it would have."""
    if card.auth.kind == "none":
        return None
    secret = find(card, own)
    if secret is None and shown and card.auth.kind not in PLAIN_KEYS:
        return MISSING
    needed = card.auth.kind in NEEDED_KEYS and catalogue.is_own_host(card, base_url)
    if secret is None and needed and "cert_file" not in stated(card, own):
        if shown:
            return MISSING
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
        if value is None:
            if one.required:
                hint = _("set it: llmctl config set providers.{provider}.{name} VALUE",
                         provider=card.id, name=one.name)  # fmt: skip
                raise ConfigError(
                    _("{provider} needs the setting {name}: {help}", provider=card.id,
                      name=one.name, help=one.help),
                    hint=hint + (_(" or set {name}", name=one.env[0]) if one.env else ""),
                )  # fmt: skip
            continue
        catalogue.refuse_no_choice(card, one, value)
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
