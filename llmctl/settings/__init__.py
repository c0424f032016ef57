"""Settings: read from every layer, checked, and each value able to say where it comes from."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.settings.layers import (
    Layers,
    Origin,
    environment,
    nested,
    provider_tables,
    read_toml,
)
from llmctl.settings.places import SYSTEM_POLICY, Paths, paths, project_file
from llmctl.settings.shape import (
    Attested,
    Defaults,
    Embedded,
    Log,
    Network,
    Output,
    Policy,
    ProviderSettings,
    Settings,
)
from llmctl.settings.tighten import tightened
from llmctl.settings.trust import refuse_untrusted, trust
from llmctl.structure import Misfit, build, checked
from llmctl.types import Json
from llmctl.values import dataclass, replace

__all__ = [
    "Attested",
    "Defaults",
    "Embedded",
    "Loaded",
    "Log",
    "Network",
    "Origin",
    "Output",
    "Paths",
    "Policy",
    "ProviderSettings",
    "Settings",
    "load",
    "paths",
    "set_value",
    "trust",
    "unset_value",
    "user_file",
]

T = TypeVar("T")

SECTIONS = frozenset(Settings.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and the origin of every value that is not shipped."""

    settings: Settings
    origins: Mapping[str, Origin]

    def origin(self, key: str) -> Origin:
        return self.origins.get(key, Origin("shipped"))


def user_file() -> Path:
    return paths().config / "config.toml"


def load(flags: Mapping[str, Json] | None = None, profile: str | None = None) -> Loaded:
    """All layers merged and checked. `flags` are values by key path (`network.timeout`).

    Raises ConfigError naming file, line and key for whatever does not fit.
    """
    layers = _gathered(flags or {}, profile)
    provider_tables(layers.values)
    policies = [(_fitted(Policy, table, layers, kind, place), kind, place)
                for kind, place, table in layers.policies]  # fmt: skip
    policy, rules = tightened(policies)
    merged = _fitted(Settings, layers.values, layers, "", "")
    origins = {**layers.origins, **{f"policy.{rule}": place for rule, place in rules.items()}}
    return Loaded(replace(merged, policy=policy), origins)


def _gathered(flags: Mapping[str, Json], profile: str | None) -> Layers:
    layers = Layers()
    if SYSTEM_POLICY.exists():
        layers.add("system", str(SYSTEM_POLICY), {"policy": read_toml(SYSTEM_POLICY)})
    user = user_file()
    table = read_toml(user)
    profiles = table.pop("profiles", {})
    layers.add("user", str(user), table)
    if profile is not None:
        if profile not in profiles:
            raise ConfigError(
                _("there is no profile {name} in {path}", name=profile, path=user),
                hint=_("profiles there: {names}", names=", ".join(profiles) or _("none")),
            )
        layers.add("profile", str(user), profiles[profile])
    project = project_file()
    if project is not None and project != user:
        table = read_toml(project)
        refuse_untrusted(project, table)
        layers.add("project", str(project), table)
    for name, table in environment(SECTIONS):
        layers.add("environment", name, table)
    for key, value in flags.items():
        layers.add("flag", key, nested(key, value))
    return layers


def _fitted(kind: type[T], table: Json, layers: Layers, origin: str, place: str) -> T:
    if not table:
        return build(kind, {})
    try:
        return checked(kind, table, paths().cache)
    except Misfit as misfit:
        raise _misfit(kind, misfit, layers, origin, place) from None


def _misfit(kind: type, misfit: Misfit, layers: Layers, origin: str, place: str) -> ConfigError:
    path = [str(one) for one in misfit.path if isinstance(one, str)]
    key = ".".join((["policy"] if kind is Policy else []) + path)
    where = layers.origins.get(key) or next(
        (layers.origins[one] for one in layers.origins if one.startswith(f"{key}.")),
        Origin(origin, place, key),
    )
    hint = None
    if misfit.reason == "unknown key":
        near = get_close_matches(path[-1], sorted(known_names()), 2)
        hint = _("did you mean: {names}", names=", ".join(near)) if near else None
    return ConfigError(
        _("{where}: {key}: {reason}", where=where, key=key, reason=misfit.reason),
        hint=hint or _("all settings: llmctl config show"),
    )


def known_names() -> set[str]:
    """Every section and every name in one."""
    kinds = (Settings, Defaults, Output, Log, Network, Embedded, Policy, ProviderSettings)
    return {name for kind in kinds for name in kind.__dataclass_fields__}


def set_value(key: str, value: Json) -> None:
    """Write one value into the user's file; its comments and order stay. Raises ConfigError for a
    key or value that does not fit, and then nothing is written."""
    from llmctl.settings.edit import written

    _store(written(_text(), key, value))


def unset_value(key: str) -> bool:
    """Take one value out of the user's file; whether it was there."""
    from llmctl.settings.edit import without

    text = without(_text(), key)
    if text is None:
        return False
    _store(text)
    return True


def _text() -> str:
    try:
        return user_file().read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""


def _store(text: str) -> None:
    import tomllib

    from llmctl.files import private_dir, write_private

    layers = Layers()
    table = tomllib.loads(text)
    table.pop("profiles", None)
    layers.add("user", str(user_file()), table)
    provider_tables(layers.values)
    _fitted(Settings, layers.values, layers, "user", str(user_file()))
    for kind, place, policy in layers.policies:
        _fitted(Policy, policy, layers, kind, place)
    private_dir(user_file().parent)
    write_private(user_file(), text.encode())
