"""Spans of time in rows: which version of each strategy was in force when."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.reports.charts import day_ticks
from goldenthread.reports.plots.plane import Plane, drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _NAMES, _ROW, _EDGE = 960, 190, 24, 54
_SLOTS = 4


class InForce(NamedTuple):
    """One thing in force in a row from a day until another, itself excluded."""

    row: str
    name: str
    first: dt.date
    until: dt.date


def span_chart(title: str, spans: Sequence[InForce], first: dt.date, last: dt.date) -> str:
    """The spans inside the two dates as one ``<svg>`` element, a row for each name."""
    inside = [span for span in spans if span.first <= last and span.until > first]
    if not inside or first >= last:
        return f'<p class="note">{escape(title)}: nothing to show yet.</p>'
    rows = sorted({span.row for span in inside})
    ends = (float(first.toordinal()), float(last.toordinal() + 1))
    plane = Plane(ends, (0.0, float(len(rows))), _WIDTH, _ROW * len(rows) + _EDGE, _NAMES)
    parts = [*_names(plane, rows), *_days(plane, first, last)]
    for number, row in enumerate(rows):
        own = sorted((s for s in inside if s.row == row), key=lambda span: span.first)
        parts += [_span(plane, len(rows) - number, n, span) for n, span in enumerate(own)]
    return drawing(plane, title, parts, "spans")


def _names(plane: Plane, rows: Sequence[str]) -> list[str]:
    top = [plane.at(plane.x[0], len(rows) - n - 0.5)[1] for n in range(len(rows))]
    return [
        f'<text class="axis" x="{plane.left - 10}" y="{y + 4:.1f}" text-anchor="end">'
        f"{escape(row)}</text>"
        for y, row in zip(top, rows, strict=True)
    ]


def _days(plane: Plane, first: dt.date, last: dt.date) -> list[str]:
    return [
        f'<text class="axis" x="{plane.at(day.toordinal(), 0)[0]:.1f}" y="{plane.floor + 17}" '
        f'text-anchor="middle">{day:%d %b %Y}</text>'
        for day in day_ticks(first, last, wanted=7)
    ]


def _span(plane: Plane, top: int, number: int, span: InForce) -> str:
    start = max(float(span.first.toordinal()), plane.x[0])
    end = min(float(span.until.toordinal()), plane.x[1])
    left, above = plane.at(start, top - 0.15)
    right, under = plane.at(end, top - 0.85)
    hint = escape(f"{span.row} {span.name}: {span.first} to {span.until}")
    return (
        f'<rect class="slot{number % _SLOTS + 1}" x="{left:.1f}" y="{above:.1f}" '
        f'width="{max(right - left - 1, 1):.1f}" height="{under - above:.1f}">'
        f"<title>{hint}</title></rect>"
    )
