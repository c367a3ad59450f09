"""Daily bars, assets and corporate actions from Alpaca, raw as they were traded."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from goldenthread.adapters.alpaca.connection import AlpacaRefusedError, Connection
from goldenthread.adapters.alpaca.errors import Kind
from goldenthread.adapters.alpaca.instruments import (
    SOURCE,
    actions_from_json,
    asset_from_json,
    bar_from_json,
    ds_of,
)
from goldenthread.adapters.alpaca.sdk import (
    CorporateActionsClient,
    CryptoHistoricalDataClient,
    StockHistoricalDataClient,
    TradingClient,
)
from goldenthread.adapters.alpaca.symbols import class_of
from goldenthread.adapters.alpaca.values import instant_text
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.bar import BAR_SCHEMA, BarState
from goldenthread.rules.calendar import is_session, session_close

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.alpaca.instruments import WireBar
    from goldenthread.adapters.alpaca.sdk import RESTClient
    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.domain.asset import Asset, CorporateAction
    from goldenthread.domain.clock import Clock

_NEW_YORK = ZoneInfo("America/New_York")
_DAY = dt.timedelta(days=1)
_DELAY = dt.timedelta(minutes=16)
"""Without a paid plan the consolidated tape (SIP) is given up to 15 minutes ago."""

_MOST_BARS, _MOST_ACTIONS = 10_000, 1_000
_SYMBOLS_A_REQUEST = 100
_EARLIEST = dt.date(1990, 1, 1)
_AHEAD = dt.timedelta(days=30)
_KINDS = "forward_split,reverse_split,cash_dividend,name_change,worthless_removal"

_Daily = dict[dt.date, "WireBar"]


class AlpacaMarketData:
    """The port ``MarketData`` on Alpaca's data interface.

    Bars are never adjusted. A bar counts as known at the close of its session. ``feed`` is
    ``sip`` (every venue) or ``iex`` (one venue: prices are close, volumes are a few percent of
    the market's).
    """

    def __init__(self, data: Access, trading: Access, clock: Clock, feed: str = "sip") -> None:
        line = Connection(data, clock)
        secret = data.secret_key.get_secret_value()
        self._stocks = line.adopt(
            StockHistoricalDataClient(data.key_id, secret, raw_data=True, url_override=data.url)
        )
        self._coins = line.adopt(
            CryptoHistoricalDataClient(data.key_id, secret, raw_data=True, url_override=data.url)
        )
        self._actions = line.adopt(
            CorporateActionsClient(data.key_id, secret, raw_data=True, url_override=data.url)
        )
        self._line = line
        self._trading_line = Connection(trading, clock)
        self._trading = self._trading_line.adopt(
            TradingClient(trading.key_id, secret, raw_data=True, url_override=trading.url)
        )
        self._clock = clock
        self._feed = feed

    def assets(self) -> list[Asset]:
        """See the port; every asset that is active and tradable at Alpaca."""
        query = {"status": "active"}
        rows = self._trading_line.read(lambda: self._trading.get("/assets", query))
        found = [asset for row in rows if (asset := asset_from_json(row)) is not None]
        return sorted(found, key=lambda asset: asset.symbol)

    def asset(self, symbol: str) -> Asset | None:
        """One asset; None when Alpaca does not list it, or nobody can trade it."""
        try:
            row = self._trading_line.read(lambda: self._trading.get(f"/assets/{symbol}"))
        except AlpacaRefusedError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise
        return asset_from_json(row)

    def bars(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> pl.DataFrame:
        """See the port; sessions that are not over are left out."""
        found: dict[str, _Daily] = {}
        for asset_class in AssetClass:
            those = [symbol for symbol in symbols if class_of(symbol) is asset_class]
            for first in range(0, len(those), _SYMBOLS_A_REQUEST):
                part = those[first : first + _SYMBOLS_A_REQUEST]
                found |= self._daily(part, asset_class, (start, end))
        rows = [
            _row(symbol, ds, bar)
            for symbol in sorted(found)
            for ds, bar in sorted(found[symbol].items())
            if start <= ds <= end and _is_over(symbol, ds, self._clock.now())
        ]
        return pl.DataFrame(rows, schema=BAR_SCHEMA, orient="row")

    def actions(self, symbols: Sequence[str]) -> list[CorporateAction]:
        """See the port; one counts as known at the start of the date it takes effect."""
        stocks = [symbol for symbol in symbols if class_of(symbol) is AssetClass.EQUITY]
        now, found = self._clock.now(), []
        for first in range(0, len(stocks), _SYMBOLS_A_REQUEST):
            query: Json = {
                "symbols": ",".join(stocks[first : first + _SYMBOLS_A_REQUEST]),
                "types": _KINDS,
                "start": _EARLIEST.isoformat(),
                "end": (now.date() + _AHEAD).isoformat(),
                "limit": _MOST_ACTIONS,
            }
            for page in self._pages(self._actions, "/corporate-actions", query):
                found += actions_from_json(page["corporate_actions"], now)
        dated = [a.model_copy(update={"known_at": min(_midnight(a.ex_ds), now)}) for a in found]
        return sorted(dated, key=lambda a: (a.symbol, a.ex_ds, a.kind))

    def _daily(
        self, symbols: list[str], asset_class: AssetClass, span: tuple[dt.date, dt.date]
    ) -> dict[str, _Daily]:
        daily: dict[str, _Daily] = {symbol: {} for symbol in symbols}
        cut_elsewhere = set()
        for symbol, bar in self._sent(symbols, asset_class, "1Day", span):
            ds = ds_of(bar.at, asset_class)
            if ds is None:
                cut_elsewhere.add(symbol)
            else:
                daily[symbol][ds] = bar
        if cut_elsewhere:
            daily |= self._from_hours(sorted(cut_elsewhere), span)
        return daily

    def _from_hours(self, symbols: list[str], span: tuple[dt.date, dt.date]) -> dict[str, _Daily]:
        """UTC days made of hours, for coins whose days Alpaca begins at another midnight."""
        hours: dict[tuple[str, dt.date], list[WireBar]] = defaultdict(list)
        for symbol, bar in self._sent(symbols, AssetClass.CRYPTO, "1Hour", span):
            hours[symbol, bar.at.date()].append(bar)
        days: dict[str, _Daily] = {symbol: {} for symbol in symbols}
        for (symbol, ds), parts in hours.items():
            parts.sort(key=lambda bar: bar.at)
            days[symbol][ds] = parts[0]._replace(
                high=max(p.high for p in parts),
                low=min(p.low for p in parts),
                close=parts[-1].close,
                volume=sum((p.volume for p in parts[1:]), parts[0].volume),
            )
        return days

    def _sent(
        self,
        symbols: list[str],
        asset_class: AssetClass,
        timeframe: str,
        span: tuple[dt.date, dt.date],
    ) -> Iterator[tuple[str, WireBar]]:
        """The bars as sent, page by page."""
        crypto = asset_class is AssetClass.CRYPTO
        zone = dt.UTC if crypto else _NEW_YORK
        begins = dt.datetime.combine(span[0], dt.time(), zone)
        ends = dt.datetime.combine(span[1] + _DAY, dt.time(), zone) - dt.timedelta(seconds=1)
        query: Json = {
            "symbols": ",".join(symbols),
            "timeframe": timeframe,
            "start": instant_text(begins),
            "end": instant_text(min(ends, self._clock.now() - _DELAY)),
            "limit": _MOST_BARS,
        }
        if not crypto:
            query |= {"adjustment": "raw", "feed": self._feed}
        path = "/crypto/us/bars" if crypto else "/stocks/bars"
        for page in self._pages(self._coins if crypto else self._stocks, path, query):
            for symbol, rows in page["bars"].items():
                yield from ((symbol, bar_from_json(row)) for row in rows)

    def _pages(self, client: RESTClient, path: str, query: Json) -> Iterator[Any]:
        """Every page of an answer; a symbol may go over several."""
        query = dict(query)
        while True:
            page = self._line.read(lambda: client.get(path, dict(query)))
            yield page
            if not page.get("next_page_token"):
                return
            query["page_token"] = page["next_page_token"]


def _row(symbol: str, ds: dt.date, bar: WireBar) -> tuple[object, ...]:
    numbers = (float(n) for n in (bar.open, bar.high, bar.low, bar.close, bar.volume))
    return (symbol, ds, *numbers, SOURCE, session_close(class_of(symbol), ds), BarState.GOOD.value)


def _is_over(symbol: str, ds: dt.date, now: dt.datetime) -> bool:
    asset_class = class_of(symbol)
    return is_session(asset_class, ds) and session_close(asset_class, ds) <= now


def _midnight(ds: dt.date) -> dt.datetime:
    return dt.datetime.combine(ds, dt.time(), dt.UTC)
