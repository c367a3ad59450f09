"""Alpaca's trading API but for orders: account, positions, activities, assets, clock, calendar."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from goldenthread.adapters.alpaca.accounts import clock_json
from goldenthread.adapters.alpaca.instruments import asset_json
from goldenthread.adapters.alpaca.symbols import asset_class_name, canonical, joined
from goldenthread.adapters.alpaca.values import amount_or_none, uuid_of
from goldenthread.app.exchange.wire.calendar import calendar_rows
from goldenthread.app.exchange.wire.orders import cancel_open, place
from goldenthread.app.exchange.wire.queries import day_of, flag, not_found, one_of, page_of, words
from goldenthread.app.exchange.wire.views import (
    account_view,
    activity_list,
    position_view,
    position_views,
)
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderRequest, OrderSide, OrderType, TimeInForce
from goldenthread.rules.rounding import round_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from goldenthread.app.exchange.venue import Venue
    from goldenthread.domain.account import Holding
    from goldenthread.domain.asset import Asset

_CALENDAR = (dt.date(1971, 1, 4), dt.date(2029, 12, 31))
_MOST_ACTIVITIES = 100
_CLASSES = ("", "us_equity", "crypto")
_STATUSES = ("", "active", "inactive")
_CONFIGURATION = {
    "dtbp_check": "entry",
    "fractional_trading": True,
    "max_margin_multiplier": "2",
    "no_shorting": False,
    "pdt_check": "entry",
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "trade_confirm_email": "none",
}


class TradingEndpoints:
    """The account of one venue over HTTP."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """The routes; a symbol may hold a slash, ``alpaca-py`` does not encode it."""
        activities = "/v2/account/activities"
        return [
            Route("/v2/account", self.account, methods=["GET"]),
            Route("/v2/account/configurations", self.configurations, methods=["GET"]),
            Route(activities, self.activities, methods=["GET"]),
            Route(f"{activities}/{{kind}}", self.activities, methods=["GET"]),
            Route("/v2/clock", self.clock, methods=["GET"]),
            Route("/v2/calendar", self.calendar, methods=["GET"]),
            Route("/v2/assets", self.assets, methods=["GET"]),
            Route("/v2/assets/{symbol:path}", self.asset, methods=["GET"]),
            Route("/v2/positions", self.positions, methods=["GET"]),
            Route("/v2/positions", self.close_positions, methods=["DELETE"]),
            Route("/v2/positions/{symbol:path}", self.position, methods=["GET"]),
            Route("/v2/positions/{symbol:path}", self.close_position, methods=["DELETE"]),
        ]

    async def account(self, _request: Request) -> Response:
        """The account."""
        return JSONResponse(account_view(self._venue))

    async def configurations(self, _request: Request) -> Response:
        """The account's configuration, which cannot be changed here."""
        return JSONResponse(_CONFIGURATION)

    async def clock(self, _request: Request) -> Response:
        """The exchange's own clock."""
        return JSONResponse(clock_json(self._venue.clock))

    async def calendar(self, request: Request) -> Response:
        """The sessions between two dates."""
        params = request.query_params
        first, last = day_of(params, "start", _CALENDAR[0]), day_of(params, "end", _CALENDAR[1])
        return JSONResponse(calendar_rows(max(first, _CALENDAR[0]), min(last, _CALENDAR[1])))

    async def assets(self, request: Request) -> Response:
        """Every asset there are bars for."""
        params = request.query_params
        kind = one_of(params, "asset_class", _CLASSES)
        if one_of(params, "status", _STATUSES) == "inactive":
            return JSONResponse([])
        assets = self._venue.market.assets
        chosen = [a for _, a in sorted(assets.items()) if _is_of(a, kind)]
        return JSONResponse([asset_json(asset) for asset in chosen])

    async def asset(self, request: Request) -> Response:
        """One asset by its symbol, in any spelling, or its id."""
        asked = request.path_params["symbol"]
        asset = self._venue.market.assets.get(self._symbol(asked))
        if asset is None:
            message = f"asset not found for {asked}"
            raise not_found(message)
        return JSONResponse(asset_json(asset))

    async def positions(self, _request: Request) -> Response:
        """What the account holds."""
        return JSONResponse(position_views(self._venue))

    async def position(self, request: Request) -> Response:
        """What it holds of one symbol."""
        return JSONResponse(position_view(self._venue, self._holding(request)))

    async def close_position(self, request: Request) -> Response:
        """The market order that closes all or a part of one holding."""
        return self._close(self._holding(request), request.query_params)

    async def close_positions(self, request: Request) -> Response:
        """The market orders that close every holding."""
        if flag(request.query_params, "cancel_orders"):
            cancel_open(self._venue)
        rows = []
        for holding in self._venue.account().holdings:
            answer = self._close(holding, {})
            body = json.loads(bytes(answer.body))
            row = {"symbol": joined(holding.symbol), "status": answer.status_code, "body": body}
            rows.append(row | {"order_id": body.get("id")})
        return JSONResponse(rows, 207)

    async def activities(self, request: Request) -> Response:
        """Executions and fees, a page at a time."""
        params = request.query_params
        kind = request.path_params.get("kind")
        kinds = [kind] if kind else words(params, "activity_types")
        page = page_of(params, "page_size", _MOST_ACTIVITIES, _MOST_ACTIVITIES)
        token = params.get("page_token", "")
        return JSONResponse(activity_list(self._venue, frozenset(kinds), page, token))

    def _holding(self, request: Request) -> Holding:
        symbol = self._symbol(request.path_params["symbol"])
        for holding in self._venue.account().holdings:
            if holding.symbol == symbol:
                return holding
        message = "position does not exist"
        raise not_found(message)

    def _symbol(self, asked: str) -> str:
        known = self._venue.market.assets
        ids = {uuid_of(symbol): symbol for symbol in known}
        return ids.get(asked) or canonical(asked)

    def _close(self, holding: Holding, params: Mapping[str, str]) -> Response:
        asset = self._venue.market.assets[holding.symbol]
        whole = abs(holding.quantity)
        share = amount_or_none(params.get("percentage"), "percentage") or Decimal(100)
        asked = amount_or_none(params.get("qty"), "qty")
        crypto = asset.asset_class is AssetClass.CRYPTO
        request = OrderRequest(
            client_order_id=self._venue.next_name(),
            symbol=holding.symbol,
            asset_class=asset.asset_class,
            side=OrderSide.SELL if holding.quantity > 0 else OrderSide.BUY,
            type=OrderType.MARKET,
            quantity=asked or round_quantity(whole * share / 100, asset) or whole,
            time_in_force=TimeInForce.GTC if crypto else TimeInForce.DAY,
        )
        return place(self._venue, request)


def _is_of(asset: Asset, kind: str) -> bool:
    return not kind or asset_class_name(asset.asset_class) == kind
