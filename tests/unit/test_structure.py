"""Plain data as frozen values: what fits is built without checks, what does not is named."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from llmctl import structure
from llmctl.structure import Count, Day, Misfit, Range, Several, build, check, checked
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass, field


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    name: str
    colour: Colour | None = None
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    leaf: Leaf = field(default_factory=lambda: Leaf(name="none"))
    leaves: tuple[Leaf, ...] = ()
    named: Mapping[str, Leaf] = NOTHING
    words: Mapping[str, str] = NOTHING
    free: Mapping[str, Json] = NOTHING
    mode: Literal["a", "b"] = "a"
    seconds: Annotated[float, Range(above=0)] = 1.0
    tries: Count = 0
    threads: Several | None = None


WHOLE = {
    "leaf": {"name": "one", "colour": "red", "sizes": [1, 2]},
    "leaves": [{"name": "two"}, {"name": "three", "colour": None}],
    "named": {"x": {"name": "four", "colour": "blue"}},
    "words": {"a": "b"},
    "free": {"deep": {"list": [1, {"a": None}]}},
    "mode": "b",
    "seconds": 2,
    "threads": 3,
}


def test_keys_that_are_not_known_are_passed_over_on_demand() -> None:
    leaves = [{"name": "two", "age": 3}]
    data = {"leaf": {"name": "one", "age": 2}, "leaves": leaves, "named": {"x": leaves[0]}, "y": 1}

    assert build(Tree, data, strict=False) == Tree(
        leaf=Leaf(name="one"), leaves=(Leaf(name="two"),), named={"x": Leaf(name="two")}
    )
    with pytest.raises(KeyError):
        build(Tree, data)


def test_tables_become_values() -> None:
    tree = build(Tree, WHOLE)

    assert tree.leaf == Leaf(name="one", colour=Colour.RED, sizes=(1, 2))
    assert tree.leaves == (Leaf(name="two"), Leaf(name="three"))
    assert tree.named["x"].colour is Colour.BLUE
    assert tree.free["deep"] == {"list": [1, {"a": None}]}
    assert (tree.mode, tree.threads, tree.tries) == ("b", 3, 0)


def test_what_was_checked_is_built_the_same() -> None:
    assert build(Tree, check(Tree, WHOLE)) == build(Tree, WHOLE)
    assert build(Tree, check(Tree, {})) == Tree()


def test_entries_get_the_type_that_the_class_says() -> None:
    leaf = {"name": "x", "sizes": ["7"]}

    tree = build(Tree, check(Tree, {"seconds": "2.5", "tries": "4", "leaf": leaf}))

    assert (tree.seconds, tree.tries, tree.leaf.sizes) == (2.5, 4, (7,))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"odd": 1}, ("odd",)),
        ({"leaf": {"name": "x", "odd": 1}}, ("leaf", "odd")),
        ({"leaf": {}}, ("leaf", "name")),
        ({"leaf": 5}, ("leaf",)),
        ({"leaves": [{"name": "x"}, {"name": 5}]}, ("leaves", 1, "name")),
        ({"named": {"x": {"name": "y", "colour": "green"}}}, ("named", "x", "colour")),
        ({"words": {"a": 5}}, ("words", "a")),
        ({"mode": "c"}, ("mode",)),
        ({"seconds": 0}, ("seconds",)),
        ({"seconds": float("inf")}, ("seconds",)),
        ({"seconds": float("nan")}, ("seconds",)),
        ({"tries": -1}, ("tries",)),
        ({"threads": 0}, ("threads",)),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(value: Json, path: tuple[str | int, ...]) -> None:
    with pytest.raises(Misfit) as caught:
        check(Tree, value)
    assert caught.value.path == path


def test_the_cache_spares_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = checked(Tree, WHOLE, tmp_path)
    monkeypatch.setattr(structure, "check", lambda *_: pytest.fail("checked again"))

    assert checked(Tree, WHOLE, tmp_path) == first


def test_other_data_and_other_classes_are_checked_anew(tmp_path: Path) -> None:
    checked(Leaf, {"name": "x"}, tmp_path)

    with pytest.raises(Misfit):
        checked(Leaf, {"name": "x", "odd": 1}, tmp_path)
    with pytest.raises(Misfit):
        checked(Tree, {"name": "x"}, tmp_path)


def test_what_does_not_fit_is_never_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(Misfit):
            checked(Tree, {"odd": 1}, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"odd": 1}', '{"leaf": 5}', '"text"'])
def test_a_damaged_cache_only_costs_time(text: str, tmp_path: Path) -> None:
    whole = checked(Tree, WHOLE, tmp_path)
    (kept,) = (tmp_path / "checked").iterdir()
    kept.write_text(text)

    assert checked(Tree, WHOLE, tmp_path) == whole
    assert isinstance(json.loads(kept.read_text()), dict)


def test_the_cache_is_private(tmp_path: Path) -> None:
    checked(Tree, WHOLE, tmp_path / "cache")

    (kept,) = (tmp_path / "cache" / "checked").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    until: Annotated[str, Day()]


@pytest.mark.parametrize("text", ["soon", "31.10.2026", "2026-13-01", "2026-10-32"])
def test_what_is_no_day_is_told_without_a_pattern(text: str) -> None:
    with pytest.raises(Misfit) as caught:
        check(Dated, {"until": text})

    assert str(caught.value) == "it must be a day (YYYY-MM-DD)"
