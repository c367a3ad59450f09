"""Alpaca's data API over a market: daily bars, the latest of them, corporate actions."""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from goldenthread.adapters.alpaca.instruments import actions_json, bar_json
from goldenthread.adapters.alpaca.symbols import canonical
from goldenthread.adapters.alpaca.values import instant
from goldenthread.app.exchange.wire.queries import (
    day_of,
    instant_of,
    malformed,
    one_of,
    whole,
    words,
)
from goldenthread.domain.asset import ActionKind, AssetClass
from goldenthread.domain.bar import Bar
from goldenthread.rules.splits import ratio_between, split_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.app.exchange.venue import Venue
    from goldenthread.domain.asset import CorporateAction

_DAILY = ("1Day", "1D", "Day", "D")
_ADJUSTMENTS = ("raw", "split", "all", "dividend")
_FEEDS = ("sip", "iex", "otc", "boats", "delayed_sip")
_MOST_BARS = 10_000
_MOST_ACTIONS = 1_000
_PRICES = ("open", "high", "low", "close")
_EVER, _NEVER = dt.date(1900, 1, 1), dt.date(9999, 12, 31)


class _Wanted(NamedTuple):
    """Which bars are asked for; instants are compared with the beginning of a bar."""

    symbols: list[str]
    asset_class: AssetClass
    adjustment: str
    first: dt.date
    last: dt.date
    since: dt.datetime | None
    until: dt.datetime | None
    newest_first: bool


class DataEndpoints:
    """The bars a venue has met, and never a later one, over HTTP."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/v2/stocks/bars", self.stock_bars, methods=["GET"]),
            Route("/v2/stocks/bars/latest", self.latest_stocks, methods=["GET"]),
            Route("/v2/stocks/{symbol}/bars", self.one_stock, methods=["GET"]),
            Route("/v1beta3/crypto/us/bars", self.crypto_bars, methods=["GET"]),
            Route("/v1beta3/crypto/us/latest/bars", self.latest_crypto, methods=["GET"]),
            Route("/v1/corporate-actions", self.actions, methods=["GET"]),
        ]

    async def stock_bars(self, request: Request) -> Response:
        """Daily bars of stocks, a page at a time."""
        return JSONResponse(self._page(request.query_params, AssetClass.EQUITY))

    async def crypto_bars(self, request: Request) -> Response:
        """Daily bars of pairs of coins, a page at a time."""
        return JSONResponse(self._page(request.query_params, AssetClass.CRYPTO))

    async def one_stock(self, request: Request) -> Response:
        """Daily bars of one stock, as a list."""
        symbol = request.path_params["symbol"]
        page = self._page({**request.query_params, "symbols": symbol}, AssetClass.EQUITY)
        return JSONResponse({**page, "bars": page["bars"].get(symbol, []), "symbol": symbol})

    async def latest_stocks(self, request: Request) -> Response:
        """The last daily bar of stocks."""
        return JSONResponse(self._latest(request.query_params, AssetClass.EQUITY))

    async def latest_crypto(self, request: Request) -> Response:
        """The last daily bar of pairs of coins."""
        return JSONResponse(self._latest(request.query_params, AssetClass.CRYPTO))

    async def actions(self, request: Request) -> Response:
        """Corporate actions by the date they take effect, of those announced so far."""
        params = request.query_params
        symbols, kinds = set(words(params, "symbols")), set(words(params, "types"))
        first, last = day_of(params, "start", _EVER), day_of(params, "end", _NEVER)
        found = [
            action
            for action in sorted(self._venue.market.actions(), key=lambda a: (a.ex_ds, a.symbol))
            if first <= action.ex_ds <= last
            and (not symbols or action.symbol in symbols)
            and (not kinds or _kind(action) in kinds)
            and self._is_announced(action)
        ]
        if one_of(params, "sort", ("asc", "desc")) == "desc":
            found.reverse()
        start = _number(_open_token(params.get("page_token")))
        end = start + whole(params, "limit", 100, _MOST_ACTIONS)
        token = _token(str(end)) if end < len(found) else None
        content = actions_json(found[start:end])
        return JSONResponse({"corporate_actions": content, "next_page_token": token})

    def _page(self, params: Mapping[str, str], asset_class: AssetClass) -> Json:
        wanted = self._wanted(params, asset_class)
        limit = whole(params, "limit", 1_000, _MOST_BARS)
        rows = list(islice(self._rows(wanted, _open_token(params.get("page_token"))), limit + 1))
        bars: dict[str, list[Json]] = {}
        for symbol, row in rows[:limit]:
            bars.setdefault(symbol, []).append(row)
        last = rows[limit - 1] if len(rows) > limit else None
        token = None if last is None else _token(f"{last[0]}|{last[1]['t']}")
        return {"bars": bars, "next_page_token": token, "currency": "USD"}

    def _rows(self, wanted: _Wanted, token: str) -> Iterator[tuple[str, Json]]:
        """The rows after the one the token names, by symbol and then in the order wanted."""
        reached, _, begins = token.partition("|")
        for symbol in sorted(wanted.symbols):
            if symbol < reached:
                continue
            for row in self._bars(symbol, wanted):
                seen = row["t"] >= begins if wanted.newest_first else row["t"] <= begins
                if symbol > reached or not seen:
                    yield symbol, row

    def _latest(self, params: Mapping[str, str], asset_class: AssetClass) -> Json:
        symbols = _symbols(params, asset_class)
        met = self._venue.met
        last = _Wanted(symbols, asset_class, "raw", _EVER, met, None, None, newest_first=True)
        newest = {symbol: next(self._bars(symbol, last), None) for symbol in symbols}
        return {"bars": {symbol: row for symbol, row in newest.items() if row is not None}}

    def _wanted(self, params: Mapping[str, str], asset_class: AssetClass) -> _Wanted:
        one_of(params, "timeframe", _DAILY)
        one_of(params, "feed", _FEEDS)
        met = self._venue.met
        since, until = params.get("start", met.isoformat()), params.get("end", met.isoformat())
        return _Wanted(
            symbols=_symbols(params, asset_class),
            asset_class=asset_class,
            adjustment=one_of(params, "adjustment", _ADJUSTMENTS),
            first=dt.date.fromisoformat(since) if _is_date(since) else _EVER,
            last=min(dt.date.fromisoformat(until), met) if _is_date(until) else met,
            since=None if _is_date(since) else instant_of(params, "start"),
            until=None if _is_date(until) else instant_of(params, "end"),
            newest_first=one_of(params, "sort", ("asc", "desc")) == "desc",
        )

    def _bars(self, symbol: str, wanted: _Wanted) -> Iterator[Json]:
        """The bars of one symbol known at the clock, in the order wanted."""
        frame = (
            self._venue.market.frame.filter(
                (pl.col("symbol") == symbol)
                & pl.col("ds").is_between(wanted.first, wanted.last)
                & (pl.col("known_at") <= self._venue.clock)
            )
            .unique("ds", keep="last", maintain_order=True)
            .sort("ds", descending=wanted.newest_first)
        )
        for bar in map(_bar, frame.iter_rows(named=True)):
            row = bar_json(self._adjusted(bar, wanted.adjustment), wanted.asset_class)
            begins = instant(row["t"], "t")
            late = wanted.until is not None and begins > wanted.until
            if not late and (wanted.since is None or begins >= wanted.since):
                yield row

    def _adjusted(self, bar: Bar, adjustment: str) -> Bar:
        if adjustment == "raw":
            return bar
        actions = self._venue.market.bars.actions(bar.symbol)
        met = self._venue.met
        paid = [a for a in actions if a.kind is ActionKind.DIVIDEND and bar.ds < a.ex_ds <= met]
        if paid and adjustment != "split":
            message = f"adjustment={adjustment} is not simulated: {bar.symbol} paid dividends"
            raise malformed(message)
        ratio = Decimal(1) if adjustment == "dividend" else ratio_between(actions, bar.ds, met)
        opened, high, low, close = (split_price(getattr(bar, name), ratio) for name in _PRICES)
        return Bar(bar.symbol, bar.ds, opened, high, low, close, bar.volume * ratio)

    def _is_announced(self, action: CorporateAction) -> bool:
        clock = self._venue.clock
        return action.known_at <= clock or action.ex_ds <= clock.date()


def _bar(row: Mapping[str, object]) -> Bar:
    numbers = (Decimal(str(row[name])) for name in (*_PRICES, "volume"))
    ds = row["ds"]
    if not isinstance(ds, dt.date):
        message = f"a bar of {row['symbol']} has the date {ds!r}"
        raise TypeError(message)
    return Bar(str(row["symbol"]), ds, *numbers)


def _symbols(params: Mapping[str, str], asset_class: AssetClass) -> list[str]:
    asked = words(params, "symbols")
    if not asked:
        message = "symbols is required"
        raise malformed(message)
    return [canonical(word, asset_class) for word in asked]


def _kind(action: CorporateAction) -> str:
    return next(iter(actions_json([action]))).removesuffix("s")


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _number(text: str) -> int:
    if text and not text.isdecimal():
        message = "invalid page_token"
        raise malformed(message)
    return int(text or 0)


def _open_token(token: str | None) -> str:
    try:
        return base64.b64decode(token or "", b"-_", validate=True).decode()
    except ValueError as error:
        message = "invalid page_token"
        raise malformed(message) from error
