"""The layers of settings as plain data, each value with the place it comes from.

Later layers win: user file, project file, profile, environment, flags; a profile is named on the
command line, so it beats a file that merely lies in the folder. Policies are kept apart, one a
layer, since they are intersected instead.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.settings.places import paths
from llmctl.settings.shape import ProviderSettings
from llmctl.types import Json
from llmctl.values import dataclass, field

PREFIX = "LLMCTL_"
PROVIDER_FIELDS = frozenset(ProviderSettings.__dataclass_fields__) - {"urls", "extra"}


@dataclass(frozen=True, slots=True)
class Origin:
    """`kind` is shipped, system, user, project, profile, environment or flag; `place` a file or
    the name of a variable or flag; `key` the path in that file."""

    kind: str
    place: str = ""
    key: str = ""

    def __str__(self) -> str:
        """For people; `code` is the same in English, for programs."""
        match self.kind:
            case "flag":
                return _("flag {name}", name=self.place)
            case "environment":
                return _("environment {name}", name=self.place)
            case "shipped":
                return _("shipped")
            case _file:
                return self.code

    @property
    def code(self) -> str:
        if self.kind in ("system", "user", "project", "profile"):
            line = line_of(self.place, self.key)
            return f"{self.place}:{line}" if line else self.place
        return f"{self.kind} {self.place}".strip()

    def below(self, *names: str) -> "Origin":
        """The origin of what stands under `names` in the table that this one is of."""
        return Origin(self.kind, self.place, ".".join(filter(None, (self.key, *names))))


@dataclass(slots=True)
class Layers:
    """`values` are merged by key path; `policies` stand side by side, each with the origin of
    its table."""

    values: dict[str, Json] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    policies: list[tuple[Origin, Json]] = field(default_factory=list)

    def add(self, origin: Origin, table: Mapping[str, Json]) -> None:
        """Lay one more layer on top: `table`, which comes from `origin`."""
        table = dict(table)
        if "policy" in table:
            self.policies.append((origin.below("policy"), table.pop("policy")))
        self._merge(self.values, table, (), origin)

    def _merge(
        self,
        below: dict[str, Json],
        above: Mapping[str, Json],
        path: tuple[str, ...],
        origin: Origin,
    ) -> None:
        for name, value in above.items():
            here = (*path, name)
            if isinstance(value, dict):
                if not isinstance(below.get(name), dict):
                    below[name] = {}
                self._merge(below[name], value, here, origin)
            else:
                below[name] = value
            if not isinstance(value, dict) or not value:
                self.origins[".".join(here)] = origin.below(*here)


def read_text(path: Path) -> str | None:
    """The file's text, None where there is no file; raises ConfigError for one not to be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
        raise ConfigError(_("cannot read {path}: {why}", path=path, why=why)) from None


def read_toml(path: Path) -> dict[str, Json]:
    """The file's table, empty where there is no file; raises ConfigError naming file and line."""
    text = read_text(path)
    try:
        return tomllib.loads(text) if text else {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            _("{path} is not valid TOML: {why}", path=path, why=error),
            hint=_("mend it: llmctl config edit")
            if path == paths().config / "config.toml"
            else _("mend that file, or move it out of the way"),
        ) from None


def environment(sections: frozenset[str]) -> Iterator[tuple[str, dict[str, Json]]]:
    """(variable, table) for each `LLMCTL_SECTION__KEY`; raises ConfigError for an unknown section.
    Values that look like JSON lists or tables are read as such; numbers and booleans get the type
    of their setting when they are checked."""
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[0] not in sections:
            raise ConfigError(
                _("{name} names no section of the settings", name=name),
                hint=_("sections: {sections}", sections=", ".join(sorted(sections))),
            )
        value: Json = os.environ[name]
        if path[:2] == ["defaults", "options"]:
            value = as_json(value)  # nothing else says of what type a request field is
        elif value[:1] in ("[", "{"):
            try:
                value = json.loads(value)
            except ValueError:
                raise ConfigError(_("{name} is not valid JSON", name=name)) from None
        for key in reversed(path):
            value = {key: value}
        yield name, value


def as_json(text: str) -> Json:
    """What the text says as JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def nested(key: str, value: Json) -> dict[str, Json]:
    """`a.b.c` as tables in tables."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def provider_tables(values: dict[str, Json]) -> None:
    """Sort what a card adds to a provider's settings into `urls` and `extra`, in place."""
    providers = values.get("providers")
    for table in providers.values() if isinstance(providers, dict) else ():
        if not isinstance(table, dict):
            continue
        for name in [one for one in table if one not in PROVIDER_FIELDS]:
            kind = "urls" if name.endswith("_url") else "extra"
            table.setdefault(kind, {})[name] = table.pop(name)


def line_of(path: str, key: str) -> int | None:
    """The line where `key` stands in a TOML file; a look at the text, good enough to point."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    wanted = key.split(".")
    section: list[str] = []
    for number, line in enumerate(lines, 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            section = [one.strip().strip("\"'") for one in header[1].split(".")]
        elif entry := re.match(r"\s*([\w.\-\"']+)\s*=", line):
            here = [*section, *(one.strip("\"'") for one in entry[1].split("."))]
            if here == wanted or (len(here) < len(wanted) and wanted[: len(here)] == here):
                return number
    return None
