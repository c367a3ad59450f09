"""What trading cost: slippage, fees, borrowed shares and dividends, by asset class."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.reports.divergence.rows import Execution

COSTS = {
    "asset_class": pl.String,
    "trades": pl.Int64,
    "traded": pl.Float64,
    "slippage": pl.Float64,
    "slippage_rate": pl.Float64,
    "fees": pl.Float64,
    "borrow_fees": pl.Float64,
    "dividends": pl.Float64,
    "fee_rate": pl.Float64,
    "fee_share": pl.Float64,
}
"""The columns of ``costs``."""


def costs(trades: pl.DataFrame, slipped: Mapping[str, Decimal]) -> pl.DataFrame:
    """One row an asset class that was traded, by name: columns ``COSTS``.

    ``traded`` is what was bought and sold; ``slippage`` the money of ``slipped`` (by trade), null
    when no trade of the class is in it, and ``slippage_rate`` its share of what those trades
    bought and sold. ``fees`` are all fees of closed trades, ``borrow_fees`` those of them for
    borrowed shares; ``fee_rate`` is fees over ``traded`` and ``fee_share`` fees over what was made
    before them, null where that was not above 0. ``borrow_fees`` and ``dividends`` are null where
    the broker does not tell them.
    """
    if trades.is_empty():
        return pl.DataFrame(schema=COSTS)
    known = {trade: float(money) for trade, money in slipped.items()}
    slippage = pl.col("trade_id").replace_strict(known, default=None, return_dtype=pl.Float64)
    both = _float("traded_quantity") * (_float("entry_price") + _float("exit_price"))
    found = (
        trades.with_columns(slippage=slippage, traded=both)
        .group_by("asset_class")
        .agg(
            trades=pl.len().cast(pl.Int64),
            traded=pl.col("traded").sum(),
            slippage=_told("slippage"),
            slipped=pl.col("traded").filter(pl.col("slippage").is_not_null()).sum(),
            fees=_float("fees").sum(),
            borrow_fees=_told("borrow_fees"),
            dividends=_told("dividends"),
            gross=_float("gross_pnl").sum(),
        )
    )
    return (
        found.sort("asset_class")
        .with_columns(
            slippage_rate=_over("slippage", "slipped"),
            fee_rate=_over("fees", "traded"),
            fee_share=_over("fees", "gross"),
        )
        .select(list(COSTS))
    )


def slippage(executions: Sequence[Execution]) -> Decimal | None:
    """What executions cost over the prices the bars offered them; below 0 when they were better.

    None without executions, or when what was offered is not known for each of them.
    """
    paid = [
        (fill.price - fill.reference) * fill.quantity * fill.side.sign
        for fill in executions
        if fill.reference is not None
    ]
    return sum(paid, Decimal(0)) if paid and len(paid) == len(executions) else None


def _float(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


def _told(column: str) -> pl.Expr:
    """The sum of what was told; null when nothing was."""
    known = _float(column)
    return pl.when(known.is_not_null().any()).then(known.sum())


def _over(above: str, below: str) -> pl.Expr:
    return pl.when(pl.col(below) > 0).then(pl.col(above) / pl.col(below))
