"""`@dataclass(frozen=True)` without its price.

The standard decorator writes and compiles five or six functions for each class: with some sixty
classes that was a third of the time from start to first byte. Here the functions are shared and
look the fields up; only a class of which many are made gets an `__init__` of its own, by then. Type
checkers see the standard decorator, and `fields`, `replace`, `asdict`, `match` and pydantic treat
these classes as the dataclasses they are. `slots=True` is accepted and means nothing, except that
nothing can be assigned anyway.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

# What json.loads returns; decoded frames are looked up tolerantly, so nothing narrower helps.
Json = Any


class _Nothing(dict[str, Any]):
    """An empty mapping that stays empty, so that it may be the default of a frozen value; a dict,
    so that it serialises like one."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none: others change
        return 0

    def _refuse(self, *_args: object, **_named: object) -> NoReturn:
        raise TypeError("this mapping is shared and stays empty")

    __setitem__ = __ior__ = setdefault = update = _refuse


NOTHING: Mapping[str, Json] = _Nothing()

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace

    __all__ = ["NOTHING", "Json", "dataclass", "field", "replace"]
else:
    import dataclasses
    from dataclasses import MISSING, FrozenInstanceError, field

    # From so many on, compiling costs less than it saves.
    MANY = 100

    def dataclass(cls: Any = None, *, frozen: bool = False, slots: bool = False, **kinds: Any):
        """A frozen dataclass with shared methods; anything not frozen is the standard one."""

        def make(cls: Any) -> Any:
            if not frozen:
                return dataclasses.dataclass(cls, slots=slots, **kinds)
            own_hash = "__hash__" in cls.__dict__
            said = cls.__doc__
            # Without a text it would write one, for which `inspect` loads a whole tokenizer.
            cls.__doc__ = said or cls.__name__
            made = dataclasses.dataclass(cls, init=False, repr=False, eq=False, **kinds)
            made.__doc__ = said
            made.__init__ = _init
            made.__eq__ = _eq
            if not own_hash:
                made.__hash__ = _hash
            made.__repr__ = _repr
            made.__setattr__ = made.__delattr__ = _refuse
            made.__plan__ = _Plan(made)
            return made

        return make if cls is None else make(cls)

    class _Plan:
        """What `__init__` of one class has to do."""

        def __init__(self, made: Any) -> None:
            listed = dataclasses.fields(made)
            self.owner = made
            self.count = 0
            self.names = made.__match_args__
            self.known = frozenset(one.name for one in listed)
            self.shown = tuple(one.name for one in listed if one.repr)
            self.defaults = {one.name: one.default for one in listed if one.default is not MISSING}
            self.factories = tuple(
                (one.name, one.default_factory)
                for one in listed
                if one.default_factory is not MISSING
            )

        def compile(self) -> None:
            """Give the class an `__init__` that knows its fields."""
            factories = dict(self.factories)
            named = sorted(self.known.difference(self.names))
            head, body, known = [], [], {"_none": MISSING, "_defaults": self.defaults}
            for name in (*self.names, *(["*", *named] if named else [])):
                if name in factories:
                    known[f"_make_{name}"] = factories[name]
                    head.append(f"{name}=_none")
                    body.append(
                        f"_values[{name!r}] = _make_{name}() if {name} is _none else {name}"
                    )
                    continue
                default = f"=_defaults[{name!r}]" if name in self.defaults else ""
                head.append(f"{name}{default}")
                if name != "*":
                    body.append(f"_values[{name!r}] = {name}")
            lines = ["_values = _self.__dict__", *body]
            text = f"def __init__(_self, {', '.join(head)}):\n" + "".join(
                f"    {line}\n" for line in lines
            )
            exec(text, known)  # noqa: S102  names of fields, which the class statement has checked
            made = known["__init__"]
            made.__qualname__ = f"{self.owner.__qualname__}.__init__"
            self.owner.__init__ = made

    def _init(self, *args, **named):
        plan = self.__plan__
        plan.count += 1
        if plan.count == MANY and plan.owner.__init__ is _init:
            plan.compile()
        values = self.__dict__
        values.update(plan.defaults)
        if args:
            names = plan.names
            if len(args) > len(names) or any(name in named for name in names[: len(args)]):
                raise TypeError(f"{type(self).__name__}: too many arguments")
            values.update(zip(names, args, strict=False))
        values.update(named)
        for name, factory in plan.factories:
            if name not in values:
                values[name] = factory()
        if len(values) != len(plan.known) or not named.keys() <= plan.known:
            odd = ", ".join(sorted(plan.known ^ values.keys()))
            raise TypeError(f"{type(self).__name__}: missing or unknown: {odd}")

    def replace(value, /, **changes):
        """A copy of a value with other fields; any dataclass will do."""
        plan = getattr(value, "__plan__", None)
        if plan is None or not changes.keys() <= plan.known:
            return dataclasses.replace(value, **changes)  # which also says what is wrong
        cls = value.__class__
        made = cls.__new__(cls)
        made.__dict__.update(value.__dict__)
        made.__dict__.update(changes)
        return made

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__dict__ == other.__dict__

    def _hash(self):
        return hash(tuple(self.__dict__[name] for name in self.__dataclass_fields__))

    def _repr(self):
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.__plan__.shown)
        return f"{type(self).__qualname__}({shown})"

    def _refuse(_self, name, _value=None):
        raise FrozenInstanceError(f"cannot change field {name!r}")
