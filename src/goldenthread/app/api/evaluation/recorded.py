"""Where recorded decisions are read: a book's warehouse and hot store, or a backtest's frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.api.evaluation.archive import (
    Archive,
    Told,
    archive_on,
    decisions,
    living_decisions,
    living_verdicts,
    verdicts,
)
from goldenthread.app.api.records import facts, live_signals
from goldenthread.app.api.research.worlds import World
from goldenthread.domain.signal import Signal
from goldenthread.domain.strategy import Strategy
from goldenthread.signals.compilation import CompiledStrategy, compile_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.research.backtest.result import Backtest

_TABLES = ("fact_rejected_signals", "fact_signals_expired", "fact_trades")
"""Where decisions end up; only the first says that filters failed."""
_IN_SPAN = """
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last AND @strategy_id IN ('', strategy_id)
"""
_DECISIONS = """
SELECT strategy_id, symbol, signal_ds, version_key, CAST(planned_entry AS FLOAT64) AS planned_entry,
       CAST(planned_stop AS FLOAT64) AS planned_stop, CAST(trail AS FLOAT64) AS trail, targets
"""
_VERDICTS = "SELECT symbol, signal_ds, verdicts"
_VERSIONS = """
SELECT strategy_id, version_key, config, code FROM dim_strategies
WHERE book = @book AND @first <= @last
ORDER BY valid_from
"""
_LAST = """
SELECT MAX(ds) AS ds FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last
"""


def archive_of(project: Project, book: str, span: Span, strategy: str = "") -> Archive | None:
    """The decisions of a book on the dates, archived or still alive; None where there is none.

    Priced on the project's bars up to the book's last date, under the project's policy.

    Raises:
        UsageError: There are no bars.
    """
    world = World.of_project(project)
    decided = [living_decisions(_living(project, book, span, strategy))]
    for table in _TABLES:
        failed = ", rejection_reasons" if table == _TABLES[0] else ""
        sql = f"{_DECISIONS}{failed} FROM {table} {_IN_SPAN}"
        decided.append(decisions(facts(project, book, sql, span, strategy_id=strategy)))
    every = pl.concat(decided)
    last = facts(project, book, _LAST, span)["ds"][0]
    if every.is_empty() or last is None:
        return None

    def read(name: str) -> pl.DataFrame:
        live = living_verdicts(_living(project, book, span, name))
        sent = [f"{_VERDICTS} FROM {table} {_IN_SPAN}" for table in _TABLES]
        rows = (facts(project, book, sql, span, strategy_id=name) for sql in sent)
        return pl.concat([live, *map(verdicts, rows)])

    versions = _versions(project, book, every["strategy_id"].unique().to_list())
    return archive_on(world, Told(every, versions, read), last)


def archive_of_backtest(world: World, found: Backtest) -> Archive | None:
    """The decisions of a backtest on the bars it was made of; None where there is none."""
    live = [ride.signal for ride in found.outcome.live]
    frames = (found.rejected, found.expired, found.trades)
    every = pl.concat([living_decisions(live), *map(decisions, frames)])
    if every.is_empty():
        return None

    def read(name: str) -> pl.DataFrame:
        alive = living_verdicts(s for s in live if s.strategy_id == name)
        own = (verdicts(frame.filter(strategy_id=name)) for frame in frames)
        return pl.concat([alive, *own])

    versions = {
        compiled.strategy.strategy_id: {compiled.strategy.version_key: compiled}
        for compiled in found.setup.strategies
    }
    return archive_on(world, Told(every, versions, read), found.setup.last)


def _living(project: Project, book: str, span: Span, strategy: str) -> Iterator[Signal]:
    """The signals that wait or are active."""
    for document in live_signals(project, book, span):
        if strategy in {"", document.body["strategy_id"]}:
            yield document.record(Signal)


def _versions(
    project: Project, book: str, strategies: Sequence[str]
) -> dict[str, dict[str, CompiledStrategy]]:
    """Every version of each strategy, by key, the last one opened last.

    One with Python factors is left out where they may not run, or their text was not kept.
    """
    found: dict[str, dict[str, CompiledStrategy]] = {name: {} for name in strategies}
    runs_code = project.settings.factors.enabled
    for name, key, config, code in facts(project, book, _VERSIONS).iter_rows():
        texts = json.loads(code or "{}")
        strategy = Strategy.from_canonical(json.loads(config), texts)
        if strategy.version_key == key and (runs_code or not texts):
            known = found.get(name, {})
            compiled = known.pop(key) if key in known else compile_strategy(strategy)
            known[key] = compiled
    return found
