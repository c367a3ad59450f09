"""What trading cost: fees, borrowed shares and dividends, by asset class."""

from __future__ import annotations

import polars as pl

COSTS = {
    "asset_class": pl.String,
    "trades": pl.Int64,
    "traded": pl.Float64,
    "fees": pl.Float64,
    "borrow_fees": pl.Float64,
    "dividends": pl.Float64,
    "fee_rate": pl.Float64,
    "fee_share": pl.Float64,
}
"""The columns of ``costs``."""


def costs(trades: pl.DataFrame) -> pl.DataFrame:
    """One row an asset class that was traded, by name: columns ``COSTS``.

    ``traded`` is what was bought and sold; ``fees`` all fees of closed trades, ``borrow_fees``
    those of them for borrowed shares; ``fee_rate`` is fees over ``traded`` and ``fee_share`` fees
    over what was made before them, null where that was not above 0. ``borrow_fees`` and
    ``dividends`` are null where the broker does not tell them.
    """
    if trades.is_empty():
        return pl.DataFrame(schema=COSTS)
    both = _float("entry_price") + _float("exit_price")
    found = trades.group_by("asset_class").agg(
        trades=pl.len().cast(pl.Int64),
        traded=(_float("traded_quantity") * both).sum(),
        fees=_float("fees").sum(),
        borrow_fees=_told("borrow_fees"),
        dividends=_told("dividends"),
        gross=_float("gross_pnl").sum(),
    )
    rate = pl.when(pl.col("traded") > 0).then(pl.col("fees") / pl.col("traded"))
    share = pl.when(pl.col("gross") > 0).then(pl.col("fees") / pl.col("gross"))
    return (
        found.sort("asset_class").with_columns(fee_rate=rate, fee_share=share).select(list(COSTS))
    )


def _float(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


def _told(column: str) -> pl.Expr:
    """The sum of what was told; null when nothing was."""
    known = _float(column)
    return pl.when(known.is_not_null().any()).then(known.sum())
