"""Which column of a file is which: a map given by hand, the rest by the usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDED = ("symbol", "ds", "open", "high", "low", "close", "volume")
OPTIONAL = ("asset_class", "source", "known_at")
_USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "symbol": ("symbol", "ticker", "sym", "asset"),
    "ds": ("ds", "date", "day", "session", "timestamp", "datetime", "time"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    "asset_class": ("asset_class", "assetclass", "class"),
    "source": ("source",),
    "known_at": ("known_at",),
}
_NUMBERS = ("open", "high", "low", "close", "volume")
_MEANT = {
    "ds": "a date",
    "known_at": "an instant",
    **dict.fromkeys(_NUMBERS, "a number"),
}
_CONSTANT = "="


def pick_columns(frame: pl.DataFrame, mapping: Mapping[str, str], name: str) -> pl.DataFrame:
    """The columns of NEEDED and those of OPTIONAL there are, under our names.

    Args:
        frame: A file as it was read.
        mapping: Our name -> the file's column (``close`` -> ``Adj_Close``), or ``=`` and a value
            that holds for every row (``symbol`` -> ``=AAPL``). What it does not name is
            guessed by the usual names, whatever their case; prices are never guessed from an
            adjusted column.
        name: The file's name, for messages.

    Raises:
        UsageError: A needed column is not there, or the map names something unknown.
    """
    _check_names(mapping)
    chosen: dict[str, pl.Expr] = {}
    for ours in (*NEEDED, *OPTIONAL):
        theirs = mapping.get(ours)
        if theirs is None:
            theirs = _guess(frame, ours)
        elif theirs.startswith(_CONSTANT):
            chosen[ours] = pl.lit(theirs.removeprefix(_CONSTANT))
            continue
        elif theirs not in frame.columns:
            message = f"{name} has no column {theirs!r} to read {ours} from; {_has(frame)}"
            raise UsageError(message)
        if theirs is not None:
            chosen[ours] = pl.col(theirs)
    missing = [ours for ours in NEEDED if ours not in chosen]
    if missing:
        message = (
            f"{name} has no column for {', '.join(missing)}; {_has(frame)}: name it with "
            f"--map {missing[0]}=COLUMN, or one value for all rows with --map {missing[0]}==VALUE"
        )
        raise UsageError(message)
    picked = frame.select(**chosen)
    for ours, kind in picked.schema.items():
        if not _fits(ours, kind):
            message = (
                f"{ours} of {name} would be a column of {kind}; {ours} is "
                f"{_MEANT.get(ours, 'text')}: choose another with --map {ours}=COLUMN"
            )
            raise UsageError(message)
    return picked


def _fits(ours: str, kind: pl.DataType) -> bool:
    if kind in (pl.String, pl.Null):
        return True
    if ours == "ds":
        return kind in (pl.Date, pl.Datetime) or kind.is_integer()
    if ours == "known_at":
        return kind == pl.Datetime
    if ours in _NUMBERS:
        return kind.is_numeric()
    return kind in (pl.Categorical, pl.Enum)


def _check_names(mapping: Mapping[str, str]) -> None:
    unknown = sorted(set(mapping) - {*NEEDED, *OPTIONAL})
    if unknown:
        message = (
            f"--map names {unknown[0]!r}, which bars do not have; "
            f"it can name {', '.join((*NEEDED, *OPTIONAL))}"
        )
        raise UsageError(message)


def _guess(frame: pl.DataFrame, ours: str) -> str | None:
    plain = {column.strip().lower().replace(" ", "_"): column for column in reversed(frame.columns)}
    return next((plain[name] for name in _USUAL_NAMES[ours] if name in plain), None)


def _has(frame: pl.DataFrame) -> str:
    return f"it has {', '.join(map(repr, frame.columns))}"
