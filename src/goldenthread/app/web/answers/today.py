"""Answers about the last day and the account."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel

from goldenthread.app.web.answers.controls import Standing
from goldenthread.app.web.answers.signals import SignalRow
from goldenthread.app.web.answers.trades import ClosedTrade
from goldenthread.app.web.answers.upkeep import Check, Lease, Stands
from goldenthread.domain.strategy import Side


class AccountDay(BaseModel, extra="forbid"):
    """The account at the close of a day."""

    ds: dt.date
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    gross_exposure: Decimal
    drawdown: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees_paid: Decimal
    start_equity: Decimal
    peak_equity: Decimal
    open_positions: int
    waiting_signals: int


class Account(AccountDay):
    """The last archived account; ``day_pnl`` is what equity moved since the one before."""

    day_pnl: Decimal


class DayRun(BaseModel, extra="forbid"):
    """The newest entry of the day in ``job_runs``."""

    run_id: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime
    duration_s: float
    inserted: int
    updated: int
    refused: int


class Opened(BaseModel, extra="forbid"):
    """A position that was entered since the run before."""

    signal_id: str
    strategy_id: str
    symbol: str
    side: Side
    entry_ds: dt.date
    quantity: Decimal
    entry: Decimal


class LiveOrder(BaseModel, extra="forbid"):
    """An order that is not sent yet, or not final; ``price`` is its stop or limit."""

    signal_id: str
    leg: str
    symbol: str
    side: str
    type: str
    quantity: Decimal
    price: Decimal | None
    status: str


class ExitDue(BaseModel, extra="forbid"):
    """An exit that is decided and not executed yet."""

    signal_id: str
    strategy_id: str
    symbol: str
    reason: str
    since: dt.date
    quantity: Decimal


class Today(BaseModel, extra="forbid"):
    """The last day that ran, null before the first; ``next`` is what to type to get going.

    ``missed`` dates were caught up late, ``behind`` sessions are not run yet; ``before`` is the run
    that ``opened``, ``closed`` and ``day_pnl`` are counted from. ``open_shadows`` were not traded
    and have no outcome yet.
    """

    book: str
    ds: dt.date | None
    run: DayRun | None
    missed: list[dt.date]
    behind: int | None
    before: dt.date | None
    account: Account | None
    opened: list[Opened]
    closed: list[ClosedTrade]
    decided: list[SignalRow]
    waiting: list[SignalRow]
    orders: list[LiveOrder]
    exits: list[ExitDue]
    requests: list[Standing]
    open_shadows: int
    alarms: list[Check]
    lease: Lease | None
    stands: Stands
    next: str | None
