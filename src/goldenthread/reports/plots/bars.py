"""Bars from zero: a figure for each name, gains up and losses down."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from goldenthread.reports.plots.plane import Plane, drawing, levels, reach, word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAMED = 14
"""How many bars have their figure written at them."""

_WORDS = 9
"""About how many names fit under a drawing."""


@dataclass(frozen=True)
class Bars:
    """A figure for each name, in their order; ``label`` writes one.

    ``signed`` colours by the sign of the figure; else ``losing`` counts the bars from the left
    that stand for losses. Where names are too many only some are written.
    """

    title: str
    names: Sequence[str]
    values: Sequence[float]
    label: Callable[[float], str]
    signed: bool = True
    losing: int = 0


def bar_chart(chart: Bars) -> str:
    """The bars as one ``<svg>`` element; a sentence in its place where there are none."""
    if not chart.values:
        return f'<p class="note">{escape(chart.title)}: nothing to show yet.</p>'
    highest, lowest = max(chart.values), min(chart.values)
    room = (max(highest, 0.0) - min(lowest, 0.0)) / 12 if _is_written(chart) else 0.0
    span, ticks = reach([highest + room, lowest - room if lowest < 0 else 0.0], 0.0)
    plane = Plane((0.0, float(len(chart.values))), span)
    every = -(-len(chart.names) // _WORDS)
    parts = levels(plane, ticks, chart.label)
    for place, (name, value) in enumerate(zip(chart.names, chart.values, strict=True)):
        parts.append(_bar(chart, plane, place, value))
        if place % every == 0:
            parts.append(word(plane, plane.at(place + 0.5, 0)[0], name))
    return drawing(plane, chart.title, parts)


def _bar(chart: Bars, plane: Plane, place: int, value: float) -> str:
    loses = value < 0 if chart.signed else place < chart.losing
    x, zero = plane.at(place + 0.12, 0.0)
    end, top = plane.at(place + 0.88, value)
    hint = escape(f"{chart.names[place]}: {chart.label(value)}")
    shape = (
        f'<rect class="{"down" if loses else "up"}" x="{x:.1f}" y="{min(top, zero):.1f}" '
        f'width="{end - x:.1f}" height="{abs(zero - top):.1f}"><title>{hint}</title></rect>'
    )
    if not _is_written(chart):
        return shape
    above = top - 4 if value >= 0 else top + 13
    return (
        f'{shape}<text class="value" x="{(x + end) / 2:.1f}" y="{above:.1f}" '
        f'text-anchor="middle">{escape(chart.label(value))}</text>'
    )


def _is_written(chart: Bars) -> bool:
    """Whether each bar has its figure at its end."""
    return chart.signed and len(chart.values) <= _NAMED
