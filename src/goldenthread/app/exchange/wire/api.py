"""Alpaca's API as one application: trading, data and the stream behind their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute

from goldenthread.adapters.alpaca.errors import refusal_json
from goldenthread.app.exchange.wire.data import DataEndpoints
from goldenthread.app.exchange.wire.gate import Gate
from goldenthread.app.exchange.wire.orders import OrderEndpoints
from goldenthread.app.exchange.wire.queries import MALFORMED
from goldenthread.app.exchange.wire.trading import TradingEndpoints
from goldenthread.domain.errors import DataError, EngineRefusedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from goldenthread.app.exchange.faults import Faults
    from goldenthread.app.exchange.venue import Venue
    from goldenthread.app.exchange.wire.stream import Streams
    from goldenthread.domain.clock import Clock

_DATA = ("/v2/stocks/", "/v1beta3/", "/v1/")


def alpaca_api(venue: Venue, faults: Faults, streams: Streams, clock: Clock) -> ASGIApp:
    """The application of the trading port; ``clock`` is the wall's, for the rate limit."""
    app = Starlette(
        routes=[
            *OrderEndpoints(venue).routes(),
            *TradingEndpoints(venue).routes(),
            *DataEndpoints(venue).routes(),
            WebSocketRoute("/stream", streams.serve),
        ],
        exception_handlers={
            EngineRefusedError: _refused,
            DataError: _refused,
            HTTPException: _unknown,
        },
    )
    return Gate(app, venue.terms, faults, clock)


async def _refused(request: Request, error: Exception) -> Response:
    """The trading API answers with a code; the data API with 400 and words."""
    if request.url.path.startswith(_DATA):
        return JSONResponse({"message": str(error)}, 400)
    code = error.code if isinstance(error, EngineRefusedError) else MALFORMED
    status, body = refusal_json(code, str(error))
    return JSONResponse(body, status)


async def _unknown(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    words = {404: "endpoint not found.", 405: "method not allowed."}
    return JSONResponse({"message": words.get(status, "not found.")}, status)
