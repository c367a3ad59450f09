"""The decisions of a book as it recorded them, with what became of each at equal stakes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.app.api.records import facts, live_signals
from goldenthread.app.api.research.sweeps import CAPITAL, FRACTION
from goldenthread.app.api.research.worlds import World
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.app.versions import Library
from goldenthread.domain.errors import UsageError
from goldenthread.domain.signal import Signal
from goldenthread.domain.strategy import Strategy
from goldenthread.research.sweep.orders import AssetDesk, Stakes
from goldenthread.research.sweep.work import Bars
from goldenthread.research.whatif.candidates import Candidates
from goldenthread.research.whatif.curves import READ
from goldenthread.research.whatif.pricing import DECIDED, desks_of, price_decisions
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
_VERSIONS = """
SELECT strategy_id, version_key, config FROM dim_strategies
WHERE book = @book AND @first <= @last
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


@dataclass(frozen=True, eq=False)
class Archive:
    """Everything a book decided on some dates, with the bars to price it.

    ``decided`` has ``strategy_id`` and the columns ``DECIDED``; ``versions`` are those of each
    strategy that can still be compiled.
    """

    decided: pl.DataFrame
    versions: Mapping[str, Mapping[str, CompiledStrategy]]
    desks: Mapping[str, AssetDesk]
    stakes: Stakes

    @property
    def strategies(self) -> list[str]:
        """Whose decisions there are, sorted."""
        return sorted(self.decided["strategy_id"].unique())

    def filters(self, strategy: str) -> list[str]:
        """The filters of its version opened last."""
        versions = list(self.versions[strategy].values())
        return list(versions[-1].strategy.reject_unless) if versions else []

    def of(self, strategy: str) -> Recorded:
        """What one strategy decided, each decision priced by its own version at equal stakes.

        Raises:
            UsageError: The Python factors that one of its versions was kept with are gone.
            DataError: A symbol has no bars any more.
        """
        rows, versions = self.decided.filter(strategy_id=strategy), self.versions[strategy]
        if gone := sorted(set(rows["version_key"].unique()) - versions.keys()):
            msg = (
                f"the Python factors of version {gone[0][:12]} of {strategy} are gone, so that its"
                " exits cannot be told; bring factors/ back as it was, or leave its dates out"
            )
            raise UsageError(msg)
        candidates = price_decisions(rows, versions, self.desks, self.stakes)
        return Recorded(strategy, candidates, versions)


def archive_of(project: Project, book: str, span: Span, strategy: str = "") -> Archive | None:
    """The decisions of the dates, archived or still alive; None where there is none.

    Priced on the project's bars up to the book's last date, under the project's policy.

    Raises:
        UsageError: There are no bars.
    """
    decided = _decided(project, book, span, strategy)
    last = facts(project, book, _LAST, span)["ds"][0]
    if decided.is_empty() or last is None:
        return None
    first: dt.date = decided.select(pl.col("signal_ds").min()).item()
    world = World.of_project(project)
    stakes = Stakes(CAPITAL, FRACTION, world.policy, first, last)
    versions = _versions(project, book, decided["strategy_id"].unique().to_list())
    every = [version for known in versions.values() for version in known.values()]
    bars = _bars(world, every, decided["symbol"].unique().to_list())
    return Archive(decided, versions, desks_of(bars, stakes), stakes)


def verdicts_of(project: Project, book: str, span: Span, strategy: str, name: str) -> pl.DataFrame:
    """Every verdict of one filter of a strategy and of its terms: columns ``READ``.

    Lists are taken apart here: ten times as fast as an UNNEST in DuckDB, for the same bytes read.
    """
    names = pl.col("name").str.split("[").list.first() == name
    found = []
    for table in _TABLES:
        sql = f"SELECT symbol, signal_ds, verdicts FROM {table} {_IN_SPAN}"
        rows = facts(project, book, sql, span, strategy_id=strategy)
        each = rows.explode("verdicts", empty_as_null=False).unnest("verdicts")
        found.append(each.filter(names).select(list(READ)))
    live = [
        (s.symbol, s.ds, v.name, v.value, v.threshold, v.passed)
        for s in _living(project, book, span, strategy)
        for v in s.verdicts
    ]
    living = pl.DataFrame(live, READ, orient="row", strict=False)
    return pl.concat([*found, living.filter(names)])


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


def _versions(
    project: Project, book: str, strategies: Sequence[str]
) -> dict[str, dict[str, CompiledStrategy]]:
    """Every version of each strategy that can be compiled, by key, the last one opened last."""
    library = Library(project.strategies(), runs_code=project.settings.factors.enabled)
    store = read_hot_store(project.settings, project.root, project.book(book))
    found: dict[str, dict[str, CompiledStrategy]] = {name: {} for name in strategies}
    for name, key, text in facts(project, book, _VERSIONS).iter_rows():
        known, config = found.get(name, {}), json.loads(text)
        version = known.pop(key, None) or (
            library.version(store, key)
            if config.get("code")
            else compile_strategy(Strategy.from_canonical(config))
        )
        if version is not None:
            known[key] = version
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
