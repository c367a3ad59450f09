"""Single values on the wire: amounts are decimal strings, instants RFC 3339."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError
from goldenthread.rules.calendar import is_session, next_session

Json = dict[str, Any]

_NEW_YORK = ZoneInfo("America/New_York")
_OVERNIGHT = dt.time(20)
_DAY = dt.timedelta(days=1)
_MICRO = dt.timedelta(microseconds=1)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$")
_MICRO_DIGITS = 6


def loads(text: str | bytes) -> Any:  # noqa: ANN401  # any JSON value
    """JSON with its numbers as exact decimals."""
    return json.loads(text, parse_float=Decimal)


def text(amount: Decimal) -> str:
    """The amount as the wire wants it: plain digits, no exponent, no trailing zeros."""
    plain = format(amount.normalize(), "f")
    return "0" if plain == "-0" else plain


def text_or_null(amount: Decimal | None) -> str | None:
    """As ``text``; null for None."""
    return None if amount is None else text(amount)


def amount(value: object, field: str) -> Decimal:
    """A quantity or price from a string or a number.

    Raises:
        DataError: It is neither, or not finite.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        msg = f"{field} is {value!r}, not a number; Alpaca's answer cannot be used"
        raise DataError(msg)
    return number


def amount_or_none(value: object, field: str) -> Decimal | None:
    """As ``amount``; None for null or an empty text."""
    return None if value is None or value == "" else amount(value, field)


def uuid_of(name: str) -> str:
    """The UUID our exchange gives a thing that has a name; equal names, equal UUIDs."""
    return str(uuid5(NAMESPACE_URL, f"goldenthread:{name}"))


def instant(value: object, field: str) -> dt.datetime:
    """The instant in UTC, to the nearest microsecond (Alpaca writes up to nine decimals).

    Raises:
        DataError: It is no RFC 3339 instant.
    """
    floor, rounds_up = _parsed(value, field)
    return floor + _MICRO if rounds_up else floor


def instant_text(at: dt.datetime) -> str:
    """The instant as Alpaca writes it."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def session_of(value: object, asset_class: AssetClass, field: str) -> dt.date:
    """The session an execution belongs to, by its instant.

    Crypto: its UTC date, judged before rounding, so that the last nanosecond of a day stays in
    it. Equities: its date in New York; from 20:00 there (Alpaca's overnight session), and on
    days without a session, the next session.
    """
    floor, _ = _parsed(value, field)
    if asset_class is AssetClass.CRYPTO:
        return floor.date()
    local = floor.astimezone(_NEW_YORK)
    ds = local.date()
    if local.time() < _OVERNIGHT and is_session(asset_class, ds):
        return ds
    return next_session(asset_class, ds if local.time() >= _OVERNIGHT else ds - _DAY)


def _parsed(value: object, field: str) -> tuple[dt.datetime, bool]:
    """The instant cut to microseconds, and whether what was cut off rounds up."""
    found = _INSTANT.match(str(value))
    if found is None:
        msg = f"{field} is {value!r}, not an instant; Alpaca's answer cannot be used"
        raise DataError(msg)
    seconds, fraction, zone = found.groups()
    digits = (fraction or "").ljust(_MICRO_DIGITS, "0")
    at = dt.datetime.fromisoformat(f"{seconds}.{digits[:_MICRO_DIGITS]}{zone}")
    return at.astimezone(dt.UTC), digits[_MICRO_DIGITS:] >= "5"
