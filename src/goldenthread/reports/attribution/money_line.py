"""The one sentence of an attribution that is worth knowing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.notation import money, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping

ENOUGH = 10
"""Resolved signals a filter must have refused alone before its money is worth a sentence."""


def money_line(table: pl.DataFrame) -> str:
    """The one sentence worth knowing: the filter whose refusals alone moved the most money.

    Args:
        table: What ``attribution`` gave. Gates speak when no filter has enough resolved
            refusals (``ENOUGH``) of its own; equal money goes to the first name.
    """
    enough = table.filter(pl.col("alone_resolved") >= ENOUGH)
    filters = enough.filter(pl.col("kind") == "filter")
    ranked = (filters if filters.height else enough).sort(
        pl.col("alone_net_pnl").abs(), "name", descending=[True, False]
    )
    if ranked.is_empty():
        return (
            f"No filter or gate has refused {ENOUGH} signals by itself with a known outcome yet: "
            "nothing can be said about what they are worth"
        )
    row = ranked.row(0, named=True)
    return f"{row['name']} alone refused {row['alone']} trades that would have {_made(row)}"


def _made(row: Mapping[str, object]) -> str:
    net = row["alone_net_pnl"]
    amount = net if isinstance(net, float) else 0.0
    verb = f"lost {money(-amount)}" if round(amount) < 0 else f"made {signed_money(amount)}"
    words = {"open": "open", "unpriceable": "unpriceable", "untriggered": "never triggered"}
    counts = [f"{row['alone_resolved']} resolved"]
    counts += [
        f"{row[f'alone_{key}']} {word}" for key, word in words.items() if row[f"alone_{key}"]
    ]
    return f"{verb} ({', '.join(counts)})"
