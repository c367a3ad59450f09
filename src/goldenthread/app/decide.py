"""Step 7 of a day: every strategy asked about every symbol, every candidate about every gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from goldenthread.domain.errors import UsageError
from goldenthread.market.bars import paired_returns, sessions_missed
from goldenthread.ports.notifier import Notice
from goldenthread.positions.execution import decided
from goldenthread.positions.gates import judge, order_candidates
from goldenthread.positions.sizing import Capacity
from goldenthread.signals.night import entering

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from goldenthread.app.book import BookState, FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Candidate, Signal
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session


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


def unjudged(desk: Desk, blotter: Blotter, run: FrozenRun) -> tuple[Notice, ...]:
    """A notice each about live positions whose exit rule cannot be asked, for the operator."""
    found = ((p, _silence(desk, p, run)) for p in blotter.positions.values())
    return tuple(
        Notice(
            f"{p.symbol} {p.position_id[:16]}: exit.when of {p.strategy_id} is not judged, its"
            f" stop, targets and max_bars hold; version {p.version_key[:12]} {why}",
            p.symbol,
            p.position_id,
        )
        for p, why in found
        if why
    )


def _silence(desk: Desk, position: Position, run: FrozenRun) -> str:
    """Why the exit rule of a position cannot be asked; empty when it can."""
    try:
        compiled = desk.library.version(desk.engines.hot_store, position.version_key)
        if compiled is not None:
            desk.evaluator.at(run.ds, run.now)
            desk.evaluator.holds(compiled, "exit", position.symbol, run.ds)
            return ""
    except UsageError as error:
        return f"fails, and a correction of the file cannot reach it: {error}"
    return "calls Python factors, which are off ([factors] enabled), or is not known any more"


def candidates_of(desk: Desk, ds: dt.date, now: dt.datetime) -> list[Candidate]:
    """Every idea of every strategy on the close of ``ds``, in the order they get the cash."""
    evaluator = desk.evaluator
    evaluator.at(ds, now)
    asked = [(c, desk.members[c.strategy.strategy_id]) for c in desk.deciding()]
    found = [
        candidate
        for compiled, symbol in entering(evaluator.moment, asked)
        if (candidate := evaluator.decide(compiled, symbol, ds, desk.assets[symbol]))
    ]
    return order_candidates(found)


def decide(
    desk: Desk, session: Session, blotter: Blotter, state: BookState, run: FrozenRun
) -> list[Signal]:
    """The signals of the date, accepted and rejected; empty when they stand already."""
    if run.account is None or decided(session, blotter):
        return []
    candidates = candidates_of(desk, run.ds, run.now)
    capacity = Capacity.of(session, blotter, run.account)
    closed = blotter.closed_on(run.ds, run.positions)  # an exit of today starts a cooldown, too
    _recall(capacity, desk, session, state.after(closed))
    return judge(session, candidates, capacity)


def _recall(capacity: Capacity, desk: Desk, session: Session, state: BookState) -> None:
    """Let the capacity know what was before: peak, last exits, sessions missed, returns."""
    if state.last_snapshot is not None:
        capacity.peak_equity = state.last_snapshot.peak_equity
        capacity.previous_equity = state.last_snapshot.equity
    capacity.last_exits = _exits(state.last_exits)
    bars, ds = desk.bars, session.ds
    capacity.stale = {symbol: sessions_missed(bars, symbol, ds) for symbol in session.bars}
    capacity.returns = lambda symbol, n: paired_returns(bars, symbol, ds, n)


def _exits(last_exits: Mapping[str, dt.date]) -> dict[tuple[str, str], dt.date]:
    pairs = (key.partition("|") for key in last_exits)
    return {(s, symbol): last_exits[f"{s}|{symbol}"] for s, _, symbol in pairs}


def _holds(
    desk: Desk, version_key: str, which: Literal["exit", "cancel"], symbol: str, run: FrozenRun
) -> bool | None:
    desk.evaluator.at(run.ds, run.now)
    store = desk.engines.hot_store
    return desk.library.holds(store, desk.evaluator, version_key, which, symbol, run.ds)
