"""Settings: read from every layer, checked, and each value able to say where it comes from."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from llmctl.errors import ConfigError, LlmctlError, UsageError
from llmctl.messages import _
from llmctl.settings.examples import example_hint
from llmctl.settings.layers import (
    Layers,
    Origin,
    environment,
    nested,
    provider_tables,
    read_text,
    read_toml,
)
from llmctl.settings.places import SYSTEM_POLICY, Paths, paths, project_file
from llmctl.settings.shape import (
    Attested,
    Budget,
    Controls,
    Defaults,
    Embedded,
    Handling,
    Log,
    Network,
    Output,
    Policy,
    ProviderSettings,
    Rate,
    Settings,
)
from llmctl.settings.tighten import tightened
from llmctl.settings.trust import refuse_untrusted, trust
from llmctl.structure import Misfit, build, checked, plainly
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass, replace

__all__ = [
    "Attested",
    "Budget",
    "Controls",
    "Defaults",
    "Embedded",
    "Handling",
    "Loaded",
    "Log",
    "Network",
    "Origin",
    "Output",
    "Paths",
    "Policy",
    "ProviderSettings",
    "Rate",
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
PROFILES = "profiles"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and the origin of every value that is not shipped."""

    settings: Settings
    origins: Mapping[str, Origin]

    def origin(self, key: str) -> Origin:
        return self.origins.get(key, Origin("shipped"))


def user_file() -> Path:
    return paths().config / "config.toml"


def load(
    flags: Mapping[str, Json] | None = None,
    profile: str | None = None,
    spelt: Mapping[str, str] = NOTHING,
) -> Loaded:
    """All layers merged and checked. `flags` are values by key path (`network.timeout`), `spelt`
    says how each was written on the command line (`--timeout`).

    Raises ConfigError naming file, line and key for whatever does not fit, UsageError for a flag.
    """
    layers = _gathered(profile)
    provider_tables(layers.values)
    merged = _fitted(Settings, layers.values, layers, Origin(""))
    for key, value in (flags or {}).items():
        layers.add(Origin("flag", spelt.get(key, key)), nested(key, value))
    merged = _flagged(merged, flags or {}, layers)
    policy, rules = tightened(
        [(_fitted(Policy, table, layers, origin), origin) for origin, table in layers.policies]
    )
    origins = {**layers.origins, **{f"policy.{rule}": place for rule, place in rules.items()}}
    return Loaded(replace(merged, policy=policy), origins)


def _flagged(merged: Settings, flags: Mapping[str, Json], layers: Layers) -> Settings:
    """The settings with the flags on top. Flags change from call to call, so where they fit plainly
    they are not worth a check by pydantic."""
    for key, value in flags.items():
        section, _dot, name = key.partition(".")
        if section == "policy":
            continue
        below = getattr(merged, section)
        kinds = getattr(below, "__dataclass_fields__", {})
        if name not in kinds or not plainly(kinds[name].type, value):
            return _fitted(Settings, layers.values, layers, Origin(""))
        merged = replace(merged, **{section: replace(below, **{name: value})})
    return merged


def _gathered(profile: str | None) -> Layers:
    layers = Layers()
    if system := read_toml(SYSTEM_POLICY):
        # The file is the table of a policy itself.
        layers.policies.append((Origin("system", str(SYSTEM_POLICY)), system))
    user = user_file()
    table = read_toml(user)
    profiles = _profiles(table, user)
    layers.add(Origin("user", str(user)), table)
    project = project_file()
    if project is not None and project != user:
        table = read_toml(project)
        refuse_untrusted(project, table)
        layers.add(Origin("project", str(project)), table)
    if profile is not None:
        if profile not in profiles:
            raise ConfigError(
                _("there is no profile {name} in {path}", name=profile, path=user),
                hint=_("profiles there: {names}", names=", ".join(profiles) or _("none")),
            )
        layers.add(Origin("profile", str(user), f"{PROFILES}.{profile}"), profiles[profile])
    for name, table in environment(SECTIONS):
        layers.add(Origin("environment", name), table)
    return layers


def _profiles(table: dict[str, Json], file: Path) -> dict[str, dict[str, Json]]:
    """The profiles of the user's file, taken out of its table."""
    profiles = table.pop(PROFILES, {})
    for key, one in ((PROFILES, profiles), *_tables(profiles)):
        if not isinstance(one, dict):
            raise ConfigError(
                _("{where}: {key}: {reason}", where=Origin("user", str(file), key), key=key,
                  reason=_("it must be a table")),
                hint=_("such as: [profiles.work.defaults]"),
            )  # fmt: skip
    return profiles  # type: ignore[no-any-return]


def _tables(profiles: Json) -> list[tuple[str, Json]]:
    if not isinstance(profiles, dict):
        return []
    return [(f"{PROFILES}.{name}", one) for name, one in profiles.items()]


def _fitted(kind: type[T], table: Json, layers: Layers, origin: Origin) -> T:
    if table == {}:
        return build(kind, {})
    if origin.kind == "flag" and all(
        name in kind.__dataclass_fields__  # type: ignore[attr-defined]  # it is a dataclass
        and plainly(kind.__dataclass_fields__[name].type, value)  # type: ignore[attr-defined]
        for name, value in table.items()
    ):
        return build(kind, table)
    try:
        return checked(kind, table, paths().cache)
    except Misfit as misfit:
        raise _misfit(kind, misfit, layers, origin) from None


def _misfit(kind: type, misfit: Misfit, layers: Layers, origin: Origin) -> LlmctlError:
    path = [str(one) for one in misfit.path if isinstance(one, str)]
    if path[:1] == ["providers"] and path[2:3] in (["urls"], ["extra"]):
        del path[2]  # nobody wrote that: see provider_tables
    key = ".".join((["policy"] if kind is Policy else []) + path)
    where = layers.origins.get(key) or next(
        (layers.origins[one] for one in layers.origins if one.startswith(f"{key}.")),
        origin.below(*path),
    )
    if where.kind == "flag":
        return UsageError(
            _("{flag} does not take that: {reason}", flag=where.place,
              reason=misfit.reason[:1].lower() + misfit.reason[1:]),
            hint=example_hint(where.place),
        )  # fmt: skip
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
    kinds = (
        Settings,
        Defaults,
        Output,
        Log,
        Network,
        Embedded,
        Policy,
        Controls,
        Budget,
        ProviderSettings,
    )
    return {name for kind in kinds for name in kind.__dataclass_fields__}


def set_value(key: str, value: Json, fits: Callable[[Loaded], None] = lambda _new: None) -> None:
    """Write one value into the user's file; its comments and order stay. Raises ConfigError for a
    key or value that does not fit, and what `fits` raises for the settings as the file would make
    them, without a profile and with each; then nothing is written."""
    from llmctl.settings.edit import written

    _store(written(_text(), key, value), fits)


def unset_value(key: str) -> bool:
    """Take one value out of the user's file; whether it was there."""
    from llmctl.settings.edit import without

    text = without(_text(), key)
    if text is None:
        return False
    _store(text)
    return True


def _text() -> str:
    return read_text(user_file()) or ""


def _store(text: str, fits: Callable[[Loaded], None] = lambda _new: None) -> None:
    """Write the user's file, whose own part and each profile fit; else ConfigError."""
    import tomllib

    from llmctl.files import private_dir, write_private

    file = user_file()
    table = tomllib.loads(text)
    profiles = _profiles(table, file)
    user = Origin("user", str(file))
    named = [(user.below(PROFILES, name), one) for name, one in profiles.items()]
    for origin, own in ((user, {}), *named):
        layers = Layers()
        layers.add(user, table)
        layers.add(origin, own)
        provider_tables(layers.values)
        fits(Loaded(_fitted(Settings, layers.values, layers, origin), layers.origins))
        for place, policy in layers.policies:
            _fitted(Policy, policy, layers, place)
    private_dir(file.parent)
    write_private(file, text.encode())
