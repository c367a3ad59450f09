"""What a sweep ranks by, from a vectorbt portfolio of one column a permutation and asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from job import Outcome

if TYPE_CHECKING:
    import pandas as pd
    import vectorbt as vbt


def measured(portfolio: vbt.Portfolio, columns: pd.MultiIndex) -> Outcome:
    """Closed trades and profit of every permutation; the other figures are computed too."""
    groups = columns.get_level_values("p")
    closed = portfolio.trades.closed
    for metric in ("win_rate", "profit_factor", "expectancy"):
        getattr(closed, metric)(group_by=groups)
    for metric in ("sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio"):
        getattr(portfolio, metric)(group_by=groups)
    profit = closed.pnl.sum(group_by=groups)
    return Outcome(closed.count(group_by=groups).tolist(), [float(x) for x in profit])
