"""Which project files are trusted: their hashes, kept outside any repository.

A project file comes with a cloned repository, so without trust it may only choose the model, the
template and options, and make the policy stricter.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.settings.layers import Origin
from llmctl.settings.places import paths
from llmctl.types import Json

# A name: no path, which could be a file of the same repository (a template that speaks for the
# user, a model made to harm the program that loads it).
NAME = re.compile(r"[\w.:@-]+(/[\w:@-][\w.:@-]*)*")
NAMES = frozenset({"model", "template"})
HARMLESS = {"defaults": frozenset({"model", "template", "options", "max_tokens", "temperature"})}


def refuse_untrusted(path: Path, table: Mapping[str, Json]) -> None:
    """Raises ConfigError where `table` says more than an untrusted project file may."""
    key = next(_beyond(table), None)
    if key is None or is_trusted(path):
        return
    raise ConfigError(
        _(
            "the project file {place} sets {key}, which a file from a repository may not",
            place=Origin("project", str(path), key),
            key=key,
        ),
        hint=_("read it, and if you trust it: llmctl config trust {path}", path=path),
        reason="untrusted",
    )


def _beyond(table: Mapping[str, Json]) -> Iterator[str]:
    """The keys (`providers.openai.base_url`) that only a trusted file may set."""
    for section, entries in table.items():
        if section == "policy":
            continue
        if not isinstance(entries, dict):
            yield section
            continue
        harmless = HARMLESS.get(section, frozenset())
        for name, value in entries.items():
            named = name not in NAMES or (isinstance(value, str) and is_name(name, value))
            if name not in harmless or not named:
                yield ".".join((section, *_first_leaf(name, value)))


def is_name(key: str, value: str) -> bool:
    """Whether the value names something that the user has, not a file."""
    one_word = key == "template" and ("/" in value or value.endswith(".toml"))
    return NAME.fullmatch(value) is not None and not one_word and not value.endswith(".gguf")


def _first_leaf(name: str, value: Json) -> Iterator[str]:
    yield name
    if isinstance(value, dict) and value:
        yield from _first_leaf(*next(iter(value.items())))


def is_trusted(path: Path) -> bool:
    return _trusted().get(str(path.resolve())) == _hash(path)


def trust(path: Path) -> None:
    """Trust the file as it is now; a changed file has to be trusted again."""
    from llmctl.files import private_dir, write_private

    known = {**_trusted(), str(path.resolve()): _hash(path)}
    private_dir(_register().parent)
    write_private(_register(), json.dumps(known, indent=1).encode())


def _hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _register() -> Path:
    return paths().data / "trusted.json"


def _trusted() -> dict[str, str]:
    try:
        known = json.loads(_register().read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
