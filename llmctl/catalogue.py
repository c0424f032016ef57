"""The cards there are: shipped ones, the user's own, and second accounts that extend one."""

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from llmctl import resources
from llmctl.cards import Card, Price, Setting, Source
from llmctl.errors import ConfigError, NotFound
from llmctl.messages import _
from llmctl.settings import Loaded, ProviderSettings, Settings
from llmctl.settings.layers import read_toml
from llmctl.settings.places import paths
from llmctl.structure import Misfit, build, checked
from llmctl.types import Json

ID = re.compile(r"[a-z][a-z0-9]*")


def provider_ids(settings: Settings) -> list[str]:
    """The ids of all cards and of all accounts in the settings, in alphabetical order."""
    extended = {name for name, one in settings.providers.items() if one.extends}
    return sorted({*_shipped_ids(), *_own_cards(), *extended})


def card(provider: str, settings: Settings) -> Card:
    """The card of a provider; only its file is read.

    Raises NotFound with the nearest ids, ConfigError for a card of the user's that does not fit.
    """
    found = _card(provider, settings)
    own = settings.providers.get(provider)
    known = {one.name for one in found.settings}
    unknown = [name for name in (own.extra if own else {}) if name not in known]
    unknown += [name for name in (own.urls if own else {}) if name not in found.endpoint.urls]
    if unknown:
        raise ConfigError(
            _("providers.{provider} has no setting {name}", provider=provider, name=unknown[0]),
            hint=_("what it has: llmctl providers show {provider}", provider=provider),
        )
    return found


def refuse_strangers(loaded: Loaded) -> None:
    """Raises ConfigError for settings of a provider that there is not: a misspelt id would
    otherwise leave a proxy or an address out without a word."""
    ids = provider_ids(loaded.settings)
    for name in loaded.settings.providers:
        if name not in ids:
            prefix = f"providers.{name}"
            where = next((str(one) for key, one in loaded.origins.items()
                          if key.startswith(f"{prefix}.")), prefix)  # fmt: skip
            near = get_close_matches(name, ids, 3)
            raise ConfigError(
                _("{where}: there is no provider {provider}", where=where, provider=name),
                hint=_("did you mean: {names}", names=", ".join(near))
                if near
                else _('a second account says whose it is: extends = "openai"'),
            )


def lineage(provider: str, settings: Settings) -> list[str]:
    """The provider and what it extends, nearest first; raises ConfigError for a circle."""
    names = [provider]
    while (own := settings.providers.get(names[-1])) is not None and own.extends:
        if own.extends in names:
            raise ConfigError(
                _("providers.{provider} extends itself", provider=provider),
                hint=_("mend it: llmctl config edit"),
            )
        names.append(own.extends)
    return names


def _card(provider: str, settings: Settings) -> Card:
    own = settings.providers.get(provider)
    if own is not None and own.extends:
        if not ID.fullmatch(provider):
            raise ConfigError(
                _("the id {id} is not lower-case letters and digits", id=provider),
                hint=_("mend it: llmctl config edit"),
            )
        base = card(lineage(provider, settings)[1], settings)
        return replace(
            base, id=provider, name=f"{base.name} ({provider})", auth=replace(base.auth, env=())
        )
    if provider in _own_cards():
        return _own(paths().config / "providers" / f"{provider}.toml")
    if provider in _shipped_ids():
        return _shipped(provider)
    ids = provider_ids(settings)
    near = get_close_matches(provider, ids, 3)
    raise NotFound(
        _("there is no provider {provider}", provider=provider),
        hint=_("did you mean: {names}", names=", ".join(near))
        if near
        else _("see them: llmctl providers list"),
    )


@cache
def _shipped_ids() -> frozenset[str]:
    return frozenset(
        one.name.removesuffix(".toml")
        for one in resources.providers().iterdir()
        if one.name.endswith(".toml")
    )


def shipped_table(provider: str) -> Json:
    """The file of a shipped card as plain data."""
    return tomllib.loads((resources.providers() / f"{provider}.toml").read_text("utf-8"))


@cache
def _shipped(provider: str) -> Card:
    return build(Card, shipped_table(provider))


def is_users(provider: str) -> bool:
    """Whether the card is the user's own, not one of those that ship with us."""
    return provider in _own_cards()


def _own_cards() -> set[str]:
    """Their ids. Names only: a path for each would be the greater part of the work."""
    try:
        names = os.listdir(paths().config / "providers")
    except OSError:
        return set()
    return {name[:-5] for name in names if name.endswith(".toml") and name != ".toml"}


def _own(path: Path) -> Card:
    try:
        found = checked(Card, read_toml(path), paths().cache)
    except Misfit as misfit:
        key = ".".join(map(str, misfit.path))
        raise ConfigError(
            _("{path}: {key}: {reason}", path=path, key=key, reason=misfit.reason),
            hint=_compare(),
        ) from None
    wrong = list(faults(found))
    if found.id != path.stem:
        wrong.append(_("its id {id} is not the file's name", id=found.id))
    if wrong:
        raise ConfigError(_("{path}: {fault}", path=path, fault=wrong[0]), hint=_compare())
    return found


def _compare() -> str:
    return _("compare with a shipped card: llmctl providers show openai --toml")


def faults(found: Card) -> Iterator[str]:
    """What is wrong in a card beyond the types of its entries."""
    from llmctl.dialects import DIALECTS

    if not ID.fullmatch(found.id):
        yield _("the id {id} is not lower-case letters and digits", id=found.id)
    picked = {one for by_value in found.dialect_by.values() for one in by_value.values()}
    for dialect in {found.dialect, *picked, *(one.dialect for one in found.models if one.dialect)}:
        if dialect not in DIALECTS:
            yield _("there is no dialect {name}", name=dialect)
    for name in found.dialect_by.keys() - {one.name for one in found.settings}:
        yield _("there is no setting {name} to pick a dialect by", name=name)
    names = [one.id for one in found.models]
    for name in {one for one in names if names.count(one) > 1}:
        yield _("the model {name} stands there twice", name=name)
    for source in _sources(found):
        yield from _date_faults(source.checked)
    for model in found.models:
        if model.retires is not None:
            yield from _date_faults(model.retires)
        for price in model.prices:
            yield from _price_faults(price)
        starts = [price.since for price in model.prices]
        if starts != sorted(starts, reverse=True):
            yield _("the prices of {name} are not newest first", name=model.id)


def _price_faults(price: Price) -> Iterator[str]:
    from decimal import Decimal, InvalidOperation

    yield from _date_faults(price.since)
    for figure in filter(None, _figures(price)):
        try:
            if Decimal(figure) < 0:
                yield _("the price {figure} is negative", figure=figure)
        except InvalidOperation:
            yield _("the price {figure} is no number", figure=figure)


def _sources(found: Card) -> Iterator[Source]:
    """The source of every fact of a card that states one."""
    stated = [found.source, *(fact.source for fact in found.privacy)]
    for model in found.models:
        stated += [model.source, *(price.source for price in model.prices)]
    return filter(None, stated)


def _figures(price: Price) -> Iterator[str | None]:
    """Everything in a row of a price list that is a decimal number."""
    yield from (price.input, price.output, price.cache_read, price.cache_write)
    yield from (price.image, price.audio_second, price.search, price.request)
    for tier in price.tiers:
        yield from (tier.input, tier.output, tier.cache_read, tier.cache_write)
    for mode in price.modes.values():
        yield from (mode.factor, mode.input, mode.output, mode.cache_read)
    yield from (window.factor for window in price.windows)


def _date_faults(text: str) -> Iterator[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        yield _("{text} is no date (YYYY-MM-DD)", text=text)


def base_url(found: Card, own: ProviderSettings) -> str:
    """Where requests go: the settings, else the card's environment variable, else the card. A bare
    host from the environment gets the scheme and port of the card's own address."""
    if own.base_url:
        return own.base_url.rstrip("/")
    name = found.endpoint.base_url_env
    given = os.environ.get(name, "").strip() if name else ""
    if not given:
        return found.endpoint.base_url.rstrip("/")
    if "://" not in given:
        given = _completed(given, urlsplit(found.endpoint.base_url))
    # What a server listens on, "every address", is this machine for whoever asks it.
    return re.sub(r"://(0\.0\.0\.0|\[::\])(?=[:/]|$)", "://127.0.0.1", given).rstrip("/")


def _completed(given: str, own: SplitResult) -> str:
    """A host, a port or both (`box`, `:8080`, `[::1]:8080`) with the scheme and port of `own`."""
    if given.startswith(":"):
        given = f"{own.hostname}{given}"
    has_port = re.search(r":\d*(/|$)", given.rpartition("]")[2])
    host, slash, path = given.partition("/")
    port = "" if has_port or not own.port else f":{own.port}"
    return f"{own.scheme}://{host}{port}{slash}{path}"


def setting_of(found: Card, own: ProviderSettings, one: Setting) -> str | None:
    """The value of a setting that the card adds: the user's, the environment's, or the card's own,
    None where nobody has set it."""
    here = (os.environ.get(name, "").strip() for name in one.env)
    if value := own.extra.get(one.name) or next(filter(None, here), None):
        return value
    at_home = is_own_host(found, base_url(found, own))
    return one.default if at_home else one.default_elsewhere or one.default


def is_own_host(found: Card, url: str) -> bool:
    """Whether the URL's host is one of those for which the card's facts hold."""
    host = (urlsplit(url).hostname or "").lower()
    own = (urlsplit(found.endpoint.base_url).hostname or "").lower()
    return host == own or any(
        host.endswith(name[1:]) if name.startswith("*.") else host == name
        for name in found.endpoint.hosts
    )
