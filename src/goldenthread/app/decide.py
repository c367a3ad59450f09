"""Step 7 of a day: every strategy asked about every symbol, every candidate about every gate."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal

import numpy as np

from goldenthread.domain.asset import AssetClass
from goldenthread.positions.execution import decided
from goldenthread.positions.gates import Capacity, judge, order_candidates
from goldenthread.rules.calendar import count_sessions, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.app.book import BookState, FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.bar import DateArray, FloatArray
    from goldenthread.domain.signal import Candidate, Signal
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_YEAR = dt.timedelta(days=366)
"""Calendar days that hold the sessions the correlation gate looks back on."""


def exits_due(desk: Desk, blotter: Blotter, run: FrozenRun) -> dict[str, bool | None]:
    """Whether ``exit.when`` of its own version holds on the close, by position id."""
    return {
        p.position_id: _holds(desk, p.version_key, "exit", p.symbol, run)
        for p in blotter.positions.values()
    }


def waiting_cancelled(desk: Desk, blotter: Blotter, run: FrozenRun) -> dict[str, bool | None]:
    """Whether ``cancel_if`` of its own version holds on the close, by signal id."""
    return {
        s.signal_id: _holds(desk, s.version_key, "cancel", s.symbol, run)
        for s in blotter.signals.values()
        if s.ds < run.ds
    }


def candidates_of(desk: Desk, ds: dt.date, now: dt.datetime) -> list[Candidate]:
    """Every idea of every strategy on the close of ``ds``, in the order they get the cash."""
    desk.evaluator.at(ds, now)
    found = [
        candidate
        for compiled in desk.deciding()
        for symbol in desk.members[compiled.strategy.strategy_id]
        if (candidate := desk.evaluator.decide(compiled, symbol, ds, desk.assets[symbol]))
    ]
    return order_candidates(found)


def decide(
    desk: Desk, session: Session, blotter: Blotter, state: BookState, run: FrozenRun
) -> list[Signal]:
    """The signals of the date, accepted and rejected; empty when they stand already."""
    if run.account is None or decided(session, blotter):
        return []
    candidates = candidates_of(desk, run.ds, run.now)
    capacity = _capacity(desk, session, blotter, state, run.account)
    return judge(session, candidates, capacity)


def _capacity(
    desk: Desk, session: Session, blotter: Blotter, state: BookState, account: AccountState
) -> Capacity:
    capacity = Capacity.of(session, blotter, account)
    if state.last_snapshot is not None:
        capacity.peak_equity = state.last_snapshot.peak_equity
        capacity.previous_equity = state.last_snapshot.equity
    capacity.halted = blotter.request("halt") is not None
    capacity.last_exits = _exits(state.last_exits)
    capacity.stale = {symbol: _sessions_missed(desk, symbol, session.ds) for symbol in session.bars}
    grid = np.array(sessions(AssetClass.EQUITY, session.ds - _YEAR, session.ds), "datetime64[D]")
    capacity.returns = lambda symbol, n: _returns(desk, symbol, session.ds, grid[-n - 1 :])
    return capacity


def _sessions_missed(desk: Desk, symbol: str, ds: dt.date) -> int:
    """How many sessions without a readable bar lie just before the bar of ``ds``."""
    window = desk.bars.window(symbol, ds)
    if window is None or window.upto < 1:
        return 0
    before: dt.date = window.ds[window.upto - 1].item()
    return max(count_sessions(window.asset_class, before, ds) - 1, 0)


def _returns(desk: Desk, symbol: str, ds: dt.date, grid: DateArray) -> FloatArray | None:
    """Returns between the New York sessions of ``grid``, so that all classes pair by date.

    A session without a bar counts with the close before it; sessions before the first bar are
    left out.
    """
    window = desk.bars.window(symbol, ds)
    if window is None:
        return None
    places = np.searchsorted(window.ds[: window.upto + 1], grid, side="right") - 1
    closes = window.close[places[places >= 0]]
    return closes[1:] / closes[:-1] - 1.0


def _exits(last_exits: Mapping[str, dt.date]) -> dict[tuple[str, str], dt.date]:
    pairs = (key.partition("|") for key in last_exits)
    return {(s, symbol): last_exits[f"{s}|{symbol}"] for s, _, symbol in pairs}


def _holds(
    desk: Desk, version_key: str, which: Literal["exit", "cancel"], symbol: str, run: FrozenRun
) -> bool | None:
    compiled = desk.library.version(desk.engines.hot_store, version_key)
    if compiled is None:
        return None
    desk.evaluator.at(run.ds, run.now)
    return desk.evaluator.holds(compiled, which, symbol, run.ds)
