"""After a paper or live day the same day in a simulated book, without disturbing the real one."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from goldenthread.app.api.desks import open_desk
from goldenthread.app.api.evaluation.model_line import REAL, model_line
from goldenthread.app.book import dates_between, frozen_run, read_book
from goldenthread.app.day import run_day
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.errors import ConflictError
from goldenthread.domain.ids import model_book

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.app.api.project import Project

_DAY = dt.timedelta(days=1)


def beside_model(project: Project, book: str, ds: dt.date) -> str:
    """The day ``ds`` of a real book beside its model, which runs it now; empty for other books.

    The real day is done and its lease given back. So whatever goes wrong with the model becomes
    the line: no error leaves this function.
    """
    if not book.startswith(REAL):
        return ""
    try:
        _run(project, book, ds)
        return model_line(project, book)
    except Exception as error:  # noqa: BLE001  # the real day must end as it did without a model
        return f"the model did not do this day: {error}"


def _run(project: Project, book: str, ds: dt.date) -> None:
    """Run the model from where it stands to ``ds``, each date as if in time.

    It begins on the first date asked for, with the equity of the account then.
    """
    name = model_book(book)
    state = read_book(read_hot_store(project.settings, project.root, name))
    start = ds if state is None or state.last_ds is None else state.last_ds + _DAY
    days = dates_between(start, ds)
    if not days:
        return
    with closing(open_desk(_simulated(project, book), name, (start, ds))) as desk:
        for day in days:
            run_day(desk, frozen_run(day, day), archiving=True)


def _simulated(project: Project, book: str) -> Project:
    """The project with the exchange of this process for a broker, and the account's equity."""
    settings = project.settings
    broker = settings.broker.model_copy(update={"engine": "simulated"})
    sim = settings.sim.model_copy(update={"start_cash": _equity(project, book)})
    return replace(project, settings=settings.model_copy(update={"broker": broker, "sim": sim}))


def _equity(project: Project, book: str) -> Decimal:
    state = read_book(read_hot_store(project.settings, project.root, book))
    if state is None or state.last_snapshot is None:
        msg = f"{book} has no equity yet; its first day makes one"
        raise ConflictError(msg)
    return state.last_snapshot.equity
