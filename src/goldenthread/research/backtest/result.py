"""What a backtest gives back: frames with the columns of the warehouse's facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from goldenthread.domain.signal import SignalStatus
from goldenthread.reports.attribution.refusals import attribution
from goldenthread.reports.notation import money, percent
from goldenthread.reports.performance import metrics, per_strategy
from goldenthread.research.backtest.folder import Contents, save
from goldenthread.research.backtest.pricing import priced
from goldenthread.research.benchmarks import beside, worth_of
from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.rows.orders import account_row, fill_row
from goldenthread.warehouse.rows.signals import expired_row, rejected_row, trade_row
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.research.backtest.portfolio import Outcome
    from goldenthread.research.backtest.setup import Setup
    from goldenthread.warehouse.rows.columns import Raw

_SILENT = {
    "fact_trades": ("exit_at", "flags"),
    "fact_fills": ("order_key", "fill_no", "filled_at", "flags", "execution_id", "broker_order_id"),
}
"""Columns that tell of orders and instants, which a backtest does not have."""
_FRAMES = ("trades", "rejected", "expired", "fills", "equity", "filters", "benchmarks")
"""What a folder keeps as Parquet."""
_BENCHMARKS = {
    **dict.fromkeys(("asset_class", "benchmark"), pl.String),
    "returns": pl.Int64,
    **dict.fromkeys(("periods", "benchmark_return", "beta", "alpha", "correlation"), pl.Float64),
    "note": pl.String,
}
_LOADING = ("run_id", "loaded_at")
_SHOWN = (
    *("trades", "win_rate", "profit_factor", "total_return", "annual_return", "sharpe"),
    *("sortino", "max_drawdown", "calmar", "exposure", "costs"),
)


@dataclass(frozen=True)
class Backtest:
    """One history, decided, filled and accounted for; equal to what ``simulate`` gives.

    All frames have the names and types of the warehouse's facts. ``config`` says what was asked
    and on what it rests: dates, account, policy, versions and digests. ``notes`` are sentences
    about what could not be decided on.
    """

    setup: Setup
    outcome: Outcome
    config: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def trades(self) -> pl.DataFrame:
        """One row a closed trade, by exit date: columns of ``fact_trades``."""
        booked = sorted(self.outcome.trades, key=lambda b: (b.trade.ds, b.trade.trade_id))
        return _frame("fact_trades", [trade_row(b.trade, b.signal) for b in booked])

    @cached_property
    def rejected(self) -> pl.DataFrame:
        """One row a refused signal, with what it would have made: ``fact_rejected_signals``."""
        rows = [rejected_row(*pair) for pair in priced(self.setup, self.outcome.rejected)]
        return _frame("fact_rejected_signals", rows)

    @cached_property
    def expired(self) -> pl.DataFrame:
        """One row a signal that ended unfilled, priced too: ``fact_signals_expired``."""
        rows = [expired_row(*pair) for pair in priced(self.setup, self.outcome.expired)]
        return _frame("fact_signals_expired", rows)

    @cached_property
    def fills(self) -> pl.DataFrame:
        """One row an execution, open positions included: columns of ``fact_fills``."""
        held = [b.position for b in self.outcome.trades]
        held += [ride.position for ride in self.outcome.live]
        pairs = ((fill, position) for position in held for fill in position.fills)
        ordered = sorted(pairs, key=lambda p: (p[0].ds, p[0].execution_id))
        return _frame("fact_fills", [fill_row(*pair) for pair in ordered])

    @cached_property
    def equity(self) -> pl.DataFrame:
        """One row a date: the account at its end, columns of ``snapshot_accounts``."""
        return _frame("snapshot_accounts", [account_row(s) for s in self.outcome.snapshots])

    @cached_property
    def metrics(self) -> pl.DataFrame:
        """The figures of the account (``strategy_id`` null), then of each strategy that traded.

        The columns are those of ``reports.performance``; what is not defined is null.
        """
        whole = {"strategy_id": None, **metrics(self.equity, self.trades).as_row()}
        each = per_strategy(self.equity, self.trades)
        rows = [whole, *({"strategy_id": name, **m.as_row()} for name, m in each.items())]
        return pl.DataFrame(rows, infer_schema_length=None)

    @cached_property
    def benchmarks(self) -> pl.DataFrame:
        """The account beside each benchmark of the project's settings; none for bars of one's own.

        Columns of ``reports.figures.benchmark.BenchmarkFigures``; ``note`` says why one is null.
        """
        chosen, days = self.setup.benchmarks, self.equity["ds"]
        named = [symbol for symbol in chosen.values() if symbol]
        worth = worth_of(self.setup.market.bars, named, days[0], days[-1])
        found = beside(self.equity, worth, chosen)
        return pl.DataFrame([asdict(figures) for figures in found], schema=_BENCHMARKS)

    @cached_property
    def filters(self) -> pl.DataFrame:
        """What each filter and gate refused, and what that would have made."""
        return attribution(self.rejected)

    @property
    def signals(self) -> dict[str, int]:
        """How many signals there were, by what became of them."""
        found, ended = self.outcome, [s.status for s in self.outcome.expired]
        waiting = sum(ride.is_waiting for ride in found.live)
        counts = {
            "traded": len(found.trades),
            "rejected": len(found.rejected),
            "expired": ended.count(SignalStatus.EXPIRED),
            "invalidated": ended.count(SignalStatus.INVALIDATED),
            "waiting": waiting,
            "active": len(found.live) - waiting,
        }
        return {"generated": sum(counts.values()), **counts}

    def save(self, folder: str | Path) -> Path:
        """Write everything into a folder of its own, whole or not at all; see ``folder.save``."""
        strategies = [compiled.strategy for compiled in self.setup.strategies]
        contents = Contents(
            config=self.config,
            strategies={s.strategy_id: s.canonical() for s in strategies},
            texts=self.setup.texts,
            frames={name: getattr(self, name) for name in _FRAMES},
            metrics=self.metrics.to_dicts(),
            manifest={
                "strategies": {s.strategy_id: s.version_key for s in strategies},
                "policy": self.setup.policy.policy_key,
                "engine": self.config["engine_digest"],
                "bars": self.config["bars_digest"],
                "signals": self.signals,
                "notes": list(self.notes),
            },
        )
        return save(contents, Path(folder))

    def __repr__(self) -> str:
        """One line: dates, trades and what became of the money."""
        figures = self.metrics.row(0, named=True)
        made = percent(figures["total_return"])
        return (
            f"Backtest({self.setup.first} to {self.setup.last}: {self.signals['generated']}"
            f" signals, {len(self.outcome.trades)} trades, {made})"
        )

    def _repr_html_(self) -> str:
        """The figures of the account as a small table, for notebooks."""
        figures = self.metrics.row(0, named=True)
        cells = "".join(
            f"<tr><th style='text-align:left'>{name.replace('_', ' ')}</th>"
            f"<td style='text-align:right'>{_told(name, figures[name])}</td></tr>"
            for name in _SHOWN
        )
        end = money(self.outcome.snapshots[-1].equity)
        return (
            f"<table><caption>{self.setup.first} to {self.setup.last}, equity {end}</caption>"
            f"{cells}</table>"
        )


def _frame(table: str, rows: Sequence[Raw]) -> pl.DataFrame:
    """Rows as a frame of the table's columns, less what tells of loading and of orders."""
    left_out = {*_LOADING, *_SILENT.get(table, ())}
    columns = tuple(c for c in TABLES[table].columns if c.name not in left_out)
    schema = arrow_schema(columns)
    found = pl.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))
    return found if isinstance(found, pl.DataFrame) else found.to_frame()


def _told(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "trades":
        return str(value)
    if name == "costs":
        return str(money(value))
    shares = {"win_rate", "total_return", "annual_return", "max_drawdown", "exposure"}
    return str(percent(value)) if name in shares else f"{value:.2f}"
