"""The operator's requests: halt, resume, flatten; read by every run before every entry."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import TYPE_CHECKING

from goldenthread.app.book import SUPERSEDED
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_hot_store
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.ports.hot_store import Body, Document, HotStore


def halt(project: Project, book: str, reason: str) -> dict[str, object]:
    """The book's new state: no new entry until ``resume``; exits go on."""
    store, act = _opened(project, book), _act("HALT", reason)
    return _stand(project, book, store, "halt", {**act, "active": True})


def resume(project: Project, book: str) -> dict[str, object]:
    """The book's new state: entries allowed again, and a standing flatten withdrawn."""
    store, act = _opened(project, book), _act("RESUME", "")
    if store.get("operator_requests", "flatten") is not None:
        _stand(project, book, store, "flatten", {**act, "active": False})
    return _stand(project, book, store, "halt", {**act, "active": False})


def flatten(project: Project, book: str, confirm: str) -> dict[str, object]:
    """The book's new state: halted, and the next run closes everything.

    Raises:
        UsageError: ``confirm`` is not the book's name.
    """
    name = project.book(book)
    if confirm != name:
        msg = f"--confirm got {confirm!r}; type the book's name to flatten it: --confirm {name}"
        raise UsageError(msg)
    store, act = _opened(project, book), _act("FLATTEN", "operator")
    _stand(project, book, store, "halt", {**act, "active": True})
    return _stand(project, book, store, "flatten", {**act, "active": True})


def _opened(project: Project, book: str) -> HotStore:
    return open_hot_store(project.settings, project.root, project.book(book))


def _act(action: str, reason: str) -> Body:
    """Who asks for what, now: one act, in however many requests it stands."""
    asked_at = SystemClock().now().isoformat()
    return {"action": action, "reason": reason, "actor": getpass.getuser(), "asked_at": asked_at}


def _stand(
    project: Project, book: str, store: HotStore, name: str, body: Body
) -> dict[str, object]:
    """The request as it now stands; the act it replaces is kept first, so that none is lost."""
    document, created = store.put_if_absent("operator_requests", name, body)
    if not created:
        _keep(store, document)
        document = store.compare_and_set(document, body)
    return {"book": project.book(book), "request": name, **document.body}


def _keep(store: HotStore, replaced: Document) -> None:
    """Keep an act for the archive; one that touched two requests is kept once."""
    act = {key: replaced.body[key] for key in ("action", "reason", "actor", "asked_at")}
    day = dt.datetime.fromisoformat(act["asked_at"]).date()
    name = f"{act['action'].lower()}-{act['asked_at']}"
    body = {**act, "status": SUPERSEDED, "ds": day.isoformat()}
    store.put_if_absent("operator_requests", name, body)
