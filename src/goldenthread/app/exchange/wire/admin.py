"""The admin port: the clock, the faults, and what came in; no part of Alpaca's API."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from goldenthread.adapters.alpaca.values import instant_text
from goldenthread.app.exchange.wire.queries import body_of
from goldenthread.app.exchange.wire.views import account_view
from goldenthread.domain.errors import DataError, EngineRefusedError, UsageError

if TYPE_CHECKING:
    from starlette.requests import Request

    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.app.exchange.faults import Faults
    from goldenthread.app.exchange.journal import Event
    from goldenthread.app.exchange.venue import Venue
    from goldenthread.app.exchange.wire.stream import Streams

_MOST_DAYS = 36_600


class Admin:
    """Whoever runs the tests, not whoever trades."""

    def __init__(self, venue: Venue, faults: Faults, streams: Streams) -> None:
        self._venue = venue
        self._faults = faults
        self._streams = streams

    def app(self) -> Starlette:
        """The application of the admin port."""
        return Starlette(
            routes=[
                Route("/state", self.state, methods=["GET"]),
                Route("/advance", self.advance, methods=["POST"]),
                Route("/faults", self.arm, methods=["POST"]),
                Route("/faults", self.clear, methods=["DELETE"]),
                Route("/fees", self.release_fees, methods=["POST"]),
                Route("/requests", self.requests, methods=["GET"]),
                Route("/requests", self.forget, methods=["DELETE"]),
            ],
            exception_handlers={UsageError: _told, EngineRefusedError: _told, DataError: _told},
        )

    async def state(self, _request: Request) -> Response:
        """Clock, account, faults in force, streams listening."""
        venue = self._venue
        entries = venue.journal.entries.values()
        return JSONResponse(
            {
                **self._clock(),
                "account": account_view(venue),
                "open_orders": sum(entry.report.status.is_open for entry in entries),
                "streams": self._streams.listening,
                "faults": [asdict(fault) for fault in self._faults.armed],
                "fee_delay_days": venue.fee_delay,
                "requests": len(self._faults.requests),
                "symbols": sorted(venue.market.assets),
                "first_bar": venue.market.first.isoformat(),
                "last_bar": venue.market.last.isoformat(),
            }
        )

    async def advance(self, request: Request) -> Response:
        """Meet every date up to ``ds``, or the next ``days``; the events on the way."""
        body = await body_of(request)
        events = self._venue.advance(self._target(body))
        return JSONResponse({**self._clock(), "events": [_event(event) for event in events]})

    async def arm(self, request: Request) -> Response:
        """Put a fault in force."""
        fault = self._faults.arm(await body_of(request))
        if fault.kind == "late_fees":
            self._faults.armed.remove(fault)
            self._venue.fee_delay = fault.days
        return JSONResponse(asdict(fault), 201)

    async def clear(self, _request: Request) -> Response:
        """Take every fault out of force; fees held back stay so until they are due."""
        self._faults.clear()
        self._venue.fee_delay = 0
        return Response(status_code=204)

    async def release_fees(self, _request: Request) -> Response:
        """Post the fees held back, now."""
        return JSONResponse({"released": self._venue.release_fees()})

    async def requests(self, _request: Request) -> Response:
        """Every request to the trading port since it was asked to forget."""
        rows = [r._asdict() | {"at": instant_text(r.at)} for r in self._faults.requests]
        return JSONResponse(rows)

    async def forget(self, _request: Request) -> Response:
        """Forget the requests."""
        self._faults.requests.clear()
        return Response(status_code=204)

    def _clock(self) -> Json:
        return {"met": self._venue.met.isoformat(), "clock": instant_text(self._venue.clock)}

    def _target(self, body: Json) -> dt.date:
        days = body.get("days")
        if isinstance(days, int) and 1 <= days <= _MOST_DAYS and set(body) == {"days"}:
            return self._venue.met + dt.timedelta(days=days)
        try:
            if set(body) == {"ds"}:
                return dt.date.fromisoformat(str(body["ds"]))
        except ValueError:
            pass
        msg = f'advance got {body}; it takes {{"ds": "2024-01-31"}} or {{"days": 1}}'
        raise UsageError(msg)


def _event(event: Event) -> Json:
    report = event.entry.report
    return {
        "event": event.name,
        "at": instant_text(event.at),
        "order_id": report.broker_order_id,
        "client_order_id": report.client_order_id,
        "symbol": report.symbol,
    }


async def _told(_request: Request, error: Exception) -> Response:
    return JSONResponse({"message": str(error)}, 400)
