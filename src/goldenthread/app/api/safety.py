"""The operator's requests: halt, resume, flatten; read by every run before every entry."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from goldenthread.app.clock import SystemClock
from goldenthread.app.engines import open_hot_store
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project


def halt(project: Project, book: str, reason: str) -> dict[str, object]:
    """The book's new state: no new entry until ``resume``; exits go on."""
    return _request(project, book, "halt", active=True, reason=reason)


def resume(project: Project, book: str) -> dict[str, object]:
    """The book's new state: entries allowed again, and a standing flatten withdrawn."""
    name = project.book(book)
    store = open_hot_store(project.settings, project.root, name)
    if store.get("operator_requests", "flatten") is not None:
        _request(project, book, "flatten", active=False, reason="")
    return _request(project, book, "halt", active=False, reason="")


def flatten(project: Project, book: str, confirm: str) -> dict[str, object]:
    """The book's new state: halted, and the next run closes everything.

    Raises:
        UsageError: ``confirm`` is not the book's name.
    """
    name = project.book(book)
    if confirm != name:
        msg = f"--confirm got {confirm!r}; type the book's name to flatten it: --confirm {name}"
        raise UsageError(msg)
    halt(project, book, "flatten")
    return _request(project, book, "flatten", active=True, reason="operator")


def _request(
    project: Project, book: str, name: str, *, active: bool, reason: str
) -> dict[str, object]:
    store = open_hot_store(project.settings, project.root, project.book(book))
    body = {
        "active": active,
        "reason": reason,
        "actor": getpass.getuser(),
        "asked_at": SystemClock().now(),
    }
    document, created = store.put_if_absent("operator_requests", name, body)
    if not created:
        document = store.compare_and_set(document, body)
    return {"book": project.book(book), "request": name, **document.body}
