"""One side of a comparison: its trades, and why it has none of a signal of the other side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import NamedTuple

from goldenthread.reports.divergence.course import Course, NoTrade

Span = tuple[dt.date, dt.date]


class Idea(NamedTuple):
    """A signal by what it is on every side: id, strategy, symbol, date of the decision."""

    signal_id: str
    strategy_id: str
    symbol: str
    ds: dt.date


class Contender(NamedTuple):
    """The closed trades of the signals of a span, and what became of any other signal."""

    trades: Mapping[Idea, Course]
    why_not: Callable[[Idea], NoTrade]


class Entrant(NamedTuple):
    """A side before it is read: the dates it decided on, and its one strategy or empty for all."""

    name: str
    span: Span
    strategy_id: str
    read: Callable[[Span], Contender]
