"""Strategies as a portfolio: what each held and made day by day, and how their days go together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.reports.performance import SHORTEST_DAYS

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray

_NOISE = 1e-9
_OPEN = ("market_value", "unrealised_pnl", "realised_pnl", "fees")


def daily_pnl(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """What each strategy made on each day: ``ds``, then a column a strategy, by name.

    Open positions are marked at the closes of each day, so a day's P&L is what closed trades and
    open positions together gained since the day before, fees in it. Its sum over all strategies
    and days is what the account made.

    Args:
        equity: ``ds``, one row a day of the account.
        trades: ``strategy_id exit_ds net_pnl``, one row a closed trade.
        positions: ``ds strategy_id market_value unrealised_pnl realised_pnl fees``, one row a day
            and open position.
    """
    days, opened = _days(equity), _open_by_day(positions)
    columns = [days]
    for name in _names(trades, positions):
        worth = _closed(days, trades, name) + _marked(days, opened, name, "pnl")
        columns.append(pl.Series(name, np.diff(worth, prepend=0.0)))
    return pl.DataFrame(columns)


def correlations(daily: pl.DataFrame) -> pl.DataFrame:
    """How the daily P&L of each two strategies moved together: ``strategy other correlation``.

    Pearson's coefficient over all days of ``daily_pnl``; null below 30 calendar days, and where
    one of the two never moved.
    """
    days = daily["ds"]
    enough = daily.height > 1 and (days[-1] - days[0]).days >= SHORTEST_DAYS
    rows = [
        (one, other, _pearson(daily[one].to_numpy(), daily[other].to_numpy()) if enough else None)
        for one, other in combinations(daily.columns[1:], 2)
    ]
    schema = {"strategy": pl.String, "other": pl.String, "correlation": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def overlaps(positions: pl.DataFrame) -> pl.DataFrame:
    """How often two strategies held the same symbol: ``strategy other overlap``.

    Of the days and symbols that either held, the share that both did. A strategy that never held
    anything has no row.

    Source: Jaccard (1901), the coefficient of community.
    """
    held = {
        name: set(own.select("ds", "symbol").iter_rows())
        for (name,), own in (positions.group_by("strategy_id") if positions.height else ())
    }
    rows = [
        (one, other, len(held[one] & held[other]) / len(held[one] | held[other]))
        for one, other in combinations(sorted(held), 2)
    ]
    schema = {"strategy": pl.String, "other": pl.String, "overlap": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def capital(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """What each strategy held and made, by name.

    ``capital`` is the mean over all days of the market value of its positions, long and short
    added up; ``peak_capital`` the largest of them. ``net_pnl`` is that of closed trades,
    ``open_pnl`` what its open positions stand at on the last day, fees in both.
    """
    days, opened = _days(equity), _open_by_day(positions)
    rows = []
    for name in _names(trades, positions):
        bound = _marked(days, opened, name, "value")
        closed, standing = _closed(days, trades, name), _marked(days, opened, name, "pnl")
        rows.append((name, _mean(bound), bound.max(initial=0.0), _last(closed), _last(standing)))
    money = ("capital", "peak_capital", "net_pnl", "open_pnl")
    schema = {"strategy": pl.String, **dict.fromkeys(money, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _days(equity: pl.DataFrame) -> pl.Series:
    return equity["ds"].sort() if equity.height else pl.Series("ds", [], pl.Date)


def _names(*frames: pl.DataFrame) -> list[str]:
    return sorted({name for frame in frames if frame.height for name in frame["strategy_id"]})


def _open_by_day(positions: pl.DataFrame) -> pl.DataFrame:
    """Worth of the open positions of each strategy on each day: gains less fees, market value."""
    if positions.is_empty():
        schema = {"strategy_id": pl.String, "ds": pl.Date, "pnl": pl.Float64, "value": pl.Float64}
        return pl.DataFrame(schema=schema)
    value, unrealised, realised, fees = (pl.col(name).cast(pl.Float64) for name in _OPEN)
    sums = {"pnl": (unrealised + realised - fees).sum(), "value": value.abs().sum()}
    return positions.group_by("strategy_id", "ds").agg(**sums)


def _closed(days: pl.Series, trades: pl.DataFrame, name: str) -> FloatArray:
    """The net P&L of trades closed by each day."""
    booked = np.zeros(len(days) + 1)
    if trades.height:
        own = trades.filter(pl.col("strategy_id") == name)
        at = np.searchsorted(days.to_numpy(), own["exit_ds"].to_numpy())
        np.add.at(booked, at, own["net_pnl"].cast(pl.Float64).to_numpy())
    return np.cumsum(booked)[:-1]


def _marked(days: pl.Series, opened: pl.DataFrame, name: str, column: str) -> FloatArray:
    """One column of the open positions on each day, 0 where none was held."""
    own = opened.filter(pl.col("strategy_id") == name)
    found = days.to_frame().join(own, on="ds", how="left", maintain_order="left")
    return found[column].fill_null(0.0).to_numpy()


def _pearson(one: FloatArray, other: FloatArray) -> float | None:
    if one.std() <= _NOISE or other.std() <= _NOISE:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _last(values: FloatArray) -> float:
    return float(values[-1]) if values.size else 0.0


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if values.size else None
