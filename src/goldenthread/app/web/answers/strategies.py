"""Answers about strategies and their versions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

Status = Literal["active", "shadow", "paused", "gone"]


class StrategyFigures(BaseModel, extra="forbid"):
    """A strategy and its whole life in figures; a figure is null before anything ended."""

    book: str | None
    strategy_id: str
    status: Status
    versions: int
    since: dt.datetime
    first_ds: dt.date | None
    last_ds: dt.date | None
    trades: int | None
    wins: int | None
    win_rate: float | None
    gross_pnl: Decimal | None
    fees: Decimal | None
    dividends: Decimal | None
    net_pnl: Decimal | None
    profit_factor: float | None
    expectancy: float | None
    average_r: float | None
    average_bars_held: float | None
    max_drawdown: Decimal | None
    rejected: int | None
    expired: int | None
    invalidated: int | None
    refused_resolved: int | None
    refused_net_pnl: Decimal | None


class Strategies(BaseModel, extra="forbid"):
    """Every strategy the book has had, by name."""

    book: str
    strategies: list[StrategyFigures]


class Changed(BaseModel, extra="forbid"):
    """A setting before and after a change; null where a side has none."""

    setting: str
    before: Any
    after: Any


class Differing(BaseModel, extra="forbid"):
    """A setting in force, and as the file has it; null where a side has none."""

    setting: str
    in_force: Any
    file: Any


class StrategyVersion(BaseModel, extra="forbid"):
    """A version, what it changed against the one before, and what was closed under it."""

    version: str
    valid_from: dt.datetime
    valid_to: dt.datetime | None
    git_hash: str
    trades: int
    net_pnl: float | None
    changed: list[Changed]


class StrategyStory(BaseModel, extra="forbid"):
    """A strategy: its versions, the newest first, and how its file differs from the last.

    ``config`` is the last version as it decides; ``unread`` says why there is no telling what the
    file changes, else it is empty.
    """

    book: str
    strategy_id: str
    status: Status
    versions: list[StrategyVersion]
    config: dict[str, Any]
    file: list[Differing]
    unread: str
