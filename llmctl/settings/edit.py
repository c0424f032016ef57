"""Changes to the user's settings file that leave its comments and order as they are."""

from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.types import Json


def written(text: str, key: str, value: Json) -> str:
    """The file's text with `key` (`network.timeout`) set; missing tables are made."""
    document = _parsed(text)
    *tables, name = key.split(".")
    table: Any = document
    for one in tables:
        if one not in table:
            table[one] = tomlkit.table(is_super_table=len(tables) > 1 and one != tables[-1])
        table = table[one]
        if not isinstance(table, dict):
            raise ConfigError(_("{key} is no table of settings", key=one))
    table[name] = list(value) if isinstance(value, tuple) else value
    return tomlkit.dumps(document)


def without(text: str, key: str) -> str | None:
    """The file's text with `key` taken out, None where it is not there."""
    document = _parsed(text)
    *tables, name = key.split(".")
    table: Any = document
    for one in tables:
        table = table.get(one) if isinstance(table, dict) else None
    if not isinstance(table, dict) or name not in table:
        return None
    del table[name]
    return tomlkit.dumps(document)


def _parsed(text: str) -> Any:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(
            _("the settings file is not valid TOML: {why}", why=error),
            hint=_("mend it: llmctl config edit"),
        ) from None
