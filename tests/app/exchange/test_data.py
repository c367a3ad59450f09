"""Bars and corporate actions through unmodified data clients: paged, adjusted, never ahead."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from app.exchange.sdk import QUIET, Clients, ask, hand_bars
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.errors import UsageError
from goldenthread.market.imports import read_bars

if TYPE_CHECKING:
    from pathlib import Path

from alpaca.data.enums import Adjustment
from alpaca.data.requests import (
    CorporateActionsRequest,
    CryptoBarsRequest,
    StockBarsRequest,
    StockLatestBarRequest,
)
from alpaca.data.timeframe import TimeFrame

BARS = hand_bars(AAPL=QUIET, MSFT=QUIET, BTC_USD=QUIET)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
YEAR = dt.datetime(2024, 1, 1)  # noqa: DTZ001  # alpaca-py takes naive instants as UTC

pytestmark = pytest.mark.alpaca_exchange(bars=BARS, start="2024-01-04")


def stock_bars(alpaca: Clients, **fields: Any) -> Any:  # noqa: ANN401
    asked = {"symbol_or_symbols": ["MSFT", "AAPL"], "timeframe": TimeFrame.Day, "start": YEAR}
    return alpaca.stocks.get_stock_bars(StockBarsRequest(**{**asked, **fields})).data


def test_daily_bars_begin_at_midnight_in_new_york_and_end_with_the_last_date_met(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    bars = stock_bars(alpaca)
    assert sorted(bars) == ["AAPL", "MSFT"]
    assert [bar.timestamp.day for bar in bars["AAPL"]] == [2, 3, 4]
    first = bars["AAPL"][0]
    assert first.timestamp == dt.datetime(2024, 1, 2, 5, 0, tzinfo=dt.UTC)
    assert (first.open, first.high, first.low, first.close, first.volume) == (99, 101, 98, 100, 1e3)
    alpaca_exchange.advance("2024-01-05")
    assert len(stock_bars(alpaca)["AAPL"]) == 4


def test_crypto_bars_need_no_keys_and_begin_at_midnight_utc(alpaca: Clients) -> None:
    asked = CryptoBarsRequest(symbol_or_symbols="BTC/USD", timeframe=TimeFrame.Day, start=YEAR)
    bars = alpaca.crypto.get_crypto_bars(asked).data["BTC/USD"]
    assert bars[0].timestamp.isoformat() == "2024-01-02T00:00:00+00:00"
    assert [bar.close for bar in bars] == [100, 102, 104]


def test_pages_follow_one_another_across_symbols(alpaca_exchange: ExchangeServer) -> None:
    query = "/v2/stocks/bars?symbols=MSFT,AAPL&timeframe=1Day&start=2024-01-01&limit=2"
    seen, pages, token = [], 0, ""
    while True:
        page = ask(alpaca_exchange, "GET", query + token).body
        seen += [(s, row["t"][:10]) for s, rows in page["bars"].items() for row in rows]
        pages += 1
        if page["next_page_token"] is None:
            break
        token = f"&page_token={page['next_page_token']}"
    days = ("2024-01-02", "2024-01-03", "2024-01-04")
    assert (pages, seen) == (3, [(symbol, day) for symbol in ("AAPL", "MSFT") for day in days])


def test_the_client_follows_pages_and_sorts_either_way(alpaca: Clients) -> None:
    newest = stock_bars(alpaca, sort="desc", limit=2)
    assert [bar.timestamp.day for bar in newest["AAPL"]] == [4, 3]
    assert "MSFT" not in newest
    ranged = stock_bars(alpaca, end=dt.datetime(2024, 1, 3, 12))  # noqa: DTZ001  # as above
    assert [bar.timestamp.day for bar in ranged["MSFT"]] == [2, 3]


def test_dates_are_inclusive_and_without_a_start_there_is_the_last_day(
    alpaca_exchange: ExchangeServer,
) -> None:
    query = "/v2/stocks/AAPL/bars?timeframe=1Day"
    days = [r["t"][8:10] for r in ask(alpaca_exchange, "GET", query).body["bars"]]
    assert days == ["04"]
    span = ask(alpaca_exchange, "GET", f"{query}&start=2024-01-02&end=2024-01-03").body
    assert ([r["t"][8:10] for r in span["bars"]], span["symbol"]) == (["02", "03"], "AAPL")


def test_the_latest_bar_is_that_of_the_last_date_met(alpaca: Clients) -> None:
    asked = StockLatestBarRequest(symbol_or_symbols=["AAPL"])
    assert alpaca.stocks.get_stock_latest_bar(asked)["AAPL"].close == 104


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("timeframe=1Day", "symbols is required"),
        ("symbols=AAPL&timeframe=1Min", "invalid timeframe '1Min': 1Day, 1D, Day, D are allowed"),
        ("symbols=AAPL&limit=0", "invalid limit '0': 1 to 10000 is allowed"),
        ("symbols=AAPL&start=soon", "invalid start 'soon': an RFC 3339 instant or YYYY-MM-DD"),
        ("symbols=AAPL&page_token=%21", "invalid page_token"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_400(
    alpaca_exchange: ExchangeServer, query: str, message: str
) -> None:
    answer = ask(alpaca_exchange, "GET", f"/v2/stocks/bars?{query}")
    assert answer.status == 400
    assert answer.body["message"].startswith(message)


def folder_with_a_split(folder: Path) -> Path:
    """Bars of AAPL that halve on 4 January, of MSFT that pays a dividend then."""
    frame = hand_bars(AAPL="99 101 98 100; 100 102 96 100; 50 52 49 50; 50 51 49 50", MSFT=QUIET)
    frame.write_parquet(folder / "bars.in.parquet")
    imported = read_bars(folder / "bars.in.parquet", {}, "hand", NOW)
    given = {"ex_ds": dt.date(2024, 1, 4), "source": "hand", "known_at": NOW}
    actions = [
        CorporateAction(symbol="AAPL", kind=ActionKind.SPLIT, ratio="2", **given),
        CorporateAction(symbol="MSFT", kind=ActionKind.DIVIDEND, amount="1.5", **given),
    ]
    ParquetMarketData(folder / "data").save(imported.bars, actions, imported.assets, NOW)
    return folder / "data"


def test_splits_adjust_bars_orders_and_holdings_once_they_happened(tmp_path: Path) -> None:
    from alpaca.trading.requests import MarketOrderRequest  # noqa: PLC0415  # this test only

    from app.exchange.sdk import clients  # noqa: PLC0415  # this test only

    market = open_market(folder_with_a_split(tmp_path), NOW)
    with ExchangeServer(market) as exchange:
        alpaca = clients(exchange.url, exchange.key_id, exchange.secret_key)
        assert exchange.state()["met"] == "2024-01-02"
        order = MarketOrderRequest(symbol="AAPL", qty=3, side="buy", time_in_force="gtc")
        alpaca.trading.submit_order(order)
        exchange.advance("2024-01-03")
        split = {"symbol_or_symbols": ["AAPL"], "adjustment": Adjustment.SPLIT}
        closes = [bar.close for bar in stock_bars(alpaca, **split)["AAPL"]]
        assert closes == [100, 100]  # not yet
        exchange.advance("2024-01-05")
        assert alpaca.trading.get_open_position("AAPL").qty == "6"
        adjusted = stock_bars(alpaca, **split)["AAPL"]
        assert [(bar.close, bar.volume) for bar in adjusted][:3] == [
            (50, 2000),
            (50, 2000),
            (50, 1000),
        ]
        raw = stock_bars(alpaca, symbol_or_symbols=["AAPL"])["AAPL"]
        assert [bar.close for bar in raw] == [100, 100, 50, 50]
        total = ask(exchange, "GET", "/v2/stocks/bars?symbols=MSFT&start=2024-01-02&adjustment=all")
        assert total.body == {"message": "adjustment=all is not simulated: MSFT paid dividends"}
        found = alpaca.actions.get_corporate_actions(CorporateActionsRequest(symbols=["AAPL"]))
        (action,) = found.data["forward_splits"]
        assert (action.new_rate, action.old_rate, action.ex_date) == (2, 1, dt.date(2024, 1, 4))
        only = CorporateActionsRequest(symbols=["AAPL", "MSFT"], types=["cash_dividend"])
        assert list(alpaca.actions.get_corporate_actions(only).data) == ["cash_dividends"]


def test_a_live_like_exchange_pays_dividends_as_activities_of_the_ex_date(tmp_path: Path) -> None:
    from alpaca.trading.requests import MarketOrderRequest  # noqa: PLC0415  # this test only

    from app.exchange.sdk import clients  # noqa: PLC0415  # this test only

    market = open_market(folder_with_a_split(tmp_path), NOW)
    with ExchangeServer(market, ExchangeTerms(profile="live_like")) as exchange:
        alpaca = clients(exchange.url, exchange.key_id, exchange.secret_key)
        order = MarketOrderRequest(symbol="MSFT", qty=10, side="buy", time_in_force="gtc")
        alpaca.trading.submit_order(order)
        exchange.advance("2024-01-03")
        before = Decimal(alpaca.trading.get_account().cash)
        exchange.advance("2024-01-05")
        (paid,) = alpaca.trading.get("/account/activities", {"activity_types": "DIV"})
        assert (paid["symbol"], paid["date"], paid["net_amount"]) == ("MSFT", "2024-01-04", "15")
        assert Decimal(alpaca.trading.get_account().cash) - before == 15  # 10 x 1.5


def test_a_place_without_bars_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no daily bars in .*leave --bars out for made-up ones"):
        open_market(tmp_path, NOW)


def test_made_up_bars_are_the_same_every_time() -> None:
    first, again = (open_market(None, NOW).frame for _ in range(2))
    assert first.equals(again)
    assert set(first["source"]) == {"SYNTHETIC:seed=20240102"}
