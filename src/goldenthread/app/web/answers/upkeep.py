"""Answers about bars, quarantine, runs and health."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel


class Covered(BaseModel, extra="forbid"):
    """The sessions of a symbol's own calendar, and what is known of them."""

    symbol: str
    first: dt.date | None
    last: dt.date | None
    sessions: int
    bars: int
    missing: int
    suspect: int
    quarantined: int


class SetAside(BaseModel, extra="forbid"):
    """A row the warehouse refused, the field, and why."""

    id: str
    ds: dt.date
    model: str
    field: str
    value: str
    reason: str
    schema_version: str


class Data(BaseModel, extra="forbid"):
    """Coverage and quarantine; ``unread`` says why there is no coverage, else it is empty."""

    book: str
    coverage: list[Covered]
    quarantine: list[SetAside]
    unread: str


class JobRun(BaseModel, extra="forbid"):
    """A run and how many rows it loaded."""

    run_id: str
    ds: dt.date
    job: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime
    duration_s: float
    offered: int
    inserted: int
    updated: int
    unchanged: int
    refused: int


class QueryDay(BaseModel, extra="forbid"):
    """How many guarded queries a day had, and the bytes they read."""

    day: dt.date
    queries: int
    bytes: int


class Jobs(BaseModel, extra="forbid"):
    """The newest 200 runs, and the days of queries, both the last one first."""

    book: str
    runs: list[JobRun]
    queries: list[QueryDay]


class Check(BaseModel, extra="forbid"):
    """Whether something is in order, and what was found."""

    check: str
    ok: bool
    found: str


class Stands(BaseModel, extra="forbid"):
    """Where the book stands; ``paused`` and ``frozen`` name what is stopped and why.

    ``unfinished`` is the date of a run begun and not done, ``stale`` the symbols held without a
    bar for sessions, ``bars_lack`` the sessions a real account's bars are behind, else null.
    """

    book: str
    last_run: dt.date | None
    archived: dt.date | None
    unfinished: dt.date | None
    equity: Decimal | None
    drawdown: Decimal | None
    model: str | None
    open_positions: int
    waiting_signals: int
    halted: bool
    paused: dict[str, str]
    frozen: dict[str, str]
    frozen_by_operator: dict[str, str]
    stale: list[str]
    last_bar: dt.date | None
    bars_lack: int | None
    next: str | None


class Lease(BaseModel, extra="forbid"):
    """The run at work, and until when its lease lasts unless it renews it."""

    owner: str
    until: dt.datetime


class Health(BaseModel, extra="forbid"):
    """Whether every check is in order; ``next`` is what to type to get going, else null.

    ``lease`` is null while no run is at work.
    """

    book: str
    version: str
    ok: bool
    checks: list[Check]
    quarantine: int
    lease: Lease | None
    next: str | None
    stands: Stands
