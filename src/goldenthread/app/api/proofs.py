"""Proofs about bars and rules: doubtful bars, no look-ahead, theory equal to the exchange."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.api.bars import judged_bars, missing
from goldenthread.app.api.checks import begun
from goldenthread.app.api.desks import load_assets, load_inputs, members_of
from goldenthread.app.api.operations.steps import Progress, steps, unseen
from goldenthread.app.api.records import facts
from goldenthread.app.api.research.parity import compare_with_backtest
from goldenthread.domain.errors import UsageError
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.market.bars import BarBook
from goldenthread.market.quality import judge
from goldenthread.research.lookahead import Findings, Known, Subject, look
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.compilation import compile_strategy
from goldenthread.warehouse.rows.signals import traded_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.app.desk import Desk
    from goldenthread.domain.strategy import Strategy

_TRADES = """
SELECT *
FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY trade_id
"""
_SHOWN = 20
_WEEK = 7
_YEAR_AND_JUDGING = 366 + 31 + 250
"""Bars a decision reads besides its look-back: of a year and, to choose members, of the month
before; and those that judge the first."""


def check_data(project: Project) -> list[dict[str, Any]]:
    """Every bar that was not believed and every run of missing sessions between two bars."""
    bars = judged_bars(project)
    doubted = bars.filter(pl.col("state") != "GOOD").select("symbol", "ds", "state", "close")
    first, last = bars["ds"].min(), bars["ds"].max()
    if not (isinstance(first, dt.date) and isinstance(last, dt.date)):
        return []
    gaps = missing(project, first, last).filter(pl.col("where") == "inside")
    return [
        *({**row, "sessions": 1} for row in doubted.to_dicts()),
        *(
            {"symbol": g["symbol"], "ds": g["first"], "state": "MISSING", "close": None}
            | {"sessions": g["sessions"]}
            for g in gaps.to_dicts()
        ),
    ]


def check_lookahead(
    project: Project,
    days: int,
    strategy_ids: Sequence[str] = (),
    upto: dt.date | None = None,
    progress: Progress = unseen,
) -> dict[str, Any]:
    """Whether anything a strategy sees on ``days`` dates depends on later bars.

    Every factor, filter, level, rule and decision is computed with all bars, with later bars cut
    off (and all others judged again), and with later bars null; a factor written in Python also
    with no bar before its look-back. ``changed`` holds a sentence for the first change of each
    expression.

    Args:
        project: The project; its strategies, bars and corporate actions.
        days: How many dates are tried.
        strategy_ids: The strategies to look at; none means all.
        upto: The last date tried; None is the one before the last bar's.
        progress: Hears of each date.

    Raises:
        UsageError: There is no strategy of a name, or none of them has a bar on these dates.
    """
    strategies = _named(project.strategies(), strategy_ids)
    dates, found = _looked(project, strategies, days, upto, progress)
    if not found.decisions:
        msg = "nothing to compare: no strategy has a bar on these dates; try more --days, or --to"
        raise UsageError(msg)
    return {
        "strategies": len(strategies),
        "dates": dates,
        "decisions": found.decisions,
        "values": found.values,
        "changed": [change.words for change in found.changes[:_SHOWN]],
        "ok": not found.changes,
    }


def looks_ahead(project: Project, strategy: Strategy) -> str:
    """The first value of the last week that another future or a longer past would change.

    Empty when there is none; for strategies with Python factors, which alone can have one.
    """
    changes = _looked(project, [strategy], _WEEK)[1].changes
    return changes[0].words if changes else ""


def _looked(
    project: Project,
    strategies: Sequence[Strategy],
    days: int,
    upto: dt.date | None = None,
    progress: Progress = unseen,
) -> tuple[int, Findings]:
    """How many dates were tried, and what was found on them."""
    assets = load_assets(project)
    members = members_of(project, strategies, assets)
    compiled = [compile_strategy(strategy) for strategy in strategies]
    subjects = [
        Subject(c, assets[symbol]) for c in compiled for symbol in members[c.strategy.strategy_id]
    ]
    others = {symbol for c in compiled for symbol in (*c.refs, *c.peers)}
    read = sorted({s.asset.symbol for s in subjects} | others)
    bars = judged_bars(project).filter(pl.col("symbol").is_in(read))
    actions = project.market_data.actions(read)
    reach = max((c.reach for c in compiled), default=0) + _YEAR_AND_JUDGING
    inputs = load_inputs(project, strategies)

    def cut(ds: dt.date) -> Known:
        past = bars.filter(pl.col("ds") <= ds).group_by("symbol", maintain_order=True)
        known = judge(past.tail(reach).select(bars.columns), actions).bars
        past_book = BarBook(known, actions, list(assets.values()), lookback=MAX_LOOKBACK)
        return Known(past_book.window, inputs.known_on(ds).steps)

    book = BarBook(bars, actions, list(assets.values()), lookback=MAX_LOOKBACK)
    dates = _dates(bars, days, upto)
    whole = Known(book.window, inputs.steps)
    return len(dates), look(subjects, steps(dates, progress), whole, cut)


def _dates(bars: pl.DataFrame, days: int, upto: dt.date | None) -> list[dt.date]:
    """The dates with bars among the ``days`` up to ``upto``, oldest first."""
    newest = bars["ds"].max()
    if not isinstance(newest, dt.date):
        return []
    last = upto or newest - dt.timedelta(days=1)
    first = last - dt.timedelta(days=days - 1)
    return bars.filter(pl.col("ds").is_between(first, last))["ds"].unique().sort().to_list()


def _named(strategies: list[Strategy], wanted: Sequence[str]) -> list[Strategy]:
    unknown = sorted(set(wanted) - {s.strategy_id for s in strategies})
    if unknown:
        known = ", ".join(s.strategy_id for s in strategies) or "none"
        msg = f"no strategy {', '.join(unknown)} in strategies/; there are: {known}"
        raise UsageError(msg)
    return [s for s in strategies if not wanted or s.strategy_id in wanted]


def check_parity(project: Project, book: str, progress: Progress = unseen) -> dict[str, Any]:
    """Whether rules, exchange and backtest agree on a book.

    Each trade must have made what the rules alone say it would have made. The signals are taken
    from the facts, so that every trade can be compared for ever; where theory cannot speak,
    ``not_compared`` counts the trades by the reason. Differences come from what theory does not
    know: part fills, refusals of single tranches. A simulated book must also be, row by row,
    what a backtest of its dates gives (``backtest``), of each of which ``progress`` hears.
    """
    desk, state = begun(project, book)
    rows = facts(project, desk.book, _TRADES).to_dicts()
    silent = Counter(words for row in rows if (words := desk.pricer.silence(row)))
    comparable = [row for row in rows if not desk.pricer.silence(row)]
    differ = [words for row in comparable if (words := _difference(desk, row))]
    tested = compare_with_backtest(project, desk, state, progress)
    return {
        "book": desk.book,
        "trades": len(rows),
        "compared": len(comparable),
        "not_compared": dict(sorted(silent.items())),
        "different": len(differ),
        "backtest": {
            "rows": tested.rows,
            "different": len(tested.differences),
            "not_compared": tested.not_compared,
        },
        "shown": [*differ, *tested.differences][:_SHOWN],
        "ok": not differ and not tested.differences,
    }


def _difference(desk: Desk, row: dict[str, Any]) -> str:
    """How theory and trade disagree; empty when they agree."""
    outcome = desk.pricer.outcome(traded_signal(row), row["exit_ds"], planned=True)
    name = f"{row['strategy_id']} {row['symbol']} {row['trade_id'][:16]}"
    if outcome.status is not OutcomeStatus.RESOLVED:
        return f"{name}: traded, in theory {outcome.status}"
    if (outcome.exit_ds, outcome.net_pnl) != (row["exit_ds"], row["net_pnl"]):
        return (
            f"{name}: {row['net_pnl']} by {row['exit_reason']} on {row['exit_ds']}, in theory"
            f" {outcome.net_pnl} by {outcome.exit_reason} on {outcome.exit_ds}"
        )
    return ""
