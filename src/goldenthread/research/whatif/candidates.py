"""Every recorded decision of a strategy with what became of it, and what a choice of them made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.rules.tape import FloatArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from goldenthread.research.whatif.holding import Course
    from goldenthread.rules.tape import BoolArray, IntArray


class Made(NamedTuple):
    """What a choice of candidates made: closed trades, net P&L, and the deepest drawdown.

    ``daily`` is the P&L of each calendar day, booked when a trade closes, from the first exit of
    any candidate to the last. The drawdown is a fraction of the peak of capital and that P&L.
    """

    trades: int
    net_pnl: float
    max_drawdown: float
    daily: FloatArray


@dataclass(frozen=True, eq=False)
class Candidates:
    """The n decisions of one strategy by symbol and date, each as if it alone had been ordered.

    ``rows`` are ``symbol signal_ds version_key``. ``orderable`` says whose levels are sound and
    whose stake buys anything. ``net`` is NaN unless closed; ``exit_day`` counts days since
    1970-01-01 and means something where it closed. ``failed`` says by filter which it refused.
    """

    rows: pl.DataFrame
    course: Course
    orderable: BoolArray
    net: FloatArray
    exit_day: IntArray
    failed: Mapping[str, BoolArray]
    capital: float

    def passing(self, without: str = "") -> BoolArray:
        """Which are orderable and passed every filter, or every one but ``without``."""
        found = self.orderable.copy()
        for name, refused in self.failed.items():
            if name != without:
                found &= ~refused
        return found

    @property
    def days_held(self) -> float:
        """Calendar days from decision to exit, on average over all that closed; 0 without any."""
        closed = ~np.isnan(self.net)
        days = self.exit_day - self.rows["signal_ds"].to_physical().to_numpy()
        return float(days[closed].mean()) if closed.any() else 0.0

    def made(self, passes: BoolArray) -> Made:
        """What the passing ones would have made, one position a symbol at a time."""
        from goldenthread.research.whatif.holding import taken  # noqa: PLC0415  # numba, when needed

        known = self.exit_day[~np.isnan(self.net)]
        closed = np.flatnonzero(taken(self.course, passes) & ~np.isnan(self.net))
        first, last = (known.min(), known.max()) if len(known) else (0, 0)
        days, net = self.exit_day[closed] - first, self.net[closed]
        daily = np.bincount(days, net, int(last - first) + 1).astype(np.float64)
        curve = self.capital + np.cumsum(np.append(0.0, daily))
        fallen = 1.0 - curve / np.maximum.accumulate(curve)
        return Made(len(closed), float(net.sum()), float(fallen.max()), daily)
