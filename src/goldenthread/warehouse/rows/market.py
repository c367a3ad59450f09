"""Bars and corporate actions as rows."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from goldenthread.domain.bar import BarState
from goldenthread.warehouse.rows.columns import (
    Day,
    Instant,
    Loaded,
    Name,
    Numeric,
    Raw,
    Text,
    numeric,
)

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from goldenthread.domain.asset import CorporateAction


class BarRow(Loaded):
    """One revision of one raw daily bar."""

    symbol: Name = Field(description="The asset, crypto written BTC/USD.")
    ds: Day = Field(description="UTC day (crypto) or New York session (equities).")
    source: Name = Field(description="Where the bar came from.")
    known_at: Instant = Field(description="When this revision was known.")
    open: Annotated[Numeric, Field(gt=0)] = Field(description="Raw, never adjusted.")
    high: Annotated[Numeric, Field(gt=0)] = Field(description="Raw, never adjusted.")
    low: Annotated[Numeric, Field(gt=0)] = Field(description="Raw, never adjusted.")
    close: Annotated[Numeric, Field(gt=0)] = Field(description="Raw, never adjusted.")
    volume: Annotated[Numeric, Field(ge=0)] = Field(description="Raw, never adjusted.")
    state: Name = Field(description="GOOD, SUSPECT, CONFIRMED or QUARANTINED.")
    revision: Day = Field(description="The bar that decided the state: ds or the next bar's.")


class ActionRow(Loaded):
    """One revision of one corporate action."""

    symbol: Name = Field(description="The asset.")
    ds: Day = Field(description="The ex date: effective at its open.")
    source: Name = Field(description="Where it came from.")
    known_at: Instant = Field(description="When this revision was known.")
    kind: Name = Field(description="SPLIT, DIVIDEND, SYMBOL_CHANGE or DELISTING.")
    ratio: Annotated[Numeric, Field(gt=0)] = Field(description="New shares per old share.")
    amount: Annotated[Numeric, Field(ge=0)] = Field(description="Dividend a share.")
    new_symbol: Text = Field(description="The symbol after a change.")


def bar_rows(bars: pl.DataFrame) -> list[Raw]:
    """The bars (BAR_SCHEMA) as rows, sorted by symbol, ds, known_at; prices at nine decimals.

    A SUSPECT bar's state is decided by the next bar of its symbol in the frame, whose date is
    the ``revision``, the same whenever the frame is archived.
    """
    raw = bars.sort("symbol", "ds", "known_at").to_dicts()
    later: dict[tuple[str, dt.date], dt.date] = {}
    for row, following in pairwise(raw):
        if row["symbol"] == following["symbol"] and row["ds"] < following["ds"]:
            later[row["symbol"], row["ds"]] = following["ds"]
    return [_bar_row(row, later.get((row["symbol"], row["ds"]), row["ds"])) for row in raw]


def action_row(action: CorporateAction) -> Raw:
    """The corporate action, in the partition of its ex date."""
    return {
        "symbol": action.symbol,
        "ds": action.ex_ds,
        "source": action.source,
        "known_at": action.known_at,
        "kind": action.kind.value,
        "ratio": numeric(action.ratio),
        "amount": numeric(action.amount),
        "new_symbol": action.new_symbol,
    }


_JUDGED = {BarState.CONFIRMED.value, BarState.QUARANTINED.value}


def _bar_row(row: dict[str, Any], following: dt.date) -> Raw:
    prices = {name: _exact(row[name]) for name in ("open", "high", "low", "close", "volume")}
    revision = following if row["state"] in _JUDGED else row["ds"]
    return {**row, **prices, "revision": revision}


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else numeric(Decimal(repr(value)))
