"""Our frozen dataclasses behave as the standard ones do, one property at a time."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from llmctl.values import dataclass, field
from llmctl.values import replace as changed

NEVER: Any = ()  # a list has no hash


@dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    x: int
    y: int = 2
    tags: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name, and a secret that is not shown."""

    name: str
    secret: str = field(default="s", repr=False)


@dataclass
class Loose:
    """May change: the standard one."""

    x: int


def made(kind: Any, *args: Any, **named: Any) -> Any:
    return kind(*args, **named)


def test_arguments_by_place_and_by_name() -> None:
    assert (Point(1).x, Point(1).y, Point(1).tags) == (1, 2, ())
    assert Point(1, 3) == Point(x=1, y=3)
    assert Point(1, tags=("a",)).tags == ("a",)


@pytest.mark.parametrize(
    ("kind", "args", "named"),
    [
        (Point, (), {}),
        (Point, (1, 2, (), 4), {}),
        (Point, (1,), {"x": 2}),
        (Point, (1,), {"z": 2}),
        (Point, (), {"z": 2}),
        (Named, ("a",), {}),
    ],
)
def test_wrong_arguments(kind: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        made(kind, *args, **named)


def test_equality_and_hash() -> None:
    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
    other: object = (1, 2, ())
    assert Point(1) != other
    assert hash(Point(1)) == hash(Point(1))
    assert len({Point(1), Point(1)}) == 1


def test_nothing_can_be_changed() -> None:
    point: Any = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    with pytest.raises(FrozenInstanceError):
        point.other = 2
    with pytest.raises(FrozenInstanceError):
        del point.x


def test_repr_leaves_out_what_is_hidden() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2, tags=())"
    assert repr(Named(name="a")) == "Named(name='a')"


def test_the_tools_of_dataclasses_work() -> None:
    assert is_dataclass(Point)
    assert [one.name for one in fields(Point)] == ["x", "y", "tags"]
    assert Point(5, 2) == replace(Point(1), x=5)
    assert asdict(Point(1)) == {"x": 1, "y": 2, "tags": ()}


def test_match_by_place() -> None:
    match Point(1, 7):
        case Point(x, y):
            assert (x, y) == (1, 7)


def test_copies_and_pickles() -> None:
    assert Point(1) == copy.copy(Point(1)) == copy.deepcopy(Point(1))
    assert Point(1) == pickle.loads(pickle.dumps(Point(1)))


def test_default_factories_give_each_its_own() -> None:
    @dataclass(frozen=True)
    class Holder:
        """Holds a list."""

        items: list[int] = field(default_factory=list)

    assert Holder().items is not Holder().items


def test_not_frozen_is_the_standard_dataclass() -> None:
    loose = Loose(1)
    loose.x = 2
    assert dataclasses.asdict(loose) == {"x": 2}


def test_pydantic_checks_them() -> None:
    assert Point(1, 2, ("a",)) == TypeAdapter(Point).validate_python({"x": "1", "tags": ["a"]})


def test_a_class_without_a_text_costs_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard decorator would write one, for which `inspect` loads a tokenizer."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a signature was asked for")

    monkeypatch.setattr("inspect.signature", asked)

    @dataclass(frozen=True, slots=True)
    class Silent:
        x: int

    assert Silent.__doc__ is None
    assert [one.name for one in fields(Silent)] == ["x"]


@dataclass(frozen=True)
class Often:
    """One of which many are made: by then it has an `__init__` of its own."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)
    self: str = "me"
    name: str = field(default="n", kw_only=True)


def test_the_hundredth_is_made_as_the_first() -> None:
    first = Often(1, name="a")
    for _time in range(200):
        last = Often(1, name="a")

    assert made(Often, 1, 3, ["t"], name="b") == made(Often, x=1, y=3, tags=["t"], name="b")
    assert (last, repr(last), hash(Often(1, tags=NEVER)), last.self) == (
        first, repr(first), hash((1, 2, NEVER, "me", "n")), "me",
    )  # fmt: skip
    assert last.tags is not first.tags
    assert pickle.loads(pickle.dumps(last)) == copy.deepcopy(last) == first
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}), ((1, 2, [], "me", 5), {}), ((1,), {"x": 2}), ((1,), {"z": 2}),
    ]  # fmt: skip
    for args, named in wrong:
        with pytest.raises(TypeError):
            made(Often, *args, **named)
    odd: Any = last
    with pytest.raises(FrozenInstanceError):
        odd.x = 2


def test_copies_with_other_fields() -> None:
    point = Point(1, 3, ("a",))

    assert changed(point, y=4) == replace(point, y=4) == Point(1, 4, ("a",))
    assert point == Point(1, 3, ("a",))
    assert changed(Loose(1), x=2) == Loose(2)
    with pytest.raises(TypeError):
        made(changed, point, z=1)
