"""Files of point-in-time values, row by row: kept, or refused and told why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.bar import INPUT_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.market.cells import as_date, as_instant, name_symbols, split
from goldenthread.market.imports import read_table

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

_COLUMNS = ("symbol", "ds", "known_at", "value")
_TYPED = ["symbol", "_ds", "_known_at", "_value"]


def read_inputs(path: Path, name: str, now: dt.datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The values of a CSV or Parquet file in INPUT_SCHEMA, and the rows refused.

    Args:
        path: A file with exactly the columns symbol, ds, known_at, value.
        name: What strategies call the table.
        now: Rows that say they were known later are refused.

    Raises:
        UsageError: The file cannot be read, is empty, or has other columns.
    """
    table = read_table(path)
    if sorted(table.columns) != sorted(_COLUMNS) or table.is_empty():
        got = ", ".join(map(repr, table.columns))
        message = (
            f"{path.name} has {len(table)} rows and the columns {got}; a table of values has rows "
            f"and the columns {', '.join(_COLUMNS)}, no others: rename or leave out"
        )
        raise UsageError(message)
    named, misnamed = name_symbols(table)
    kinds = named.schema
    typed = named.with_columns(
        _ds=as_date(kinds["ds"]),
        _known_at=as_instant("known_at", kinds["known_at"]),
        _value=pl.col("value").cast(pl.Float64, strict=False),
    )
    sound, unsound = split(typed, _rules(now))
    once = sound.unique(_TYPED, maintain_order=True)
    single = pl.len().over(_TYPED[:-1]) == 1
    kept, doubtful = split(once, [("value", single, "one of two values of an instant: keep one")])
    rows = kept.select("symbol", ds="_ds", known_at="_known_at", value="_value")
    rows = rows.with_columns(table=pl.lit(name)).select(list(INPUT_SCHEMA))
    frame = rows.cast(pl.Schema(INPUT_SCHEMA)).sort("symbol", "ds", "known_at")
    return frame, pl.concat([misnamed, unsound, doubtful]).sort("symbol", "ds", "field")


def _rules(now: dt.datetime) -> list[tuple[str, pl.Expr, str]]:
    """What must hold of a row, by the column that is wrong if it does not."""
    known = pl.col("_known_at")
    return [
        ("ds", pl.col("_ds").is_not_null(), "not a date like 2024-01-31: correct it"),
        ("known_at", known.is_not_null(), "not an instant with zone, like 2024-01-31T21:00:00Z"),
        ("known_at", known <= now, f"after {now:%Y-%m-%d %H:%M} UTC: bring it when it is known"),
        ("value", pl.col("_value").is_finite(), "not a finite number: correct it or leave it out"),
    ]
