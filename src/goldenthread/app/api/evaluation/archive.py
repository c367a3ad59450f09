"""Decisions as they were recorded, ready to be asked again: of a book, or of a backtest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.app.api.research.sweeps import CAPITAL, FRACTION
from goldenthread.domain.errors import UsageError
from goldenthread.research.sweep.orders import AssetDesk, Stakes
from goldenthread.research.sweep.work import Bars
from goldenthread.research.whatif.candidates import Candidates
from goldenthread.research.whatif.curves import READ
from goldenthread.research.whatif.pricing import DECIDED, desks_of, price_decisions
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.compilation import CompiledStrategy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from goldenthread.app.api.research.worlds import World
    from goldenthread.domain.signal import Signal

Versions = Mapping[str, Mapping[str, CompiledStrategy]]
"""Of each strategy its versions by key, the last one opened last."""


class Recorded(NamedTuple):
    """What one strategy decided; ``versions`` by key, the last one opened last."""

    strategy_id: str
    candidates: Candidates
    versions: Mapping[str, CompiledStrategy]

    @property
    def present(self) -> CompiledStrategy:
        """The version opened last."""
        return list(self.versions.values())[-1]


class Told(NamedTuple):
    """What is recorded of decisions.

    ``decided`` has ``strategy_id`` and the columns ``DECIDED``; ``versions`` are those that can
    still be compiled; ``verdicts`` gives the columns ``READ`` of one strategy.
    """

    decided: pl.DataFrame
    versions: Versions
    verdicts: Callable[[str], pl.DataFrame]


@dataclass(frozen=True, eq=False)
class Archive:
    """What is recorded of decisions, with the bars to price them and the stake of each."""

    told: Told
    desks: Mapping[str, AssetDesk]
    stakes: Stakes

    @property
    def strategies(self) -> list[str]:
        """Whose decisions there are, sorted."""
        return sorted(self.told.decided["strategy_id"].unique())

    def filters(self, strategy: str) -> list[str]:
        """The filters of a strategy's version opened last."""
        versions = list(self.told.versions[strategy].values())
        return list(versions[-1].strategy.reject_unless) if versions else []

    def of(self, strategy: str) -> Recorded:
        """What one strategy decided, each decision priced by its own version at equal stakes.

        Raises:
            UsageError: The Python factors of one of its versions may not run, or were not kept.
            DataError: A symbol has no bars any more.
        """
        versions = self.told.versions[strategy]
        rows = self.told.decided.filter(strategy_id=strategy)
        if gone := sorted(set(rows["version_key"].unique()) - versions.keys()):
            msg = (
                f"version {gone[0][:12]} of {strategy} calls Python factors that may not run here"
                " or were not kept with it, so that its exits cannot be told; set [factors] enabled"
                " = true, or leave its dates out"
            )
            raise UsageError(msg)
        candidates = price_decisions(rows, versions, self.desks, self.stakes)
        return Recorded(strategy, candidates, versions)

    def verdicts(self, strategy: str, name: str) -> pl.DataFrame:
        """Every verdict of one filter of a strategy and of its terms: columns ``READ``."""
        own = pl.col("name").str.split("[").list.first() == name
        return self.told.verdicts(strategy).filter(own)


def archive_on(world: World, told: Told, last: dt.date) -> Archive:
    """The decisions with a world's bars up to ``last``, under its policy, at equal stakes."""
    first: dt.date = told.decided.select(pl.col("signal_ds").min()).item()
    stakes = Stakes(CAPITAL, FRACTION, world.policy, first, last)
    every = [version for known in told.versions.values() for version in known.values()]
    bars = _bars(world, every, told.decided["symbol"].unique().to_list())
    return Archive(told, desks_of(bars, stakes), stakes)


def decisions(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a fact as ``strategy_id`` and ``DECIDED``; one that is not refused failed nothing."""
    prices = pl.element().struct.field("price").cast(pl.Float64)
    failed = (
        pl.col("rejection_reasons")
        if "rejection_reasons" in rows.columns
        else pl.lit([], pl.List(pl.String))
    )
    return rows.select(
        *("strategy_id", "symbol", "signal_ds", "version_key"),
        entry=pl.col("planned_entry").cast(pl.Float64),
        stop=pl.col("planned_stop").cast(pl.Float64),
        trail=pl.col("trail").cast(pl.Float64),
        targets=pl.col("targets").list.eval(prices),
        failed=failed,
    )


def living_decisions(signals: Iterable[Signal]) -> pl.DataFrame:
    """Signals that have not ended, as ``decisions``."""
    return pl.DataFrame(
        [_row(signal) for signal in signals], {"strategy_id": pl.String(), **DECIDED}
    )


def verdicts(rows: pl.DataFrame) -> pl.DataFrame:
    """The verdicts of rows of a fact, a row each: columns ``READ``.

    Taken apart here: ten times as fast as an UNNEST in DuckDB, for the same bytes read.
    """
    each = rows.select("symbol", "signal_ds", "verdicts").explode("verdicts", empty_as_null=False)
    return each.unnest("verdicts").select(list(READ))


def living_verdicts(signals: Iterable[Signal]) -> pl.DataFrame:
    """The verdicts of signals that have not ended, as ``verdicts``."""
    rows = [
        (s.symbol, s.ds, v.name, v.value, v.threshold, v.passed)
        for s in signals
        for v in s.verdicts
    ]
    return pl.DataFrame(rows, READ, orient="row", strict=False)


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
