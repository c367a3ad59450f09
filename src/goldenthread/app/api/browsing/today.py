"""The last day of a book: what ran, what was decided and why, what waits, and the account."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.browsing.health import health
from goldenthread.app.api.browsing.signals import signal_page
from goldenthread.app.api.browsing.wanted import WantedSignals
from goldenthread.app.api.records import facts, signals, trades

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project

_ACCOUNT = """
SELECT ds, equity, cash, buying_power, gross_exposure, drawdown, realised_pnl, unrealised_pnl,
       fees_paid, start_equity, peak_equity, open_positions, waiting_signals
FROM snapshot_accounts
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY ds
"""
_RUN = """
SELECT run_id, status, started_at, finished_at, duration_s, inserted, updated, refused
FROM job_runs
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY started_at DESC
LIMIT 1
"""


def today(project: Project, book: str) -> dict[str, Any]:
    """The last day the book has run, as its morning page shows it.

    ``ds`` is that date, None before the first run. ``account`` is the last archived snapshot with
    ``day_pnl``, what equity moved since the one before; ``run`` the day's newest entry in
    ``job_runs``; both None where nothing is archived. ``decided`` has the signals of the date
    (columns of ``goldenthread signals``), ``closed`` its trades, ``waiting`` every signal that
    waits for its entry, ``alarms`` the checks of ``health`` that are not in order.
    """
    well = health(project, book)
    name, ds = well["book"], well["stands"]["last_run"]
    day = (ds, ds) if isinstance(ds, dt.date) else None
    curve = equity_curve(project, name)
    runs = facts(project, name, _RUN, day).to_dicts() if day else []
    waiting = signal_page(project, name, WantedSignals(outcome="waiting"))["signals"]
    return {
        "book": name,
        "ds": ds,
        "account": _account(curve),
        "run": runs[0] if runs else None,
        "decided": signals(project, name, day) if day else [],
        "closed": trades(project, name, day).to_dicts() if day else [],
        "waiting": waiting,
        "alarms": [row for row in well["checks"] if not row["ok"]],
        "next": well["next"],
    }


def equity_curve(project: Project, book: str) -> list[dict[str, Any]]:
    """The account's snapshots, a row a day, oldest first."""
    return facts(project, book, _ACCOUNT).to_dicts()


def _account(curve: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not curve:
        return None
    before = curve[-2]["equity"] if len(curve) > 1 else curve[-1]["start_equity"]
    return {**curve[-1], "day_pnl": curve[-1]["equity"] - before}
