"""Axes, and charts as drawings whose places are worked out by hand."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.output.report.axes import axis
from llmctl.output.report.charts import Bar, Chart, Point, Series, bars, box_plots, scatter
from llmctl.output.report.points import on_line
from llmctl.values import replace

CHART = Chart(key="k", title="Time", unit="seconds")
LEFT, WIDE = 6.0, 378.0  # where an axis begins, how long it is: 400 - 6 - 16


def series(*values: float, number: int = 1, name: str = "a/b") -> Series:
    return Series(number=number, name=name, values=values)


def point(number: int, x: float, y: float) -> Point:
    return Point(number=number, name=f"m/{number}", x=x, y=y, x_text=f"{x}", y_text=f"{y}")


# ---- axes --------------------------------------------------------------------------------------


def test_an_axis_begins_at_zero_and_has_round_steps() -> None:
    found = axis([0.3, 0.95])

    assert found.ticks == pytest.approx((0, 0.5, 1.0))
    assert found.place(0.25) == pytest.approx(0.25)
    assert axis([4.1]).ticks == pytest.approx((0, 2, 4, 6))


def test_what_differs_by_orders_of_magnitude_is_drawn_logarithmically() -> None:
    found = axis([0.01, 100.0])

    assert found.log
    assert found.place(1.0) == pytest.approx(0.5)
    assert {0.01, 1.0, 100.0} <= set(found.ticks)
    assert not axis([0.01, 100.0], even=True).log


def test_zero_has_a_place_before_a_logarithmic_axis() -> None:
    found = axis([0.0, 0.001, 1.0])

    assert found.zero
    assert found.ticks[0] == 0.0
    assert found.place(0.0) == 0.0 < found.place(0.001) < found.place(1.0) <= 1.0


def test_nothing_but_zeros_is_an_axis_too() -> None:
    assert axis([]).place(0.0) == 0.0
    assert axis([0.0, 0.0]).ticks == (0.0,)


@given(st.lists(st.floats(min_value=0, max_value=1e12, allow_subnormal=False), max_size=20))
def test_every_value_is_within_the_axis(values: list[float]) -> None:
    found = axis(values)

    assert all(-1e-9 <= found.place(value) <= 1 + 1e-9 for value in values)
    assert len(found.ticks) <= 8
    assert all(math.isfinite(tick) for tick in found.ticks)


# ---- box plots ---------------------------------------------------------------------------------


def test_a_box_holds_the_middle_half() -> None:
    """Of 1 … 9 the quartiles (inclusive) are 3, 5 and 7; the axis goes to 10."""
    made = box_plots(CHART, [series(*map(float, range(1, 10)))])
    box = re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="box"', made)
    median = re.search(r'<path d="M([\d.]+) [\d.]+v14" class="median"', made)
    whisker = re.search(r'<path d="M([\d.]+) [\d.]+H([\d.]+)M', made)

    assert box is not None
    assert median is not None
    assert whisker is not None
    assert float(box[1]) == pytest.approx(LEFT + 0.3 * WIDE, abs=0.06)
    assert float(box[2]) == pytest.approx(0.4 * WIDE, abs=0.06)
    assert float(median[1]) == pytest.approx(LEFT + 0.5 * WIDE, abs=0.06)
    assert float(whisker[1]) == pytest.approx(LEFT + 0.1 * WIDE, abs=0.06)
    assert float(whisker[2]) == pytest.approx(LEFT + 0.9 * WIDE, abs=0.06)


def test_what_lies_far_out_is_a_dot() -> None:
    """Quartiles of 1, 2, 3, 4, 20: 2 and 4; whiskers reach to 7 at most."""
    made = box_plots(CHART, [series(1.0, 2.0, 3.0, 4.0, 20.0)])

    assert made.count('class="dot"') == 1
    assert f'cx="{LEFT + WIDE:g}"' in made  # 20 is where the axis ends


def test_a_few_values_are_dots_without_a_box() -> None:
    made = box_plots(CHART, [series(1.0, 2.0)])

    assert made.count('class="dot"') == 2
    assert 'class="box"' not in made


def test_a_drawing_has_a_title_a_description_and_a_table() -> None:
    made = box_plots(CHART, [series(1.0, 2.0, 4.0, name="a/<b>")])

    assert '<title id="k-title">Time</title>' in made
    assert '<desc id="k-desc">Box plots. Medians: a/&lt;b&gt;: 2.00 s</desc>' in made
    assert 'aria-labelledby="k-title k-desc"' in made
    assert re.findall(r'<td class="number">([^<]*)</td>', made) == [
        *("3", "1.00 s", "2.00 s", "4.00 s")
    ]


def test_of_many_values_far_out_some_are_drawn() -> None:
    made = box_plots(CHART, [series(*[1.0] * 900, *[9.0 + n / 1000 for n in range(100)])])

    assert made.count('class="dot"') == 40


def test_nothing_known_is_said() -> None:
    assert "no value is known" in box_plots(CHART, [series()])
    assert "no value is known" in bars(CHART, [])
    assert "no value is known" in scatter(CHART, "y", [])


# ---- bars and points ---------------------------------------------------------------------------


def test_bars_begin_at_zero_and_nothing_has_no_bar() -> None:
    made = bars(CHART, [Bar(number=1, name="a", value=10.0, text="10"),
                        Bar(number=2, name="b", value=5.0, text="5"),
                        Bar(number=3, name="c", value=0.0, text="0")])  # fmt: skip
    widths = re.findall(r'width="([\d.]+)" height="14" rx="2" class="bar"', made)

    assert [float(width) for width in widths] == pytest.approx([WIDE, WIDE / 2, 0.0], abs=0.06)


def test_the_front_is_who_nobody_beats_in_both() -> None:
    points = [point(1, 1, 9), point(2, 5, 5), point(3, 6, 6), point(4, 9, 1), point(5, 9, 9)]

    assert on_line(points) == [0, 1, 3]
    assert on_line([point(1, 1, 1), point(2, 1, 1)]) == [0]


def test_points_stand_at_their_values_and_the_front_is_a_line() -> None:
    """46 to 384 across and 248 up to 26, both axes from 0 to 10."""
    made = scatter(CHART, "up", [point(1, 0, 10), point(2, 10, 0), point(3, 10, 10)])
    places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', made)

    assert places == [("46.0", "26.0"), ("384.0", "248.0"), ("384.0", "26.0")]
    assert 'd="M46.0 26.0H384.0V248.0" class="front"' in made


def test_the_front_strikes_no_name_through() -> None:
    """From 9.5 down to 9 are 11 of 222 units: where a name to the left above the second point would
    stand, the front runs. A letter is 6.1 wide; a name reaches 9 above its foot and 3 below."""
    points = [point(1, 0, 9.5), replace(point(2, 9.3, 9), name="m/longer-name")]
    made = scatter(CHART, "up", points)
    front = re.search(r'd="M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)" class="front"', made)
    names = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" class="label">([^<]*)<', made)

    assert front is not None
    left, top, right, bottom = map(float, front.groups())
    assert [text for _x, _y, text in names] == ["1 m/1", "2 m/longer-name"]
    for x, y, text in names:
        start, end, high, low = float(x), float(x) + len(text) * 6.1, float(y) - 9, float(y) + 3
        assert not (start < right and left < end and high < top < low), text
        assert not (high < bottom and top < low and start < right < end), text


def test_names_of_points_do_not_cover_each_other() -> None:
    made = scatter(CHART, "up", [point(n, 5 + n / 100, 5) for n in range(1, 9)])
    texts = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" class="label">([^<]*)<', made)
    boxes = [(float(x), float(y), len(text) * 6.1) for x, y, text in texts]

    assert len(texts) == 8
    named = [box for box in boxes if box[2] > 10]
    for at, (x, y, width) in enumerate(named):
        for other, top, wide in named[at + 1 :]:
            assert x + width <= other or other + wide <= x or abs(y - top) >= 12
