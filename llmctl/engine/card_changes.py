"""What is different between two cards, every entry of them: nothing changes without a word."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from llmctl.types import Json
from llmctl.values import dataclass

Path = tuple[str, ...]


class Kind(StrEnum):
    """What a change is about. `reach` is where requests and keys go and what is sent with them."""

    REACH = "reach"
    PRIVACY = "privacy"
    MODEL = "model"
    PRICE = "price"
    OTHER = "other"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry: `old` None was not there, `new` None is gone. `path` names it for people and
    programs: `models[gpt-6].context`."""

    kind: Kind
    path: str
    old: Json
    new: Json

    @property
    def loud(self) -> bool:
        """Whether to be looked at before anything else."""
        return self.kind is Kind.REACH


# Which entries tell the tables of a list apart.
KEYS: Mapping[str, Path] = {
    "models": ("id",),
    "prices": ("since", "when"),
    "privacy": ("tier", "when"),
    "settings": ("name",),
    "headers": ("name",),
    "controls": ("name",),
    "price_factors": ("hosts", "models"),
    "tiers": ("above_input_tokens",),
    "windows": ("utc", "days"),
    "lowered": ("feature", "found"),
}

REACH = frozenset(
    {
        *("id", "kind", "dialect", "dialect_by", "endpoint", "auth", "authority", "headers"),
        *("settings", "quirks", "controls", "reseller", "weights"),
    }
)
PRICES = frozenset({"prices", "price_factors", "currency", "counts", "mode_by", "free_when"})
PRIVACY = frozenset({"privacy", "country"})


def changes(old: Json, new: Json) -> list[Change]:
    """The changes between two tables of cards; of the kinds in their order, then as in the card."""
    order = list(Kind)
    found = [
        Change(kind=_kind(path), path=_spelt(path), old=before, new=after)
        for path, before, after in _differences((), old, new)
    ]
    return sorted(found, key=lambda one: order.index(one.kind))


def _differences(path: Path, old: Json, new: Json) -> Iterator[tuple[Path, Json, Json]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _differences((*path, name), old.get(name), new.get(name))
        return
    keys = KEYS.get(path[-1]) if path else None
    if keys and _tables(old) and _tables(new):
        before, after = _by(keys, old or ()), _by(keys, new or ())
        if before is not None and after is not None:
            for name in dict.fromkeys([*before, *after]):
                place = (*path, f"[{name}]")
                yield from _differences(place, before.get(name), after.get(name))
            if old and new and [*before] != [*after] and before.keys() == after.keys():
                yield (*path, "order"), ", ".join(before), ", ".join(after)
            return
    yield path, old, new


def _tables(value: Json) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(one, dict) for one in value)
    )


def _by(keys: Path, tables: Any) -> dict[str, Json] | None:
    """The tables by their names; None where two have the same."""
    named = {", ".join(_word(one[key]) for key in keys if one.get(key)): one for one in tables}
    return named if len(named) == len(tables) else None


def _word(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _kind(path: Path) -> Kind:
    names = [name for name in path if not name.startswith("[")]
    if not REACH.isdisjoint(names[:1]) or (
        names[0] == "models" and not REACH.isdisjoint(names[1:2])
    ):
        return Kind.REACH if names[-2:-1] != ["source"] else Kind.SOURCE
    if "source" in names or names[0] == "sources":
        return Kind.SOURCE
    if names[0] in PRIVACY:
        return Kind.PRIVACY
    if names[0] in PRICES or names[1:2] == ["prices"]:
        return Kind.PRICE
    return Kind.MODEL if names[0] == "models" and len(path) == 2 else Kind.OTHER


def _spelt(path: Path) -> str:
    return ".".join(path).replace(".[", "[")
