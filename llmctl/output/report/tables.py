"""Tables that scroll within themselves on narrow screens and that the script of a page can sort."""

from collections.abc import Iterable, Sequence

from llmctl.output.report.elements import Child, Markup, tag
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`numeric` columns stand to the right and are sorted by number; with `most_first` the first
    press of the button brings the greatest to the top. `hint` says what the figure is."""

    label: str
    numeric: bool = False
    most_first: bool = False
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """`order` is what rows are sorted by, None for what is unknown and always comes last. Only
    within one `group` (a currency) can values be compared."""

    content: Child
    order: float | str | None = None
    group: str | None = None
    class_: str | None = None


def table(
    label: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell | Child]],
    *,
    sortable: bool = False,
    class_: str = "",
) -> Markup:
    """A table whose first column names its rows; `label` is its name for who cannot see it."""
    kinds = " ".join(one for one in (class_, "sortable" if sortable else "") if one)
    content = tag(
        "table",
        tag("caption", label, class_="hidden"),
        tag("thead", tag("tr", (_head(one, sortable) for one in columns))),
        tag("tbody", (tag("tr", _row(columns, row)) for row in rows)),
        class_=kinds or None,
    )
    return tag("div", content, class_="scroll", role="region", tabindex="0", aria_label=label)


def _head(column: Column, sortable: bool) -> Markup:
    numeric = "number" if column.numeric else None
    if not sortable:
        return tag("th", column.label, scope="col", class_=numeric, title=column.hint)
    return tag(
        "th",
        tag("button", column.label, type="button", title=column.hint),
        scope="col",
        class_=numeric,
        aria_sort="none",
        data_first="descending" if column.most_first else None,
    )


def _row(columns: Sequence[Column], row: Sequence[Cell | Child]) -> list[Markup]:
    return [_cell(column, one, at == 0) for at, (column, one) in
            enumerate(zip(columns, row, strict=True))]  # fmt: skip


def _cell(column: Column, given: Cell | Child, first: bool) -> Markup:
    cell = given if isinstance(given, Cell) else Cell(content=given)
    kinds = [one for one in ("number" if column.numeric else None, cell.class_) if one]
    return tag(
        "th" if first else "td",
        cell.content,
        scope="row" if first else None,
        class_=" ".join(kinds) or None,
        data_v=repr(cell.order) if isinstance(cell.order, float) else cell.order,
        data_g=cell.group,
    )
