"""The endpoints below ``/v2/orders``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from goldenthread.adapters.alpaca.orders import request_from_json
from goldenthread.adapters.alpaca.refused_orders import Standing, refused_order_json
from goldenthread.adapters.alpaca.symbols import canonical
from goldenthread.adapters.alpaca.values import amount_or_none
from goldenthread.adapters.broker.simulated.amendments import Amendment
from goldenthread.app.exchange.wire.queries import (
    body_of,
    flag,
    malformed,
    not_found,
    one_of,
    order_id_of,
    page_of,
    words,
)
from goldenthread.app.exchange.wire.views import Selection, order_list, order_view
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderRequest, TimeInForce

if TYPE_CHECKING:
    from starlette.requests import Request

    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.app.exchange.journal import Entry
    from goldenthread.app.exchange.venue import Venue

_STATUSES = ("open", "closed", "all")
_SIDES = ("", "buy", "sell")
_LONGEST_NAME = 128
_UNPROCESSABLE = "42210000"
_MOST = 500
_NOT_SIMULATED = ("notional", "trail_price", "trail_percent", "trail")


class OrderEndpoints:
    """Orders of one venue over HTTP."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """The routes; the one by client id first, it looks like an id."""
        one, every = "/v2/orders/{order_id}", "/v2/orders"
        return [
            Route("/v2/orders:by_client_order_id", self.find_by_client, methods=["GET"]),
            Route(every, self.find_many, methods=["GET"]),
            Route(every, self.create, methods=["POST"]),
            Route(every, self.cancel_all, methods=["DELETE"]),
            Route(one, self.find, methods=["GET"]),
            Route(one, self.replace, methods=["PATCH"]),
            Route(one, self.cancel, methods=["DELETE"]),
        ]

    async def find_many(self, request: Request) -> Response:
        """Orders by status, symbols, side and time."""
        params = request.query_params
        chosen = Selection(
            status=one_of(params, "status", _STATUSES),
            symbols=frozenset(canonical(word) for word in words(params, "symbols")),
            side=one_of(params, "side", _SIDES),
            nested=flag(params, "nested"),
        )
        return JSONResponse(order_list(self._venue, chosen, page_of(params, "limit", 50, _MOST)))

    async def find(self, request: Request) -> Response:
        """One order by its id."""
        entry = self._entry(request)
        nested = flag(request.query_params, "nested")
        return JSONResponse(order_view(self._venue, entry, nested=nested))

    async def find_by_client(self, request: Request) -> Response:
        """One order by its client order id."""
        name = request.query_params.get("client_order_id", "")
        entry = self._venue.journal.find_client(name)
        if entry is None:
            message = f"order not found for {name}"
            raise not_found(message)
        nested = flag(request.query_params, "nested")
        return JSONResponse(order_view(self._venue, entry, nested=nested))

    async def create(self, request: Request) -> Response:
        """A new order, with the legs it created."""
        body = await body_of(request)
        _refuse_what_is_not_simulated(body)
        return place(self._venue, request_from_json(body, self._venue.next_name()))

    async def replace(self, request: Request) -> Response:
        """The order that takes the place of another."""
        old, body = self._entry(request), await body_of(request)
        name = str(body.get("client_order_id") or self._venue.next_name())
        _refuse_what_is_not_simulated(body)
        try:
            change = Amendment(
                amount_or_none(body.get("qty"), "qty"),
                amount_or_none(body.get("limit_price"), "limit_price"),
                amount_or_none(body.get("stop_price"), "stop_price"),
                TimeInForce(body["time_in_force"]) if body.get("time_in_force") else None,
            )
        except ValueError as error:
            message = f"invalid time_in_force {body['time_in_force']!r}"
            raise EngineRefusedError(message, _UNPROCESSABLE) from error
        try:
            entry = self._venue.amend(old.id, name, change)
        except EngineRefusedError as error:
            return _refused(self._venue, error, old.report.symbol)
        return JSONResponse(order_view(self._venue, entry))

    async def cancel(self, request: Request) -> Response:
        """Nothing, when the order is canceled."""
        entry = self._entry(request)
        status = entry.report.status
        if not status.is_open:
            message = f'order is already in "{status}" state'
            raise EngineRefusedError(message, _UNPROCESSABLE)
        self._venue.cancel(entry.id)
        return Response(status_code=204)

    async def cancel_all(self, _request: Request) -> Response:
        """Every order that was open, with the status of its cancellation."""
        return JSONResponse([{"id": name, "status": 200} for name in cancel_open(self._venue)], 207)

    def _entry(self, request: Request) -> Entry:
        order_id = order_id_of(request.path_params["order_id"])
        entry = self._venue.journal.find(order_id)
        if entry is None:
            message = f"order not found for {order_id}"
            raise not_found(message)
        return entry


def place(venue: Venue, wanted: OrderRequest) -> Response:
    """The answer to an order: the order, or why it is refused."""
    if len(wanted.client_order_id) > _LONGEST_NAME:
        message = f"client_order_id must be no more than {_LONGEST_NAME} characters"
        raise malformed(message)
    try:
        entry = venue.submit(wanted)
    except EngineRefusedError as error:
        return _refused(venue, error, wanted.symbol)
    return JSONResponse(order_view(venue, entry))


def cancel_open(venue: Venue) -> list[str]:
    """Cancel every open order; their ids."""
    names = [e.id for e in venue.journal.entries.values() if e.report.status.is_open]
    for name in names:
        venue.cancel(name)
    return names


def _refused(venue: Venue, error: EngineRefusedError, symbol: str) -> Response:
    held, account = venue.held(symbol), venue.account()
    power = account.crypto_buying_power if "/" in symbol else account.buying_power
    standing = Standing(symbol, power, held, venue.promised(symbol))
    status, body = refused_order_json(error, standing)
    return JSONResponse(body, status)


def _refuse_what_is_not_simulated(body: Json) -> None:
    """What Alpaca would take and this exchange cannot execute, said plainly."""
    for leg in ("take_profit", "stop_loss"):
        if not isinstance(body.get(leg) or {}, dict):
            message = f"{leg} must be an object"
            raise malformed(message)
    wanted = [name for name in _NOT_SIMULATED if body.get(name) is not None]
    wanted += ["extended_hours"] if body.get("extended_hours") else []
    wanted += ["trailing_stop"] if body.get("type") == "trailing_stop" else []
    stop = body.get("stop_loss") or {}
    wanted += ["stop_loss.limit_price"] if stop.get("limit_price") is not None else []
    if wanted:
        message = f"{', '.join(wanted)} is not simulated by this exchange"
        raise EngineRefusedError(message, _UNPROCESSABLE)
