"""Row rules: what a single bar must satisfy to be kept at all; each refusal says why."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.domain.asset import AssetClass
from goldenthread.rules import calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.bar import FloatArray

REFUSED_SCHEMA: dict[str, pl.DataType] = {
    "symbol": pl.String(),
    "ds": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
}
"""Columns of refused rows, as text: what was got in which field, what is allowed, what to do."""

_KEY = ["symbol", "ds", "known_at"]
PRICES = ("open", "high", "low", "close")
SMALLEST = 1e-9
"""Prices are kept to nine decimals."""
LARGEST = 1e18
"""Prices and volumes are kept with at most eighteen digits before the point."""
_EXACT_BELOW = 2.0**23
"""A double from here on says nothing beyond the ninth decimal."""


FIRST_DAY, LAST_DAY = dt.date(1971, 1, 1), dt.date(2060, 12, 31)
"""What the trading calendar covers."""


class Sifted(NamedTuple):
    """Rows fit to keep, and the rows refused, in REFUSED_SCHEMA."""

    bars: pl.DataFrame
    refused: pl.DataFrame


class _Rule(NamedTuple):
    field: str
    broken: pl.Expr
    reason: str


def asset_class_of(symbol: str) -> AssetClass:
    """CRYPTO for a symbol with a slash (``BTC/USD``), else EQUITY."""
    return AssetClass.CRYPTO if "/" in symbol else AssetClass.EQUITY


def sift(bars: pl.DataFrame, now: dt.datetime | None = None) -> Sifted:
    """The rows that keep every row rule, and the others with the first rule they break.

    Of sound rows of one symbol, ds and known_at with equal values the first is kept; with
    different values none is. With ``now``, bars whose session had not closed then are refused.
    """
    sound, unsound = _apply([*_number_rules(), *_day_rules(bars, now)], bars)
    if in_order(sound) or not sound.select(_KEY).is_duplicated().any():
        return Sifted(sound, unsound)
    single, repeated = _apply(_duplicate_rules(), sound)
    return Sifted(single, pl.concat([unsound, repeated]))


def in_order(bars: pl.DataFrame) -> bool:
    """Whether the rows stand by symbol, ds, known_at, no two of them alike: as stored bars do."""
    symbol, ds, known_at = (pl.col(name) for name in _KEY)
    same_day = (ds == ds.shift()) & (known_at > known_at.shift())
    later = (symbol == symbol.shift()) & ((ds > ds.shift()) | same_day)
    return bool(bars.select(((symbol > symbol.shift()) | later).all()).item())


def as_money(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars with prices and volumes at nine decimals, as money is kept everywhere.

    Each is the double nearest to its nine decimals, so that what is read back from a NUMERIC
    column is the same to the bit.
    """
    names = (*PRICES, "volume")
    return bars.with_columns(pl.Series(name, _nearest(bars[name].to_numpy())) for name in names)


def _nearest(values: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        rounded: FloatArray = np.rint(values * 1e9) / 1e9  # Polars' division is not exact
    return np.where(np.abs(values) < _EXACT_BELOW, rounded, values)


def _apply(rules: Sequence[_Rule], bars: pl.DataFrame) -> Sifted:
    verdict = pl.coalesce(
        pl.when(rule.broken.fill_null(value=True)).then(pl.lit(number, pl.Int8))
        for number, rule in enumerate(rules)
    )
    marked = bars.with_columns(_rule=verdict)
    broken = marked.filter(pl.col("_rule").is_not_null())
    kept = marked.filter(pl.col("_rule").is_null()).drop("_rule") if len(broken) else bars
    parts = [
        refusals(broken.filter(pl.col("_rule") == number), rule.field, rule.reason)
        for number, rule in enumerate(rules)
        if number in broken["_rule"]
    ]
    return Sifted(kept, pl.concat(parts or [pl.DataFrame(schema=REFUSED_SCHEMA)]))


def refusals(rows: pl.DataFrame, field: str, reason: str) -> pl.DataFrame:
    """The rows as refused for one reason, with the value they had in ``field``."""
    return rows.select(
        pl.col("symbol").cast(pl.String),
        pl.col("ds").cast(pl.String),
        pl.lit(field).alias("field"),
        pl.col(field).cast(pl.String).fill_null("(empty)").alias("value"),
        pl.lit(reason).alias("reason"),
    )


def _number_rules() -> list[_Rule]:
    top = pl.max_horizontal("open", "close")
    bottom = pl.min_horizontal("open", "close")
    return [
        *(
            _Rule(name, ~pl.col(name).is_finite(), "not a finite number: correct it or leave out")
            for name in (*PRICES, "volume")
        ),
        *(
            _Rule(
                name,
                ~pl.col(name).is_between(SMALLEST, LARGEST),
                "a price is from 0.000000001 to 1e18: correct it or leave the row out",
            )
            for name in PRICES
        ),
        _Rule(
            "volume",
            ~pl.col("volume").is_between(0, LARGEST),
            "a volume is from 0 to 1e18: correct it or leave the row out",
        ),
        _Rule("high", pl.col("high") < top, "below open or close: correct it or leave it out"),
        _Rule("low", pl.col("low") > bottom, "above open or close: correct it or leave it out"),
    ]


def _day_rules(bars: pl.DataFrame, now: dt.datetime | None) -> list[_Rule]:
    days = bars["ds"].drop_nulls().unique().to_list()
    crypto = pl.col("symbol").str.contains("/", literal=True)
    rules = [
        _Rule(
            "ds",
            ~pl.when(crypto)
            .then(pl.col("ds").is_in(_sessions(AssetClass.CRYPTO, days)))
            .otherwise(pl.col("ds").is_in(_sessions(AssetClass.EQUITY, days))),
            "no session of its market on that day: correct the date or leave the row out",
        )
    ]
    if now is not None:
        forming = {kind: _unclosed(kind, days, now) for kind in AssetClass}
        broken = (
            pl.when(crypto)
            .then(pl.col("ds").is_in(forming[AssetClass.CRYPTO]))
            .otherwise(pl.col("ds").is_in(forming[AssetClass.EQUITY]))
        )
        text = f"its session is not over at {now:%Y-%m-%d %H:%M} UTC: bring it when it has closed"
        rules.append(_Rule("ds", broken, text))
    return rules


def _duplicate_rules() -> list[_Rule]:
    values = pl.struct(*PRICES, "volume")
    return [
        _Rule(
            "close",
            values.n_unique().over(_KEY) > 1,
            "two different bars of one day: keep the right one",
        ),
        _Rule("ds", pl.int_range(pl.len()).over(_KEY) > 0, "repeats a row that is kept"),
    ]


def _sessions(kind: AssetClass, days: list[dt.date]) -> list[dt.date]:
    """The days the calendar calls sessions; days beyond the calendar are none."""
    inside = [day for day in days if FIRST_DAY <= day <= LAST_DAY]
    if not inside:
        return []
    return sorted(set(calendar.sessions(kind, min(inside), max(inside))).intersection(inside))


def _unclosed(kind: AssetClass, days: list[dt.date], now: dt.datetime) -> list[dt.date]:
    """The sessions among the days that close after ``now``."""
    eve = now.date() - dt.timedelta(days=1)
    late = _sessions(kind, [day for day in days if day >= eve])
    return [day for day in late if calendar.session_close(kind, day) > now]
