"""The sections of the tear sheet, each from frames or figures to a piece of HTML."""

from __future__ import annotations

import calendar
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.attribution.endings import endings, outcomes
from goldenthread.reports.attribution.refusals import ranked
from goldenthread.reports.charts import Chart, line_chart
from goldenthread.reports.markup import (
    Column,
    money_column,
    section,
    share_bar,
    table,
    text,
    tile,
    written,
)
from goldenthread.reports.notation import (
    UNKNOWN,
    money,
    number,
    percent,
    price,
    signed_money,
    signed_percent,
)
from goldenthread.reports.performance import drawdowns, monthly_returns, per_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from goldenthread.reports.performance import Metrics

LAST_TRADES = 20
"""How many trades the page ends with."""

GAP_ROWS = 60
"""How many symbols with gaps are listed before the rest is only counted."""

Row = dict[str, Any]


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


def headline(figures: Metrics) -> str:
    """Eight tiles: what the account made, at what risk and cost, in how many trades."""
    curve, done = figures.curve, figures.trades
    tiles = [
        tile(
            "Total return",
            signed_percent(curve.total_return),
            f"{money(curve.start_equity)} to {money(curve.end_equity)}",
            signed=True,
        ),
        tile(
            "Annual return",
            signed_percent(curve.annual_return),
            f"over {curve.days:,} days, {number(curve.periods, 1)} returns a year",
        ),
        tile("Sharpe", number(curve.sharpe), f"Sortino {number(curve.sortino)}"),
        tile("Max drawdown", percent(curve.max_drawdown), _drawdown_note(figures)),
        tile(
            "Net P&L of trades",
            signed_money(done.net_pnl),
            f"{money(done.costs)} fees in it, turnover {number(figures.turnover, 1)} a year",
            signed=True,
        ),
        tile("Closed trades", f"{done.trades:,}", f"held {number(done.average_hold, 1)} sessions"),
        tile("Win rate", percent(done.win_rate), f"{signed_money(done.expectancy, 2)} a trade"),
        tile(
            "Profit factor",
            number(done.profit_factor),
            f"exposure {percent(curve.exposure)}, {number(done.expectancy_r)} R a trade",
        ),
    ]
    return f'<section class="tiles">{"".join(tiles)}</section>'


def callout(sentence: str) -> str:
    """The one sentence worth knowing."""
    note = "What each filter and gate refused, and what it would have made, is listed below."
    return (
        f'<section class="callout"><p>{escape(sentence)}.</p><p class="note">{note}</p></section>'
    )


def equity_charts(equity: pl.DataFrame, figures: Metrics) -> str:
    """Equity above its drawdown, on one time axis."""
    below = drawdowns(equity)
    by_day = equity.sort("ds") if equity.height else equity
    values = by_day["equity"].cast(pl.Float64).to_list() if equity.height else []
    days = below["ds"].to_list()
    deepest = below["drawdown"].arg_min() if below.height else None
    mark = deepest if figures.curve.max_drawdown else None
    top = Chart("Equity", days, values, money, baseline=figures.curve.start_equity)
    bottom = Chart(
        "Drawdown",
        days,
        below["drawdown"].to_list(),
        percent,
        height=160,
        baseline=0.0,
        tone="loss",
        mark=mark,
        mark_label="" if mark is None else f"{percent(below['drawdown'][mark])} on {days[mark]}",
    )
    start = "The dashed line is the equity of the first day."
    return section("Equity", start, line_chart(top)) + section("Drawdown", "", line_chart(bottom))


def months(equity: pl.DataFrame) -> str:
    """Returns by calendar month, a row a year."""
    years: dict[int, Row] = {}
    for year, month, made in monthly_returns(equity).iter_rows():
        row = years.setdefault(year, {"year": year, "all": 1.0})
        row[str(month)] = made
        row["all"] *= 1 + made
    for row in years.values():
        row["all"] -= 1
    columns = [Column("Year", lambda row: str(row["year"]), figure=False)]
    columns += [_return_column(calendar.month_abbr[m], str(m)) for m in range(1, 13)]
    columns.append(_return_column("Year", "all"))
    return section("Monthly returns", "", table(columns, years.values(), "No equity curve yet."))


def strategies(equity: pl.DataFrame, trades: pl.DataFrame) -> str:
    """One row a strategy, the one with the largest net P&L first."""
    found = per_strategy(equity, trades) if trades.height else {}
    rows = [{"strategy": name, **figures.as_row()} for name, figures in found.items()]
    rows.sort(key=lambda row: (-row["net_pnl"], row["strategy"]))
    columns = [
        Column("Strategy", text("strategy"), figure=False),
        Column("Trades", text("trades")),
        Column("Win rate", written("win_rate", percent)),
        Column("Profit factor", written("profit_factor", number)),
        Column("Expectancy", written("expectancy", signed_money)),
        Column("R", written("expectancy_r", number), hint="mean net P&L over initial risk"),
        Column("Hold", written("average_hold", lambda n: number(n, 1)), hint="sessions"),
        Column("Sharpe", written("sharpe", number)),
        Column("Max drawdown", written("max_drawdown", percent)),
        Column("Exposure", written("exposure", percent)),
        Column("Fees", written("costs", money)),
        money_column("Net P&L", "net_pnl"),
    ]
    about = "Each as if the account had traded it alone, P&L booked on the day a trade closed."
    return section("Strategies", about, table(columns, rows, "No trade was closed."))


def refusals(attribution: pl.DataFrame) -> str:
    """What each filter, gate and the broker refused, what that was worth, and the verdict."""
    rows = ranked(attribution).to_dicts()
    made = written("alone_net_pnl", signed_money)
    columns = [
        Column("Name", text("name"), figure=False),
        Column("Kind", text("kind"), figure=False),
        Column("Strategy", text("strategy_id"), figure=False),
        Column("Refused", text("refused")),
        money_column("All would have made", "net_pnl"),
        Column("Alone", text("alone"), hint="nothing else refused these"),
        Column("Resolved", text("alone_resolved")),
        Column("Open", text("alone_open")),
        Column("No price", text("alone_unpriceable")),
        Column("Untriggered", text("alone_untriggered")),
        Column("Right", written("alone_hit_rate", percent), hint="would have lost or made 0"),
        Column("R", written("alone_average_r", number), hint="mean net P&L over initial risk"),
        Column("Would have made", made, signed=True, share=_share_of("alone_net_pnl", rows)),
        Column("Interval", _interval),
        Column("Verdict", text("verdict"), figure=False),
    ]
    about = (
        "Alone: signals that nothing else refused, the only ones a filter decided by itself; the "
        "figures after it are theirs. Right: the share of the resolved that would have lost. "
        "Would have made: their theoretical net P&L together; plus is what the refusals cost, "
        "minus what they saved. Interval: where that sum lies when the days are drawn anew; a "
        "verdict stands only where all of it is on one side of zero. Many are judged at once: "
        "one in twenty without effect gets a verdict by chance."
    )
    return section("Filters and gates", about, table(columns, rows, "No signal was refused."))


def signal_outcomes(
    trades: pl.DataFrame,
    refused: pl.DataFrame,
    expired: pl.DataFrame,
    waiting: Mapping[str, int],
) -> str:
    """How every decided signal ended, and what the never-filled ones answer."""
    counts = outcomes(trades.height, refused, expired)
    open_now = {name.lower(): count for name, count in waiting.items()}
    columns = [
        Column("Ended", text("status"), figure=False),
        Column("Because", text("end_reason"), figure=False),
        Column("Signals", text("signals")),
        Column("Resolved", text("resolved")),
        Column("Open", text("open")),
        Column("No price", text("unpriceable")),
        Column("Untriggered", text("untriggered")),
        money_column("Would have made", "net_pnl"),
    ]
    ended = table(columns, endings(expired).iter_rows(named=True), "No signal expired.")
    total = sum(counts.values()) + sum(open_now.values())
    about = f"{total:,} signals were decided; each is in exactly one place."
    return section("Outcomes of signals", about, share_bar({**counts, **open_now}) + ended)


def last_trades(trades: pl.DataFrame, synthetic: frozenset[str]) -> str:
    """The most recently closed trades, newest first."""
    newest = trades.sort("exit_ds", "trade_id", descending=True) if trades.height else trades
    rows = _labelled(newest.head(LAST_TRADES).to_dicts(), synthetic)
    columns = [
        Column("Symbol", text("symbol"), figure=False),
        Column("Strategy", text("strategy_id"), figure=False),
        Column("Side", text("side"), figure=False),
        Column("Entry", text("entry_ds"), figure=False),
        Column("Exit", text("exit_ds"), figure=False),
        Column("Quantity", text("traded_quantity")),
        Column("In at", written("entry_price", price)),
        Column("Out at", written("exit_price", price)),
        Column("Sessions", text("bars_held")),
        Column("Reason", text("exit_reason"), figure=False),
        Column("R", written("r_multiple", number)),
        Column("Fees", written("fees", lambda fee: money(fee, 2))),
        money_column("Net P&L", "net_pnl", places=2),
    ]
    about = f"The last {len(rows)} of {trades.height:,}." if rows else ""
    return section("Last trades", about, table(columns, rows, "No trade was closed."))


def coverage_gaps(coverage: pl.DataFrame, synthetic: frozenset[str]) -> str:
    """The symbols with sessions that had no usable bar; nothing is ever filled in."""
    if coverage.is_empty():
        return ""
    gaps = pl.col("missing") + pl.col("suspect") + pl.col("quarantined")
    lacking = coverage.filter(gaps > 0).sort(gaps, "symbol", descending=[True, False])
    rows = _labelled(lacking.head(GAP_ROWS).to_dicts(), synthetic)
    columns = [
        Column("Symbol", text("symbol"), figure=False),
        Column("First bar", text("first"), figure=False),
        Column("Last bar", text("last"), figure=False),
        *(Column(name.capitalize(), text(name)) for name in ("sessions", "bars")),
        *(Column(name.capitalize(), text(name)) for name in ("missing", "suspect", "quarantined")),
    ]
    more = f" The first {GAP_ROWS} are listed." if lacking.height > GAP_ROWS else ""
    about = f"{lacking.height} of {coverage.height} symbols lack bars; none is filled in.{more}"
    return section("Coverage gaps", about, table(columns, rows, "Every session has its bar."))


def _interval(row: Mapping[str, Any]) -> str:
    if row["alone_low"] is None:
        return UNKNOWN
    return f"{signed_money(row['alone_low'])} to {signed_money(row['alone_high'])}"


def _drawdown_note(figures: Metrics) -> str:
    days = figures.curve.longest_drawdown_days
    return "" if days is None else f"longest {days:,} days, Calmar {number(figures.curve.calmar)}"


def _labelled(rows: Sequence[Row], synthetic: frozenset[str]) -> list[Row]:
    return [{**row, "synthetic": row["symbol"] in synthetic} for row in rows]


def _share_of(name: str, rows: Sequence[Row]) -> Callable[[Mapping[str, Any]], float | None]:
    largest = max((abs(row[name] or 0.0) for row in rows), default=0.0)
    return lambda row: row[name] / largest if row[name] and largest else None


def _return_column(head: str, name: str) -> Column:
    return Column(head, lambda row: signed_percent(row.get(name)), signed=True)
