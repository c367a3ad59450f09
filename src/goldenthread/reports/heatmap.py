"""A map of two parameters: one figure for each pair of values, as a table and as inline SVG.

Sweeps vary more than two parameters, so a cell stands for many results: by ``median`` what the
pair does usually, by ``best`` what it can do at most. The drawing says which. Colours run from
blue over pale to orange around zero, or from pale to blue where no sign changes; both are told
apart by every kind of colour vision, and the figure stands in the cell where there is room.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

import polars as pl

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Over = Literal["best", "median"]

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 110, 20, 44, 56
_LOWEST, _HIGHEST = 18, 44
_ROOM_FOR_TEXT = 46
_NAMES_ACROSS, _NAMES_DOWN = 20, 40
_BLUE, _PALE, _ORANGE = (16, 62, 120), (244, 241, 232), (178, 80, 8)
_NOTHING = "#ffffff"
_DARK = 140.0
_SVG = "http://www.w3.org/2000/svg"
_TEXT, _EDGE = "#555555", "#c8c8c8"

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Heatmap:
    """``cells[row][column]`` for ascending values of two parameters; None where none is known.

    ``others`` names the parameters a cell is the best or the median over, ``counts`` how many
    results stand behind each cell.
    """

    across: str
    down: str
    figure: str
    over: Over
    others: tuple[str, ...]
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    cells: tuple[tuple[float | None, ...], ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def title(self) -> str:
        """What is shown, in words."""
        rest = f", {self.over} over {', '.join(self.others)}" if self.others else ""
        return f"{self.figure} by {self.across} and {self.down}{rest}"

    def table(self) -> pl.DataFrame:
        """One row a value of ``down``, one column a value of ``across``."""
        names = [f"{value:g}" for value in self.columns]
        found = {n: [row[at] for row in self.cells] for at, n in enumerate(names)}
        kinds = dict.fromkeys(names, pl.Float64)
        return pl.DataFrame({self.down: self.rows}).hstack(pl.DataFrame(found, schema=kinds))


def heatmap(
    results: pl.DataFrame,
    axes: tuple[str, str],
    figure: str,
    parameters: Sequence[str],
    over: Over = "median",
) -> Heatmap:
    """The map of ``figure`` over two parameters of a sweep.

    Args:
        results: One row a permutation, with a column for each parameter and for the figure;
            null and NaN figures are left out.
        axes: The parameters across and down.
        figure: The column to show.
        parameters: All that were varied; those not on an axis are summed up.
        over: ``median`` or ``best`` (the highest: turn the sign of what should be low).

    Raises:
        UsageError: An axis is no parameter, both are one, or a column is missing.
    """
    across, down = axes
    wrong = [name for name in axes if name not in parameters]
    missing = [name for name in (*parameters, figure) if name not in results.columns]
    if wrong or missing or across == down:
        msg = (
            f"a map of {figure} by {across} and {down} needs two different parameters that were"
            f" varied ({', '.join(parameters)}) and a figure of the results"
            f" ({', '.join(c for c in results.columns if c not in parameters)})"
        )
        raise UsageError(msg)
    value = pl.col(figure).cast(pl.Float64).fill_nan(None)
    cell = value.median() if over == "median" else value.max()
    found = results.group_by(down, across).agg(cell.alias("cell"), value.count().alias("count"))
    known = {(row[0], row[1]): row[2:] for row in found.iter_rows()}
    rows, columns = (tuple(sorted(results[name].unique())) for name in (down, across))
    return Heatmap(
        across=across,
        down=down,
        figure=figure,
        over=over,
        others=tuple(name for name in parameters if name not in axes),
        columns=columns,
        rows=rows,
        cells=tuple(tuple(known.get((r, c), (None, 0))[0] for c in columns) for r in rows),
        counts=tuple(tuple(known.get((r, c), (None, 0))[1] for c in columns) for r in rows),
    )


def heatmap_svg(shown: Heatmap, label: Callable[[float], str]) -> str:
    """The map as one ``<svg>`` element that stands alone; ``label`` writes a figure.

    A sentence in its place when there is no cell with a figure.
    """
    title = escape(shown.title, quote=True)
    known = [cell for row in shown.cells for cell in row if cell is not None]
    if not known:
        return f'<p class="note">{title}: no result has this figure.</p>'
    size = min(max(420 // len(shown.rows), _LOWEST), _HIGHEST)
    height = _TOP + size * len(shown.rows) + _BOTTOM
    parts = [*_cells(shown, size, label), *_names(shown, size, height)]
    return (
        f'<svg xmlns="{_SVG}" class="heatmap" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-label="{title}" font-family="sans-serif" font-size="12"><title>{title}</title>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="24" font-size="15" fill="#222222">{title}</text>'
        f"{''.join(parts)}</svg>"
    )


def colour(value: float, low: float, high: float) -> Colour:
    """The red, green and blue of a figure between the lowest and the highest shown.

    Where figures of both signs are shown zero is pale, and equal sizes are equally strong.
    """
    if low < 0 < high:
        share = value / max(-low, high)
        return _between(_PALE, _BLUE if share > 0 else _ORANGE, abs(share))
    reach = (high - low) or 1.0
    if high <= 0:
        return _between(_PALE, _ORANGE, (high - value) / reach)
    return _between(_PALE, _BLUE, (value - low) / reach)


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _width(shown: Heatmap) -> float:
    return (_WIDTH - _LEFT - _RIGHT) / len(shown.columns)


def _cells(shown: Heatmap, size: int, label: Callable[[float], str]) -> list[str]:
    known = [cell for row in shown.cells for cell in row if cell is not None]
    low, high = min(known), max(known)
    width = _width(shown)
    parts = []
    for down, row in enumerate(shown.cells):
        for across, cell in enumerate(row):
            x, y = _LEFT + across * width, _TOP + down * size
            paint = (
                _NOTHING if cell is None else "#{:02x}{:02x}{:02x}".format(*colour(cell, low, high))
            )
            words = "no result" if cell is None else label(cell)
            said = f"{shown.across} {shown.columns[across]:g}, {shown.down} {shown.rows[down]:g}"
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width - 2:.1f}" height="{size - 2}"'
                f' fill="{paint}" stroke="{_EDGE if cell is None else paint}">'
                f"<title>{escape(f'{said}: {words}')}</title></rect>"
            )
            if cell is not None and width >= _ROOM_FOR_TEXT:
                parts.append(_figure((x + width / 2, y + size / 2 + 4), words, paint))
    return parts


def _figure(at: tuple[float, float], words: str, paint: str) -> str:
    red, green, blue = (int(paint[i : i + 2], 16) for i in (1, 3, 5))
    ink = "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < _DARK else "#111111"
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="middle" fill="{ink}">'
        f"{escape(words)}</text>"
    )


def _names(shown: Heatmap, size: int, height: int) -> list[str]:
    """The values along both axes, thinned out where there are many, and the axes' names."""
    width = _width(shown)
    below = _TOP + size * len(shown.rows)
    parts = []
    for at in range(0, len(shown.columns), -(-len(shown.columns) // _NAMES_ACROSS)):
        x = _LEFT + (at + 0.5) * width
        parts.append(_word((x, below + 16), f"{shown.columns[at]:g}", "middle"))
    for at in range(0, len(shown.rows), -(-len(shown.rows) // _NAMES_DOWN)):
        y = _TOP + (at + 0.5) * size + 4
        parts.append(_word((_LEFT - 8, y), f"{shown.rows[at]:g}", "end"))
    middle = _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
    parts.append(_word((middle, height - 14), shown.across, "middle"))
    parts.append(_word((8, _TOP - 8), shown.down, "start"))
    return parts


def _word(at: tuple[float, float], words: str, anchor: str) -> str:
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" fill="{_TEXT}">'
        f"{escape(words)}</text>"
    )
