"""Trades and positions as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import (
    SIDE,
    STRATEGY,
    SYMBOL,
    cents,
    figure,
    price_column,
    signal_column,
    words,
)
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table, written
from goldenthread.reports.notation import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def trade_table(rows: Iterable[Mapping[str, Any]], empty: str) -> str:
    """A row a closed trade, from its entry to what it made."""
    columns = [
        signal_column("trade_id"),
        STRATEGY,
        SYMBOL,
        SIDE,
        words("In", "entry_ds"),
        words("Out", "exit_ds"),
        figure("Quantity", "traded_quantity"),
        price_column("Entry", "entry_price"),
        price_column("Exit", "exit_price"),
        words("Reason", "exit_reason"),
        figure("Bars", "bars_held"),
        cents("Net P&L", "net_pnl"),
        Column("R", written("r_multiple", number)),
    ]
    return table(columns, rows, empty)


def trades(shown: Mapping[str, Any]) -> list[str]:
    """One page of closed trades."""
    about = "Net P&L has fees in it. Click a signal for its story."
    none = "No closed trade is like that."
    return [section("The last exit first", about, trade_table(shown["trades"], none))]


def positions(shown: Mapping[str, Any]) -> list[str]:
    """What is held, or waits for its entry."""
    columns = [
        signal_column("position_id"),
        STRATEGY,
        SYMBOL,
        SIDE,
        words("Status", "status"),
        figure("Quantity", "quantity"),
        price_column("Entry", "entry"),
        price_column("Stop", "stop"),
        price_column("Close", "close"),
        cents("Unrealised", "unrealised_pnl"),
        cents("Realised", "realised_pnl"),
        figure("Bars", "bars_held"),
    ]
    marked = shown["marked"]
    about = f"Marked at the close of {marked}." if marked else ""
    none = "Nothing is held, and nothing waits for its entry."
    return [section("Held and waiting", about, table(columns, shown["positions"], none))]
