"""Keys: where they are found, in which order, and where they are put.

Order: the provider's environment variable, the user's `key_command`, the system's keyring, a
private file. The first that has a key ends the search; one that should have it and fails is an
error only when nothing after it has one.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from llmctl.cards import Card
from llmctl.errors import AuthFailed, IoFailed, UsageError
from llmctl.keys import file, ring
from llmctl.keys.file import key_file
from llmctl.keys.secret import Secret
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.settings.places import paths

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["Secret", "Storage", "find", "key_file", "remove", "store", "where"]

LOCK_SECONDS = 5.0

Storage = Literal["keyring", "file"]


def find(card: Card, own: ProviderSettings) -> Secret | None:
    """The provider's key, None where there is none.

    Raises AuthFailed for a damaged one, for a `key_command` that fails, and for one that only a
    keyring has which does not give it; ConfigError for a file of keys that is not to be trusted.
    """
    unread: ring.Unusable | None = None
    for source in _sources(card, own):
        try:
            value = _read(source, card, own).strip()
        except ring.Unusable as error:
            unread = error
            continue
        if value:
            return Secret(_sound(value, card.id, source), source)
    if unread is not None:
        raise AuthFailed(
            _("the keyring has the key for {provider}, but does not give it: {why}",
              provider=card.id, why=unread),
            hint=_("unlock it, or keep the key in a private file: llmctl keys set {provider}"
                   " --storage file", provider=card.id),
            provider=card.id,
            reason="keyring",
        )  # fmt: skip
    return None


def where(card: Card, own: ProviderSettings) -> list[str]:
    """The places that a key would come from, in the order they are asked.

    Looks only: no command is run and no keyring asked, since either may want a password.
    """
    return list(_sources(card, own))


def _sources(card: Card, own: ProviderSettings) -> Iterator[str]:
    for name in card.auth.env:
        if os.environ.get(name, "").strip():
            yield name
    if own.key_command:
        yield "key_command"
    if card.id in ring.listed():
        yield "keyring"
    if card.id in file.read():
        yield str(key_file())


def _read(source: str, card: Card, own: ProviderSettings) -> str:
    if source in card.auth.env:
        return os.environ[source]
    if source == "key_command":
        from llmctl.keys.command import ask

        return ask(own.key_command, card.id)
    if source == "keyring":
        return ring.read(card.id) or ""
    return file.read()[card.id]


def _sound(value: str, provider: str, source: str) -> str:
    """A key that fits into a header; the error names the place, never the key."""
    if value.isascii() and value.isprintable() and " " not in value:
        return value
    raise AuthFailed(
        _("the key for {provider} from {source} holds a line break, a space or a letter that no key"
          " has", provider=provider, source=source),
        hint=_("store it again: llmctl keys set {provider}", provider=provider),
        provider=provider,
        reason="damaged-key",
    )  # fmt: skip


def store(provider: str, value: str, storage: Storage = "keyring") -> str:
    """Keep a key; where it went. Never in plain text unless asked for, and never in two places: an
    older key elsewhere would be found first, or stay lying about.

    Raises UsageError for no key at all, AuthFailed for a damaged one, IoFailed without a keyring.
    """
    value = value.strip()
    if not value:
        raise UsageError(
            _("there is no key in the input"),
            hint=_("type it when asked: llmctl keys set {provider}", provider=provider),
        )
    value = _sound(value, provider, _("your input"))
    with _alone():
        if storage == "file":
            file.write({**file.read(), provider: value})
            ring.forget(provider)
            return str(key_file())
        try:
            ring.write(provider, value)
        except ring.Unusable as error:
            raise IoFailed(
                _("there is no usable keyring on this machine ({why})", why=error),
                hint=_("keep it in a private file: llmctl keys set {provider} --storage file",
                       provider=provider),
            ) from None  # fmt: skip
        file.drop(provider)
        return "keyring"


def remove(provider: str) -> bool:
    """Forget a stored key; whether there was one. Raises IoFailed where the keyring keeps it."""
    with _alone():
        there = provider in ring.listed()
        if there:
            try:
                ring.delete(provider)
            except ring.Unusable as error:
                raise IoFailed(_("the keyring did not delete the key: {why}", why=error)) from None
        return file.drop(provider) or there


def _alone() -> "AbstractContextManager[None]":
    """While this lasts no other llmctl changes what is stored."""
    from llmctl.files import lock

    return lock(paths().config / "keys.lock", LOCK_SECONDS)
