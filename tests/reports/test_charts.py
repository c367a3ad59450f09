from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldenthread.reports.charts import Chart, day_ticks, line_chart, value_ticks
from goldenthread.reports.notation import money
from reports.facts import DAY

DATES = st.dates(min_value=dt.date(1990, 1, 1), max_value=dt.date(2030, 1, 1))


def test_value_ticks_are_round_and_span_both_ends() -> None:
    assert value_ticks(97_300, 158_000) == [80_000, 100_000, 120_000, 140_000, 160_000]
    assert value_ticks(-0.21, 0) == pytest.approx([-0.25, -0.2, -0.15, -0.1, -0.05, 0])


def test_a_flat_curve_still_has_an_axis() -> None:
    ticks = value_ticks(100, 100)
    assert ticks[0] <= 100 <= ticks[-1]
    assert ticks[0] < ticks[-1]


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_value_ticks_rise_evenly_and_are_few(low: float, spread: float) -> None:
    high = low + spread
    ticks = value_ticks(low, high)
    slack = 1e-6 * max(high - low, abs(high) * 1e-6, 1e-9)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 9
    assert all(a < b for a, b in pairwise(ticks))


def test_two_years_are_marked_by_quarters_and_ten_by_years() -> None:
    two = day_ticks(dt.date(2012, 9, 4), dt.date(2014, 9, 3))
    assert two[:2] == [dt.date(2012, 10, 1), dt.date(2013, 1, 1)]
    assert two[-1] == dt.date(2014, 7, 1)
    ten = day_ticks(dt.date(2008, 5, 1), dt.date(2016, 5, 1))
    assert ten == [dt.date(year, 1, 1) for year in range(2009, 2017)]


def test_a_few_weeks_are_marked_by_days() -> None:
    ticks = day_ticks(dt.date(2024, 1, 2), dt.date(2024, 2, 11))
    # 40 days in at most 8 steps: one of 5 days
    assert ticks[1] - ticks[0] == dt.timedelta(days=5)


@given(DATES, st.integers(1, 12_000))
def test_day_ticks_lie_inside_the_span_and_are_few(first: dt.date, span: int) -> None:
    last = first + dt.timedelta(days=span)
    ticks = day_ticks(first, last)
    assert all(first <= day <= last for day in ticks)
    assert 1 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))


def test_a_line_is_drawn_through_its_points() -> None:
    days = [DAY, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=3)]
    svg = ET.fromstring(line_chart(Chart("Equity", days, [0.0, 10.0, 5.0], money)))  # noqa: S314  # our own text
    line = next(e for e in svg.iter() if e.tag == "polyline")
    # across 76 to 876 by the calendar: a third after one of three days; up 234 to 14 over 0 to 10
    assert line.attrib["points"] == "76.0,234.0 342.7,14.0 876.0,124.0"


def test_a_chart_is_well_formed_and_its_texts_are_escaped() -> None:
    days = [DAY, DAY + dt.timedelta(days=40)]
    chart = Chart(
        "<b>", days, [1.0, 2.0], str, baseline=1.0, mark=0, mark_label='a<b & "c"', tone="loss"
    )
    text = line_chart(chart)
    svg = ET.fromstring(text)  # noqa: S314  # our own text
    assert svg.attrib["aria-label"] == "<b>"
    assert any(e.text == 'a<b & "c"' for e in svg.iter())
    assert len(re.findall("<polygon", text)) == 1


def test_one_day_is_no_line() -> None:
    assert "needs at least two days" in line_chart(Chart("Equity", [DAY], [1.0], str))


@given(st.lists(st.floats(-1e7, 1e7), min_size=2, max_size=40))
@example([0.0, 5e-324])
def test_every_point_lies_inside_the_drawing(values: list[float]) -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(len(values))]
    text = line_chart(Chart("Equity", days, values, money, baseline=values[0]))
    points = re.findall(r'class="line" points="([^"]*)"', text)[0].split()
    for point in points:
        x, y = map(float, point.split(","))
        assert 75.9 <= x <= 876.1
        assert 13.9 <= y <= 234.1
