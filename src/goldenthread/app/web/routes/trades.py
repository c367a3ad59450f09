"""What is held and what was closed, and their data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing.strategies import names
from goldenthread.app.api.browsing.trades import held, trade_page
from goldenthread.app.api.browsing.wanted import (  # noqa: TC001  # the same
    WantedTrades,
)
from goldenthread.app.web.answers.trades import Positions, TradePage
from goldenthread.app.web.desk import AtDesk  # noqa: TC001  # the same
from goldenthread.app.web.paper import JSON, Listed, page, paged
from goldenthread.app.web.views import trades as drawn

router = APIRouter()


@router.get("/positions", include_in_schema=False)
def positions_page(request: Request, desk: AtDesk) -> Response:
    """What is held or waits for its entry."""
    shown = desk.labelled(held(*desk))
    return page(request, shown, "Positions", drawn.positions(shown))


@router.get("/trades", include_in_schema=False)
def trades_page(
    request: Request, desk: AtDesk, wanted: Annotated[WantedTrades, Query()]
) -> Response:
    """Closed trades, filtered and page by page."""
    shown = desk.labelled(trade_page(*desk, wanted))
    listed = Listed("Trades", wanted, names(desk.project, shown["book"]))
    return paged(request, shown, listed, drawn.trades(shown))


@router.get("/api/positions", response_model=Positions)
def positions_data(desk: AtDesk) -> JSON:
    """What is held or waits for its entry, marked at the last archived close."""
    return JSON(held(*desk))


@router.get("/api/trades", response_model=TradePage)
def trades_data(desk: AtDesk, wanted: Annotated[WantedTrades, Query()]) -> JSON:
    """Closed trades, 50 a page, the last exit first."""
    return JSON(trade_page(*desk, wanted))
