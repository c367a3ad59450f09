"""Columns that several tables of the report share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.reports.markup import Column, money_column, text, written
from goldenthread.reports.notation import money, number, percent, signed_money

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


def traded_columns(*more: Column) -> list[Column]:
    """The columns every breakdown of trades has; ``more`` stand before what it cost and made."""
    return [
        Column("Trades", text("trades"), defined="trades"),
        Column("Win rate", written("win_rate", percent), defined="win_rate"),
        Column("Profit factor", written("profit_factor", number), defined="profit_factor"),
        Column("Expectancy", written("expectancy", signed_money), defined="expectancy"),
        Column(
            "R",
            written("expectancy_r", number),
            hint="mean net P&L over initial risk",
            defined="expectancy_r",
        ),
        *more,
        Column("Fees", written("costs", money), defined="costs"),
        money_column("Net P&L", "net_pnl", defined="net_pnl"),
    ]


def labelled(rows: Sequence[Row], synthetic: frozenset[str]) -> list[Row]:
    """The rows, each saying whether its symbol's prices were generated."""
    return [{**row, "synthetic": row["symbol"] in synthetic} for row in rows]
