"""Cells of an outside table as symbols, dates, numbers and instants, or refused with their text."""

from __future__ import annotations

import polars as pl

from goldenthread.domain.bar import BAR_SCHEMA, BarState
from goldenthread.market.rows import PRICES, REFUSED_SCHEMA, refusals

_INSTANT = pl.Datetime("us", "UTC")
_EQUITY = r"^[A-Z0-9][A-Z0-9.\-]{0,14}$"
_CRYPTO = r"^[A-Z0-9]{1,15}/[A-Z]{3,5}$"
_DASHED_DOLLARS = r"^([A-Z0-9]{1,15})-(USD|USDT|USDC)$"
_ANY_PAIR = r"^([A-Z0-9]{1,15}?)[-_]?(USDT|USDC|USD|EUR|BTC)$"
_HAS_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})$"
_MIDNIGHT = pl.time(0, 0)


def name_symbols(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with symbols as we write them (``BTC-USD`` is ``BTC/USD``), and those refused.

    With an ``asset_class`` column every CRYPTO symbol becomes a pair and no EQUITY symbol does;
    without one, symbols in dollars with a dash do.
    """
    symbol = pl.col("symbol").cast(pl.String).str.strip_chars().str.to_uppercase()
    table = table.with_columns(symbol=symbol)
    if "asset_class" not in table.columns:
        pair = pl.col("symbol").str.replace(_DASHED_DOLLARS, "$1/$2")
        return split(table.with_columns(symbol=pair), [_well_named()])
    kind = pl.col("asset_class").cast(pl.String).str.strip_chars().str.to_uppercase()
    pair = pl.col("symbol").str.replace(_ANY_PAIR, "$1/$2")
    table = table.with_columns(
        symbol=pl.when(kind == "CRYPTO").then(pair).otherwise("symbol"), asset_class=kind
    )
    known = pl.col("asset_class").is_in(["EQUITY", "CRYPTO"])
    slashed = pl.col("symbol").str.contains("/", literal=True)
    fits = slashed == (pl.col("asset_class") == "CRYPTO")
    return split(
        table,
        [
            ("asset_class", known, "an asset_class is EQUITY or CRYPTO: correct it"),
            _well_named(),
            ("symbol", fits, "a crypto symbol is a pair like BTC/USD, an equity's has no slash"),
        ],
    )


def to_types(table: pl.DataFrame, source: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows in BAR_SCHEMA, ``known_at`` null where none was given, and those refused.

    Dates: ``2024-01-31`` or ``20240131``. An instant with a zone stands for the session it
    falls in: New York's day for equities (midnight UTC: that date), the UTC day for crypto.
    """
    numbers = [*PRICES, "volume"]
    table = table.with_row_index("_row")
    typed = table.select(
        "_row",
        "symbol",
        ds=as_date(table.schema["ds"]),
        **{name: pl.col(name).cast(pl.Float64, strict=False) for name in numbers},
        source=pl.col("source").cast(pl.String).fill_null(source)
        if "source" in table.columns
        else pl.lit(source),
        known_at=as_instant("known_at", table.schema["known_at"])
        if "known_at" in table.columns
        else pl.lit(None, _INSTANT),
        state=pl.lit(BarState.GOOD.value),
    )
    got = {name: typed[name].is_not_null() for name in ("ds", *numbers)}
    rules = [
        ("ds", pl.lit(got["ds"]), "not a date like 2024-01-31: correct it or leave the row out"),
        *(
            (name, pl.lit(got[name]), "not a number: write digits with a decimal point")
            for name in numbers
        ),
    ]
    if "known_at" in table.columns:
        fine = typed["known_at"].is_not_null() | table["known_at"].is_null()
        text = "not an instant with its zone, like 2024-01-31T21:00:00Z"
        rules.append(("known_at", pl.lit(fine), text))
    kept, refused = split(table, rules)
    rows = typed.filter(pl.col("_row").is_in(kept["_row"].implode()))
    return rows.select(list(BAR_SCHEMA)).cast(pl.Schema(BAR_SCHEMA)), refused


_Rule = tuple[str, pl.Expr, str]


def _well_named() -> _Rule:
    fine = pl.col("symbol").str.contains(f"{_EQUITY}|{_CRYPTO}")
    return ("symbol", fine, "a symbol looks like AAPL, BRK.B or BTC/USD: correct it")


def split(table: pl.DataFrame, rules: list[_Rule]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows for which every rule holds, and the others with the first that does not."""
    refused = [pl.DataFrame(schema=REFUSED_SCHEMA)]
    holds = table.select(
        fine.fill_null(value=False).alias(str(number)) for number, (_, fine, _) in enumerate(rules)
    )
    fit = pl.Series([True]).new_from_index(0, len(table))
    for number, (field, _, reason) in enumerate(rules):
        here = holds[str(number)]
        refused.append(refusals(table.filter(fit & ~here), field, reason))
        fit &= here
    return table.filter(fit), pl.concat(refused)


def as_date(kind: pl.DataType) -> pl.Expr:
    """The column ``ds`` of that type as dates; null where it is none."""
    column = pl.col("ds")
    if kind == pl.Date():
        return column
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return column.dt.date()
        return _session_day(column.dt.convert_time_zone("UTC"))
    text = column.cast(pl.String).str.strip_chars()
    zoned = text.str.contains(_HAS_ZONE) & text.str.contains(":", literal=True)
    plain = text.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?$", 1)
    compact = text.str.extract(r"^(\d{8})$", 1)
    return (
        pl.when(zoned)
        .then(_session_day(_zoned(text)))
        .otherwise(
            pl.coalesce(
                plain.str.to_date("%Y-%m-%d", strict=False),
                compact.str.to_date("%Y%m%d", strict=False),
            )
        )
    )


def _session_day(instant: pl.Expr) -> pl.Expr:
    crypto = pl.col("symbol").str.contains("/", literal=True)
    at_midnight = instant.dt.time() == _MIDNIGHT
    new_york = instant.dt.convert_time_zone("America/New_York").dt.date()
    return pl.when(crypto | at_midnight).then(instant.dt.date()).otherwise(new_york)


def as_instant(name: str, kind: pl.DataType) -> pl.Expr:
    """The column ``name`` of that type as instants; null where it is none or has no zone."""
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return pl.lit(None, _INSTANT)
        return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return _zoned(column.cast(pl.String).str.strip_chars())


def _zoned(text: pl.Expr) -> pl.Expr:
    """Text with a zone as an instant; null where it is not one."""
    iso = text.str.replace(r"^(\d{4}-\d{2}-\d{2}) ", "${1}T")
    return iso.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
