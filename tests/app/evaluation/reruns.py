"""What a real run of per-strategy mode makes of a strategy over the dates of a book."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from goldenthread.app.api.evaluation.curves import left_out, threshold_curve
from goldenthread.app.api.research.sweeps import CAPITAL, FRACTION, bars_read
from goldenthread.app.api.research.worlds import World
from goldenthread.research.backtest.per_strategy import run_alone
from goldenthread.research.sweep.orders import Stakes

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.app.api.project import Project
    from goldenthread.domain.strategy import Strategy

MONEY = 1e-9
_EITHER = "close > HIGHEST(close, 60) * 0.95 or RSI(close, 7) > {:.17g}"
_BANDS = "BBANDS(close, 20, 2, 2).upperband / BBANDS(close, 20, 2, 2).lowerband < {:.17g}"
TEXTS = {
    ("channel_breakout", "VOLUME_TOO_LOW"): "volume_ratio >= {:.17g}",
    ("channel_breakout", "RANGE_TOO_WIDE"): _BANDS,
    ("crypto_swing", "BUYING_CLIMAX"): "week < {:.17g}",
    ("dip_in_uptrend", "TREND_TOO_WEAK"): "trend > {:.17g}",
    ("golden_cross", "TOO_WILD"): "STDDEV(close, 20, 1) / slow < {:.17g}",
    ("trend_rider", "NEAR_OR_STRONG[2]"): _EITHER,
}
"""Filters of shipped strategies with a threshold, and how they are written."""


class Rerun(NamedTuple):
    """Closed trades and their net P&L."""

    trades: int
    net_pnl: float


def rerun(world: World, strategy: Strategy, span: tuple[dt.date, dt.date]) -> Rerun:
    """The strategy decided again on every date."""
    bars = bars_read(world, strategy, span[1])
    stakes = Stakes(CAPITAL, FRACTION, world.policy, *span)
    trades = run_alone(strategy, bars, stakes).single.trades
    return Rerun(trades.height, float(trades["net_pnl"].sum()))


def without(strategy: Strategy, name: str) -> Strategy:
    """The strategy less one filter."""
    left = {key: text for key, text in strategy.reject_unless.items() if key != name}
    return strategy.model_copy(update={"reject_unless": left})


def with_filter(strategy: Strategy, name: str, text: str) -> Strategy:
    """The strategy with another text for one filter."""
    filters = {**strategy.reject_unless, name: text}
    return strategy.model_copy(update={"reject_unless": filters})


def check_left_out(project: Project, span: tuple[dt.date, dt.date]) -> dict[tuple[str, str], float]:
    """What each filter of each strategy is worth, found equal to real runs without it."""
    world, found = World.of_project(project), left_out(project, "")
    whole = {s.strategy_id: (s, rerun(world, s, span)) for s in project.strategies()}
    for row in found.iter_rows(named=True):
        strategy, all_filters = whole[row["strategy_id"]]
        less = rerun(world, without(strategy, row["name"]), span)
        assert (row["trades"], row["trades_without"]) == (all_filters.trades, less.trades), row
        assert row["net_pnl"] == pytest.approx(all_filters.net_pnl, abs=MONEY), row
        gained = less.net_pnl - all_filters.net_pnl
        assert row["leave_one_out"] == pytest.approx(gained, abs=MONEY), row
    keys = zip(found["strategy_id"], found["name"], strict=True)
    return dict(zip(keys, found["leave_one_out"], strict=True))


def check_curve(
    project: Project, span: tuple[dt.date, dt.date], strategy_id: str, name: str
) -> int:
    """How many thresholds of a curve were found equal to real runs at them, its own among them."""
    world, found = World.of_project(project), threshold_curve(project, name, strategy_id)
    (strategy,) = [s for s in project.strategies() if s.strategy_id == strategy_id]
    tried = found.points.filter("present").vstack(found.points.gather_every(3))
    for row in tried.iter_rows(named=True):
        text = TEXTS[strategy_id, name].format(row["threshold"])
        made = rerun(world, with_filter(strategy, name.partition("[")[0], text), span)
        assert row["trades"] == made.trades, row
        assert row["net_pnl"] == pytest.approx(made.net_pnl, abs=MONEY), row
    return tried.height
