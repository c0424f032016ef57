"""The cards there are: the user's own, refreshed ones, shipped ones, in this order; and second
accounts that extend one."""

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from llmctl import __version__, refreshed, resources
from llmctl.cards import Card, Model, Setting, Source
from llmctl.errors import ConfigError, LlmctlError, NotFound
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
    return sorted({*shipped_ids(), *refreshed.files(), *own_cards(), *extended})


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


def refuse_unfit(provider: str, loaded: Loaded) -> None:
    """Raises ConfigError where there is no such provider, or its settings do not fit its card."""
    own = loaded.settings.providers.get(provider)
    if own is None:
        return
    refuse_strangers(loaded, (provider,))
    found = card(provider, loaded.settings)
    for one in found.settings:
        if (value := own.extra.get(one.name)) is not None:
            refuse_no_choice(found, one, value)


def refuse_no_choice(found: Card, one: Setting, value: str) -> None:
    """Raises ConfigError for a value that is none of those a setting of a card has."""
    if one.choices and value not in one.choices:
        raise ConfigError(
            _("providers.{provider}.{name} is {value}, not one of: {choices}",
              provider=found.id, name=one.name, value=value, choices=", ".join(one.choices)),
            hint=_("set it: llmctl config set providers.{provider}.{name} VALUE",
                   provider=found.id, name=one.name),
        )  # fmt: skip


def refuse_strangers(loaded: Loaded, names: Collection[str] | None = None) -> None:
    """Raises ConfigError for settings of a provider that there is not (of `names` only, where they
    are given): a misspelt id would otherwise leave a proxy or an address out without a word."""
    ids = provider_ids(loaded.settings)
    for name in loaded.settings.providers if names is None else names:
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
    if provider in own_cards():
        return _own(paths().config / "providers" / f"{provider}.toml")
    if (name := refreshed.files().get(provider)) and (renewed := _renewed(provider, name)):
        return renewed
    if provider in shipped_ids():
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
def shipped_ids() -> frozenset[str]:
    """The ids of the cards that ship with us."""
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
    return build(Card, _parsed(provider))


def _parsed(provider: str) -> Json:
    """The same as `shipped_table`, out of the cache folder where it was read before: as JSON it
    takes a twentieth of the time. A file that is written anew counts as another one."""
    path = resources.providers() / f"{provider}.toml"
    if not isinstance(path, Path):  # in a zipped wheel
        return shipped_table(provider)
    from llmctl.files import read_own, write_private

    now = path.stat()
    state = f"{now.st_size:x}-{now.st_mtime_ns:x}-{now.st_ctime_ns:x}"
    known = paths().cache / "cards" / f"{provider}-{__version__}-{state}.json"
    try:
        return json.loads(read_own(known))
    except (OSError, ValueError):  # not there, or damaged
        table = shipped_table(provider)
    with suppress(LlmctlError, OSError):  # a cache that cannot be written costs time, no more
        for earlier in known.parent.glob(f"{provider}-*.json"):
            earlier.unlink()
        write_private(known, json.dumps(table).encode())
    return table


def is_users(provider: str) -> bool:
    """Whether the card is the user's own or was given by them, not one of those that ship with us:
    what it claims of privacy is not taken for more than the shipped one says."""
    return provider in own_cards() or refreshed.is_given(provider)


def _renewed(provider: str, name: str) -> Card | None:
    """A refreshed card; None where it was taken away a moment ago. Raises ConfigError."""
    path = refreshed.folder() / name
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"))
        found = checked(Card, table, paths().cache)
        wrong = next(faults(found), None)
        if found.id != provider:
            wrong = _("its id {id} is not the file's name", id=found.id)
    except FileNotFoundError:
        return None
    except Misfit as misfit:
        wrong = f"{'.'.join(map(str, misfit.path))}: {misfit.reason}"
    except OSError as error:
        wrong = error.strerror or type(error).__name__
    except (ValueError, RecursionError) as error:
        wrong = str(error)
    if wrong:
        raise ConfigError(
            _("the refreshed card {path} is damaged: {why}", path=path, why=wrong),
            hint=_("go back to the cards of this version: llmctl cards reset"),
        )
    return found


def own_cards() -> set[str]:
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
    from llmctl.card_faults import control_faults, price_faults
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
        if source.expires is not None:
            yield from _date_faults(source.expires)
    for model in found.models:
        if model.retires is not None:
            yield from _date_faults(model.retires)
        for price in model.prices:
            yield from _date_faults(price.since)
    yield from price_faults(found)
    yield from control_faults(found)


def _sources(found: Card) -> Iterator[Source]:
    """The source of every fact of a card that states one."""
    stated = [found.source, *(fact.source for fact in found.privacy)]
    stated += [source for fact in found.privacy for source in fact.sources.values()]
    stated += [one.source for fact in found.privacy for one in fact.lowered]
    stated += [control.source for control in found.controls]
    stated += [factor.source for factor in found.price_factors]
    stated.append(found.authority.source if found.authority else None)
    for model in found.models:
        stated += [model.source, *(price.source for price in model.prices)]
    return filter(None, stated)


def _date_faults(text: str) -> Iterator[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        yield _("{text} is no date (YYYY-MM-DD)", text=text)


def base_url(found: Card, own: ProviderSettings) -> str:
    """Where requests go: the settings, else the card's environment variable, else the card. A bare
    host from the environment gets the scheme and port of the card's own address. The scheme is in
    lower case. Raises ConfigError for a host with blanks in it, which readers of addresses leave
    out, each in its own way."""
    given = (own.base_url or "").strip()
    if not given:
        name = found.endpoint.base_url_env
        given = os.environ.get(name, "").strip() if name else ""
        if given and "://" not in given:
            given = _completed(given, urlsplit(found.endpoint.base_url))
        # What a server listens on, "every address", is this machine for whoever asks it.
        given = re.sub(r"://(0\.0\.0\.0|\[::\])(?=[:/]|$)", "://127.0.0.1", given)
    given = (given or found.endpoint.base_url).rstrip("/")
    if re.search(r"[\s\x00-\x1f\x7f]", "/".join(given.split("/", 3)[:3])):
        raise ConfigError(
            _("providers.{provider}.base_url has a blank in it", provider=found.id),
            hint=_("set it: llmctl config set providers.{provider}.base_url https://…",
                   provider=found.id),
        )  # fmt: skip
    scheme, mark, rest = given.partition("://")
    return f"{scheme.lower()}{mark}{rest}" if mark else given


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


def dialect_of(card: Card, model: Model | None, own: ProviderSettings) -> str:
    """The name of the dialect: the model's own, else the one that a setting picks, else the
    card's."""
    if model is not None and model.dialect is not None:
        return model.dialect
    for one in card.settings:
        picked = card.dialect_by.get(one.name, {}).get(setting_of(card, own, one) or "")
        if picked is not None:
            return picked
    return card.dialect


def is_own_host(found: Card, url: str) -> bool:
    """Whether the URL's host is one of those for which the card's facts hold."""
    host = host_of(url)
    return host == host_of(found.endpoint.base_url) or any(
        host.endswith(name[1:]) if name.startswith("*.") else host == name
        for name in found.endpoint.hosts
    )


@lru_cache(maxsize=256)  # asked several times for each answer
def host_of(url: str) -> str:
    """The host in lower case, without the dot that ends a whole name; empty without one."""
    return (urlsplit(url).hostname or "").lower().removesuffix(".")
