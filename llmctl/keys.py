"""Keys: where they are found, in which order, and that they are never shown.

Order: the provider's environment variable, the user's `key_command`, the system's keyring, a
private file. The keyring is slow and on some machines hangs, so it is asked only for providers
whose key was put there (an index file says which) and never for longer than a few seconds.
"""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from llmctl.cards import Card
from llmctl.errors import AuthFailed, ConfigError, IoFailed, UsageError
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.settings.places import paths

SERVICE = "llmctl"
COMMAND_SECONDS = 10.0
KEYRING_SECONDS = 3.0

Storage = Literal["keyring", "file"]


class Secret:
    """A key. Shows itself to nobody but `reveal`."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        return self._value

    def mask(self, text: str) -> str:
        """`text` with the key, plain or in base64, replaced by three asterisks; so is a piece a
        server shows of it, when the piece is long enough to matter."""
        for form in (self._value, base64.b64encode(self._value.encode()).decode()):
            text = text.replace(form, "***")
        return text

    def __repr__(self) -> str:
        return f"Secret(***, {self.source!r})"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


def find(card: Card, own: ProviderSettings) -> Secret | None:
    """The provider's key, None where there is none; raises AuthFailed for a damaged one."""
    for source, value in _candidates(card, own):
        if value is not None and value.strip():
            return Secret(_sound(value.strip(), card.id, source), source)
    return None


def where(card: Card, own: ProviderSettings) -> list[tuple[str, bool]]:
    """(source, whether a key is there) for every place in the order they are asked."""
    return [(source, bool(value and value.strip())) for source, value in _candidates(card, own)]


def _candidates(card: Card, own: ProviderSettings) -> Iterator[tuple[str, str | None]]:
    for name in card.auth.env:
        yield name, os.environ.get(name)
    if own.key_command:
        yield "key_command", _from_command(own.key_command, card.id)
    if card.id in _index():
        yield "keyring", _from_keyring(card.id)
    stored = _file_keys()
    if card.id in stored:
        yield str(key_file()), stored[card.id]


def _sound(value: str, provider: str, source: str) -> str:
    """A key that fits into a header; the error names the place, never the key."""
    if value.isascii() and value.isprintable():
        return value
    raise AuthFailed(
        _("the key for {provider} from {source} holds a line break or a letter that no key has",
          provider=provider, source=source),
        hint=_("store it again: llmctl keys set {provider}", provider=provider),
        provider=provider,
        reason="damaged-key",
    )  # fmt: skip


def _from_command(command: tuple[str, ...], provider: str) -> str:
    """The first line that the user's command prints."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  the user wrote this command down; no shell reads it
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS,
            check=True,
        )  # fmt: skip
        return (done.stdout.decode().splitlines() or [""])[0]
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise AuthFailed(
            _("the key_command of {provider} failed: {why}", provider=provider,
              why=type(error).__name__),
            hint=_("try it by hand: {command}", command=" ".join(command)),
            provider=provider,
        ) from None  # fmt: skip


# ----------------------------------------------------------------------------------------- keyring


def _in_time(work: Any) -> Any:
    """The result of `work` in a thread, or TimeoutError: some keyrings wait for a dialogue that
    nobody sees. The thread is a daemon, so it holds nothing up."""
    import threading

    result: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="keyring")
    thread.start()
    thread.join(KEYRING_SECONDS)
    if failed:
        raise failed[0]
    if not result:
        raise TimeoutError
    return result[0]


def _usable_keyring() -> Any:
    """The system's keyring, None where there is none worth the name: the null and fail back ends,
    and files in plain text or behind a passphrase that would be asked for unseen."""
    import keyring

    backend = keyring.get_keyring()
    members = getattr(backend, "backends", [backend])
    good = [
        one
        for one in members
        if one.priority >= 1 and not type(one).__module__.startswith("keyrings.")
    ]
    return good[0] if good else None


def _from_keyring(provider: str) -> str | None:
    def look() -> str | None:
        backend = _usable_keyring()
        return None if backend is None else backend.get_password(SERVICE, provider)

    try:
        found: str | None = _in_time(look)
    except Exception:
        return None
    return found


def _index_file() -> Path:
    return paths().config / "keyring.json"


def _index() -> list[str]:
    """The providers whose key was put into the keyring."""
    try:
        known = json.loads(_index_file().read_bytes())
    except (OSError, ValueError):
        return []
    return known if isinstance(known, list) else []


def _write_index(providers: set[str]) -> None:
    from llmctl.files import private_dir, write_private

    private_dir(_index_file().parent)
    write_private(_index_file(), json.dumps(sorted(providers)).encode())


# -------------------------------------------------------------------------------------- plain file


def key_file() -> Path:
    return paths().config / "keys.json"


def _file_keys() -> dict[str, str]:
    """The file's keys; a link is refused, a mode that lets others read is repaired."""
    path = key_file()
    if not path.exists():
        return {}
    if path.is_symlink():
        raise ConfigError(
            _("{path} is a link; keys are read from a file of your own only", path=path)
        )
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        known = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            _("cannot read {path}: {why}", path=path, why=type(error).__name__)
        ) from None
    return known if isinstance(known, dict) else {}


def _write_file(keys: dict[str, str]) -> None:
    from llmctl.files import private_dir, write_private

    private_dir(key_file().parent)
    write_private(key_file(), json.dumps(keys, indent=1).encode())


def store(provider: str, value: str, storage: Storage = "keyring") -> str:
    """Keep a key; where it went. Never in plain text unless asked for."""
    value = _sound(value.strip(), provider, _("your input"))
    if not value:
        raise UsageError(_("there is no key in the input"))
    if storage == "file":
        _write_file({**_file_keys(), provider: value})
        return str(key_file())
    try:
        backend = _in_time(_usable_keyring)
        if backend is None:
            raise LookupError
        _in_time(lambda: (backend.set_password(SERVICE, provider, value), True))
    except Exception:
        raise IoFailed(
            _("there is no usable keyring on this machine"),
            hint=_("keep it in a private file: llmctl keys set {provider} --storage file",
                   provider=provider),
        ) from None  # fmt: skip
    _write_index({*_index(), provider})
    return "keyring"


def remove(provider: str) -> bool:
    """Forget a stored key; whether there was one."""
    there = False
    if provider in _index():
        try:
            _in_time(lambda: (_usable_keyring().delete_password(SERVICE, provider), True))
        except Exception as error:
            raise IoFailed(
                _("the keyring did not delete the key: {why}", why=type(error).__name__)
            ) from None
        _write_index({*_index()} - {provider})
        there = True
    keys = _file_keys()
    if provider in keys:
        del keys[provider]
        _write_file(keys)
        there = True
    return there
