"""What operators stopped in a book and what they may stop, with what they did before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.api.browsing.strategies import names
from goldenthread.app.api.records import begun_book, facts
from goldenthread.app.api.store import quarantined
from goldenthread.app.book import REQUESTS
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.positions.session import STANDING

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.ports.hot_store import Body, HotStore

_ACTS = """
SELECT acted_at, actor, action, subject, detail
FROM audit_log
WHERE book = @book AND ds BETWEEN @first AND @last
  AND action IN ('HALT', 'RESUME', 'PAUSE', 'FREEZE', 'THAW', 'FLATTEN', 'REPLAY_QUARANTINE')
ORDER BY acted_at DESC
LIMIT 50
"""


def controls(project: Project, book: str) -> dict[str, Any]:
    """What stands and what may be asked for.

    ``standing`` has a row a request (``action subject actor asked_at reason``), the newest first;
    ``doubted`` the symbols that runs froze (``symbol ds reason``). ``strategies`` and ``symbols``
    are what may be paused and frozen, ``quarantine`` how many rows wait there, ``acts`` the newest
    50 archived (``acted_at actor action subject detail``).
    """
    book = begun_book(project, book)
    store = read_hot_store(project.settings, project.root, book)
    doubts = store.query("system_checks", equal={"status": "FROZEN"})
    return {
        "book": book,
        "standing": standing_requests(store),
        "doubted": [
            {name: doubt.body[name] for name in ("symbol", "ds", "reason")} for doubt in doubts
        ],
        "strategies": names(project, book),
        "symbols": [asset.symbol for asset in project.market_data.assets()],
        "quarantine": len(quarantined(project, book)),
        "acts": facts(project, book, _ACTS).to_dicts(),
    }


def standing_requests(store: HotStore) -> list[dict[str, Any]]:
    """What operators want until they withdraw it, the newest first.

    The columns are ``action subject actor asked_at reason``; the subject of what is about the
    whole book is empty.
    """
    fixed = [d.body for name in REQUESTS if (d := store.get("operator_requests", name))]
    bodies = [b for b in fixed if b["active"]]
    bodies += [d.body for d in store.query("operator_requests", equal={"status": STANDING})]
    standing = {(row["action"], row["subject"]): row for row in map(_row, bodies)}
    return sorted(standing.values(), key=lambda row: row["asked_at"], reverse=True)


def _row(body: Body) -> dict[str, Any]:
    subject = body.get("strategy_id") or body.get("symbol") or ""
    kept = {name: body[name] for name in ("action", "actor", "asked_at", "reason")}
    return {**kept, "subject": subject}
