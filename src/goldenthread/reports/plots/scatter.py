"""A cloud of points: two figures of each trade, one across and one upwards."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.reports.plots.plane import Plane, below, drawing, levels, reach, word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_NAMED = 1_000
"""Above this many points they no longer say whose they are: the page would grow for nobody."""


class Point(NamedTuple):
    """One trade: two figures, and its name."""

    x: float
    y: float
    name: str


@dataclass(frozen=True)
class Cloud:
    """Points to draw, what is across and upwards, and how either is written."""

    title: str
    across: str
    points: Sequence[Point]
    label: Callable[[float], str]


def scatter(cloud: Cloud) -> str:
    """The points as one ``<svg>`` element, gains and losses in their colours; else a sentence."""
    if not cloud.points:
        return f'<p class="note">{escape(cloud.title)}: nothing to show yet.</p>'
    x_span, x_ticks = reach((p.x for p in cloud.points), 0.0)
    y_span, y_ticks = reach((p.y for p in cloud.points), 0.0)
    plane = Plane(x_span, y_span)
    named = len(cloud.points) <= MOST_NAMED
    parts = [
        *levels(plane, y_ticks, cloud.label),
        *below(plane, x_ticks, cloud.label),
        word(plane, (plane.left + plane.right) / 2, cloud.across, row=1),
        *(_dot(plane, point, cloud.label, named=named) for point in cloud.points),
    ]
    return drawing(plane, cloud.title, parts, "cloud")


def _dot(plane: Plane, point: Point, label: Callable[[float], str], *, named: bool) -> str:
    x, y = plane.at(point.x, point.y)
    shape = f'<circle class="{"up" if point.y > 0 else "down"}" cx="{x:.1f}" cy="{y:.1f}" r="3"'
    if not named:
        return f"{shape}/>"
    hint = escape(f"{point.name}: {label(point.x)}, ended {label(point.y)}")
    return f"{shape}><title>{hint}</title></circle>"
