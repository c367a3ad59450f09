"""A book's vital signs, for whatever watches machines: numbers, and whether all is well."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.app.api.browsing.health import health, sessions_behind
from goldenthread.app.api.records import facts
from goldenthread.app.api.store import cost

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project

_SUCCESS = """
SELECT finished_at FROM job_runs
WHERE book = @book AND ds BETWEEN @first AND @last AND status = 'DONE'
ORDER BY finished_at DESC
LIMIT 1
"""


class Vitals(NamedTuple):
    """What one number each can tell of a book; None is not known.

    ``last_success_at`` is when a run last ended with its archive, ``lag_sessions`` how many
    sessions up to the last bar the book has not run, by the calendar that has the most of them.
    ``bytes_today`` is what guarded queries read since midnight UTC, ``alarms`` the names of the
    checks that are not in order. ``lease_owner`` is the run at work, ``lease_until`` when another
    may take over unless that one goes on.
    """

    book: str
    ok: bool
    last_run: dt.date | None
    last_success_at: dt.datetime | None
    lag_sessions: int | None
    open_positions: int
    waiting_signals: int
    quarantine: int
    bytes_today: int
    alarms: tuple[str, ...]
    lease_owner: str | None
    lease_until: dt.datetime | None


def vitals(project: Project, book: str, now: dt.datetime) -> Vitals:
    """The vital signs of the book as of ``now``."""
    well = health(project, book)
    stands, name, lease = well["stands"], well["book"], well["lease"] or {}
    successes = facts(project, name, _SUCCESS).to_dicts()
    day = now.date().isoformat()
    asked = [row for row in cost(project) if row["allowed"] and row["at"].startswith(day)]
    return Vitals(
        book=name,
        ok=well["ok"],
        last_run=stands["last_run"],
        last_success_at=successes[0]["finished_at"] if successes else None,
        lag_sessions=sessions_behind(project, stands),
        open_positions=stands["open_positions"],
        waiting_signals=stands["waiting_signals"],
        quarantine=well["quarantine"],
        bytes_today=sum(row["bytes"] for row in asked),
        alarms=tuple(row["check"] for row in well["checks"] if not row["ok"]),
        lease_owner=lease.get("owner"),
        lease_until=lease.get("until"),
    )
