"""Bars of one's own, out of a notebook's frame: polars or pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import DataError, UsageError
from goldenthread.market.imports import bars_of
from goldenthread.market.quality import judge

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset

_NAME = "bars"
_ADVICE = "one row a symbol and day with symbol, ds (or date), open, high, low, close, volume"


def bars_from_frame(bars: object) -> tuple[pl.DataFrame, list[Asset]]:
    """The bars of a frame, judged as imported ones are, and their assets.

    A pandas index is taken for columns when its levels are dates or have names; a plain row
    count is dropped.

    Raises:
        UsageError: It is no frame, lacks a column, or its index says nothing.
        DataError: Rows break a rule; the first is named with its reason.
    """
    table = _as_polars(bars)
    try:
        imported = bars_of(table, {}, (_NAME, "frame"), SystemClock().now())
    except UsageError as error:
        said = str(error).partition(": name it with")[0]
        msg = f"{said}; bars= takes {_ADVICE}: rename the columns"
        raise UsageError(msg) from None
    refused = imported.refused
    if not refused.is_empty():
        first = refused.row(0, named=True)
        msg = (
            f"{refused.height} of {table.height} rows of the bars are refused, the first:"
            f" {first['symbol']} {first['ds']}, {first['field']} {first['value']}:"
            f" {first['reason']}; correct them or leave them out"
        )
        raise DataError(msg)
    return judge(imported.bars, []).bars, imported.assets


def _as_polars(bars: object) -> pl.DataFrame:
    if isinstance(bars, pl.DataFrame):
        return bars
    if isinstance(bars, pl.LazyFrame):
        return bars.collect()
    if type(bars).__module__.partition(".")[0] == "pandas" and hasattr(bars, "columns"):
        return _from_pandas(bars)
    msg = f"bars= got {type(bars).__name__}; it takes a polars or pandas frame, {_ADVICE}"
    raise UsageError(msg)


def _from_pandas(bars: Any) -> pl.DataFrame:  # noqa: ANN401  # pandas is not imported for a type
    index = bars.index
    if type(index).__name__ != "RangeIndex":
        bars = bars.reset_index(names=_index_names(index))
    table: pl.DataFrame = pl.from_pandas(bars)
    return table


def _index_names(index: Any) -> list[str]:  # noqa: ANN401  # as above
    """The columns an index becomes: named levels keep their names, unnamed dates are ``ds``."""
    levels = index.levels if hasattr(index, "levels") else [index]
    names = []
    for level, name in zip(levels, index.names, strict=True):
        if name is None and type(level).__name__ != "DatetimeIndex":
            msg = (
                f"the pandas index of bars= has a level without a name that is no date"
                f" ({level.dtype}); name it (symbol, ds) or call reset_index(drop=True)"
            )
            raise UsageError(msg)
        names.append("ds" if name is None else str(name))
    return names
