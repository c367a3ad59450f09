"""What a book decides on: which bars there are, and which rows were set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.api.bars import coverage
from goldenthread.app.api.records import begun_book
from goldenthread.app.api.store import quarantined
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project


def data_rows(project: Project, book: str) -> dict[str, Any]:
    """A row a symbol with its sessions, and a row a refused row of the book.

    ``coverage`` has the columns of ``goldenthread data ls``, ``quarantine`` those of
    ``goldenthread quarantine ls``. ``unread`` says why there is no coverage, else it is empty.
    """
    book = begun_book(project, book)
    try:
        covered, unread = coverage(project).to_dicts(), ""
    except UsageError as error:  # no bars yet: the page says how to bring some
        covered, unread = [], str(error)
    rows = quarantined(project, book)
    return {"book": book, "coverage": covered, "quarantine": rows, "unread": unread}
