"""The top of the report: what came of it all, at a glance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.markup import tile
from goldenthread.reports.notation import money, number, percent, signed_money, signed_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.reports.figures.benchmark import BenchmarkFigures
    from goldenthread.reports.performance import Metrics

_Tile = tuple[str, str, str, str]
"""A figure's name, its label, its value and a line of context."""


def synthetic_notice(trades: pl.DataFrame, synthetic: frozenset[str]) -> str:
    """What part of the result comes from generated prices; nothing when no symbol is synthetic."""
    if not synthetic:
        return ""
    touched = trades.filter(pl.col("symbol").is_in(list(synthetic))) if trades.height else trades
    net = float(touched["net_pnl"].sum()) if touched.height else 0.0
    names = ", ".join(sorted(synthetic))
    return (
        f'<section class="warn"><p><b>SYNTHETIC prices:</b> {escape(names)} are generated, not '
        f"market data. {touched.height} of {trades.height} trades and {signed_money(net)} of the "
        "net P&amp;L on this page come from them.</p></section>"
    )


def tiles(figures: Metrics, benchmarks: Sequence[BenchmarkFigures] = ()) -> str:
    """Eight tiles: what the account made, beside its benchmarks, at what risk and cost."""
    drawn = (
        tile(label, value, note, defined=name, signed=name in {"total_return", "net_pnl"})
        for name, label, value, note in (
            *_of_the_curve(figures, benchmarks),
            *_of_the_trades(figures),
        )
    )
    return f'<section class="tiles">{"".join(drawn)}</section>'


def callout(sentence: str) -> str:
    """The one sentence worth knowing."""
    note = "What each filter and gate refused, and what it would have made, is listed below."
    return (
        f'<section class="callout"><p>{escape(sentence)}.</p><p class="note">{note}</p></section>'
    )


def _of_the_curve(figures: Metrics, benchmarks: Sequence[BenchmarkFigures]) -> list[_Tile]:
    curve = figures.curve
    days = f"over {curve.days:,} days, {number(curve.periods, 1)} returns a year"
    grown = f"{money(curve.start_equity)} to {money(curve.end_equity)}"
    return [
        (
            "total_return",
            "Total return",
            signed_percent(curve.total_return),
            _beside(benchmarks) or grown,
        ),
        ("annual_return", "Annual return", signed_percent(curve.annual_return), days),
        ("sharpe", "Sharpe", number(curve.sharpe), f"Sortino {number(curve.sortino)}"),
        ("max_drawdown", "Max drawdown", percent(curve.max_drawdown), _drawdown_note(figures)),
    ]


def _of_the_trades(figures: Metrics) -> list[_Tile]:
    done, hold = figures.trades, number(figures.trades.average_hold, 1)
    paid = f"{money(done.costs)} fees in it, turnover {number(figures.turnover, 1)} a year"
    each = f"{signed_money(done.expectancy, 2)} a trade"
    bound = f"exposure {percent(figures.curve.exposure)}, {number(done.expectancy_r)} R a trade"
    return [
        ("net_pnl", "Net P&L of trades", signed_money(done.net_pnl), paid),
        ("trades", "Closed trades", f"{done.trades:,}", f"held {hold} sessions"),
        ("win_rate", "Win rate", percent(done.win_rate), each),
        ("profit_factor", "Profit factor", number(done.profit_factor), bound),
    ]


def _beside(benchmarks: Sequence[BenchmarkFigures]) -> str:
    """What each benchmark made in the same days, where that is known."""
    known = [b for b in benchmarks if b.benchmark_return is not None]
    return ", ".join(f"{b.benchmark} {signed_percent(b.benchmark_return)}" for b in known)


def _drawdown_note(figures: Metrics) -> str:
    days = figures.curve.longest_drawdown_days
    return "" if days is None else f"longest {days:,} days, Calmar {number(figures.curve.calmar)}"
