"""The drawings are well-formed, and every mark stands where its figure says."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.reports.plots.bars import Bars, bar_chart
from goldenthread.reports.plots.curve import Curve, curve_chart
from goldenthread.reports.plots.plane import BOTTOM, TOP, Plane, reach
from goldenthread.reports.plots.scatter import Cloud, Point, scatter
from goldenthread.reports.plots.spans import InForce, span_chart

NASTY = "<b>&\"'"
FIRST, LAST = dt.date(2020, 1, 1), dt.date(2020, 12, 31)


def whole(number: float) -> str:
    return f"{number:.0f}"


def marks(drawing: str, kind: str) -> list[dict[str, str]]:
    """The attributes of the elements of a kind, of a drawing that must be well-formed."""
    return [element.attrib for element in ET.fromstring(drawing).iter(kind)]  # noqa: S314  ours


def test_the_corners_of_a_plane_are_the_ends_of_its_spans() -> None:
    plane = Plane((0.0, 10.0), (-5.0, 5.0))
    assert plane.at(0, -5) == (plane.left, plane.height - BOTTOM)
    assert plane.at(10, 5) == (plane.right, TOP)
    assert plane.at(5, 0) == ((plane.left + plane.right) / 2, (TOP + plane.floor) / 2)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_every_value_lies_inside_its_reach(values: list[float]) -> None:
    (low, high), ticks = reach(values, 0.0)
    slack = (high - low) * 1e-8
    assert low - slack <= min(*values, 0.0)
    assert high + slack >= max(*values, 0.0)
    assert (ticks[0], ticks[-1]) == (low, high)


def test_gains_stand_above_zero_and_losses_hang_below() -> None:
    drawing = bar_chart(Bars("Years", ["2020", NASTY], [10.0, -5.0], whole))
    up, down = marks(drawing, "rect")
    assert (up["class"], down["class"]) == ("up", "down")
    assert float(up["y"]) + float(up["height"]) == pytest.approx(float(down["y"]), abs=0.2)
    assert float(up["height"]) == pytest.approx(2 * float(down["height"]), abs=0.3)


def test_bars_of_losses_are_told_by_their_place() -> None:
    drawing = bar_chart(Bars("Days", ["a", "b"], [3.0, 4.0], whole, signed=False, losing=1))
    assert [bar["class"] for bar in marks(drawing, "rect")] == ["down", "up"]


def test_a_point_lies_right_and_above_another_with_larger_figures() -> None:
    points = [Point(0.1, -0.2, "one"), Point(0.3, 0.4, NASTY)]
    low, high = marks(scatter(Cloud("Moves", "move", points, whole)), "circle")
    assert float(low["cx"]) < float(high["cx"])
    assert float(low["cy"]) > float(high["cy"])
    assert (low["class"], high["class"]) == ("down", "up")


def test_thousands_of_points_carry_no_name() -> None:
    points = [Point(float(n), 1.0, f"name {n}") for n in range(1_001)]
    drawing = scatter(Cloud("Moves", "move", points, whole))
    assert drawing.count("<title>") == 1
    assert scatter(Cloud("Moves", "move", points[:5], whole)).count("<title>") == 6


def test_a_curve_marks_the_threshold_in_force() -> None:
    bounds = [(-1.0, 1.0), None, (2.0, 6.0)]
    curve = Curve(NASTY, [1.0, 2.0, 3.0], [-3.0, 0.0, 4.0], bounds, 1, whole)
    drawing = curve_chart(curve)
    ((dot,), (line,)) = (marks(drawing, "circle"), marks(drawing, "polyline"))
    middle = line["points"].split()[1]
    assert f"{dot['cx']},{dot['cy']}" == middle
    assert "now 2" in drawing
    assert len(marks(drawing, "polygon")[0]["points"].split()) == 4  # two known bounds
    assert "one threshold only" in curve_chart(Curve("x", [1.0], [0.0], [None], 0, whole))


def test_a_span_is_as_long_as_it_lasted() -> None:
    half = dt.date(2020, 7, 1)  # 182 of 366 days
    spans = [InForce("a", "one", dt.date(2019, 1, 1), half), InForce("a", NASTY, half, dt.date.max)]
    one, two = marks(span_chart("Versions", spans, FIRST, LAST), "rect")
    assert float(one["width"]) / float(two["width"]) == pytest.approx(182 / 184, rel=0.02)
    assert one["class"] != two["class"]
    assert float(two["x"]) - float(one["x"]) == pytest.approx(float(one["width"]) + 1, abs=0.2)


def test_a_span_outside_the_time_is_left_out() -> None:
    before = InForce("a", "one", dt.date(2018, 1, 1), dt.date(2019, 1, 1))
    assert "nothing to show yet" in span_chart("Versions", [before], FIRST, LAST)


@pytest.mark.parametrize(
    "drawing",
    [bar_chart(Bars("Years", [], [], whole)), scatter(Cloud("Moves", "move", [], whole))],
)
def test_nothing_is_said_in_words(drawing: str) -> None:
    assert drawing.startswith('<p class="note">')
