"""A curve over a threshold: what each value would have made, the present one marked."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from goldenthread.reports.plots.plane import Plane, below, drawing, levels, reach, word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENOUGH = 2


@dataclass(frozen=True)
class Curve:
    """``values`` at ascending ``thresholds``; ``present`` is the place of the one in force.

    ``bounds`` are the interval around each value, None where there is none.
    """

    title: str
    thresholds: Sequence[float]
    values: Sequence[float]
    bounds: Sequence[tuple[float, float] | None]
    present: int | None
    label: Callable[[float], str]


def curve_chart(curve: Curve) -> str:
    """The curve as one ``<svg>`` element; a sentence in its place below two thresholds."""
    if len(curve.thresholds) < _ENOUGH:
        return f'<p class="note">{escape(curve.title)}: one threshold only.</p>'
    bounds = [value for pair in curve.bounds if pair for value in pair]
    span, ticks = reach(curve.values, 0.0, *bounds)
    plane = Plane((curve.thresholds[0], curve.thresholds[-1]), span)
    across = reach(curve.thresholds)[1]
    inside = [x for x in across if curve.thresholds[0] <= x <= curve.thresholds[-1]]
    points = " ".join(_at(plane, x, y) for x, y in zip(curve.thresholds, curve.values, strict=True))
    parts = [
        *levels(plane, ticks, curve.label),
        *below(plane, inside, lambda x: f"{x:.6g}"),
        _band(plane, curve),
        f'<polyline class="line" points="{points}"/>',
        *_marked(plane, curve),
    ]
    return drawing(plane, curve.title, parts)


def _band(plane: Plane, curve: Curve) -> str:
    known = [(x, pair) for x, pair in zip(curve.thresholds, curve.bounds, strict=True) if pair]
    above = [_at(plane, x, pair[1]) for x, pair in known]
    under = [_at(plane, x, pair[0]) for x, pair in reversed(known)]
    return f'<polygon class="area" points="{" ".join([*above, *under])}"/>' if known else ""


def _marked(plane: Plane, curve: Curve) -> list[str]:
    if curve.present is None:
        return []
    at = curve.thresholds[curve.present]
    x, y = plane.at(at, curve.values[curve.present])
    return [
        (
            f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="{plane.at(at, plane.y[1])[1]:.1f}" '
            f'y2="{plane.floor}"/><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        ),
        word(plane, x, f"now {at:.6g}", row=1),
    ]


def _at(plane: Plane, x: float, y: float) -> str:
    across, up = plane.at(x, y)
    return f"{across:.1f},{up:.1f}"
