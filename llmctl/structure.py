"""Builds frozen dataclasses from plain data that is known to fit, and checks data that is not.

`build` is for the start-up path: no library, no checks. `check` is pydantic on the very same
classes; its results are kept in the cache folder by the hash of the data, so that it runs once for
each change of a file.
"""

import json
import types
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from llmctl import __version__
from llmctl.messages import _
from llmctl.types import Json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


class Range:
    """Bounds of a number, written `Annotated[float, Range(above=0)]`; no number is infinite.

    pydantic asks it for them, so that stating them costs a start nothing.
    """

    def __init__(self, *, least: float | None = None, above: float | None = None) -> None:
        self._bounds = {"ge": least, "gt": above}

    def allows(self, number: float) -> bool:
        least, above = self._bounds["ge"], self._bounds["gt"]
        return (
            (least is None or number >= least)
            and (above is None or number > above)
            and abs(number) != float("inf")
            and number == number
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        schema = handler(source)
        schema.update({name: bound for name, bound in self._bounds.items() if bound is not None})
        if schema["type"] == "float":
            schema["allow_inf_nan"] = False
        return schema


class Day:
    """A day as text, YYYY-MM-DD, written `Annotated[str, Day()]`; checked by pydantic alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "pattern": DAY}

    def allows(self, _text: str) -> bool:
        return False  # pydantic is to be asked


DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
Count = Annotated[int, Range(least=0)]
Several = Annotated[int, Range(least=1)]


def packed(value: Json) -> Json:
    """Values as objects, tuples as lists, bytes as base64."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: packed(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    return value


def build(kind: type[T], value: Json, *, strict: bool = True) -> T:
    """`value` as `kind`: dataclasses from tables, tuples from lists, enumerations from strings.
    Not `strict`, keys that a dataclass does not have are passed over."""
    made: T = _build(kind, value, strict)
    return made


def _build(kind: Any, value: Json, strict: bool) -> Any:
    if value is None or kind is Any:
        return value
    origin = get_origin(kind)
    if origin is None:
        if isinstance(kind, type) and is_dataclass(kind):
            known = _field_types(kind)
            return kind(
                **{
                    name: _build(known[name], one, strict)
                    for name, one in value.items()
                    if strict or name in known
                }
            )
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(value)
        return value
    arguments = get_args(kind)
    if origin is tuple:
        return tuple(_build(arguments[0], one, strict) for one in value)
    if origin is Union or origin is types.UnionType:
        some = next(one for one in arguments if one is not types.NoneType)
        return _build(some, value, strict)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _build(arguments[1], one, strict) for name, one in value.items()}
    return value


@cache
def _field_types(kind: Any) -> dict[str, Any]:
    return {one.name: one.type for one in fields(kind)}


def plainly(kind: Any, value: Json) -> bool:
    """Whether a single value fits so obviously that pydantic need not be asked; False says nothing.

    For flags, which change from call to call, where the data of files are checked once.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return plainly(arguments[0], value) and arguments[1].allows(value)
    if origin is Union or origin is types.UnionType:
        return any(plainly(one, value) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list) and all(plainly(arguments[0], one) for one in value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return value in [one.value for one in kind]
    if kind is float:
        return type(value) in (int, float)
    return kind in (str, int, bool, types.NoneType) and type(value) is kind


class Misfit(Exception):
    """Data that does not fit: the path to the place, and the reason in words."""

    def __init__(self, path: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


def check(kind: type[T], value: Json) -> Json:
    """`value` with every entry of the type that `kind` says, as plain data for `build`; raises
    Misfit for the first place that does not fit. Unknown keys do not fit."""
    from pydantic import ValidationError

    adapter = adapted(kind)
    try:
        fitting = adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise Misfit(first["loc"], _reason(first["type"], first["msg"])) from None
    return adapter.dump_python(fitting, mode="json", exclude_unset=True)


def adapted(kind: type[T]) -> "TypeAdapter[T]":
    """pydantic's view of `kind`, to which an unknown key is an error."""
    from pydantic import TypeAdapter

    _forbid_unknown(kind)
    return TypeAdapter(kind)


def _reason(kind: str, text: str) -> str:
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return "unknown key"
    if kind == "string_pattern_mismatch" and DAY in text:
        return _("it must be a day (YYYY-MM-DD)")
    return text.removeprefix("Value error, ")  # of a check of ours, which speaks for itself


def _forbid_unknown(kind: Any) -> None:
    """Tell pydantic, by the attribute it looks for, to refuse unknown keys here and below."""
    if isinstance(kind, type) and is_dataclass(kind):
        if not hasattr(kind, "__pydantic_config__"):
            setattr(kind, "__pydantic_config__", {"extra": "forbid"})  # noqa: B010  no declared field
            for one in fields(kind):
                _forbid_unknown(one.type)
        return
    for argument in get_args(kind):
        _forbid_unknown(argument)


def checked(kind: type[T], value: Json, cache_dir: Path) -> T:
    """`check` and `build`, the former skipped where the cache knows these very data."""
    import hashlib

    from llmctl.files import private_dir, read_own, write_private

    text = json.dumps([__version__, kind.__qualname__, value], sort_keys=True, default=str)
    known = cache_dir / "checked" / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    try:
        return build(kind, json.loads(read_own(known)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # not there, or damaged
        fitting = check(kind, value)
    try:
        private_dir(known.parent)
        write_private(known, json.dumps(fitting).encode())
    except Exception:  # noqa: S110  a cache that cannot be written only costs time
        pass
    return build(kind, fitting)
