"""The one sentence of an attribution that is worth knowing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.notation import money, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping

ENOUGH = 10
"""Resolved signals a filter must have refused alone before its money is worth a sentence."""


def loudest(table: pl.DataFrame) -> dict[str, Any] | None:
    """The row of the filter whose refusals alone moved the most money; None when none has enough.

    Args:
        table: What ``attribution`` gave. Gates speak when no filter has enough resolved
            refusals (``ENOUGH``) of its own; equal money goes to the first name.
    """
    enough = table.filter(pl.col("alone_resolved") >= ENOUGH)
    filters = enough.filter(pl.col("kind") == "filter")
    ranked = (filters if filters.height else enough).sort(
        pl.col("alone_net_pnl").abs(), "name", descending=[True, False]
    )
    return None if ranked.is_empty() else ranked.row(0, named=True)


def money_line(row: Mapping[str, Any] | None, otherwise: str = "") -> str:
    """The one sentence worth knowing, about the ``loudest`` row.

    ``otherwise`` is what another threshold would have made, as ``in_hindsight`` says it.
    """
    if row is None:
        return (
            f"No filter or gate has refused {ENOUGH} signals by itself with a known outcome yet: "
            "nothing can be said about what they are worth"
        )
    said = f"{row['name']} alone refused {row['alone']} trades that would have {_made(row)}"
    return "; ".join(filter(None, (said, otherwise)))


def in_hindsight(points: pl.DataFrame) -> str:
    """What the best threshold of a curve would have made more than the present one, in words.

    Args:
        points: Columns ``threshold present trades net_pnl difference``, a row a threshold.

    Returns:
        Empty when no threshold that moves ``ENOUGH`` trades would have made more.
    """
    (now,) = points.filter("present").to_dicts()
    moved = (pl.col("trades") - now["trades"]).abs() >= ENOUGH
    better = points.filter(moved, pl.col("difference") > 0).sort("difference", descending=True)
    if better.is_empty():
        return ""
    best = better.row(0, named=True)
    count = best["trades"] - now["trades"]
    trades = f"taken {count} trades more" if count > 0 else f"left out {-count} trades"
    return (
        f"{best['threshold']:g} instead of {now['threshold']:g} would have {trades} and made"
        f" {signed_money(best['difference'])}, in hindsight and at equal stakes"
    )


def _made(row: Mapping[str, Any]) -> str:
    amount = row["alone_net_pnl"]
    verb = f"lost {money(-amount)}" if round(amount) < 0 else f"made {signed_money(amount)}"
    words = {"open": "open", "unpriceable": "unpriceable", "untriggered": "never triggered"}
    counts = [f"{row['alone_resolved']} resolved"]
    counts += [
        f"{row[f'alone_{key}']} {word}" for key, word in words.items() if row[f"alone_{key}"]
    ]
    bounds = (signed_money(row["alone_low"]), signed_money(row["alone_high"]))
    interval = "" if row["alone_low"] is None else f" [{', '.join(bounds)}]"
    return f"{verb}{interval} ({', '.join(counts)})"
