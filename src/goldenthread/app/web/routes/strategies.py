"""Strategies and their versions, and their data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing.strategies import strategy_rows, strategy_story
from goldenthread.app.web.answers.strategies import Strategies, StrategyStory
from goldenthread.app.web.desk import AtDesk, remembered
from goldenthread.app.web.paper import JSON, page
from goldenthread.app.web.views import strategies as drawn

router = APIRouter()


@router.get("/strategies", include_in_schema=False)
def strategies_page(request: Request, desk: AtDesk) -> Response:
    """Every strategy the book has had."""
    shown = remembered(request, desk, strategy_rows)
    return page(request, shown, "Strategies", drawn.strategies(shown))


@router.get("/strategies/{strategy_id}", include_in_schema=False)
def strategy_page(request: Request, desk: AtDesk, strategy_id: str) -> Response:
    """One strategy: versions, changes, performance a version."""
    shown = strategy_story(*desk, strategy_id)
    return page(request, shown, strategy_id, drawn.strategy(shown))


@router.get("/api/strategies", response_model=Strategies)
def strategies_data(request: Request, desk: AtDesk) -> JSON:
    """Every strategy the book has had and what it made."""
    return JSON(remembered(request, desk, strategy_rows))


@router.get("/api/strategies/{strategy_id}", response_model=StrategyStory)
def strategy_data(desk: AtDesk, strategy_id: str) -> JSON:
    """One strategy: versions, what each changed and made, and how its file differs."""
    return JSON(strategy_story(*desk, strategy_id))
