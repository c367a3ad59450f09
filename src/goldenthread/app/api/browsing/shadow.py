"""What refusing was worth, as a person browses it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.evaluation.curves import threshold_curve
from goldenthread.app.api.evaluation.shadow import refusals
from goldenthread.app.api.records import begun_book
from goldenthread.reports.attribution.refusals import attribution, ranked

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project


def refused_by(project: Project, book: str) -> dict[str, Any]:
    """What each filter, gate and the broker refused and what that would have made.

    The rows of ``goldenthread shadow``, ranked, but for what each strategy would have made without
    a filter, which takes a pricing of its own.
    """
    book = begun_book(project, book)
    return {"book": book, "refused": ranked(attribution(refusals(project, book))).to_dicts()}


def filter_curve(project: Project, book: str, strategy: str, name: str) -> dict[str, Any]:
    """What a strategy would have made at each threshold of one filter, see ``Curve``.

    Raises:
        UsageError: No such strategy or filter, no bars, or the filter has no number to turn.
    """
    book = begun_book(project, book)
    found = threshold_curve(project, name, strategy, book)
    return {"book": book, **asdict(found), "points": found.points.to_dicts()}
