"""A closed trade, and the theoretical outcome of a signal that was not traded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.position import ExitReason
from goldenthread.domain.strategy import Side


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trade(_Part):
    """One closed position as booked; money in quote currency, fractions never percent.

    ``net_pnl = gross_pnl - fees + dividends``; a short's ``dividends`` are negative and
    ``borrow_fees`` a part of ``fees``, both null where the broker does not tell them.
    ``r_multiple`` is net P&L over what the initial stop risked (null when the fill was beyond the
    stop); ``mfe`` and ``mae`` are the best and worst price moves as fractions of the average entry,
    signed for the side. ``is_final`` turns true when the broker's fees for it are known. Prices and
    quantities are in the split units of the exit.
    """

    book: str
    trade_id: str
    ds: dt.date
    signal_ds: dt.date
    entry_ds: dt.date
    exit_ds: dt.date
    strategy_id: str
    version_key: str
    policy_key: str
    symbol: str
    asset_class: AssetClass
    side: Side
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    initial_stop: Decimal
    planned_entry: Decimal
    gross_pnl: Decimal
    fees: Decimal
    dividends: Decimal | None = None
    borrow_fees: Decimal | None = None
    net_pnl: Decimal
    return_fraction: Decimal
    r_multiple: Decimal | None
    mfe: Decimal | None
    mae: Decimal | None
    bars_held: int
    exit_reason: ExitReason
    entry_at: AwareDatetime
    exit_at: AwareDatetime
    split_factor: Decimal
    is_final: bool
    flags: tuple[str, ...] = ()


class OutcomeStatus(StrEnum):
    """Whether a theoretical outcome is known; an unknown one has no P&L, never 0."""

    RESOLVED = "RESOLVED"
    OPEN = "OPEN"
    UNPRICEABLE = "UNPRICEABLE"


class Outcome(_Part):
    """What a signal that was not traded would have made, by the fill rules.

    ``priced_as`` is ``PLANNED`` (the signal's own order) or ``MARKET_NEXT_OPEN`` (a
    never-triggered signal). ``revision`` is the last business date it rests on. Money
    fields are null unless RESOLVED. Prices are in the units of the signal date.
    """

    status: OutcomeStatus
    priced_as: str
    revision: dt.date
    entry_ds: dt.date | None = None
    entry_price: Decimal | None = None
    exit_ds: dt.date | None = None
    exit_price: Decimal | None = None
    exit_reason: str | None = None
    bars_held: int | None = None
    gross_pnl: Decimal | None = None
    fees: Decimal | None = None
    dividends: Decimal | None = None
    net_pnl: Decimal | None = None
    r_multiple: Decimal | None = None
    note: str = ""
