"""How figures are written for people: money, fractions, counts and dates; unknown is a dash."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

UNKNOWN = "\N{EN DASH}"
"""Stands wherever a figure is not defined or not known; an unknown is never 0."""

Number = Decimal | float | int


def money(amount: Number | None, places: int = 0) -> str:
    """The amount in dollars: ``$1,234``, ``-$1,234``."""
    if amount is None:
        return UNKNOWN
    sign, digits = _sign_and_digits(amount, places)
    return f"{sign.replace('+', '')}${digits}"


def signed_money(amount: Number | None, places: int = 0) -> str:
    """The amount with its sign: ``+$1,234``, ``-$1,234``; zero has none."""
    if amount is None:
        return UNKNOWN
    sign, digits = _sign_and_digits(amount, places)
    return f"{sign}${digits}"


def percent(fraction: Number | None, places: int = 1) -> str:
    """A fraction as percent: ``0.1234`` is ``12.3%``."""
    return UNKNOWN if fraction is None else f"{number(fraction * 100, places)}%"


def signed_percent(fraction: Number | None, places: int = 1) -> str:
    """A fraction as percent with its sign: ``+12.3%``; zero has none."""
    if fraction is None:
        return UNKNOWN
    sign, digits = _sign_and_digits(fraction * 100, places)
    return f"{sign}{digits}%"


def number(value: Number | None, places: int = 2) -> str:
    """A plain figure with thousands separators."""
    if value is None:
        return UNKNOWN
    sign, digits = _sign_and_digits(value, places)
    return f"{sign.replace('+', '')}{digits}"


def price(value: Decimal | None) -> str:
    """A price as it is, with two decimals at least: ``24.50``, ``0.0125``."""
    if value is None:
        return UNKNOWN
    exponent = value.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return f"{value:,.{max(places, 2)}f}"


def short(value: Decimal | None, fewest: int = 2) -> str:
    """A price or quantity at a glance: about six digits, ``fewest`` decimals at least.

    ``199.13``, ``1.33112``; ``48`` with ``fewest`` 0.
    """
    if value is None:
        return UNKNOWN
    places = max(5 - max(value.adjusted(), 0), 2)
    whole, _, rest = f"{value:,.{places}f}".partition(".")
    decimals = rest.rstrip("0").ljust(fewest, "0")
    return f"{whole}.{decimals}" if decimals else whole


def exact(value: object) -> str:
    """A value as it is: a Decimal without trailing zeros, an instant in UTC, None as a dash."""
    if value is None:
        return UNKNOWN
    if isinstance(value, Decimal):
        return format(value.normalize(), ",f") if value else "0"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return f"{value:,.12g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def period(start: dt.date | None, end: dt.date | None) -> str:
    """Two dates as a period: ``2024-01-31 to 2024-03-31``."""
    return UNKNOWN if start is None or end is None else f"{start} to {end}"


def _sign_and_digits(value: Number, places: int) -> tuple[str, str]:
    text = f"{value:+,.{places}f}"
    is_zero = not text.strip("+-0.,")
    return ("" if is_zero else text[0]), text[1:]
