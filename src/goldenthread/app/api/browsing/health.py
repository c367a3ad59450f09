"""Whether a book is well: what ran last, how far behind it is, what is stopped or set aside."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread import __version__
from goldenthread.app.api.days import next_step, status
from goldenthread.app.api.records import begun_book, facts
from goldenthread.app.api.store import cost, quarantined
from goldenthread.app.desk import LEASE
from goldenthread.app.engines.wiring import lease_holder
from goldenthread.rules.calendar import count_sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.app.api.project import Project

_RUNS = """
SELECT run_id, ds, job, status, started_at, finished_at, duration_s, offered, inserted, updated,
       unchanged, refused
FROM job_runs
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY ds DESC, started_at DESC
LIMIT 200
"""


def job_rows(project: Project, book: str) -> dict[str, Any]:
    """The newest 200 runs of the book, the last one first, and what guarded queries read.

    ``queries`` has a row a day (``day queries bytes``), the last one first.
    """
    book = begun_book(project, book)
    days: dict[str, list[int]] = {}
    for row in cost(project):
        days.setdefault(str(row["at"])[:10], []).append(row["bytes"])
    return {
        "book": book,
        "runs": facts(project, book, _RUNS).to_dicts(),
        "queries": [
            {"day": day, "queries": len(read), "bytes": sum(read)}
            for day, read in sorted(days.items(), reverse=True)
        ],
    }


def health(project: Project, book: str) -> dict[str, Any]:
    """How the book stands, and a row a check (``check ok found``).

    ``ok`` is whether every check is; ``quarantine`` counts the refused rows that wait; ``lease`` is
    the run at work (``owner until``), None when there is none; ``next`` is what to type to get a
    book going, else None.
    """
    book = begun_book(project, book)
    stands = status(project, book)
    holder = lease_holder(project.settings, project.root, book, LEASE)
    waiting = len(quarantined(project, book))
    checks = [
        *_progress(stands, at_work=holder is not None),
        _check("halt", not stands["halted"], "halted: no new entries until `goldenthread resume`"),
        _check("strategies", not stands["paused"], _told("paused", stands["paused"])),
        _check("stale", not stands["stale"], _without_bars(stands["stale"])),
        _check("symbols", not stands["frozen"], _told("frozen", stands["frozen"])),
        _operator(stands["frozen_by_operator"]),
        _quarantine(waiting),
    ]
    return {
        "book": book,
        "version": __version__,
        "ok": all(row["ok"] for row in checks),
        "checks": checks,
        "quarantine": waiting,
        "lease": None if holder is None else {"owner": holder.owner, "until": holder.until},
        "next": next_step(project, book) or None,
        "stands": stands,
    }


def sessions_behind(project: Project, stands: Mapping[str, Any]) -> int | None:
    """The sessions up to the last bar that the book has not run; None where it has none of both.

    Of several calendars the one that has the most of them counts.
    """
    run, bar = stands["last_run"], stands["last_bar"]
    if run is None or bar is None:
        return None
    classes = {asset.asset_class for asset in project.market_data.assets()}
    return max((count_sessions(each, run, max(run, bar)) for each in classes), default=0)


def _progress(stands: dict[str, object], *, at_work: bool) -> list[dict[str, object]]:
    """Whether the bars are there, and the runs and the archive have kept up with them."""
    run, archived, bar = stands["last_run"], stands["archived"], stands["last_bar"]
    behind = None
    if isinstance(run, dt.date) and isinstance(bar, dt.date):
        behind = max((bar - run).days, 0)
    late = "has not run yet" if behind is None else f"last {run}, {behind} days before the last bar"
    lacking, halfway = stands["bars_lack"], stands["unfinished"]
    none = "none yet: `goldenthread data import`"
    old = f"up to {bar}, {lacking} sessions ago: `goldenthread data pull`"
    begun = f"{halfway} was begun and is not done: `goldenthread run` completes it"
    return [
        _check("bars", bar is not None and not lacking, old if lacking else none, f"up to {bar}"),
        _check("runs", behind == 0, late, f"last {run}"),
        _check("unfinished", halfway is None or at_work, begun),
        _check("archive", archived == run, f"loaded up to {archived or 'no day'}", f"to {run}"),
    ]


def _check(name: str, ok: bool, wrong: str, right: str = "in order") -> dict[str, object]:
    return {"check": name, "ok": ok, "found": right if ok else wrong}


def _told(state: str, named: object) -> str:
    told = named.items() if isinstance(named, dict) else ()
    return f"{state}: " + "; ".join(f"{name}, {reason}" for name, reason in told)


def _without_bars(symbols: object) -> str:
    named = symbols if isinstance(symbols, list) else ()
    return f"held, and without a bar for sessions: {', '.join(named)}"


def _operator(frozen: object) -> dict[str, object]:
    return _check("freezes", not frozen, _told("frozen by an operator", frozen))


def _quarantine(size: int) -> dict[str, object]:
    told = f"{size} refused rows wait: `goldenthread quarantine ls`"
    return _check("quarantine", size == 0, told, "empty")
