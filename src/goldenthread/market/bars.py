"""Bars as decisions and fills read them: fast windows of what was known, and raw bars.

A day only ever sees the bars known at its ``now``, adjusted by the splits up to its date. All
days of a calendar year (within one stretch between splits) share one set of columns, made once;
a window is that set and how far the day may read in it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.bar import BarWindow, FloatArray
from goldenthread.market.jumps import GOOD, STATES, StateArray
from goldenthread.market.shelf import Shelf
from goldenthread.market.vintages import History, Rows, day_number, instant_us
from goldenthread.rules.calendar import count_sessions, sessions
from goldenthread.rules.splits import dividend_between, ratio_between, split_price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from goldenthread.domain.asset import Asset, CorporateAction
    from goldenthread.domain.bar import Bar, DateArray

LOOKBACK = 1200
"""Bars before 1 January that every window of the year reaches back."""


_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)
_WAIT = dt.timedelta(days=14)
"""How far ahead an exchange looks for the open a market order fills at."""
_YEAR = dt.timedelta(days=366)
"""Calendar days that hold the sessions the longest look-back of returns needs."""


class BarBook:
    """Judged bars of many symbols, ready to be read day by day.

    Where ``now`` may be left out, everything the book holds counts as known. A bar is tradable
    when it was GOOD at its own close. Readable are GOOD bars, and CONFIRMED ones from the next
    bar on. Days without a bar, and SUSPECT, CONFIRMED or QUARANTINED bars on their own day, are
    sessions without a bar.

    Args:
        bars: Judged bars in BAR_SCHEMA, every revision, sorted by symbol, ds, known_at.
        actions: Corporate actions of any symbols.
        assets: Assets; a symbol without one is crypto when it holds a slash.
        lookback: Bars before 1 January that each window reaches back.
    """

    def __init__(
        self,
        bars: pl.DataFrame,
        actions: Sequence[CorporateAction],
        assets: Sequence[Asset],
        lookback: int = LOOKBACK,
    ) -> None:
        self._classes = {asset.symbol: asset.asset_class for asset in assets}
        self._actions: dict[str, list[CorporateAction]] = {}
        for action in sorted(actions, key=lambda a: (a.symbol, a.ex_ds, a.kind)):
            self._actions.setdefault(action.symbol, []).append(action)
        self._pages: dict[str, _Page] = {}
        codes = _state_codes(bars["state"])
        for symbol, place, rows in Rows.by_symbol(bars):
            history = History(rows, self.actions(symbol))
            self._pages[symbol] = _Page(symbol, history, codes[place], lookback)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols there are bars for, sorted."""
        return tuple(sorted(self._pages))

    def actions(self, symbol: str) -> list[CorporateAction]:
        """The corporate actions of a symbol, sorted by ex_ds, kind."""
        return list(self._actions.get(symbol, ()))

    def window(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> BarWindow | None:
        """The readable bars up to ``ds`` known at ``now``, in the units of ``ds``.

        None when the symbol is unknown or has no readable bar yet.
        """
        page = self._pages.get(symbol)
        if page is None:
            return None
        now_us = None if now is None else instant_us(now)
        shelf = page.shelf(now_us)
        at = shelf.last(day_number(ds), now_us)
        count = shelf.readable(at)
        if not count:
            return None
        frame = shelf.frame(ds, at)
        upto = count - frame.first - 1
        return BarWindow(
            symbol=symbol,
            asset_class=self._class_of(symbol),
            key=frame.key,
            ds=frame.ds,
            open=frame.open,
            high=frame.high,
            low=frame.low,
            close=frame.close,
            volume=frame.volume,
            # A last bar of the old year that is not believed yet does not count as there.
            year_start=min(frame.year_start, upto + 1),
            upto=upto,
        )

    def tradable(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> Bar | None:
        """The raw bar of ``ds`` if it was GOOD at its close; None is a session without a bar."""
        found = self._find(symbol, ds, now)
        if found is None or found[0].states[found[1]] != GOOD:
            return None
        return found[0].bar(found[1])

    def bars_since(
        self, symbol: str, after: dt.date, upto: dt.date, now: dt.datetime | None = None
    ) -> list[Bar]:
        """The tradable raw bars with ``after < ds <= upto``, oldest first."""
        page = self._pages.get(symbol)
        if page is None:
            return []
        now_us = None if now is None else instant_us(now)
        shelf = page.shelf(now_us)
        first = shelf.last(day_number(after), now_us) + 1
        last = shelf.last(day_number(upto), now_us)
        return [shelf.bar(at) for at in range(first, last + 1) if shelf.states[at] == GOOD]

    def columns(
        self, symbol: str, first: dt.date, last: dt.date
    ) -> tuple[DateArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Day, open, high, low and close of the tradable raw bars from ``first`` to ``last``.

        Everything the book holds counts as known. Oldest first; empty for an unknown symbol.
        """
        page = self._pages.get(symbol)
        if page is None:
            none = np.empty(0)
            return np.empty(0, "datetime64[D]"), none, none, none, none
        shelf = page.shelf(None)
        days, rows = shelf.rows.day, shelf.rows
        good = np.asarray(shelf.states) == GOOD
        good &= (days >= day_number(first)) & (days <= day_number(last))
        prices = (rows.open[good], rows.high[good], rows.low[good], rows.close[good])
        return (days[good].astype("datetime64[D]"), *prices)

    def last_close(
        self, symbol: str, ds: dt.date, now: dt.datetime | None = None
    ) -> Decimal | None:
        """The last readable close up to ``ds`` in the units of ``ds``; None when there is none."""
        page = self._pages.get(symbol)
        if page is None:
            return None
        now_us = None if now is None else instant_us(now)
        shelf, day = page.shelf(now_us), day_number(ds)
        at = shelf.last_readable(shelf.last(day, now_us))
        if at is None:
            return None
        ratio = shelf.ratio(shelf.days[at], day)
        close = shelf.bar(at).close
        return close if ratio == 1 else split_price(close, ratio)

    def returns(
        self, symbol: str, ds: dt.date, n: int, now: dt.datetime | None = None
    ) -> FloatArray:
        """The last ``n`` simple close-to-close returns up to ``ds``, splits taken out.

        Over readable bars, oldest first; fewer than ``n`` when history is short.
        """
        window = self.window(symbol, ds, now)
        if window is None:
            return np.empty(0)
        closes = window.close[max(0, window.upto - n) : window.upto + 1]
        return closes[1:] / closes[:-1] - 1.0

    def has_suspect(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> bool:
        """Whether there is a bar of ``ds`` that was not believed at its close."""
        found = self._find(symbol, ds, now)
        return found is not None and found[0].states[found[1]] != GOOD

    def _find(self, symbol: str, ds: dt.date, now: dt.datetime | None) -> tuple[Shelf, int] | None:
        page = self._pages.get(symbol)
        if page is None:
            return None
        now_us = None if now is None else instant_us(now)
        shelf, day = page.shelf(now_us), day_number(ds)
        at = shelf.last(day, now_us)
        return (shelf, at) if at >= 0 and shelf.days[at] == day else None

    def _class_of(self, symbol: str) -> AssetClass:
        known = self._classes.get(symbol)
        if known is not None:
            return known
        return AssetClass.CRYPTO if "/" in symbol else AssetClass.EQUITY


@dataclass(frozen=True)
class KnownBars:
    """The bars that orders execute on, each as the run of its own date knows it.

    A revision that comes later changes no execution that has happened.
    """

    bars: BarBook
    assets: Mapping[str, Asset]

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The tradable raw bar, or None for a session without one."""
        return self.bars.tradable(symbol, ds, run_at(ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first tradable bar after ``ds``, as far as there is one yet."""
        for after in self.bars.bars_since(symbol, ds, ds + _WAIT):
            first = self.bar(symbol, after.ds)
            if first is not None:
                return first.ds, first.open
        return None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """Shares after the open of ``ds`` for one share before."""
        return ratio_between(self.bars.actions(symbol), ds - _DAY, ds)

    def dividend(self, symbol: str, ds: dt.date) -> Decimal:
        """What a share held over the close before ``ds`` is paid on it."""
        return dividend_between(self.bars.actions(symbol), ds - _DAY, ds)

    def asset(self, symbol: str) -> Asset:
        """The asset of that symbol."""
        return self.assets[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last known raw close up to ``ds``."""
        return self.bars.last_close(symbol, ds, run_at(ds))


def run_at(ds: dt.date) -> dt.datetime:
    """The instant the run of ``ds`` starts: 00:05 UTC of the next day."""
    return dt.datetime.combine(ds + _DAY, _RUN_AT)


def sessions_missed(bars: BarBook, symbol: str, ds: dt.date) -> int:
    """How many sessions without a readable bar lie just before the bar of ``ds``."""
    window = bars.window(symbol, ds)
    if window is None or window.upto < 1:
        return 0
    before: dt.date = window.ds[window.upto - 1].item()
    return max(count_sessions(window.asset_class, before, ds) - 1, 0)


def paired_returns(bars: BarBook, symbol: str, ds: dt.date, count: int) -> FloatArray | None:
    """Returns between the last ``count`` + 1 New York sessions up to ``ds``, oldest first.

    The sessions are the same for all classes, so that returns pair by date. A session without
    a bar counts with the close before it; sessions before the first bar are left out. None
    without a readable bar.
    """
    window = bars.window(symbol, ds)
    if window is None:
        return None
    places = np.searchsorted(window.ds[: window.upto + 1], _grid(ds, count), side="right") - 1
    closes = window.close[places[places >= 0]]
    return closes[1:] / closes[:-1] - 1.0


@lru_cache(maxsize=4)
def _grid(ds: dt.date, count: int) -> DateArray:
    return np.array(sessions(AssetClass.EQUITY, ds - _YEAR, ds)[-count - 1 :], "datetime64[D]")


class _Page:
    """One symbol of the book: its history, and a shelf for each vintage asked for."""

    def __init__(self, symbol: str, history: History, states: StateArray, lookback: int) -> None:
        self._symbol = symbol
        self._history = history
        self._states = states
        self._lookback = lookback
        self._shelves: dict[int, Shelf] = {}

    def shelf(self, now_us: int | None) -> Shelf:
        """The bars in force at ``now_us`` (None: at last)."""
        history = self._history
        number = len(history.events) if now_us is None else history.number_at(now_us)
        found = self._shelves.get(number)
        if found is None:
            # One vintage only: the states the bars came with; else each is judged as it was.
            states = None if history.events else self._states
            vintage = history.vintage(number, states)
            found = Shelf(self._symbol, history.rows, vintage, self._lookback)
            self._shelves[number] = found
        return found


def _state_codes(states: pl.Series) -> StateArray:
    names = pl.Enum([state.value for state in STATES])
    return states.cast(names).to_physical().cast(pl.Int8).to_numpy()
