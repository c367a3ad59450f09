"""The morning page and its data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing import today
from goldenthread.app.web.answers.today import AccountDay, Today
from goldenthread.app.web.desk import AtDesk  # noqa: TC001  # the same
from goldenthread.app.web.paper import JSON, page
from goldenthread.app.web.views import today as drawn

router = APIRouter()


@router.get("/", include_in_schema=False)
def today_page(request: Request, desk: AtDesk) -> Response:
    """What ran, what was decided and why, what waits, the account, alarms."""
    shown = desk.labelled(today.today(*desk))
    curve = today.equity_curve(desk.project, shown["book"])
    return page(request, shown, str(shown["ds"] or "Today"), drawn.today(shown, curve))


@router.get("/api/today", response_model=Today)
def today_data(desk: AtDesk) -> JSON:
    """The last day: account, run, decisions, trades closed, what waits, alarms."""
    return JSON(today.today(*desk))


@router.get("/api/equity", response_model=list[AccountDay])
def equity_data(desk: AtDesk) -> JSON:
    """The account on every archived day, oldest first."""
    return JSON(today.equity_curve(*desk))
