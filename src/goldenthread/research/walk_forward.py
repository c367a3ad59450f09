"""Walk-forward: choose on one stretch of history, judge on the next, and go on.

The judged stretches follow each other without gap or overlap; joined, they are the curve of
somebody who only ever used what was known. What chooses and what judges are functions given in.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import polars as pl

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Params = TypeVar("Params")

_LENGTH = re.compile(r"([1-9][0-9]{0,3})([dwmy])")
_MONTHS_A_YEAR = 12
_DAYS_A_WEEK = 7
_FORM = "write it like train=3y,test=6m (units: d days, w weeks, m months, y years)"


class Span(NamedTuple):
    """Dates from ``first`` to ``last``, both included."""

    first: dt.date
    last: dt.date


class Length(NamedTuple):
    """A calendar length: whole months, or whole days."""

    months: int = 0
    days: int = 0


class Walk(NamedTuple):
    """How long each stretch is that chooses, and each that judges."""

    train: Length
    test: Length


class Window(NamedTuple):
    """One step: the stretch that chooses, and the one right after it that judges."""

    train: Span
    test: Span


_DAY = dt.timedelta(days=1)
_NOTHING = Length()


@dataclass(frozen=True)
class Piece:
    """What one judged stretch gave: it began with ``start_equity``, in cash.

    ``equity`` has the columns ``ds`` (ascending) and ``equity`` at the close of each date,
    ``trades`` one row a closed trade.
    """

    start_equity: float
    equity: pl.DataFrame
    trades: pl.DataFrame


@dataclass(frozen=True)
class WalkForward(Generic[Params]):
    """The steps with what was chosen in each, and the judged stretches as one record.

    ``equity`` has ``ds``, ``equity`` and ``step`` (from 1); it begins with the first stretch's
    start equity and each stretch grows what the one before left. ``trades`` are those of all
    stretches in their own money, with ``step``.
    """

    windows: tuple[Window, ...]
    chosen: tuple[Params, ...]
    equity: pl.DataFrame
    trades: pl.DataFrame


def parse_walk(text: str) -> Walk:
    """The lengths ``train=3y,test=6m`` names, in either order.

    Raises:
        UsageError: Another key, a key missing or twice, or a length that is none.
    """
    found: dict[str, Length] = {}
    for part in text.replace(" ", "").split(","):
        key, _, value = part.partition("=")
        length = _LENGTH.fullmatch(value)
        if key not in {"train", "test"} or key in found or length is None:
            msg = f"--walk-forward got {part!r} in {text!r}; {_FORM}"
            raise UsageError(msg)
        found[key] = _length(int(length[1]), length[2])
    if len(found) != len(Walk._fields):
        msg = f"--walk-forward got {text!r}, without train or test; {_FORM}"
        raise UsageError(msg)
    return Walk(found["train"], found["test"])


def windows(walk: Walk, span: Span) -> list[Window]:
    """The steps through ``span``, oldest first; each begins one test length after the last.

    The last judged stretch ends with ``span`` and may be shorter than the others.

    Raises:
        UsageError: ``span`` has not one day left after the first training.
    """
    found: list[Window] = []
    begin, middle = span.first, _after(span.first, walk.train)
    while middle <= span.last:
        done = len(found) + 1
        following = _after(span.first, walk.test, done, walk.train)
        end = min(following - _DAY, span.last)
        found.append(Window(Span(begin, middle - _DAY), Span(middle, end)))
        begin, middle = _after(span.first, walk.test, done), following
    if not found:
        msg = (
            f"{span.first} to {span.last} is not longer than one training; shorten train, or bring"
            " more history"
        )
        raise UsageError(msg)
    return found


def walk_forward(
    walk: Walk,
    span: Span,
    fit: Callable[[Span], Params],
    evaluate: Callable[[Params, Span], Piece],
) -> WalkForward[Params]:
    """Every step through ``span``: ``fit`` on its training, ``evaluate`` what follows, joined.

    Args:
        walk: The lengths.
        span: First and last date of the history.
        fit: What is chosen on a stretch; it must not read beyond it.
        evaluate: What the choice makes on a stretch that it was not chosen on.

    Raises:
        UsageError: ``span`` is too short for one step.
        ValueError: A piece has dates outside its stretch: what was joined would not be a record.
    """
    steps = windows(walk, span)
    chosen: list[Params] = []
    pieces: list[Piece] = []
    for window in steps:
        params = fit(window.train)
        piece = evaluate(params, window.test)
        _expect_within(piece, window.test)
        chosen.append(params)
        pieces.append(piece)
    equity, trades = joined(pieces)
    return WalkForward(tuple(steps), tuple(chosen), equity, trades)


def joined(pieces: list[Piece]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Equity and trades of judged stretches as one: each grows what the one before left."""
    money = pieces[0].start_equity
    curves, trades = [], []
    for step, piece in enumerate(pieces, start=1):
        number = pl.lit(step).alias("step")
        scaled = pl.col("equity") / piece.start_equity * money
        curve = piece.equity.select("ds", scaled.alias("equity"), number)
        curves.append(curve)
        trades.append(piece.trades.with_columns(number))
        money = curve["equity"][-1] if len(curve) else money
    return pl.concat(curves), pl.concat(trades, how="diagonal")


def _length(number: int, unit: str) -> Length:
    months = {"m": number, "y": number * _MONTHS_A_YEAR}
    days = {"d": number, "w": number * _DAYS_A_WEEK}
    return Length(months.get(unit, 0), days.get(unit, 0))


def _after(first: dt.date, length: Length, times: int = 1, more: Length = _NOTHING) -> dt.date:
    """``first`` moved, months first; a day the month lacks is its last one."""
    months = first.month - 1 + length.months * times + more.months
    year, month = first.year + months // _MONTHS_A_YEAR, months % _MONTHS_A_YEAR + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return dt.date(year, month, day) + dt.timedelta(days=length.days * times + more.days)


def _expect_within(piece: Piece, span: Span) -> None:
    days = piece.equity["ds"]
    if len(days) and not (span.first <= days[0] and days[-1] <= span.last and days.is_sorted()):
        msg = f"equity from {days[0]} to {days[-1]} is not within {span.first} to {span.last}"
        raise ValueError(msg)
