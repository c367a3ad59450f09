"""Answers about signals: a page of them, and the story of one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import OutcomeStatus

Ended = Literal["traded", "rejected", "expired", "invalidated"]


class SignalRow(BaseModel, extra="forbid"):
    """A signal and what became of it; ``net_pnl`` is what ``note`` and ``priced_as`` say it is."""

    signal_id: str
    signal_ds: dt.date
    strategy_id: str
    symbol: str
    side: Side
    outcome: Ended | Literal["open", "waiting"]
    reason: str | None
    outcome_status: OutcomeStatus | None
    priced_as: str | None
    net_pnl: Decimal | None
    note: str | None


class SignalPage(BaseModel, extra="forbid"):
    """Signals, the newest first; ``older`` is the ``after`` of the next page, null on the last."""

    book: str
    signals: list[SignalRow]
    older: str | None


class StoryLine(BaseModel, extra="forbid"):
    """A line of a story."""

    label: str
    text: str


class StorySection(BaseModel, extra="forbid"):
    """Lines of a story under a title."""

    title: str
    lines: list[StoryLine]


class Story(BaseModel, extra="forbid"):
    """Why a signal ended as it did: a sentence, and sections of lines."""

    signal_id: str
    summary: str
    sections: list[StorySection]
