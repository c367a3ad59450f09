"""What refusing was worth, and its data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing.shadow import filter_curve, refused_by
from goldenthread.app.web.answers.shadow import FilterCurve, Shadow
from goldenthread.app.web.desk import AtDesk, remembered
from goldenthread.app.web.paper import JSON, page
from goldenthread.app.web.views import shadow as drawn

router = APIRouter()


@router.get("/shadow", include_in_schema=False)
def shadow_page(request: Request, desk: AtDesk) -> Response:
    """What each filter, gate and the broker refused, and what it was worth."""
    shown = remembered(request, desk, refused_by)
    return page(request, shown, "Shadow", drawn.shadow(shown))


@router.get("/shadow/{strategy_id}/{name}", include_in_schema=False)
def curve_page(request: Request, desk: AtDesk, strategy_id: str, name: str) -> Response:
    """What other thresholds of a filter would have made."""
    shown = filter_curve(*desk, strategy_id, name)
    return page(request, shown, f"{strategy_id} {name}", drawn.curve(shown))


@router.get("/api/shadow", response_model=Shadow)
def shadow_data(request: Request, desk: AtDesk) -> JSON:
    """What each filter, gate and the broker refused, and what that would have made."""
    return JSON(remembered(request, desk, refused_by))


@router.get("/api/shadow/{strategy_id}/{name}", response_model=FilterCurve)
def curve_data(desk: AtDesk, strategy_id: str, name: str) -> JSON:
    """What a strategy would have made at each threshold of one filter."""
    return JSON(filter_curve(*desk, strategy_id, name))
