"""Candidates made by hand: what each made, and which filters it failed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from goldenthread.research.whatif.candidates import Candidates
from goldenthread.research.whatif.holding import Course

DAY = dt.date(2024, 1, 1)
NULL = float("nan")


def candidates_of(net: list[float], capital: float = 1000, **failed: list[bool]) -> Candidates:
    """One candidate a day of one symbol, each closed on the next; NaN is one that never filled."""
    count = len(net)
    session = np.arange(count, dtype=np.int64)
    days = [DAY + dt.timedelta(days=n) for n in range(count)]
    filled = ~np.isnan(net)
    nothing = np.zeros(count, np.int64)
    return Candidates(
        rows=pl.DataFrame(
            {"symbol": ["A"] * count, "signal_ds": days, "version_key": ["v"] * count}
        ),
        course=Course(
            np.array([0, count], np.int64),
            session,
            session + 1,
            np.where(filled, session + 1, -1),
            nothing,
        ),
        orderable=np.ones(count, np.bool_),
        net=np.array(net),
        exit_day=session + 1,
        failed={name: np.array(which) for name, which in failed.items()},
        capital=capital,
    )
