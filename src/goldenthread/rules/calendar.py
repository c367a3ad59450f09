"""When markets are open: sessions, their instants, and how to count them."""

from __future__ import annotations

import csv
import datetime as dt
from bisect import bisect_right
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_FIRST = dt.date(1971, 1, 1)
_LAST = dt.date(2060, 12, 31)
_SATURDAY = 5
_OPEN = dt.time(9, 30)
_CLOSE = dt.time(16)
_CRYPTO_DEADLINE = dt.time(1, 5)
_DAYS_REMEMBERED = 65_536


def is_session(asset_class: AssetClass, ds: dt.date) -> bool:
    """Whether the market of the class trades on ``ds``; crypto trades every UTC day.

    Raises:
        DataError: ``ds`` is outside 1971-2060.
    """
    position = _after(asset_class, ds)
    return position > 0 and _ordinals(asset_class)[position - 1] == ds.toordinal()


def next_session(asset_class: AssetClass, ds: dt.date) -> dt.date:
    """The first session after ``ds``, which need not be one itself."""
    return add_sessions(asset_class, ds, 1)


def previous_session(asset_class: AssetClass, ds: dt.date) -> dt.date:
    """The last session before ``ds``, which need not be one itself."""
    return _at(asset_class, _after(asset_class, ds - dt.timedelta(days=1)) - 1, ds)


def add_sessions(asset_class: AssetClass, ds: dt.date, n: int) -> dt.date:
    """The ``n``-th session after ``ds`` (``n`` at least 1); 1 is the next one."""
    return _at(asset_class, _after(asset_class, ds) + n - 1, ds)


def sessions(asset_class: AssetClass, start: dt.date, end: dt.date) -> list[dt.date]:
    """Every session from ``start`` to ``end``, both included; empty when ``end`` is earlier."""
    first = _after(asset_class, start - dt.timedelta(days=1))
    ordinals = _ordinals(asset_class)[first : _after(asset_class, end)]
    return [dt.date.fromordinal(ordinal) for ordinal in ordinals]


def session_days(asset_class: AssetClass, start: dt.date, end: dt.date) -> NDArray[np.int64]:
    """What ``sessions`` gives as days since 1970-01-01, read-only."""
    first = _after(asset_class, start - dt.timedelta(days=1))
    return _day_numbers(asset_class)[first : _after(asset_class, end)]


def count_sessions(asset_class: AssetClass, after: dt.date, upto: dt.date) -> int:
    """How many sessions follow ``after``, up to and including ``upto``; never negative."""
    return max(0, _after(asset_class, upto) - _after(asset_class, after))


def session_open(asset_class: AssetClass, ds: dt.date) -> dt.datetime:
    """The instant the session ``ds`` opens (UTC): 09:30 New York, or midnight UTC for crypto.

    Raises:
        DataError: ``ds`` is not a session.
    """
    return _hours(asset_class, ds)[0]


def session_close(asset_class: AssetClass, ds: dt.date) -> dt.datetime:
    """The instant the session ``ds`` ends (UTC): 16:00 New York or earlier; crypto: midnight.

    Raises:
        DataError: ``ds`` is not a session.
    """
    return _hours(asset_class, ds)[1]


def entry_deadline(asset_class: AssetClass, ds: dt.date) -> dt.datetime:
    """The instant after which an entry decided on ``ds`` is stale and must not be sent.

    Equities: the open of the next session. Crypto: 01:05 UTC of the next day.
    """
    if asset_class is AssetClass.EQUITY:
        return session_open(asset_class, next_session(asset_class, ds))
    return dt.datetime.combine(ds + dt.timedelta(days=1), _CRYPTO_DEADLINE, dt.UTC)


@lru_cache(_DAYS_REMEMBERED)
def _hours(asset_class: AssetClass, ds: dt.date) -> tuple[dt.datetime, dt.datetime]:
    if not is_session(asset_class, ds):
        message = (
            f"{ds} is not a session of {asset_class}; the next one is "
            f"{next_session(asset_class, ds)}: set the row aside or correct its date"
        )
        raise DataError(message)
    if asset_class is AssetClass.CRYPTO:
        midnight = dt.datetime.combine(ds, dt.time(), dt.UTC)
        return midnight, midnight + dt.timedelta(days=1)
    return _new_york(ds, _OPEN), _new_york(ds, _exceptions().get(ds) or _CLOSE)


def _new_york(ds: dt.date, time: dt.time) -> dt.datetime:
    local = dt.datetime.combine(ds, time, ZoneInfo("America/New_York"))
    return local.astimezone(dt.UTC)


def _after(asset_class: AssetClass, ds: dt.date) -> int:
    """How many sessions of the table are on or before ``ds``."""
    if not _FIRST <= ds <= _LAST:
        message = (
            f"{ds} is outside the trading calendar ({_FIRST} to {_LAST}): "
            "set the row aside or correct its date"
        )
        raise DataError(message)
    return bisect_right(_ordinals(asset_class), ds.toordinal())


def _at(asset_class: AssetClass, position: int, ds: dt.date) -> dt.date:
    ordinals = _ordinals(asset_class)
    if not 0 <= position < len(ordinals):
        message = f"no session that far from {ds}: the calendar covers {_FIRST} to {_LAST}"
        raise DataError(message)
    return dt.date.fromordinal(ordinals[position])


@cache
def _ordinals(asset_class: AssetClass) -> Sequence[int]:
    every_day = range(_FIRST.toordinal(), _LAST.toordinal() + 1)
    if asset_class is AssetClass.CRYPTO:
        return every_day
    closed = {ds.toordinal() for ds, close in _exceptions().items() if close is None}
    # Ordinal 1 is a Monday, so a weekday's (ordinal - 1) % 7 is below Saturday's 5.
    return [n for n in every_day if (n - 1) % 7 < _SATURDAY and n not in closed]


@cache
def _day_numbers(asset_class: AssetClass) -> NDArray[np.int64]:
    numbers = np.array(_ordinals(asset_class), np.int64) - dt.date(1970, 1, 1).toordinal()
    numbers.flags.writeable = False
    return numbers


@cache
def _exceptions() -> Mapping[dt.date, dt.time | None]:
    """New York's early closes, and None for weekdays without a session."""
    with Path(__file__).with_name("xnys.csv").open(encoding="ascii", newline="") as file:
        return {
            dt.date.fromisoformat(row["ds"]): (
                dt.time.fromisoformat(row["close"]) if row["close"] else None
            )
            for row in csv.DictReader(file)
        }
