"""Line charts as inline SVG: dates across, figures up, drawn without a library or a script.

Colours come from the page's style sheet by class, so a chart follows its light or dark theme.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 76, 84, 14, 26
"""The drawing's width and margins in its own units; it scales to the page."""

_NOTHING = 1e-100
SHORT_SPAN_DAYS = 92
"""Up to this span the axis names days in place of months."""


class Beside(NamedTuple):
    """Another line on a chart, on days of its own between the chart's first and last."""

    name: str
    days: Sequence[dt.date]
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """One series to draw: equal numbers of days (ascending) and values.

    ``label`` writes a value on the axis and at the end of the line. ``baseline`` is the value the
    area reaches to, and a dashed line at it (None: no area). ``tone`` is the colour's class.
    ``mark`` is the index of a point to name, with ``mark_label`` beside it. ``beside`` are other
    lines in the same units; with them a legend names all. ``ticks`` are the values named at the
    left where they are not the round ones.
    """

    title: str
    days: Sequence[dt.date]
    values: Sequence[float]
    label: Callable[[float], str]
    height: int = 260
    width: int = WIDTH
    baseline: float | None = None
    tone: str = "series"
    mark: int | None = None
    mark_label: str = ""
    beside: Sequence[Beside] = ()
    ticks: Sequence[float] = ()


class _Scale(NamedTuple):
    first: int
    last: int
    low: float
    high: float
    height: int
    width: int

    def x(self, day: dt.date) -> float:
        share = (day.toordinal() - self.first) / max(self.last - self.first, 1)
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)


def line_chart(chart: Chart) -> str:
    """The chart as one ``<svg>`` element; a sentence in its place when there are under two days."""
    if len(chart.days) < 2:  # noqa: PLR2004  # a line needs two points
        return f'<p class="note">{escape(chart.title)}: needs at least two days.</p>'
    reach = [*chart.values, *(value for line in chart.beside for value in line.values)]
    reach += [] if chart.baseline is None else [chart.baseline]
    ticks = chart.ticks or value_ticks(min(reach), max(reach))
    low, high = min(ticks[0], *reach), max(ticks[-1], *reach)
    first, last = chart.days[0].toordinal(), chart.days[-1].toordinal()
    scale = _Scale(first, last, low, high, chart.height, chart.width)
    parts = [
        *(_value_line(scale, tick, chart.label(tick)) for tick in ticks),
        *_day_lines(scale, chart.days[0], chart.days[-1]),
        *(_other(scale, line, place) for place, line in enumerate(chart.beside, start=2)),
        *_series(chart, scale),
        *_labels(chart, scale),
    ]
    title = escape(chart.title, quote=True)
    return (
        f'<svg class="chart {chart.tone}" viewBox="0 0 {chart.width} {chart.height}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>{_legend(chart)}'
    )


def value_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About ``wanted`` round values (steps of 1, 2 or 5 times a power of ten) spanning both ends.

    The first is not above ``low``, the last not below ``high``.
    """
    spread = next((size for size in (high - low, abs(high)) if size > _NOTHING), 1.0)
    raw = spread / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(start, max(stop, start + 1) + 1)]


def growth_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten: the last not above ``low`` to the first not below ``high``.

    For a scale of logarithms, where equal growth is equally high; both are above 0.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [m * 10.0**power for power in powers for m in (1, 2, 5)]
    first = max(n for n, step in enumerate(steps) if step <= low * (1 + 1e-9))
    last = min(n for n, step in enumerate(steps) if step >= high * (1 - 1e-9))
    return steps[first : last + 1]


def day_ticks(first: dt.date, last: dt.date, wanted: int = 9) -> list[dt.date]:
    """Round dates inside a span, at most ``wanted``: firsts of months, quarters or years.

    A span of up to three months has evenly spaced days from its first.
    """
    span = (last - first).days
    if span <= SHORT_SPAN_DAYS:
        every = max(math.ceil(span / (wanted - 1)), 1)
        return [first + dt.timedelta(days=n) for n in range(0, span + 1, every)]
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60, 120) if months / s <= wanted), 240)
    start = first.year * 12 + first.month - 1
    found = range(start + -start % step, start + months + 1, step)
    days = [dt.date(n // 12, n % 12 + 1, 1) for n in found]
    return [day for day in days if first <= day]


def _value_line(scale: _Scale, value: float, label: str) -> str:
    y = scale.y(value)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{scale.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
        f"{escape(label)}</text>"
    )


def _day_lines(scale: _Scale, first: dt.date, last: dt.date) -> list[str]:
    floor = scale.height - BOTTOM
    ticks = day_ticks(first, last, wanted=max(scale.width // 105, 2))
    form = "%b %Y"
    if any(day.day != 1 for day in ticks):
        form = "%d %b"
    elif all(day.month == 1 for day in ticks):
        form = "%Y"
    parts = []
    for day in ticks:
        x = scale.x(day)
        parts.append(
            f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 5}"/>'
            f'<text class="axis" x="{x:.1f}" y="{floor + 19}" text-anchor="middle">'
            f"{day:{form}}</text>"
        )
    return parts


def _points(scale: _Scale, days: Sequence[dt.date], values: Sequence[float]) -> list[str]:
    found = zip(days, values, strict=True)
    return [f"{scale.x(day):.1f},{scale.y(value):.1f}" for day, value in found]


def _other(scale: _Scale, line: Beside, place: int) -> str:
    points = " ".join(_points(scale, line.days, line.values))
    return f'<polyline class="line other{place}" points="{points}"/>'


def _legend(chart: Chart) -> str:
    """The names of all lines, where there are several; the chart's own is drawn in its tone."""
    if not chart.beside:
        return ""
    named = [("own", chart.title), *((f"slot{n}", b.name) for n, b in enumerate(chart.beside, 2))]
    items = "".join(f'<li><i class="{slot}"></i>{escape(name)}</li>' for slot, name in named)
    return f'<ul class="legend">{items}</ul>'


def _series(chart: Chart, scale: _Scale) -> list[str]:
    points = _points(scale, chart.days, chart.values)
    line = f'<polyline class="line" points="{" ".join(points)}"/>'
    if chart.baseline is None:
        return [line]
    y = scale.y(chart.baseline)
    ends = f"{scale.x(chart.days[-1]):.1f},{y:.1f} {LEFT},{y:.1f}"
    return [
        f'<polygon class="area" points="{" ".join(points)} {ends}"/>',
        f'<line class="zero" x1="{LEFT}" x2="{scale.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
        line,
    ]


def _labels(chart: Chart, scale: _Scale) -> list[str]:
    x, y = scale.x(chart.days[-1]), scale.y(chart.values[-1])
    end = (
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        f'<text class="value" x="{x + 9:.1f}" y="{y + 4:.1f}">'
        f"{escape(chart.label(chart.values[-1]))}</text>"
    )
    return [end] if chart.mark is None else [end, _mark(chart, scale, chart.mark)]


def _mark(chart: Chart, scale: _Scale, index: int) -> str:
    x, y = scale.x(chart.days[index]), scale.y(chart.values[index])
    on_right = x > scale.width / 2
    anchor, beside = ("end", x - 9) if on_right else ("start", x + 9)
    return (
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        f'<text class="value" x="{beside:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">'
        f"{escape(chart.mark_label)}</text>"
    )
