"""How an account and its strategies did: figures from a daily equity curve and closed trades.

Every figure that is not defined (no trade, no loss, no variance …) is None, never 0.0. Rates are
fractions, money is in the quote currency. One frame holds one book.

**Annualisation** goes by calendar days: a year has 365, because the curve of a book with crypto
has a point every day. A curve of sessions only has fewer points a year and gets exactly as many
periods as it has: ``365 x returns / calendar days spanned``. The risk-free rate is zero.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.domain.bar import FloatArray

YEAR_DAYS = 365
"""Calendar days of the year by which every figure is annualised."""

SHORTEST_DAYS = 30
"""Below this span nothing is annualised: a good week is not a good year."""

_NOISE = 1e-9
"""Spread of returns below which a curve has no variance, only the rounding of its money."""


@dataclass(frozen=True)
class CurveFigures:
    """What a daily equity curve says, measured from the close of its first day.

    ``periods`` is how many returns a year has, by which the ratios are annualised. ``exposure``
    is the mean of gross exposure over equity, ``max_drawdown`` a positive fraction
    of the peak before it, ``longest_drawdown_days`` the most calendar days from a peak until it
    was reached again (or the curve ended).
    """

    first_ds: dt.date | None = None
    last_ds: dt.date | None = None
    days: int = 0
    start_equity: float | None = None
    end_equity: float | None = None
    total_return: float | None = None
    annual_return: float | None = None
    periods: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    max_drawdown: float | None = None
    longest_drawdown_days: int | None = None
    calmar: float | None = None
    exposure: float | None = None


@dataclass(frozen=True)
class TradeFigures:
    """What closed trades say; ``costs`` are the fees in them, ``average_hold`` is in sessions.

    A win is a trade with a positive net P&L. ``expectancy`` is in money, ``expectancy_r`` in
    multiples of what the initial stop risked (trades without one are left out).
    """

    trades: int
    wins: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    expectancy_r: float | None
    gross_pnl: float
    costs: float
    net_pnl: float
    average_hold: float | None


@dataclass(frozen=True)
class Metrics:
    """The figures of one account or one strategy.

    ``turnover`` is what closed trades bought and sold in a year, in multiples of mean equity; a
    round trip counts twice.
    """

    curve: CurveFigures
    trades: TradeFigures
    turnover: float | None = None

    def as_row(self) -> dict[str, Any]:
        """All figures under their own names, in order; ready for JSON or a frame."""
        return {**asdict(self.curve), **asdict(self.trades), "turnover": self.turnover}


def metrics(equity: pl.DataFrame, trades: pl.DataFrame) -> Metrics:
    """The figures of one book.

    Args:
        equity: ``ds``, ``equity`` and, for the exposure, ``gross_exposure``; one row a day.
        trades: ``net_pnl gross_pnl fees bars_held r_multiple`` and, for the turnover,
            ``traded_quantity entry_price exit_price``; one row a closed trade.

    Raises:
        UsageError: A day occurs twice in ``equity`` (two books in one frame).

    Source: turnover after SEC Form N-1A, item 13, traded value over average assets; that form
    takes the lesser of purchases and sales, here both are added.
    """
    return Metrics(curve_figures(equity), trade_figures(trades), _turnover(equity, trades))


def per_strategy(equity: pl.DataFrame, trades: pl.DataFrame) -> dict[str, Metrics]:
    """The figures of each strategy that closed a trade, by strategy id.

    A strategy's curve is the account's first equity plus its own net P&L, booked on the day a
    trade closed: what the account would have become with this strategy alone. Moves of open
    positions are not in it, so its drawdown is of closed trades. Its exposure is what its closed
    trades had cost to enter, over that curve.
    """
    found: dict[str, Metrics] = {}
    for key, own in trades.sort("strategy_id").group_by("strategy_id", maintain_order=True):
        found[str(key[0])] = metrics(_booked_curve(equity, own), own)
    return found


def curve_figures(equity: pl.DataFrame) -> CurveFigures:
    """The figures of an equity curve (``ds``, ``equity``, perhaps ``gross_exposure``).

    Formulas and sources: annual return ``(end / start) ** (365 / days) - 1``; Sharpe (1994),
    mean over sample standard deviation of the returns times the root of the periods a year;
    Sortino and Price (1994), the same over the root mean square of the negative returns; Calmar
    by Young (1991), annual return over maximum drawdown. Nothing is annualised below 30 days.

    Raises:
        UsageError: A day occurs twice.
    """
    if equity.is_empty():
        return CurveFigures()
    curve = one_row_a_day(equity)
    values = _floats(curve, "equity")
    days = curve["ds"].to_list()
    span = (days[-1] - days[0]).days
    growth = values[-1] / values[0] if values[0] > 0 else math.nan
    annual = _annual_return(growth, span)
    drawdown = _max_drawdown(values)
    return CurveFigures(
        first_ds=days[0],
        last_ds=days[-1],
        days=span,
        start_equity=float(values[0]),
        end_equity=float(values[-1]),
        total_return=_known(growth - 1),
        annual_return=annual,
        max_drawdown=drawdown,
        longest_drawdown_days=_longest_drawdown(values, days),
        calmar=_ratio(annual, drawdown),
        exposure=_exposure(curve, values),
        periods=YEAR_DAYS * (values.size - 1) / span if span >= SHORTEST_DAYS else None,
        **_risk_figures(values, span),
    )


def trade_figures(trades: pl.DataFrame) -> TradeFigures:
    """The figures of closed trades (``net_pnl gross_pnl fees bars_held r_multiple``).

    Win rate, profit factor (net wins over net losses) and expectancy (mean net P&L) as in
    Tharp (1998), Trade Your Way to Financial Freedom, ch. 7.
    """
    if trades.is_empty():
        return TradeFigures(0, 0, None, None, None, None, 0.0, 0.0, 0.0, None)
    net = _floats(trades, "net_pnl")
    won, lost = float(net[net > 0].sum()), float(-net[net < 0].sum())
    multiples = trades["r_multiple"].drop_nulls().cast(pl.Float64).to_numpy()
    wins = int((net > 0).sum())
    return TradeFigures(
        trades=trades.height,
        wins=wins,
        win_rate=wins / trades.height,
        profit_factor=_ratio(won, lost),
        expectancy=float(net.mean()),
        expectancy_r=float(multiples.mean()) if multiples.size else None,
        gross_pnl=float(_floats(trades, "gross_pnl").sum()) + _dividends(trades),
        costs=float(_floats(trades, "fees").sum()),
        net_pnl=float(net.sum()),
        average_hold=float(_floats(trades, "bars_held").mean()),
    )


def _dividends(trades: pl.DataFrame) -> float:
    """Those of all trades; a frame without the column has none."""
    if "dividends" not in trades.columns:
        return 0.0
    return float(trades["dividends"].cast(pl.Float64).sum())


def drawdowns(equity: pl.DataFrame) -> pl.DataFrame:
    """The drawdown of each day (``ds``, ``drawdown``): 0 at a peak, -0.1 ten percent below it."""
    if equity.is_empty():
        return pl.DataFrame(schema={"ds": pl.Date, "drawdown": pl.Float64})
    value = pl.col("equity").cast(pl.Float64)
    return one_row_a_day(equity).select("ds", drawdown=value / value.cum_max() - 1)


def monthly_returns(equity: pl.DataFrame) -> pl.DataFrame:
    """The return of each calendar month (``year month return``), oldest first.

    A month is measured from the last day before it; the first from the curve's first day.
    """
    if equity.is_empty():
        schema = {"year": pl.Int32, "month": pl.Int8, "return": pl.Float64}
        return pl.DataFrame(schema=schema)
    ends = (
        one_row_a_day(equity)
        .with_columns(year=pl.col("ds").dt.year(), month=pl.col("ds").dt.month())
        .group_by("year", "month", maintain_order=True)
        .agg(end=pl.col("equity").cast(pl.Float64).last())
    )
    start = float(_floats(one_row_a_day(equity), "equity")[0])
    before = pl.col("end").shift(1, fill_value=start)
    return ends.select("year", "month", (pl.col("end") / before - 1).alias("return"))


def _max_drawdown(values: FloatArray) -> float | None:
    peaks = np.maximum.accumulate(values)
    return float((1 - values / peaks).max()) if values.size and values[0] > 0 else None


def one_row_a_day(equity: pl.DataFrame) -> pl.DataFrame:
    """The curve by its days.

    Raises:
        UsageError: A day occurs twice.
    """
    if equity["ds"].n_unique() < equity.height:
        twice = str(equity.filter(pl.col("ds").is_duplicated())["ds"].min())
        msg = f"the equity frame has {twice} twice; a report takes one book: filter by `book`"
        raise UsageError(msg)
    return equity.sort("ds")


def _risk_figures(values: FloatArray, span: int) -> dict[str, float | None]:
    nothing: dict[str, float | None] = dict.fromkeys(("volatility", "sharpe", "sortino"))
    if span < SHORTEST_DAYS or values.size < 3 or (values <= 0).any():  # noqa: PLR2004  # a sample deviation needs two returns
        return nothing
    returns = values[1:] / values[:-1] - 1
    periods = math.sqrt(YEAR_DAYS * returns.size / span)
    mean, spread = float(returns.mean()), float(returns.std(ddof=1))
    below = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    return {
        "volatility": spread * periods,
        "sharpe": None if spread <= _NOISE else mean / spread * periods,
        "sortino": None if below <= _NOISE else mean / below * periods,
    }


def _annual_return(growth: float, span: int) -> float | None:
    if span < SHORTEST_DAYS or not growth >= 0:
        return None
    return _known(growth ** (YEAR_DAYS / span) - 1)


def _longest_drawdown(values: FloatArray, days: list[dt.date]) -> int:
    longest, peak_at = 0, days[0]
    peak = values[0]
    for value, day in zip(values, days, strict=True):
        if value >= peak:
            peak, peak_at = value, day
        longest = max(longest, (day - peak_at).days)
    return longest


def _exposure(curve: pl.DataFrame, values: FloatArray) -> float | None:
    if "gross_exposure" not in curve.columns or (values <= 0).any():
        return None
    return float((_floats(curve, "gross_exposure") / values).mean())


def _turnover(equity: pl.DataFrame, trades: pl.DataFrame) -> float | None:
    priced = {"traded_quantity", "entry_price", "exit_price"} <= set(trades.columns)
    if equity.is_empty() or not (priced or trades.is_empty()):
        return None
    days, average = equity["ds"].sort(), float(_floats(equity, "equity").mean())
    span = int((days[-1] - days[0]).days)
    if span < SHORTEST_DAYS or average <= 0:
        return None
    traded = 0.0
    if trades.height:
        both = _floats(trades, "entry_price") + _floats(trades, "exit_price")
        traded = float((_floats(trades, "traded_quantity") * both).sum())
    return traded / average * YEAR_DAYS / span


def _booked_curve(equity: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    if equity.is_empty():
        return equity
    curve = one_row_a_day(equity)
    days = curve["ds"].to_numpy()
    booked, held = np.zeros(days.size + 1), np.zeros(days.size + 1)
    closed = np.searchsorted(days, own["exit_ds"].to_numpy())
    np.add.at(booked, closed, _floats(own, "net_pnl"))
    cost = _floats(own, "entry_price") * _floats(own, "traded_quantity")
    np.add.at(held, np.searchsorted(days, own["entry_ds"].to_numpy()), cost)
    np.add.at(held, closed, -cost)
    start = float(_floats(curve, "equity")[0])
    return pl.DataFrame(
        {
            "ds": curve["ds"],
            "equity": start + np.cumsum(booked)[:-1],
            "gross_exposure": np.cumsum(held)[:-1],
        }
    )


def _floats(frame: pl.DataFrame, column: str) -> FloatArray:
    return frame[column].cast(pl.Float64).to_numpy()


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below
