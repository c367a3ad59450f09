"""A plane to draw on: two scales of numbers, their round values, and the ``<svg>`` around it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from goldenthread.reports.charts import value_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

WIDTH, HEIGHT = 470, 240
"""Half the page's width, in the drawing's own units; it scales to the place it has."""

LEFT, RIGHT, TOP, BOTTOM = 66, 34, 16, 38

Span = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """Where numbers lie on a drawing of ``width`` by ``height``: ``x`` from left, ``y`` upwards."""

    x: Span
    y: Span
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    @property
    def right(self) -> int:
        """The right end of the plane."""
        return self.width - RIGHT

    @property
    def floor(self) -> int:
        """The lower end of the plane."""
        return self.height - BOTTOM

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The point of the drawing where the two numbers meet."""
        across = self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)
        up = (y - self.y[0]) / (self.y[1] - self.y[0]) * (self.floor - TOP)
        return across, self.floor - up


def reach(values: Iterable[float], *more: float) -> tuple[Span, list[float]]:
    """A span of round ends that holds all values, and the round values in it."""
    known = [*values, *more]
    ticks = value_ticks(min(known), max(known))
    return (ticks[0], ticks[-1]), ticks


def levels(plane: Plane, ticks: Sequence[float], label: Callable[[float], str]) -> list[str]:
    """A line across for each value, named at its left; zero is the strong one."""
    parts = []
    for value in ticks:
        _, y = plane.at(plane.x[0], value)
        kind = "zero" if value == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{plane.left}" x2="{plane.right}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text class="axis" x="{plane.left - 7}" y="{y + 4:.1f}" '
            f'text-anchor="end">{escape(label(value))}</text>'
        )
    return parts


def below(plane: Plane, ticks: Sequence[float], label: Callable[[float], str]) -> list[str]:
    """Each value named under the plane."""
    return [word(plane, plane.at(x, plane.y[0])[0], label(x)) for x in ticks]


def word(plane: Plane, x: float, text: str, row: int = 0) -> str:
    """A word under the plane at a place across, in the first row or the second."""
    y = plane.floor + 16 + 15 * row
    return f'<text class="axis" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def drawing(plane: Plane, title: str, parts: Iterable[str], kind: str = "series") -> str:
    """The parts as one ``<svg>`` element that says what it shows."""
    said = escape(title, quote=True)
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {plane.width} {plane.height}" role="img" '
        f'aria-label="{said}"><title>{said}</title>{"".join(parts)}</svg>'
    )
