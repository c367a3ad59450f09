"""Runs: one date, a plan of one, or many dates in a row."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from goldenthread.app.api.bars import gap_words, judged_bars, last_bar
from goldenthread.app.api.desks import greet, open_desk, plan_desk, silence
from goldenthread.app.api.evaluation.model_day import beside_model
from goldenthread.app.api.evaluation.model_line import model_line
from goldenthread.app.api.operations.steps import Progress, steps, unseen
from goldenthread.app.api.records import begun_book, books, outcomes
from goldenthread.app.book import dates_between, frozen_run, read_book
from goldenthread.app.clock import SystemClock
from goldenthread.app.day import run_day
from goldenthread.app.engines.heartbeat import heartbeat
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.errors import UsageError
from goldenthread.domain.position import HELD
from goldenthread.positions.blotter import live_positions
from goldenthread.positions.session import Stops
from goldenthread.rules.calendar import count_sessions

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.app.api.project import Project
    from goldenthread.app.book import BookState
    from goldenthread.app.desk import Desk
    from goldenthread.app.journal.report import DayReport
    from goldenthread.domain.order import OrderReport, OrderRequest
    from goldenthread.ports.hot_store import HotStore

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Simulated:
    """What a simulation did, in counts of signals by outcome and in money."""

    book: str
    first: dt.date
    last: dt.date
    days_run: int
    days_per_s: float | None
    signals: dict[str, int]
    trades: int
    start_equity: Decimal
    equity: Decimal
    gaps: list[str]
    notes: list[str]


def run(
    project: Project, book: str = "", ds: dt.date | None = None, progress: Progress = unseen
) -> DayReport:
    """What the run of one business date did, missed dates before it caught up first.

    ``progress`` hears of each of these dates.

    A paper or live day is then done by the book's model too, see ``DayReport.model``.

    Raises:
        UsageError: The date is not complete yet, or earlier than the last one that was run.
        LeaseHeldError: Another run of the book is at work.
        EngineError: The broker is not there, or not as the book knows it; nothing was written.
    """
    with heartbeat(project.settings):
        return _run(project, project.book(book), _target(project, ds), progress)


def _run(project: Project, name: str, target: dt.date, progress: Progress) -> DayReport:
    greet(project, name)
    with closing(open_desk(project, name, (target, target))) as desk:
        state = read_book(desk.engines.hot_store)
        last = None if state is None else state.last_ds
        _refuse_earlier(target, last)
        behind = dates_between(last + _DAY, target - _DAY) if last else []
        for date in steps([*behind, target], progress):
            # the archive of the last date has the others too: one that fails must not hold up exits
            late = date != target
            report = run_day(desk, frozen_run(date, target, missed=late), archiving=not late)
        report = replace(report, notes=(*report.notes, *silence(project, desk)))
    return replace(report, model=beside_model(project, name, target))


@dataclass(frozen=True)
class Plan:
    """What a run would do: its report and the orders it would send, change and cancel."""

    report: DayReport
    orders: list[OrderRequest]
    replaced: list[OrderReport]
    canceled: list[OrderReport]


def plan(project: Project, book: str = "", ds: dt.date | None = None) -> Plan:
    """What a run would decide and send; nothing is written or sent."""
    name, target = project.book(book), _target(project, ds)
    greet(project, name)
    with TemporaryDirectory() as scratch:
        desk, asked = plan_desk(project, name, (target, target), Path(scratch))
        state = read_book(desk.engines.hot_store)
        _refuse_earlier(target, None if state is None else state.last_ds)
        report = run_day(desk, frozen_run(target, target), archiving=False)
        report = replace(report, notes=(*report.notes, *silence(project, desk)))
    return Plan(report, asked.submitted, asked.replaced, asked.canceled)


def simulate(
    project: Project,
    name: str,
    span: tuple[dt.date, dt.date],
    archive_every: int = 30,
    progress: Progress = unseen,
) -> Simulated:
    """The daily flow over every date of the span, in a book of its own; begun, it goes on.

    Raises:
        UsageError: The book was begun on another date, or the span holds no date.
    """
    first, last = span
    book = project.book(f"sim:{name or f'{first:%Y%m%d}-{last:%Y%m%d}'}")
    _refuse_without_bars(project, span)
    greet(project, book)
    with closing(open_desk(project, book, span, durable=False)) as desk:
        state = read_book(desk.engines.hot_store)
        _refuse_other_start(book, state, first)
        start = first if state is None or state.last_ds is None else state.last_ds + _DAY
        days, begun = dates_between(start, last), desk.engines.clock.now()
        for ds in steps(days, progress):
            archiving = ds == last or (ds - first).days % archive_every == archive_every - 1
            run_day(desk, frozen_run(ds, ds), archiving=archiving)
        elapsed = (desk.engines.clock.now() - begun).total_seconds()
        return _simulated(project, desk, span, (len(days), elapsed))


def status(project: Project, book: str = "") -> dict[str, object]:
    """Where the book stands: last run, money, what is held, what waits, what is stopped.

    ``unfinished`` is the date of a run that was begun and has not come to its end, ``stale`` the
    symbols held for sessions without a bar, ``bars_lack`` the sessions the bars of a paper or live
    book are behind; each None or empty where it is as it should be.
    """
    name = begun_book(project, book)
    store = read_hot_store(project.settings, project.root, name)
    state = read_book(store)
    stops = Stops.in_force(store)
    taken = None if state is None else state.last_snapshot
    frozen = store.query("system_checks", equal={"status": "FROZEN"})
    held = [position for position in live_positions(store) if position.status in HELD]
    newest, patience = last_bar(project), project.policy.gates.stale_sessions
    return {
        "book": name,
        "last_run": None if state is None else state.last_ds,
        "archived": None if state is None else state.archived_ds,
        "unfinished": None if state is None else _unfinished(store, state),
        "equity": None if taken is None else taken.equity,
        "drawdown": None if taken is None else taken.drawdown,
        "model": model_line(project, name) or None,
        "open_positions": len(held),
        "waiting_signals": store.count("live_signals", {"status": "WAITING"}),
        "halted": stops.halted,
        "paused": dict(stops.paused),
        "frozen": {d.body["symbol"]: d.body["reason"] for d in frozen},
        "frozen_by_operator": dict(stops.frozen),
        "stale": [p.symbol for p in held if p.stale_sessions >= patience],
        "last_bar": newest,
        "bars_lack": None if name.startswith("sim:") else _lacking(project, newest),
        "next": next_step(project, name) or None,
    }


def next_step(project: Project, book: str = "") -> str:
    """What to type to get a book going; empty once it has run."""
    name = project.book(book)
    state = read_book(read_hot_store(project.settings, project.root, name))
    if state is not None and state.last_ds is not None:
        return ""
    others = [other for other in books(project) if other != name]
    if last_bar(project) is None:
        advice = "bring bars first: `goldenthread data import FILE.csv|.parquet`"
    else:
        advice = "`goldenthread run` one date, or `goldenthread simulate --from … --to …` many"
    known = f"; books that have: {', '.join(others)} (--book)" if others else ""
    return f"book {name} has not run yet: {advice}{known}"


def _unfinished(store: HotStore, state: BookState) -> dt.date | None:
    """The date of the run that was begun last, if it is not done."""
    since = state.first_ds if state.last_ds is None else state.last_ds + _DAY
    begun = store.query("job_metadata", ds_from=since)
    dates = [document.body["ds"] for document in begun if document.id.startswith("run-")]
    return dt.date.fromisoformat(max(dates)) if dates else None


def _lacking(project: Project, last: dt.date | None) -> int | None:
    """The sessions that are complete and that there are no bars of, by the calendar with most."""
    if last is None:
        return None
    classes = {asset.asset_class for asset in project.market_data.assets()}
    upto = max(last, _complete())
    return max((count_sessions(each, last, upto) for each in classes), default=0) or None


def _simulated(
    project: Project, desk: Desk, span: tuple[dt.date, dt.date], ran: tuple[int, float]
) -> Simulated:
    store = desk.engines.hot_store
    state = read_book(store)
    if state is None or state.last_snapshot is None:
        msg = f"{span[0]} to {span[1]} has no date to simulate"
        raise UsageError(msg)
    days, elapsed = ran
    counts = outcomes(project, desk.book)
    return Simulated(
        book=desk.book,
        first=span[0],
        last=span[1],
        days_run=days,
        days_per_s=round(days / elapsed, 1) if days else None,
        signals=counts,
        trades=counts["traded"],
        start_equity=state.start_equity,
        equity=state.last_snapshot.equity,
        gaps=gap_words(project, span),
        notes=silence(project, desk),
    )


def _target(project: Project, ds: dt.date | None) -> dt.date:
    """The date to run: the one asked for, or the last complete one that bars reach."""
    complete = _complete()
    if ds is None:
        latest = last_bar(project)
        return min(complete, latest) if latest else complete
    if ds > complete:
        msg = f"--ds {ds} is not complete before {ds + _DAY} 00:05 UTC; the latest is {complete}"
        raise UsageError(msg)
    return ds


def _complete() -> dt.date:
    """The latest date that is over everywhere, with its run due."""
    return (SystemClock().now() - dt.timedelta(days=1, minutes=5)).date()


def _refuse_without_bars(project: Project, span: tuple[dt.date, dt.date]) -> None:
    first, last = span
    if last > _complete():
        msg = f"{last} is not complete yet; the latest date to simulate is {_complete()}"
        raise UsageError(msg)
    held = judged_bars(project)["ds"]
    if not held.is_between(first, last).any():
        known = f"there are bars from {held.min()!s} to {held.max()!s}"
        msg = f"no bar from {first} to {last}; {known}: choose dates among them"
        raise UsageError(msg)


def _refuse_earlier(target: dt.date, last: dt.date | None) -> None:
    if last is not None and target < last:
        msg = (
            f"{target} is before {last}, the last date this book has run; a book only goes"
            " forward (looking back is `replay`)"
        )
        raise UsageError(msg)


def _refuse_other_start(book: str, state: BookState | None, first: dt.date) -> None:
    if state is not None and state.first_ds != first:
        msg = (
            f"{book} was begun on {state.first_ds}, --from says {first}; go on with --from"
            f" {state.first_ds}, or give the new simulation another --name"
        )
        raise UsageError(msg)
