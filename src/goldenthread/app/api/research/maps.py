"""The map of two parameters of a sweep: its table, and a drawing kept beside the sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.errors import UsageError
from goldenthread.reports.heatmap import Heatmap, Over, heatmap, heatmap_svg
from goldenthread.research.sweep.sweeping import LESS_IS_BETTER

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.sweep.sweeping import Sweep

_PAIR = 2


@dataclass(frozen=True)
class DrawnMap:
    """The objective by two parameters, and the file that draws it."""

    shown: Heatmap
    file: Path

    @property
    def title(self) -> str:
        """What is shown, in words."""
        return self.shown.title


def draw_map(sweep: Sweep, axes: str, over: Over) -> DrawnMap:
    """The map of a sweep's objective, written as an SVG file beside the sweep.

    Args:
        sweep: A finished sweep of two parameters or more.
        axes: The parameters across and down, e.g. ``rsi_max,stop_atr``.
        over: What a cell is over the parameters on no axis: their ``best`` or their ``median``.

    Raises:
        UsageError: ``axes`` are not two different parameters that were varied, or no
            permutation has the objective.
    """
    names = [name.strip() for name in axes.split(",")]
    if len(names) != _PAIR:
        msg = f"--map got {axes!r}; it takes two of {', '.join(sweep.axes)}, e.g. --map one,other"
        raise UsageError(msg)
    pair, objective = (names[0], names[1]), str(sweep.manifest["objective"])
    shown = _shown(sweep, pair, objective, over)
    if not any(count for row in shown.counts for count in row):
        msg = f"no permutation of {sweep.sweep_id} has a {objective}; try another --objective"
        raise UsageError(msg)
    file = sweep.store.folder / f"map-{names[0]}-{names[1]}-{over}.svg"
    file.write_text(heatmap_svg(shown, "{:#.3g}".format), encoding="utf-8")
    return DrawnMap(shown, file)


def _shown(sweep: Sweep, pair: tuple[str, str], objective: str, over: Over) -> Heatmap:
    """The map; where less is better the best is the smallest."""
    if objective not in LESS_IS_BETTER:
        return heatmap(sweep.figures, pair, objective, sweep.axes, over)
    turned = heatmap(
        sweep.figures.with_columns(-pl.col(objective)), pair, objective, sweep.axes, over
    )
    cells = tuple(tuple(None if c is None else -c for c in row) for row in turned.cells)
    return replace(turned, cells=cells)
