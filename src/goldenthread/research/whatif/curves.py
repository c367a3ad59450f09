"""P&L, trades and drawdown against the threshold of a filter, from recorded values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.reports.bootstrap import block_days, sum_interval
from goldenthread.research.whatif.dial import Dial, thresholds
from goldenthread.rules.tape import BoolArray, FloatArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.research.whatif.candidates import Candidates
    from goldenthread.signals.compilation import CompiledStrategy

READ = {
    "symbol": pl.String,
    "signal_ds": pl.Date,
    "name": pl.String,
    "value": pl.Float64,
    "threshold": pl.Float64,
    "passed": pl.Boolean,
}
"""The columns of recorded verdicts, those of a filter and of its terms."""

CURVE = {
    "threshold": pl.Float64,
    "present": pl.Boolean,
    "passed": pl.Int64,
    "trades": pl.Int64,
    "net_pnl": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "max_drawdown": pl.Float64,
}
"""The columns of a curve; see ``curve``."""


class Turned(NamedTuple):
    """Verdicts of n candidates in their order, ready to be asked again at other thresholds.

    ``moved`` says whose version has the dial; the others stay as they were recorded (``stands``).
    ``truths`` are what each term said, ``values`` and ``own`` the value and the threshold of the
    dial's.
    """

    dial: Dial
    moved: BoolArray
    stands: BoolArray
    truths: Sequence[FloatArray]
    values: FloatArray
    own: FloatArray

    def passes(self, threshold: float) -> BoolArray:
        """Who passes the filter at a threshold; at its own, as was recorded. Null never passes."""
        at = self.dial.place
        recorded = self.own == threshold
        said = np.where(recorded, self.truths[at], self.dial.holds(self.values, threshold))
        terms = [*self.truths[:at], said, *self.truths[at + 1 :]]
        found: BoolArray = np.where(self.moved, self.dial.filter.passes(terms), self.stands)
        return found


def turned(
    candidates: Candidates,
    verdicts: pl.DataFrame,
    dial: Dial,
    versions: Mapping[str, CompiledStrategy],
) -> Turned:
    """The recorded verdicts of a dial's filter beside the candidates they are of.

    ``verdicts`` has the columns ``READ``, a row a filter or term; what is missing is null.
    """
    single, name = len(dial.filter.terms) == 1, dial.filter.name
    names = [name if single else f"{name}[{at}]" for at in range(1, len(dial.filter.terms) + 1)]
    terms = [_beside(candidates.rows, verdicts.filter(name=term)) for term in names]
    having = [key for key, version in versions.items() if dial.is_in(version)]
    chosen = terms[dial.place]
    return Turned(
        dial=dial,
        moved=candidates.rows["version_key"].is_in(having).to_numpy(),
        stands=~candidates.failed[name],
        truths=[_truth(term) for term in terms],
        values=_floats(chosen["value"]),
        own=_floats(chosen["threshold"]),
    )


def curve(candidates: Candidates, turned: Turned) -> pl.DataFrame:
    """What the strategy would have made at each threshold of one filter, all others as recorded.

    Returns:
        One row a threshold, ascending: whether it is the ``present`` one, how many signals
        ``passed`` all filters, the ``trades`` that closed, their ``net_pnl``, its ``difference``
        to that of the present threshold with the bounds ``low`` and ``high`` of its interval
        (``bootstrap.LEVEL``, over days of exit; null in too short a span), and ``max_drawdown``
        as a positive fraction of the peak.
    """
    present = turned.dial.threshold
    others = candidates.passing(without=turned.dial.filter.name)
    tried = thresholds(np.where(turned.moved, turned.values, np.nan), present)
    passing = {at: others & turned.passes(at) for at in tried}
    made = {at: candidates.made(passes) for at, passes in passing.items()}
    now = made[present]
    daily = np.stack([found.daily - now.daily for found in made.values()], axis=1)
    bounds = sum_interval(daily, block_days(candidates.days_held, len(daily)))
    rows = [
        (
            *(at, at == present, int(passing[at].sum()), found.trades, found.net_pnl),
            *(found.net_pnl - now.net_pnl, *bounds[:, row], found.max_drawdown),
        )
        for row, (at, found) in enumerate(made.items())
    ]
    return pl.DataFrame(rows, CURVE, orient="row").fill_nan(None)


def _beside(rows: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    return rows.join(verdicts, on=("symbol", "signal_ds"), how="left", maintain_order="left")


def _truth(term: pl.DataFrame) -> FloatArray:
    """1 or 0, NaN where the value or the threshold was null."""
    known = pl.col("value").is_not_null() & pl.col("threshold").is_not_null()
    said = term.select(pl.when(known).then(pl.col("passed").cast(pl.Float64)))
    return _floats(said.to_series())


def _floats(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
