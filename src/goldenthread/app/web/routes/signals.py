"""Signals, one by one and page by page, and their data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing.signals import signal_page
from goldenthread.app.api.browsing.strategies import names
from goldenthread.app.api.browsing.wanted import (  # noqa: TC001  # the same
    WantedSignals,
)
from goldenthread.app.api.explain import explain, page_parts
from goldenthread.app.api.records import OUTCOMES
from goldenthread.app.web.answers.signals import SignalPage, Story
from goldenthread.app.web.desk import AtDesk  # noqa: TC001  # the same
from goldenthread.app.web.paper import JSON, Listed, page, paged
from goldenthread.app.web.views import signals as drawn

router = APIRouter()


@router.get("/signals", include_in_schema=False)
def signals_page(
    request: Request, desk: AtDesk, wanted: Annotated[WantedSignals, Query()]
) -> Response:
    """Every signal, filtered and page by page."""
    shown = desk.labelled(signal_page(*desk, wanted))
    listed = Listed("Signals", wanted, names(desk.project, shown["book"]), OUTCOMES)
    return paged(request, shown, listed, drawn.signals(shown))


@router.get("/signals/{signal_id}", include_in_schema=False)
def signal_story(request: Request, desk: AtDesk, signal_id: str) -> Response:
    """The story of one signal with its candles."""
    row, told = page_parts(*desk, signal_id)
    title = f"{row['symbol']}, {row['signal_ds']}, {row['strategy_id']}"
    return page(request, row, title, told)


@router.get("/api/signals", response_model=SignalPage)
def signals_data(desk: AtDesk, wanted: Annotated[WantedSignals, Query()]) -> JSON:
    """Signals and what became of them, 50 a page, the newest first."""
    return JSON(signal_page(*desk, wanted))


@router.get("/api/signals/{signal_id}", response_model=Story)
def signal_data(desk: AtDesk, signal_id: str) -> JSON:
    """The story of a signal: a sentence, and sections of lines; a unique prefix will do."""
    return JSON(explain(*desk, signal_id).as_dict())
