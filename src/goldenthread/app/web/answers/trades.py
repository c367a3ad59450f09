"""Answers about closed trades and what is held."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel

from goldenthread.domain.position import PositionStatus
from goldenthread.domain.strategy import Side


class ClosedTrade(BaseModel, extra="forbid"):
    """A closed trade; ``net_pnl`` has fees in it."""

    trade_id: str
    strategy_id: str
    symbol: str
    side: Side
    entry_ds: dt.date
    exit_ds: dt.date
    traded_quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    exit_reason: str
    bars_held: int
    fees: Decimal
    net_pnl: Decimal
    r_multiple: Decimal | None


class TradePage(BaseModel, extra="forbid"):
    """Closed trades, the last exit first; ``older`` is the ``after`` of the next page, or null."""

    book: str
    trades: list[ClosedTrade]
    older: str | None


class HeldPosition(BaseModel, extra="forbid"):
    """A position that is held or waits for its entry; its mark is null where none is archived."""

    position_id: str
    strategy_id: str
    symbol: str
    side: Side
    status: PositionStatus
    quantity: Decimal
    entry: Decimal | None
    stop: Decimal | None
    bars_held: int
    realised_pnl: Decimal
    close: Decimal | None
    unrealised_pnl: Decimal | None


class Positions(BaseModel, extra="forbid"):
    """What is held, marked at the close of ``marked``."""

    book: str
    marked: dt.date | None
    positions: list[HeldPosition]
