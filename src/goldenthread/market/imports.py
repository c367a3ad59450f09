"""Files of bars from outside, brought to our schema row by row: kept, or refused and told why."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from goldenthread.domain.asset import Asset, AssetClass, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.market.actions import read_actions
from goldenthread.market.cells import name_symbols, to_types
from goldenthread.market.columns import pick_columns
from goldenthread.market.rows import FIRST_DAY, LAST_DAY, asset_class_of, refusals, sift
from goldenthread.rules.calendar import is_session, session_close

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Imported", "asset_record", "bars_of", "read_actions", "read_bars", "read_table"]


class Imported(NamedTuple):
    """What a file gave: bars in BAR_SCHEMA (not judged yet), assets, and the rows refused.

    ``refused`` is in REFUSED_SCHEMA, the text of the file in ``value``. ``actions`` is empty
    for a file of bars.
    """

    bars: pl.DataFrame
    actions: list[CorporateAction]
    assets: list[Asset]
    refused: pl.DataFrame


def read_bars(path: Path, mapping: Mapping[str, str], source: str, now: dt.datetime) -> Imported:
    """The daily bars of a CSV or Parquet file.

    A bar without a ``known_at`` of its own counts as known at the close of its session.

    Args:
        path: The file; ``.parquet`` and ``.pq`` are read as Parquet, anything else as CSV.
        mapping: Our column name -> the file's; see ``market.columns``.
        source: Where the bars come from, for rows that do not say themselves; the file's name
            when empty.
        now: Sessions that had not closed by then are refused.

    Raises:
        UsageError: The file is not there, not readable, empty, or lacks a column.
    """
    return bars_of(read_table(path), mapping, (path.name, source or f"file:{path.name}"), now)


def bars_of(
    rows: pl.DataFrame, mapping: Mapping[str, str], names: tuple[str, str], now: dt.datetime
) -> Imported:
    """The daily bars of a table, as ``read_bars``; ``names`` are its name and the bars' source.

    Raises:
        UsageError: The table is empty, or lacks a column.
    """
    name, source = names
    table = pick_columns(rows, mapping, name)
    if table.is_empty():
        message = f"{name} has no rows; a file of bars has one row a symbol and day"
        raise UsageError(message)
    named, misnamed = name_symbols(table)
    typed, mistyped = to_types(named, source)
    sifted = sift(typed.with_columns(known_at=pl.coalesce("known_at", _closes(typed))), now)
    timed, mistimed = _sift_known(sifted.bars, now)
    bars = timed.select(list(BAR_SCHEMA)).sort("symbol", "ds", "known_at")
    origins = bars.group_by("symbol").agg(pl.col("source").last()).sort("symbol")
    assets = [asset_record(symbol, origin) for symbol, origin in origins.iter_rows()]
    refused = pl.concat([misnamed, mistyped, sifted.refused, mistimed])
    return Imported(bars, [], assets, refused.sort("symbol", "ds", "field"))


def asset_record(symbol: str, source: str) -> Asset:
    """An asset in the steps Alpaca trades it in; crypto when the symbol has a slash."""
    crypto = asset_class_of(symbol) is AssetClass.CRYPTO
    return Asset(
        symbol=symbol,
        asset_class=AssetClass.CRYPTO if crypto else AssetClass.EQUITY,
        price_tick=Decimal("0.000001") if crypto else Decimal("0.01"),
        quantity_step=Decimal("0.000000001") if crypto else Decimal(1),
        min_notional=Decimal(10) if crypto else Decimal(0),
        shortable=not crypto,
        fractionable=crypto,
        synthetic=source.lower().startswith("synthetic"),
        source=source,
    )


def read_table(path: Path) -> pl.DataFrame:
    """A CSV (all cells text) or Parquet file.

    Raises:
        UsageError: It is not there, not readable or has no line of column names.
    """
    if not path.is_file():
        message = f"{path} is not a file; give the path of a CSV or Parquet file of daily bars"
        raise UsageError(message)
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    try:
        if parquet:
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        message = f"{path.name} is empty; a CSV of bars starts with a line of column names"
        raise UsageError(message) from error
    except (
        OSError,
        UnicodeError,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
    ) as error:
        kind = "Parquet" if parquet else "CSV"
        cause = str(error).partition("\n")[0]
        message = (
            f"{path.name} cannot be read as {kind}: {cause}; "
            "give a UTF-8 CSV with a line of column names, or a Parquet file ending in .parquet"
        )
        raise UsageError(message) from error


def _closes(bars: pl.DataFrame) -> pl.Series:
    """When the session of each bar closes; null where the calendar has no such session."""
    crypto = bars["symbol"].str.contains("/", literal=True).alias("crypto")
    keys = pl.DataFrame([crypto, bars["ds"]])
    pairs = keys.unique().drop_nulls()
    kinds = {True: AssetClass.CRYPTO, False: AssetClass.EQUITY}
    closes = [
        session_close(kinds[is_crypto], ds)
        if FIRST_DAY <= ds <= LAST_DAY and is_session(kinds[is_crypto], ds)
        else None
        for is_crypto, ds in pairs.iter_rows()
    ]
    table = pairs.with_columns(pl.Series("close", closes, BAR_SCHEMA["known_at"]))
    return keys.join(table, on=["crypto", "ds"], how="left", maintain_order="left")["close"]


def _sift_known(bars: pl.DataFrame, now: dt.datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The bars known between the close of their session and ``now``, and the others refused."""
    early = bars["known_at"] < _closes(bars)
    late = bars["known_at"] > now
    refused = pl.concat(
        [
            refusals(
                bars.filter(early),
                "known_at",
                "before the close of its session: correct it, or leave the column out",
            ),
            refusals(
                bars.filter(late),
                "known_at",
                f"after {now:%Y-%m-%d %H:%M} UTC: correct it, or leave the column out",
            ),
        ]
    )
    return bars.filter(~(early | late)), refused
