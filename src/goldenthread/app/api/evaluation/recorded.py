"""The decisions of a book as it recorded them, with what became of each at equal stakes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.app.api.records import facts, live_signals
from goldenthread.app.api.research.sweeps import CAPITAL, FRACTION
from goldenthread.app.api.research.worlds import World
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.app.versions import Library
from goldenthread.domain.signal import Signal
from goldenthread.domain.strategy import Strategy
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.sweep.work import Bars
from goldenthread.research.whatif.candidates import Candidates
from goldenthread.research.whatif.curves import READ
from goldenthread.research.whatif.pricing import DECIDED, price_decisions
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.compilation import CompiledStrategy, compile_strategy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span

_TABLES = ("fact_rejected_signals", "fact_signals_expired", "fact_trades")
"""Where decisions end up; only the first says that filters failed."""
_IN_SPAN = """
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last AND @strategy_id IN ('', strategy_id)
"""
_DECISIONS = """
SELECT strategy_id, symbol, signal_ds, version_key, CAST(planned_entry AS FLOAT64) AS entry,
       CAST(planned_stop AS FLOAT64) AS stop, CAST(trail AS FLOAT64) AS trail, targets
"""
_VERDICTS = """
SELECT symbol, signal_ds, v.name, v.value, v.threshold, v.passed
"""
_OF_FILTER = "AND (v.name = @name OR STARTS_WITH(v.name, CONCAT(@name, '[')))"
_VERSIONS = """
SELECT strategy_id, version_key, config FROM dim_strategies
WHERE book = @book AND @strategy_id IN ('', strategy_id) AND @first <= @last
ORDER BY valid_from
"""
_LAST = """
SELECT MAX(ds) AS ds FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last
"""


class Recorded(NamedTuple):
    """What one strategy decided in a book; ``versions`` by key, the last one opened last."""

    strategy_id: str
    candidates: Candidates
    versions: Mapping[str, CompiledStrategy]

    @property
    def present(self) -> CompiledStrategy:
        """The version opened last."""
        return list(self.versions.values())[-1]


def recorded(project: Project, book: str, span: Span, strategy: str = "") -> list[Recorded]:
    """What each strategy (or the one named) decided on the dates, by id; none where nothing was.

    Archived decisions and those that wait or are active, each priced by its own version on the
    project's bars up to the book's last date, under the project's policy. A strategy is left out
    when the Python factors one of its versions was kept with are gone.
    """
    decided = _decided(project, book, span, strategy)
    last = facts(project, book, _LAST, span)["ds"][0]
    if decided.is_empty() or last is None:
        return []
    world = World.of_project(project)
    first: dt.date = decided.select(pl.col("signal_ds").min()).item()
    stakes = Stakes(CAPITAL, FRACTION, world.policy, first, last)
    found = []
    for (name,), rows in decided.partition_by("strategy_id", as_dict=True).items():
        versions = _versions(project, book, str(name))
        if versions.keys() >= set(rows["version_key"]):
            bars = _bars(world, list(versions.values()), rows["symbol"].unique().to_list())
            candidates = price_decisions(rows, versions, bars, stakes)
            found.append(Recorded(str(name), candidates, versions))
    return sorted(found, key=lambda each: each.strategy_id)


def verdicts_of(project: Project, book: str, span: Span, strategy: str, name: str) -> pl.DataFrame:
    """Every verdict of one filter of a strategy and of its terms: columns ``READ``."""
    rows = [
        facts(
            project,
            book,
            f"{_VERDICTS} FROM {table} CROSS JOIN UNNEST(verdicts) AS v {_IN_SPAN} {_OF_FILTER}",
            span,
            strategy_id=strategy,
            name=name,
        )
        for table in _TABLES
    ]
    live = [
        (s.symbol, s.ds, v.name, v.value, v.threshold, v.passed)
        for s in _living(project, book, span, strategy)
        for v in s.verdicts
        if v.name.partition("[")[0] == name
    ]
    return pl.concat([*rows, pl.DataFrame(live, READ, orient="row", strict=False)])


def _decided(project: Project, book: str, span: Span, strategy: str) -> pl.DataFrame:
    """The decisions of the dates: ``strategy_id`` and the columns ``DECIDED``."""
    schema = {"strategy_id": pl.String(), **DECIDED}
    parts = [pl.DataFrame([_row(s) for s in _living(project, book, span, strategy)], schema)]
    for table in _TABLES:
        failed = ", rejection_reasons AS failed" if table == _TABLES[0] else ""
        sql = f"{_DECISIONS}{failed} FROM {table} {_IN_SPAN}"
        found = facts(project, book, sql, span, strategy_id=strategy)
        prices = pl.element().struct.field("price").cast(pl.Float64)
        none = pl.lit([], pl.List(pl.String)).alias("failed")
        shaped = found.with_columns(
            pl.col("targets").list.eval(prices), *([] if failed else [none])
        )
        parts.append(shaped.select(list(schema)))
    return pl.concat(parts)


def _living(project: Project, book: str, span: Span, strategy: str) -> Iterator[Signal]:
    """The signals that wait or are active."""
    for document in live_signals(project, book, span):
        if strategy in {"", document.body["strategy_id"]}:
            yield Signal.model_validate(document.body)


def _row(signal: Signal) -> dict[str, Any]:
    plan = signal.plan
    levels = (plan.entry, plan.stop, plan.trail) if plan else (None, None, None)
    entry, stop, trail = (None if level is None else float(level) for level in levels)
    return {
        "strategy_id": signal.strategy_id,
        "symbol": signal.symbol,
        "signal_ds": signal.ds,
        "version_key": signal.version_key,
        "entry": entry,
        "stop": stop,
        "trail": trail,
        "targets": [float(target.price) for target in plan.targets] if plan else [],
        "failed": [],
    }


def _versions(project: Project, book: str, strategy: str) -> dict[str, CompiledStrategy]:
    """Every version of a strategy that can be compiled, by key, the last one opened last."""
    library = Library(project.strategies(), runs_code=project.settings.factors.enabled)
    store = read_hot_store(project.settings, project.root, project.book(book))
    found: dict[str, CompiledStrategy] = {}
    for _, key, text in facts(project, book, _VERSIONS, strategy_id=strategy).iter_rows():
        config = json.loads(text)
        version = (
            library.version(store, key)
            if config.get("code")
            else found.get(key) or compile_strategy(Strategy.from_canonical(config))
        )
        found.pop(key, None)
        if version is not None:
            found[key] = version
    return found


def _bars(world: World, versions: Sequence[CompiledStrategy], symbols: Sequence[str]) -> Bars:
    """The bars of the symbols, and of whatever else the versions read or compare."""
    read = {symbol for v in versions for symbol in (*v.refs, *v.peers)}
    wanted, others = {*symbols, *read}, tuple(sorted(read & set(world.assets)))
    return Bars(
        world.bars.filter(pl.col("symbol").is_in(wanted)),
        tuple(action for action in world.actions if action.symbol in wanted),
        tuple(world.assets[symbol] for symbol in sorted(set(symbols) & set(world.assets))),
        others,
        MAX_LOOKBACK,
        world.inputs([version.strategy for version in versions]),
    )
