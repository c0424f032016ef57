"""The system's keyring.

It is slow and on some machines hangs, so it is asked only for providers whose key was put there
(a file of ours lists them), and never for longer than a few seconds.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmctl.messages import _
from llmctl.settings.places import paths

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "llmctl"
SECONDS = 3.0


class Unusable(Exception):
    """The keyring cannot be used; the text says why, for people."""


def read(provider: str) -> str | None:
    """The key, None where the keyring has forgotten it. Raises Unusable."""
    return _in_time(lambda: _backend().get_password(SERVICE, provider))


def write(provider: str, value: str) -> None:
    """Put a key there, and see that it stayed: some back ends drop it without a word. Raises
    Unusable."""

    def put() -> bool:
        backend = _backend()
        backend.set_password(SERVICE, provider, value)
        return backend.get_password(SERVICE, provider) == value

    if not _in_time(put):
        raise Unusable(_("it did not keep the key"))
    _list({*listed(), provider})


def delete(provider: str) -> None:
    """Take a key out. Raises Unusable, and then it is still listed."""
    _in_time(lambda: _backend().delete_password(SERVICE, provider))
    _list({*listed()} - {provider})


def forget(provider: str) -> None:
    """Never look for this key again; take it out if that works."""
    if provider in listed():
        with suppress(Unusable):
            delete(provider)
            return
        _list({*listed()} - {provider})


def listed() -> list[str]:
    """The providers whose key was put into the keyring."""
    try:
        known = json.loads(_list_file().read_bytes())
    except (OSError, ValueError):
        return []
    return [one for one in known if isinstance(one, str)] if isinstance(known, list) else []


def _list(providers: Iterable[str]) -> None:
    from llmctl.files import write_private

    write_private(_list_file(), json.dumps(sorted(providers)).encode())


def _list_file() -> Path:
    return paths().config / "keyring.json"


def _in_time(work: Callable[[], T]) -> T:
    """The result of `work` in a thread: some keyrings wait for a dialogue that nobody sees. The
    thread is a daemon, so it holds nothing up. Raises Unusable for whatever goes wrong."""
    import threading

    result: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="keyring")
    thread.start()
    thread.join(SECONDS)
    if failed:
        error = failed[0]
        raise error if isinstance(error, Unusable) else Unusable(type(error).__name__) from None
    if not result:
        raise Unusable(_("no answer within {seconds:g} s", seconds=SECONDS))
    return result[0]


def _backend() -> "KeyringBackend":
    """The system's own keyring, also out of a chain of several. Raises Unusable where there is none
    worth the name: the null and fail back ends have no priority, those of the `keyrings` packages
    are files in plain text or behind a passphrase that would be asked for unseen."""
    import keyring

    found = keyring.get_keyring()
    for one in getattr(found, "backends", [found]):
        if one.priority >= 1 and not type(one).__module__.startswith("keyrings."):
            backend: KeyringBackend = one
            return backend
    raise Unusable(_("there is none but {name}", name=type(found).__module__))
