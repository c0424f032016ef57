"""Charts as SVG written by hand: box plots, bars, and points with their front.

Drawn 400 units wide, which is about as many pixels on a telephone, so that their text stays
readable there. Colours come from the style sheet by class and mean something: what is recommended
or on the front is filled. Each has a title, a description, and the same figures as a table.
"""

import statistics
from collections.abc import Callable, Sequence

from llmctl.messages import _
from llmctl.output.report.axes import Axis, axis
from llmctl.output.report.elements import Child, Markup, tag
from llmctl.output.report.points import Point, drawn_points
from llmctl.output.report.tables import Cell, Column, table
from llmctl.output.report.words import plain, seconds, shortened
from llmctl.values import dataclass

__all__ = ["Bar", "Chart", "Point", "Series", "bars", "box_plots", "scatter"]

WIDTH = 400.0
LEFT, RIGHT = 6.0, 16.0
ROW, LABEL, BOX = 46.0, 14.0, 14.0
FOOT = 40.0
# Points that lie far out are drawn one by one up to here; fewer values than ENOUGH have no box.
MOST_POINTS, ENOUGH = 40, 5
NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of one candidate; `chosen` is the one to be seen first."""

    number: int
    name: str
    values: tuple[float, ...]
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    number: int
    name: str
    value: float
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What all charts have: a `key` that makes ids unique in the page, the title, what the axis
    shows, what is to be said below it. `subject` is what a row stands for, `written` says a value
    of a box plot in words; by default models and seconds."""

    key: str
    title: str
    unit: str
    notes: tuple[Child, ...] = ()
    subject: str | None = None
    written: Callable[[float], str] = seconds

    @property
    def named(self) -> str:
        return self.subject or _("Model")


def box_plots(chart: Chart, series: Sequence[Series]) -> Markup:
    """One row a candidate: the box holds the middle half, the line in it is the median, whiskers
    reach the farthest value within 1.5 boxes, and what lies beyond is a dot."""
    shown = [one for one in series if one.values]
    if not shown:
        return _empty(chart)
    along = axis(value for one in shown for value in one.values)
    height = ROW * len(shown) + FOOT
    parts: list[Child] = [_grid(along, height)]
    for at, one in enumerate(shown):
        top = ROW * at
        middle = chart.written(statistics.median(one.values))
        parts += [_row_label(one.number, one.name, middle, top), *_box(one, along, top)]
    parts.append(_foot(along, height, chart.unit))
    medians = ", ".join(
        f"{one.name}: {chart.written(statistics.median(one.values))}" for one in shown
    )
    desc = _("Box plots. Medians: {medians}", medians=medians)
    return _figure(chart, height, desc, parts, _box_table(chart, shown), along)


def bars(chart: Chart, given: Sequence[Bar]) -> Markup:
    """One row a candidate, from zero."""
    if not given:
        return _empty(chart)
    along = axis((one.value for one in given), even=True)
    height = ROW * len(given) + FOOT
    parts: list[Child] = [_grid(along, height)]
    for at, one in enumerate(given):
        top = ROW * at
        width = max(1.0, _x(along, one.value) - LEFT) if one.value else 0.0
        kind = "bar chosen" if one.chosen else "bar"
        parts.append(_row_label(one.number, one.name, one.text, top))
        box = tag("rect", x=LEFT, y=_n(top + LABEL + 6), width=_n(width), height=BOX, rx=2,
                  class_=kind)  # fmt: skip
        parts.append(box)
    parts.append(_foot(along, height, chart.unit))
    desc = _("Bars: {bars}", bars=", ".join(f"{one.name}: {one.text}" for one in given))
    columns = [Column(label=chart.named), Column(label=chart.unit, numeric=True)]
    rows = [(_numbered(one.number, one.name), one.text) for one in given]
    return _figure(chart, height, desc, parts, table(chart.title, columns, rows), along)


def scatter(chart: Chart, upward: str, points: Sequence[Point]) -> Markup:
    """Points by cost and time; the front is the line below which nobody comes. `upward` is what
    the axis to the left shows."""
    if not points:
        return _empty(chart)
    across = axis(point.x for point in points)
    up = axis(point.y for point in points)
    height, parts = drawn_points(points, across, up, chart.unit, upward)
    desc = _("Points: {points}", points="; ".join(
        f"{one.name}: {one.x_text}, {one.y_text}" for one in points))  # fmt: skip
    columns = [
        Column(label=_("Model")),
        Column(label=chart.unit, numeric=True),
        Column(label=upward, numeric=True),
        Column(label=_("On the front")),
    ]
    rows = [(f"{one.number} {one.name}", one.x_text, one.y_text, _("yes") if one.front else _("no"))
            for one in points]  # fmt: skip
    return _figure(chart, height, desc, parts, table(chart.title, columns, rows), across, up)


def _box(one: Series, along: Axis, top: float) -> list[Markup]:
    middle = top + LABEL + 6 + BOX / 2
    values = sorted(one.values)
    kind = "chosen" if one.chosen else ""
    if len(values) < ENOUGH:
        return [_dot(along, value, middle, f"dot {kind}") for value in values]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    reach = 1.5 * (high - low)
    inner = [value for value in values if low - reach <= value <= high + reach]
    outer = [value for value in values if not low - reach <= value <= high + reach]
    first, last = (_x(along, value) for value in (inner[0], inner[-1]))
    left, right, line = (_x(along, value) for value in (low, high, median))
    return [
        tag("path", d=f"M{first:.1f} {middle:g}H{last:.1f}M{first:.1f} {middle - 4:g}v8"
            f"M{last:.1f} {middle - 4:g}v8", class_="whisker"),
        tag("rect", x=_n(left), y=_n(middle - BOX / 2), width=_n(max(1.0, right - left)),
            height=BOX, rx=2, class_=f"box {kind}".strip()),
        tag("path", d=f"M{line:.1f} {middle - BOX / 2:g}v{BOX:g}", class_="median"),
        *(_dot(along, value, middle, f"dot {kind}") for value in _thinned(outer)),
    ]  # fmt: skip


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """The outermost stay whatever is left out."""
    return [*values[: MOST_POINTS // 4], *values[-3 * MOST_POINTS // 4 :]] if (
        len(values) > MOST_POINTS) else values  # fmt: skip


def _dot(along: Axis, value: float, y: float, kind: str) -> Markup:
    return tag("circle", cx=_n(_x(along, value)), cy=_n(y), r=2.5, class_=kind.strip())


def _row_label(number: int, name: str, value: str, top: float) -> Markup:
    label = tag("text", _numbered(number, ""), tag("tspan", shortened(name, NAME)), x=LEFT,
                y=_n(top + LABEL), class_="name")  # fmt: skip
    figure = tag("text", value, x=WIDTH - RIGHT, y=_n(top + LABEL), class_="value")
    return Markup(label + figure)


def _numbered(number: int, name: str) -> str:
    """What has no number is 0."""
    return f"{number} {name}" if number else name


def _grid(along: Axis, height: float) -> Markup:
    lines = "".join(f"M{_x(along, tick):.1f} 2V{height - FOOT + 4:g}" for tick in along.ticks)
    return tag("path", d=lines, class_="grid")


def _foot(along: Axis, height: float, unit: str) -> Markup:
    y = height - FOOT + 18
    marks = [
        tag("text", plain(tick), x=_n(_x(along, tick)), y=_n(y),
            class_="tick first" if _x(along, tick) < LEFT + 12 else "tick")
        for tick in along.ticks
    ]  # fmt: skip
    name = tag("text", unit, x=LEFT, y=_n(y + 16), class_="unit")
    return tag("g", marks, name)


def _x(along: Axis, value: float) -> float:
    return LEFT + along.place(value) * (WIDTH - LEFT - RIGHT)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _figure(
    chart: Chart, height: float, desc: str, parts: Sequence[Child], alternative: Markup, *axes: Axis
) -> Markup:
    ids = (f"{chart.key}-title", f"{chart.key}-desc")
    drawing = tag(
        "svg",
        tag("title", chart.title, id=ids[0]),
        tag("desc", desc, id=ids[1]),
        *parts,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=" ".join(ids),
    )
    notes = list(chart.notes)
    if any(one.log for one in axes):
        notes.append(_("Logarithmic scale: equal distances are equal ratios."))
    return tag(
        "figure",
        tag("figcaption", tag("h3", chart.title)),
        drawing,
        [tag("p", note, class_="note") for note in notes],
        tag("details", tag("summary", _("As a table")), alternative),
    )


def _empty(chart: Chart) -> Markup:
    return tag(
        "figure",
        tag("figcaption", tag("h3", chart.title)),
        tag("p", _("Nothing to draw: no value is known."), class_="note"),
        [tag("p", note, class_="note") for note in chart.notes],
    )


def _box_table(chart: Chart, shown: Sequence[Series]) -> Markup:
    names: tuple[tuple[str, Callable[[Sequence[float]], float]], ...] = (
        (_("least"), min),
        (_("median"), statistics.median),
        (_("greatest"), max),
    )
    columns = [
        Column(label=chart.named),
        Column(label=_("Runs"), numeric=True),
        *(Column(label=name, numeric=True) for name, _of in names),
    ]
    rows: list[list[Cell | Child]] = []
    for one in shown:
        figures = [chart.written(of(one.values)) for _name, of in names]
        rows.append([_numbered(one.number, one.name), len(one.values), *figures])
    return table(chart.title, columns, rows)
