"""Answers about what operators stopped and asked for."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel


class Standing(BaseModel, extra="forbid"):
    """A request that stands; ``subject`` is empty where it is about the whole book."""

    action: str
    subject: str
    actor: str
    asked_at: dt.datetime
    reason: str


class Doubted(BaseModel, extra="forbid"):
    """A symbol that a run froze."""

    symbol: str
    ds: dt.date
    reason: str


class Act(BaseModel, extra="forbid"):
    """An archived act of an operator."""

    acted_at: dt.datetime
    actor: str
    action: str
    subject: str | None
    detail: str | None


class Controls(BaseModel, extra="forbid"):
    """What stands and what may be asked for, and the newest 50 acts that are archived."""

    book: str
    standing: list[Standing]
    doubted: list[Doubted]
    strategies: list[str]
    symbols: list[str]
    quarantine: int
    acts: list[Act]
