"""Rendering in a sandbox: a template may come from anybody and must not reach out of its text.

Jinja's immutable sandbox keeps attributes and methods that reach further out of its hands. It does
not bound time and size, so this one counts: every turn of a loop and every call is a step, and no
value may grow beyond a limit. Whatever could grow a value unseen (formatting, padding, most methods
of strings) is not there.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from llmctl.errors import ConfigError, UsageError
from llmctl.messages import _
from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.templates.shape import Template

LARGEST = 100_000_000  # characters or items of any one value
MOST_STEPS = 1_000_000
FILTERS = frozenset(
    [
        "abs",
        "batch",
        "capitalize",
        "count",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "first",
        "float",
        "groupby",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "slice",
        "sort",
        "string",
        "sum",
        "title",
        "tojson",
        "trim",
        "truncate",
        "unique",
        "upper",
        "wordcount",
        "wordwrap",
    ]
)
METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "count",
            "endswith",
            "find",
            "isalpha",
            "isdigit",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper",
        ]
    ),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}


class Bounded(NodeTransformer):
    """Rewrites a parsed template so that loops and joined texts pass through the sandbox."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  jinja2 names its visitors so
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "counted")  # type: ignore[arg-type]  # typed as any node
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        joined = _filtered(node.nodes[0], "string")
        for one in node.nodes[1:]:
            joined = nodes.Add(joined, _filtered(one, "string"), lineno=node.lineno)
        return joined


def _filtered(node: nodes.Expr, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Strict about names, bounded in steps and sizes; for one rendering."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, loader=None)
        self.globals = {"range": self._range}
        self.filters = {name: one for name, one in self.filters.items() if name in FILTERS}
        self.filters["counted"] = self._counted
        self.filters["replace"] = self._replace
        self._steps = 0

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = Bounded().visit(super()._parse(source, name, filename))
        parsed.set_environment(self)
        return parsed

    def step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise SecurityError("loops or calls that go on and on")

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for one in items:
            self.step()
            yield one

    def _range(self, *bounds: int) -> range:
        return range(*bounds)

    def _replace(self, text: object, old: str, new: str) -> str:
        text = str(text)
        _small(len(text) + text.count(old) * len(new))
        return text.replace(old, new)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, methods in METHODS.items():
            if isinstance(obj, kind):
                return attr in methods
        return super().is_safe_attribute(obj, attr, value)

    def call(self, *args: Any, **named: Any) -> Any:
        self.step()
        return super().call(*args, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"the operator {operator}")
        if operator == "+":
            _small(_size(left) + _size(right))
        if operator == "*":
            _small(max(_size(left), 1) * max(_size(right), 1) * _factor(left) * _factor(right))
        return super().call_binop(context, operator, left, right)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _factor(value: Any) -> float:
    return max(abs(value), 1) if isinstance(value, int | float) else 1


def _small(size: float) -> None:
    if size > LARGEST:
        raise SecurityError("a value that large")


def render_text(
    source: str, values: Mapping[str, Json], template: "Template", sandbox: Sandbox
) -> str:
    """One text of the template. Raises UsageError for a missing variable, ConfigError for a fault
    of the template itself."""
    try:
        pieces: list[str] = []
        size = 0
        for piece in sandbox.from_string(source).generate(values):
            pieces.append(piece)
            size += len(piece)
            _small(size)
        return "".join(pieces)
    except UndefinedError as error:
        name = str(error).split("'")[1] if "'" in str(error) else str(error)
        raise UsageError(
            _("the template {template} needs the variable {name}", template=template.name,
              name=name),
            hint=_("give it: -p {name}=VALUE", name=name),
        ) from None  # fmt: skip
    except SecurityError as error:
        raise ConfigError(
            _("the template {template} may not do that: {what}", template=template.name,
              what=error),
            hint=_("see what it does: llmctl templates show {name}", name=template.name),
        ) from None  # fmt: skip
    except TemplateSyntaxError as error:
        raise ConfigError(
            _("the template {template} has a fault in line {line} of a text: {why}",
              template=template.name, line=error.lineno, why=error.message),
            hint=_("mend it: llmctl templates edit {name}", name=template.name),
        ) from None  # fmt: skip
    except (RecursionError, MemoryError):
        raise ConfigError(
            _(
                "the template {template} calls itself without end, or grows too large",
                template=template.name,
            ),
            hint=_("mend it: llmctl templates edit {name}", name=template.name),
        ) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise ConfigError(
            _("the template {template} fails: {why}", template=template.name,
              why=str(error)[:200]),
            hint=_("mend it: llmctl templates edit {name}", name=template.name),
        ) from None  # fmt: skip


def variables_in(source: str) -> set[str]:
    """The names a text uses; empty for one with a fault, which rendering will name."""
    from jinja2 import meta

    try:
        return meta.find_undeclared_variables(Sandbox().parse(source)) - {"range"}
    except TemplateError:
        return set()
