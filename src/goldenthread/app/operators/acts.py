"""What operators asked for, in the archive: every act into the audit log, once."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from goldenthread.app.book import REQUESTS, SUPERSEDED
from goldenthread.domain.errors import ConflictError
from goldenthread.ports.hot_store import MAX_OPERATIONS
from goldenthread.positions.session import STANDING
from goldenthread.warehouse import loops, quarantine

if TYPE_CHECKING:
    from goldenthread.app.desk import Desk
    from goldenthread.ports.hot_store import Body, Collection

REPLAY = "quarantine"
"""The request to load again what is in quarantine; the next archive does it."""
_REQUESTS: Collection = "operator_requests"
_ARCHIVED = "ARCHIVED"


def load_acts(desk: Desk, stamp: loops.RunStamp) -> list[loops.LoopResult]:
    """Every act of an operator in ``audit_log``, dated by when it was made.

    Acts that no request shows any more are loaded once and may then go. A replay is not logged
    before it is done: the log never changes, and its outcome is part of it.
    """
    store, clock = desk.engines.hot_store, desk.engines.clock
    kept = store.query(_REQUESTS, equal={"status": SUPERSEDED}, limit=MAX_OPERATIONS)
    standing = [d for request in REQUESTS if (d := store.get(_REQUESTS, request)) is not None]
    lasting = store.query(_REQUESTS, equal={"status": STANDING})
    standing += [document for document in lasting if document.id != REPLAY]
    days: dict[dt.date, dict[str, dict[str, object]]] = {}
    for document in (*kept, *standing):  # one act may stand in two requests
        key, asked, act = _act(document.body, stamp.book)
        days.setdefault(asked.date(), {})[key] = act
    results = [
        loops.audit(desk.engines.warehouse, list(acts.values()), replace(stamp, ds=day))
        for day, acts in sorted(days.items())
    ]
    delete_at = clock.now() + dt.timedelta(days=desk.ttl_days)
    for document in kept:
        with suppress(ConflictError):  # asked for again meanwhile: that act is another archive's
            store.compare_and_set(document, {**document.body, "status": _ARCHIVED}, delete_at)
    store.sweep(_REQUESTS, clock.now())
    return results


def replay_if_asked(desk: Desk, stamp: loops.RunStamp) -> None:
    """Load again what is in quarantine if an operator asked for it; the act says what became of it.

    A row that contradicts one that is loaded ends it there: no archive is held up.
    """
    store = desk.engines.hot_store
    request = store.get(_REQUESTS, REPLAY)
    if request is None or request.body["status"] != STANDING:
        return
    try:
        results = quarantine.replay(store, desk.engines.warehouse, stamp)
        loaded = sum(result.inserted + result.updated for result in results)
        refused = sum(len(result.refused) for result in results)
        outcome = f"{loaded} loaded, {refused} refused again"
    except ConflictError as error:
        outcome = str(error)
    done = {**request.body, "active": False, "status": SUPERSEDED, "outcome": outcome}
    with suppress(ConflictError):  # asked for again meanwhile: the next archive does it
        store.compare_and_set(request, done)


def _act(body: Body, book_name: str) -> tuple[str, dt.datetime, dict[str, object]]:
    """An operator's act: its id, when it was asked, and its row."""
    asked = dt.datetime.fromisoformat(body["asked_at"])
    subject = body.get("strategy_id") or body.get("symbol") or book_name
    of = "" if subject == book_name else f"{subject}/"
    outcome = {"outcome": body["outcome"]} if "outcome" in body else {}
    key = f"{book_name}/{body['action'].lower()}/{of}{asked.isoformat()}"
    row = {
        "id": key,
        "acted_at": asked,
        "actor": body["actor"],
        "action": body["action"],
        "subject": subject,
        "detail": {"reason": body["reason"], **outcome},
    }
    return key, asked, row
