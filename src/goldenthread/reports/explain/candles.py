"""A candle chart as inline SVG: sessions across, prices up, levels as steps, marks with words."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.reports.charts import value_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WIDTH, HEIGHT = 960, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 22, 30
_INSET = 40
"""Room above and below all prices for words."""
_APART = 15
"""The least distance between two lines of words."""
_DATES = 8
_LETTER = 7.2
"""About how wide a letter of a mark's words is."""


class Candle(NamedTuple):
    """One session's prices."""

    ds: dt.date
    open: float
    high: float
    low: float
    close: float


class Level(NamedTuple):
    """A price that held from a date on, and those it moved to; ``last`` is where it ends.

    ``tone`` is the colour's class: ``entry``, ``stop`` or ``target``.
    """

    label: str
    tone: str
    steps: tuple[tuple[dt.date, float], ...]
    last: dt.date


class Mark(NamedTuple):
    """Something that happened at a price; ``below`` puts its arrow and words under the candle."""

    ds: dt.date
    price: float
    words: str
    tone: str
    below: bool


@dataclass(frozen=True)
class CandleChart:
    """What to draw: candles oldest first, levels and marks in the same units.

    ``decided`` is the date of the decision, a line from top to bottom.
    """

    title: str
    decided: dt.date
    candles: Sequence[Candle]
    levels: Sequence[Level]
    marks: Sequence[Mark]
    label: Callable[[float], str]


class _Scale(NamedTuple):
    days: Sequence[dt.date]
    low: float
    high: float

    @property
    def step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / len(self.days)

    def x(self, ds: dt.date) -> float:
        """The middle of the session of ``ds``, or of the next one there is."""
        at = min(bisect_left(self.days, ds), len(self.days) - 1)
        return LEFT + (at + 0.5) * self.step

    def end(self, ds: dt.date) -> float:
        """The right edge of the last session up to ``ds``."""
        return LEFT + max(bisect_right(self.days, ds), 1) * self.step

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - _INSET - share * (HEIGHT - TOP - BOTTOM - 2 * _INSET)


def candle_chart(chart: CandleChart) -> str:
    """The chart as one ``<svg>`` element; a sentence in its place when there is no candle."""
    if not chart.candles:
        return f'<p class="note">{escape(chart.title)}: there are no bars to draw.</p>'
    reach = [p for c in chart.candles for p in (c.low, c.high)]
    reach += [p for level in chart.levels for _, p in level.steps] + [m.price for m in chart.marks]
    ticks = value_ticks(min(reach), max(reach))
    scale = _Scale([c.ds for c in chart.candles], ticks[0], ticks[-1])
    parts = [
        *(_price_line(scale, tick, chart.label(tick)) for tick in ticks),
        *_dates(scale),
        _decision(scale, chart.decided),
        *(_candle(scale, candle) for candle in chart.candles),
        *(_level(scale, level) for level in chart.levels),
        *_level_labels(scale, chart.levels),
        *_marks(scale, chart.marks, chart.candles),
    ]
    title = escape(chart.title, quote=True)
    return (
        f'<svg class="chart candles" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _price_line(scale: _Scale, value: float, label: str) -> str:
    y = scale.y(value)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
        f"{escape(label)}</text>"
    )


def _dates(scale: _Scale) -> Iterable[str]:
    floor = HEIGHT - BOTTOM
    for ds in scale.days[:: max(len(scale.days) // _DATES, 1)]:
        x = scale.x(ds)
        yield (
            f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 5}"/>'
            f'<text class="axis" x="{x:.1f}" y="{floor + 20}" text-anchor="middle">'
            f"{ds:%d %b %y}</text>"
        )


def _decision(scale: _Scale, ds: dt.date) -> str:
    x = scale.end(ds)
    return (
        f'<line class="zero" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="axis" x="{x:.1f}" y="{TOP - 8}" text-anchor="middle">decided</text>'
    )


def _candle(scale: _Scale, candle: Candle) -> str:
    x, half = scale.x(candle.ds), max(scale.step * 0.32, 0.5)
    top, foot = scale.y(max(candle.open, candle.close)), scale.y(min(candle.open, candle.close))
    tone = "up" if candle.close >= candle.open else "down"
    told = (
        f"{candle.ds}: open {candle.open:g}, high {candle.high:g}, low {candle.low:g}, "
        f"close {candle.close:g}"
    )
    return (
        f'<g class="{tone}"><title>{told}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{scale.y(candle.high):.1f}" '
        f'y2="{scale.y(candle.low):.1f}"/>'
        f'<rect x="{x - half:.1f}" y="{top:.1f}" width="{2 * half:.1f}" '
        f'height="{max(foot - top, 1):.1f}"/></g>'
    )


def _level(scale: _Scale, level: Level) -> str:
    ends = [scale.end(ds) for ds, _ in level.steps[1:]] + [scale.end(level.last)]
    at, points = scale.end(level.steps[0][0]), []
    for (_, value), end in zip(level.steps, ends, strict=True):
        y = scale.y(value)
        points += [f"{at:.1f},{y:.1f}", f"{end:.1f},{y:.1f}"]
        at = end
    return f'<polyline class="level {level.tone}" points="{" ".join(points)}"/>'


def _level_labels(scale: _Scale, levels: Sequence[Level]) -> Iterable[str]:
    """The name of each level at the right, highest first, pushed apart where they would touch."""
    above = float("-inf")
    for level in sorted(levels, key=lambda level: -level.steps[-1][1]):
        y = max(scale.y(level.steps[-1][1]) + 4, above + _APART)
        above = y
        yield (
            f'<text class="named {level.tone}" x="{WIDTH - RIGHT + 8}" y="{y:.1f}">'
            f"{escape(level.label)}</text>"
        )


def _marks(scale: _Scale, marks: Sequence[Mark], candles: Sequence[Candle]) -> Iterable[str]:
    """The marks in their order; words keep clear of candles and of the words before them."""
    placed: list[tuple[float, float, float]] = []
    for mark in marks:
        half = len(mark.words) * _LETTER / 2
        middle = min(max(scale.x(mark.ds), LEFT + half), WIDTH - RIGHT - half)
        beside = [c for c in candles if abs(scale.x(c.ds) - middle) < half + scale.step]
        y, away = scale.y(mark.price), 1 if mark.below else -1
        edges = [scale.y(c.low if mark.below else c.high) for c in beside]
        words = max([y + 11, *edges]) + 17 if mark.below else min([y - 11, *edges]) - 7
        while any(
            abs(words - row) < _APART and abs(middle - at) < half + h for at, h, row in placed
        ):
            words += away * _APART
        placed.append((middle, half, words))
        yield _mark(scale, mark, (middle, words))


def _mark(scale: _Scale, mark: Mark, at: tuple[float, float]) -> str:
    """An arrow at the price, its words at ``at``, and a thin line between them."""
    x, y, (middle, words) = scale.x(mark.ds), scale.y(mark.price), at
    way = 1 if mark.below else -1
    foot = y + way * 11
    return (
        f'<line class="leader" x1="{x:.1f}" x2="{x:.1f}" y1="{foot:.1f}" y2="{words:.1f}"/>'
        f'<path class="mark {mark.tone}" d="M{x:.1f} {y + way * 2:.1f}L{x - 6:.1f} {foot:.1f}'
        f'L{x + 6:.1f} {foot:.1f}Z"/>'
        f'<text class="value" x="{middle:.1f}" y="{words:.1f}" text-anchor="middle">'
        f"{escape(mark.words)}</text>"
    )
