"""Bars for tests: a few closes become whole sessions of one symbol."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.market.rows import asset_class_of
from goldenthread.rules.calendar import add_sessions, session_close, session_open

if TYPE_CHECKING:
    from collections.abc import Sequence

MONDAY = dt.date(2021, 3, 1)
"""A session; so are the four days after it."""


def daily(
    symbol: str,
    closes: Sequence[float],
    *,
    opens: Sequence[float] | None = None,
    first: dt.date = MONDAY,
) -> pl.DataFrame:
    """One bar a session from ``first`` on; each opens at the close before, unless told."""
    kind = asset_class_of(symbol)
    days = [first, *(add_sessions(kind, first, n) for n in range(1, len(closes)))]
    opening = opens or [closes[0], *closes[:-1]]
    rows = [
        (symbol, ds, o, max(o, c), min(o, c), c, 1000.0, "test", session_close(kind, ds), "GOOD")
        for ds, o, c in zip(days, opening, closes, strict=True)
    ]
    return pl.DataFrame(rows, schema=BAR_SCHEMA, orient="row")


def split(symbol: str, ex_ds: dt.date, ratio: str) -> CorporateAction:
    """A split, known from the open of its ex date."""
    return CorporateAction(
        symbol=symbol,
        kind=ActionKind.SPLIT,
        ex_ds=ex_ds,
        ratio=Decimal(ratio),
        source="test",
        known_at=session_open(asset_class_of(symbol), ex_ds),
    )


def after(ds: dt.date) -> dt.datetime:
    """When run ``ds`` starts: the next day at 00:05 UTC."""
    return dt.datetime.combine(ds + dt.timedelta(days=1), dt.time(0, 5), dt.UTC)
