"""Points in a plane with their names beside them, and the front drawn through the best of them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from llmctl.output.report.axes import Axis
from llmctl.output.report.elements import Child, Markup, tag
from llmctl.output.report.words import plain, shortened
from llmctl.values import dataclass

WIDTH, HEIGHT = 400.0, 290.0
LEFT, RIGHT, TOP, FOOT = 46.0, 16.0, 26.0, 42.0
RADIUS = 6.0
# A letter of a name is about so wide, and a name so high, in units of the drawing.
LETTER, LINE = 6.1, 12.0
NAME = 22

Place = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Less is better on both axes. `front` says that it is on the front that is told of in the
    text, which may know more than these two; `chosen` that it is recommended."""

    number: int
    name: str
    x: float
    y: float
    x_text: str
    y_text: str
    front: bool = False
    chosen: bool = False


def drawn_points(
    points: Sequence[Point], across: Axis, up: Axis, x_unit: str, y_unit: str
) -> tuple[float, list[Child]]:
    """The height of the drawing and its parts."""
    places = [(_x(across, one.x), _y(up, one.y)) for one in points]
    parts: list[Child] = [_grid(across, up), *_ticks(across, up)]
    parts.append(tag("text", y_unit, x=4, y=12, class_="unit"))
    parts.append(tag("text", x_unit, x=LEFT, y=HEIGHT - 6, class_="unit"))
    parts.append(_front_line(points, places))
    for one, (x, y) in zip(points, places, strict=True):
        parts.append(_dot(one, x, y))
    parts += _names(points, places, _steps(points, places))
    return HEIGHT, parts


def on_line(points: Sequence[Point]) -> list[int]:
    """Places of the points that none beats on both axes, from left to right."""
    order = sorted(range(len(points)), key=lambda at: (points[at].x, points[at].y))
    found: list[int] = []
    for at in order:
        if not found or points[at].y < points[found[-1]].y:
            found.append(at)
    return found


def _front_line(points: Sequence[Point], places: Sequence[Place]) -> Markup | None:
    """In steps: between two points nobody is as good as both at once."""
    line = [places[at] for at in on_line(points)]
    if len(line) < 2:
        return None
    path = f"M{line[0][0]:.1f} {line[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in line[1:])
    return tag("path", d=path, class_="front")


def _steps(points: Sequence[Point], places: Sequence[Place]) -> list[Box]:
    """The room that the line of the front takes, so that it strikes no name through."""
    line = [places[at] for at in on_line(points)]
    found: list[Box] = []
    for (x, y), (right, below) in pairwise(line):
        found += [(x, y - 2, right, y + 2), (right - 2, y, right + 2, below)]
    return found


def _dot(one: Point, x: float, y: float) -> Markup:
    kind = "point chosen" if one.chosen else "point on" if one.front else "point"
    title = tag("title", f"{one.number} {one.name}: {one.x_text}, {one.y_text}")
    return tag("g", title, tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=RADIUS, class_=kind))


def _names(
    points: Sequence[Point], places: Sequence[Place], lines: Sequence[Box]
) -> Iterator[Markup]:
    """Each beside its point, where nothing stands yet; where there is no room, the number alone."""
    taken: list[Box] = [*lines, *((x - 7, y - 7, x + 7, y + 7) for x, y in places)]
    for one, (x, y) in zip(points, places, strict=True):
        names = (shortened(one.name, NAME), one.name.rpartition("/")[2][:NAME], "")
        texts = [f"{one.number} {name}".rstrip() for name in names]
        tries = [(text, box) for text in texts for box in _around(x, y, len(text) * LETTER)]
        text, box = next((found for found in tries if _is_free(found[1], taken)), tries[-1])
        taken.append(box)
        yield tag("text", text, x=f"{box[0]:.1f}", y=f"{box[3] - 3:.1f}", class_="label")


def _around(x: float, y: float, width: float) -> Iterator[Box]:
    half = LINE / 2
    for left, top in (
        # Level with the point comes late: there the front runs.
        (x + 5, y - 8 - LINE),
        (x - 5 - width, y - 8 - LINE),
        (x - width / 2, y - 8 - LINE),
        (x + 5, y + 8),
        (x - 5 - width, y + 8),
        (x - width / 2, y + 8),
        (x + 10, y - half),
        (x - 10 - width, y - half),
        (WIDTH - width, y - 8 - LINE),
        (WIDTH - width, y + 8),
        (x - width / 2, y + 21),
    ):
        yield left, top, left + width, top + LINE


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    left, top, right, bottom = box
    if left < LEFT or right > WIDTH or top < TOP - 8 or bottom > HEIGHT - FOOT:
        return False
    return all(
        other[2] <= left or right <= other[0] or other[3] <= top or bottom <= other[1]
        for other in taken
    )


def _grid(across: Axis, up: Axis) -> Markup:
    bottom, right = HEIGHT - FOOT, WIDTH - RIGHT
    lines = [f"M{_x(across, tick):.1f} {TOP:g}V{bottom:g}" for tick in across.ticks]
    lines += [f"M{LEFT:g} {_y(up, tick):.1f}H{right:g}" for tick in up.ticks]
    return tag("path", d="".join(lines), class_="grid")


def _ticks(across: Axis, up: Axis) -> Iterator[Markup]:
    for tick in across.ticks:
        yield tag("text", plain(tick), x=f"{_x(across, tick):.1f}", y=HEIGHT - FOOT + 16,
                  class_="tick")  # fmt: skip
    for tick in up.ticks:
        yield tag(
            "text", plain(tick), x=LEFT - 10, y=f"{_y(up, tick) + 4:.1f}", class_="value tick"
        )


def _x(across: Axis, value: float) -> float:
    return LEFT + across.place(value) * (WIDTH - LEFT - RIGHT)


def _y(up: Axis, value: float) -> float:
    return HEIGHT - FOOT - up.place(value) * (HEIGHT - FOOT - TOP)
