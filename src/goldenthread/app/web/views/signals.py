"""Signals as tables: what was decided, what became of it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import SIDE, STRATEGY, SYMBOL, cents, signal_column, words
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DECIDED = words("Decided", "signal_ds")
NO_SUCH = "No signal is like that; leave a filter out."


def signal_table(rows: Iterable[Mapping[str, Any]], empty: str, *, dated: bool = True) -> str:
    """A row a signal, its outcome and reason, and what it made or would have made."""
    columns = [
        signal_column("signal_id"),
        *([DECIDED] if dated else []),
        STRATEGY,
        SYMBOL,
        SIDE,
        Column("Outcome", _outcome, figure=False),
        cents("Net P&L", "net_pnl"),
        Column("Note", lambda row: row["note"] or "", figure=False),
    ]
    return table(columns, rows, empty)


def signals(shown: Mapping[str, Any]) -> list[str]:
    """One page of them."""
    about = (
        "Net P&L is what was made, or what the fill rules say it would have made; the note says"
        " what it stands for. Click a signal for its story."
    )
    return [section("The newest first", about, signal_table(shown["signals"], NO_SUCH))]


def _outcome(row: Mapping[str, Any]) -> str:
    return f"{row['outcome']}: {row['reason']}" if row["reason"] else str(row["outcome"])
