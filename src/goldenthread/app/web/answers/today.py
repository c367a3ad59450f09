"""Answers about the last day and the account."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel

from goldenthread.app.web.answers.signals import SignalRow
from goldenthread.app.web.answers.trades import ClosedTrade
from goldenthread.app.web.answers.upkeep import Check


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


class Today(BaseModel, extra="forbid"):
    """The last day that ran, null before the first; ``next`` is what to type to get going."""

    book: str
    ds: dt.date | None
    account: Account | None
    run: DayRun | None
    decided: list[SignalRow]
    closed: list[ClosedTrade]
    waiting: list[SignalRow]
    alarms: list[Check]
    next: str | None
