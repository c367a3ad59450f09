"""A book's past read from the warehouse: facts, versions, bars, corporate actions, code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.api.records import ALL_TIME, begun_book, live_signals
from goldenthread.app.engines.wiring import open_market_data, open_warehouse
from goldenthread.domain.asset import CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.domain.signal import Signal
from goldenthread.domain.strategy import Version
from goldenthread.market.bars import run_at
from goldenthread.market.inputs.book import InputBook
from goldenthread.market.quality import judge
from goldenthread.research.replay.past import Day, Fact, Past, Timeline
from goldenthread.warehouse.rows.signals import Decided, decided_row

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.ports.warehouse import Warehouse

_UNUSED = frozenset({"ds", "split_factor", "revision", "run_id", "loaded_at"})
_COLUMNS = ", ".join(name for name in Decided.model_fields if name not in _UNUSED)
_FACTS = f"""
SELECT {_COLUMNS}, {{columns}} FROM {{table}}
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last
"""
_TABLES = {
    "fact_trades": "trade_id AS signal_id",
    "fact_rejected_signals": "signal_id, rejection_reasons",
    "fact_signals_expired": "signal_id",
}
_EQUITIES = """
SELECT ds, equity FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last
"""
_HELD = """
SELECT position_id FROM snapshot_positions WHERE book = @book AND ds BETWEEN @last AND @last
"""
_VERSIONS = """
SELECT {name} AS id, version_key, config, valid_from, valid_to, {code} AS code
FROM {table} WHERE book = @book ORDER BY valid_from
"""
_BARS = """
SELECT symbol, ds, open, high, low, close, volume, source, known_at, state
FROM fact_bars WHERE ds BETWEEN @first AND @last
"""
_ACTIONS = """
SELECT symbol, kind, ds AS ex_ds, ratio, amount, new_symbol, source, known_at
FROM fact_corporate_actions WHERE ds BETWEEN @first AND @last
"""
_ENGINES = """
SELECT subject, detail FROM audit_log
WHERE book = @book AND action = 'ENGINE' AND ds BETWEEN @first AND @last
"""
_PRICES = ("open", "high", "low", "close", "volume")


def read_past(project: Project, book: str, span: Span) -> Past:
    """What the warehouse says of a book on the dates, and of everything before them.

    The hot store is asked for the signals that still live, and only where it is there;
    point-in-time tables are the project's.

    Raises:
        UsageError: The book has no archived day among the dates.
    """
    name = begun_book(project, book)
    warehouse = open_warehouse(project.settings, project.root)
    equities = _of(warehouse, name, _EQUITIES, ALL_TIME)
    last = max((row["ds"] for row in equities), default=span[0])
    lived = [d.body for d in live_signals(project, name, (span[0], min(span[1], last)))]
    facts = _facts(warehouse, name, span) | {f["signal_id"]: f for f in map(_living, lived)}
    strategies = _of(warehouse, name, _versions_of("dim_strategies", "strategy_id", "code"))
    inputs = InputBook(
        open_market_data(project.settings, project.root).inputs(),
        project.settings.run.start_after,
    )
    actions = [CorporateAction(**row) for row in _of(warehouse, name, _ACTIONS, ALL_TIME)]
    return Past(
        book=name,
        days=_days(name, span, equities, facts),
        facts=facts,
        strategies=_timeline(strategies),
        policies=_timeline(_of(warehouse, name, _versions_of("dim_policies", "policy_id"))),
        assets=_timeline(_of(warehouse, name, _versions_of("dim_assets", "symbol"))),
        code={row["version_key"]: json.loads(row["code"] or "{}") for row in strategies},
        bars=judge(_bars(warehouse), actions).bars,
        actions=actions,
        engines=_engines(warehouse, name),
        held=frozenset(r["position_id"] for r in _of(warehouse, name, _HELD, (last, last))),
        last=last,
        inputs=inputs.steps,
        tables=frozenset(inputs.tables),
        runs_code=project.settings.factors.enabled,
    )


def _of(
    warehouse: Warehouse, book: str, sql: str, span: Span | None = None
) -> list[dict[str, Any]]:
    dates = {} if span is None else {"first": span[0], "last": span[1]}
    return warehouse.query(sql, {"book": book, **dates}).to_dicts()


def _facts(warehouse: Warehouse, book: str, span: Span) -> dict[str, Fact]:
    """The decisions of the dates by signal id, whatever became of them."""
    rows = [
        row
        for table, columns in _TABLES.items()
        for row in _of(warehouse, book, _FACTS.format(table=table, columns=columns), span)
    ]
    return {row["signal_id"]: {"rejection_reasons": [], **row} for row in rows}


def _living(body: Mapping[str, Any]) -> Fact:
    """A signal that is not archived yet, as its fact will be."""
    signal = Signal.model_validate(body)
    row = decided_row(signal, signal.ds)
    return {**row, "signal_id": signal.signal_id, "rejection_reasons": []}


def _days(
    book: str, span: Span, equities: Sequence[Mapping[str, Any]], facts: Mapping[str, Fact]
) -> list[Day]:
    """The dates the book ran, oldest first: those with a snapshot, and those with a decision."""
    found = {
        row["ds"]: Day(row["ds"], run_at(row["ds"]), row["equity"])
        for row in equities
        if span[0] <= row["ds"] <= span[1]
    }
    for fact in facts.values():
        ds = fact["signal_ds"]
        found[ds] = Day(ds, fact["decided_at"], fact["equity_at_decision"])
    if not found:
        first, last = span
        msg = (
            f"{book} has no archived day from {first} to {last}; see `goldenthread status`, and"
            " name another --book or other dates"
        )
        raise UsageError(msg)
    return [found[ds] for ds in sorted(found)]


def _versions_of(table: str, name: str, code: str = "NULL") -> str:
    return _VERSIONS.format(table=table, name=name, code=code)


def _timeline(rows: Sequence[Mapping[str, Any]]) -> Timeline:
    return Timeline([Version(**{k: v for k, v in row.items() if k != "code"}) for row in rows])


def _bars(warehouse: Warehouse) -> pl.DataFrame:
    """Every revision of every bar, as the floats that decisions read."""
    span: dict[str, dt.date] = dict(zip(("first", "last"), ALL_TIME, strict=True))
    found = warehouse.query(_BARS, span)
    floats = [pl.col(name).cast(pl.String).cast(pl.Float64) for name in _PRICES]  # to the bit
    exact = found.with_columns(floats).select(pl.col(n).cast(t) for n, t in BAR_SCHEMA.items())
    return exact.sort("symbol", "ds", "known_at")


def _engines(warehouse: Warehouse, book: str) -> dict[str, dict[str, str]]:
    """What each engine's functions were known by, by engine digest."""
    rows = _of(warehouse, book, _ENGINES, ALL_TIME)
    return {row["subject"]: json.loads(row["detail"]) for row in rows}
