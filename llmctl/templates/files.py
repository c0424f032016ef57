"""Template files: the user's own first, then the shipped ones."""

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import resources
from llmctl.errors import ConfigError, NotFound, UsageError
from llmctl.messages import _
from llmctl.settings.places import paths
from llmctl.structure import Misfit, checked
from llmctl.templates.shape import Template
from llmctl.types import Json
from llmctl.values import replace

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
OWN_TO_EACH = frozenset({"name", "description", "extends"})


def folders(config: Path) -> "list[Traversable]":
    """Where templates are looked for, in this order."""
    return [config / "templates", resources.config() / "templates"]


def names(places: "Sequence[Traversable]") -> dict[str, "Traversable"]:
    """Every template's name and file; an earlier folder hides a later one's."""
    found: dict[str, Traversable] = {}
    for place in places:
        if place.is_dir():
            for file in sorted(place.iterdir(), key=lambda one: one.name):
                if file.name.endswith(".toml"):
                    found.setdefault(file.name.removesuffix(".toml"), file)
    return found


def load(name: str, places: "Sequence[Traversable]") -> Template:
    """The template of that name, or in the file of that path.

    Raises NotFound with the nearest names, ConfigError for a file that is damaged or extends
    itself.
    """
    return _load(name, places, ())


def _load(name: str, places: "Sequence[Traversable]", below: tuple[str, ...]) -> Template:
    if name in below:
        raise ConfigError(
            _("these templates extend one another in a circle: {names}",
              names=" → ".join((*below, name))),
            hint=_("break it: llmctl templates edit {name}", name=name),
        )  # fmt: skip
    file = _file(name, places)
    template = read(file, name)
    if template.extends is None:
        return template
    base = _load(template.extends, places, (*below, name))
    return _over(base, template)


def _file(name: str, places: "Sequence[Traversable]") -> "Traversable":
    if "/" in name or name.endswith(".toml"):
        path = Path(name).expanduser()
        if path.is_file():
            return path
    elif not NAME.fullmatch(name):
        raise UsageError(
            _("{name} is no name of a template", name=name),
            hint=_("-t takes a name (llmctl templates list), a file FILE.toml, or a text that has"
                   " {{ input }} in it"),
        )  # fmt: skip
    known = names(places)
    if name in known:
        return known[name]
    near = get_close_matches(name, list(known), 3)
    raise NotFound(
        _("there is no template {name}", name=name),
        hint=_("did you mean: {names}", names=", ".join(near))
        if near
        else _("see them: llmctl templates list"),
    )


def read(file: "Traversable", name: str) -> Template:
    """One file, checked; raises ConfigError naming file and line or key."""
    try:
        table = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            _("the template {file} cannot be read: {why}", file=file, why=_why(error)),
            hint=_mend(name),
        ) from None
    try:
        template = checked(Template, _spread(table), paths().cache)
    except Misfit as misfit:
        key = ".".join(map(str, misfit.path))
        near = get_close_matches(key, Template.__dataclass_fields__, 1)
        raise ConfigError(
            _("the template {file} has a fault at {key}: {reason}", file=file, key=key,
              reason=misfit.reason),
            hint=_("did you mean: {names}", names=near[0])
            if near
            else _mend(name),
        ) from None  # fmt: skip
    if template.schema is not None:
        from llmctl.engine.schema import valid_schema

        valid_schema(template.schema)
    return replace(template, name=template.name or name)


def _mend(name: str) -> str | None:
    """What to type for a template that has a name; a file is opened by whoever named it."""
    return _("mend it: llmctl templates edit {name}", name=name) if NAME.fullmatch(name) else None


def _why(error: Exception) -> str:
    match error:
        case OSError():
            return error.strerror or type(error).__name__
        case UnicodeDecodeError():
            return _("it is not UTF-8")
        case _:
            return str(error)


def _spread(table: dict[str, Json]) -> dict[str, Json]:
    """`variables` with plain defaults written out as tables, and a schema given as text read."""
    variables = table.get("variables")
    if isinstance(variables, dict):
        table["variables"] = {
            name: one if isinstance(one, dict) else {"default": str(one)}
            for name, one in variables.items()
        }
    if isinstance(table.get("schema"), str):
        from llmctl.engine.schema import read_schema

        table["schema"] = read_schema(table["schema"])
    return table


def _over(base: Template, template: Template) -> Template:
    """`template` with what it leaves open taken from `base`; variables are joined."""
    own = {
        name: getattr(template, name)
        for name in Template.__dataclass_fields__
        if name not in OWN_TO_EACH and getattr(template, name) not in (None, ())
    }
    own["variables"] = {**base.variables, **template.variables}
    own["options"] = {**base.options, **template.options}
    return replace(base, **own, name=template.name, description=template.description, extends=None)
