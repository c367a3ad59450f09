"""What made the figures of a book: its closed trades by version, by symbol and by month."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.performance import trade_figures

if TYPE_CHECKING:
    from collections.abc import Sequence


def by_version(trades: pl.DataFrame) -> pl.DataFrame:
    """The figures of each version of each strategy (``strategy_id version_key``), oldest first."""
    return _grouped(trades, ("strategy_id", "version_key")).sort("strategy_id", "first_ds")


def by_symbol(trades: pl.DataFrame) -> pl.DataFrame:
    """The figures of each symbol (``symbol``), by name."""
    return _grouped(trades, ("symbol",))


def by_month(trades: pl.DataFrame) -> pl.DataFrame:
    """The figures of each calendar month in which trades were closed (``month``, its first day)."""
    if trades.height:
        trades = trades.with_columns(month=pl.col("exit_ds").dt.truncate("1mo"))
    return _grouped(trades, ("month",))


def by_exit_reason(trades: pl.DataFrame) -> pl.DataFrame:
    """The figures of each way out (``exit_reason``), the one with most trades first."""
    return _grouped(trades, ("exit_reason",)).sort(
        "trades", "exit_reason", descending=[True, False]
    )


def _grouped(trades: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """A row a group: its keys, first and last exit, and the figures of ``trade_figures``."""
    if trades.is_empty():
        return pl.DataFrame(schema=[*keys, "first_ds", "last_ds", "trades"])
    rows = [
        {
            **dict(zip(keys, key, strict=True)),
            "first_ds": own["exit_ds"].min(),
            "last_ds": own["exit_ds"].max(),
            **asdict(trade_figures(own)),
        }
        for key, own in trades.sort(*keys, "exit_ds").group_by(*keys, maintain_order=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
