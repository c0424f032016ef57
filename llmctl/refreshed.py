"""Cards that were refreshed without an upgrade (`llmctl cards update`): where they lie, and from
where each came.

They lie under the version of llmctl that has checked them; another version does not look at them.
A card from the package index counts as one that ships with llmctl, one from a file or an address
counts as given by the user, as cards in the folder of settings do.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from llmctl import __version__
from llmctl.settings.places import paths
from llmctl.types import Json
from llmctl.values import dataclass

# `openai.toml` came from the package index, `openai.given.toml` from elsewhere: a start learns
# that from the names alone.
ENDING, GIVEN = ".toml", ".given.toml"
RECORD = "record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """When (UTC, RFC 3339) and from where a card was refreshed; None where the record is gone."""

    at: str | None = None
    source: str | None = None


def root() -> Path:
    return paths().data / "cards"


def folder() -> Path:
    return root() / __version__


def files() -> Mapping[str, str]:
    """The file's name for each provider with a refreshed card."""
    return _files(str(folder()))


@cache
def _files(place: str) -> Mapping[str, str]:
    try:
        names = os.listdir(place)
    except OSError:  # there mostly are none
        return {}
    found = {}
    for name in sorted(names):
        if name.endswith(ENDING) and not name.startswith("."):
            found[name.removesuffix(ENDING).removesuffix(".given")] = name
    return found


def forget() -> None:
    """The files have changed."""
    _files.cache_clear()


def is_given(provider: str) -> bool:
    """Whether a card was refreshed from a file or an address, not from the package index."""
    return files().get(provider, "").endswith(GIVEN)


def origins() -> Mapping[str, Origin]:
    """What is recorded of each refreshed card."""
    try:
        known: Json = json.loads((folder() / RECORD).read_text("utf-8"))
        cards = known["cards"]
        recorded = {name: Origin(at=one["at"], source=one["source"]) for name, one in cards.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        recorded = {}
    return {name: recorded.get(name, Origin()) for name in files()}
