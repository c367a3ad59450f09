"""One business date, in the order the data flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.archive import archive, remember_day
from goldenthread.app.book import begin_book, freeze_account, freeze_run, write_book
from goldenthread.app.decide import decide, exits_due, unjudged, waiting_cancelled
from goldenthread.app.desk import ends_between_writes
from goldenthread.app.journal.report import DayReport
from goldenthread.app.journal.run_log import run_log
from goldenthread.app.versions import sync_versions
from goldenthread.positions.blotter import Blotter
from goldenthread.positions.execution import dispatch, intend, unanswered
from goldenthread.positions.lifecycle import advance, retire
from goldenthread.positions.reconciliation import reconcile

if TYPE_CHECKING:
    from goldenthread.app.book import FrozenRun
    from goldenthread.app.desk import Desk


def run_day(desk: Desk, run: FrozenRun, *, archiving: bool) -> DayReport:
    """What the date brought: the thread from bars to the warehouse, once.

    A date that is done changes nothing but sends what could not be sent; one that was
    interrupted is completed from what it was frozen to. Every step may be repeated.

    Raises:
        StoppedError: The process was told to end; the next run goes on from there.
    """
    with run_log(desk, run) as log, ends_between_writes() as go_on, desk.lease() as lease:
        store, broker = desk.engines.hot_store, desk.engines.broker
        blotter = Blotter(store, lease, go_on, log.wrote)
        log.know(blotter.positions.values())
        state = begin_book(store, broker.account(), run.ds)
        live = tuple(sorted(blotter.positions))
        run = freeze_run(store, run.model_copy(update={"positions": live}))
        session = desk.session(run, state)
        if state.last_ds == run.ds:
            sent = dispatch(session, blotter, broker)
            doubts = tuple(notice.text for notice in unanswered(blotter))
            return log.end(DayReport(desk.book, run.ds, changed=False, sent=sent, notes=doubts))

        sync_versions(blotter, store, desk.configs, desk.version_stamp(run))
        reconciled = reconcile(session, blotter, broker)
        run = freeze_account(blotter, store, run, reconciled.account)
        advance(session, blotter, exits_due(desk, blotter, run))
        retire(session, blotter, broker, waiting_cancelled(desk, blotter, run))
        signals = decide(desk, session, blotter, state, run)
        intend(session, blotter, signals)
        sent = dispatch(session, blotter, broker)

        state = remember_day(session, blotter, state, run)
        if archiving:
            state = archive(desk, blotter, state, run)
        write_book(blotter, store, state)
        notices = (*reconciled.notes, *unanswered(blotter), *unjudged(desk, blotter, run))
        report = DayReport(
            book=desk.book,
            ds=run.ds,
            changed=True,
            decided=len(signals),
            accepted=sum(not s.status.is_final for s in signals),
            sent=sent,
            archived=archiving,
            frozen=reconciled.frozen,
            notes=tuple(notice.text for notice in notices),
        )
        return log.end(report, notices)
