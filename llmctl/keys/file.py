"""Keys in a file that only its owner can read, for machines without a keyring."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from llmctl.errors import ConfigError, IoFailed
from llmctl.messages import _
from llmctl.settings.places import paths


def key_file() -> Path:
    return paths().config / "keys.json"


def read() -> dict[str, str]:
    """The file's keys by provider; modes that let others read it or its folder are repaired.

    Raises ConfigError for a link (it may lead to a file of somebody else) and for a damaged file.
    """
    path = key_file()
    try:
        if path.is_symlink():
            raise ConfigError(
                _("{path} is a link; keys are read from a file of your own only", path=path),
                hint=_("put the file itself there, or remove the link"),
            )
        data = _private(path)
        known = {} if data is None else json.loads(data)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else _("it is not JSON")
        raise _unreadable(path, why or type(error).__name__) from None
    if isinstance(known, dict) and all(isinstance(one, str) for one in known.values()):
        return known
    raise _unreadable(path, _("it is no table of keys"))


def _private(path: Path) -> bytes | None:
    if not path.exists():
        return None
    from llmctl.files import private_dir, repair_file

    with suppress(IoFailed):  # a folder that others share by design; the file is private anyway
        private_dir(path.parent)
    repair_file(path)
    return path.read_bytes()


def _unreadable(path: Path, why: str) -> ConfigError:
    return ConfigError(
        _("cannot read {path}: {why}", path=path, why=why),
        hint=_("remove it, then store the keys again: llmctl keys set PROVIDER --storage file"),
    )


def write(keys: Mapping[str, str]) -> None:
    """Replace the file's keys. Raises IoFailed."""
    from llmctl.files import write_private

    write_private(key_file(), json.dumps(keys, indent=1).encode())


def drop(provider: str) -> bool:
    """Take one key out; whether it was there."""
    keys = read()
    if keys.pop(provider, None) is None:
        return False
    write(keys)
    return True
