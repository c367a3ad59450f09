"""Bars through the vendor's client: from our exchange, and from a wire that does odd things."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from adapters.broker.alpaca_wire import NOW, Fault, PatientClock, serving
from goldenthread.adapters.alpaca.connection import Access
from goldenthread.adapters.market_data import alpaca as engine
from goldenthread.adapters.market_data.alpaca import AlpacaMarketData
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.asset import ActionKind, AssetClass
from goldenthread.domain.errors import EngineRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.broker.alpaca_wire import Json, Wire
    from goldenthread.app.exchange.market import ExchangeMarket

FIRST, LAST = dt.date(2024, 1, 2), dt.date(2024, 3, 29)
COLUMNS = ["symbol", "ds", "open", "high", "low", "close", "volume", "known_at"]


def connect(url: str, key: str = "K", *, feed: str = "sip") -> AlpacaMarketData:
    access = Access(key, SecretStr("S"), url, per_minute=100_000)
    return AlpacaMarketData(access, access, PatientClock(), feed)


@pytest.fixture(scope="module", name="market")
def _market() -> ExchangeMarket:
    return open_market(None, SystemClock().now())


@pytest.fixture(scope="module", name="exchange")
def _exchange(market: ExchangeMarket) -> Iterator[AlpacaMarketData]:
    with ExchangeServer(market, ExchangeTerms(start=LAST)) as server:
        access = Access(server.key_id, SecretStr(server.secret_key), server.url, per_minute=100_000)
        yield AlpacaMarketData(access, access, SystemClock())


def _expected(market: ExchangeMarket, symbols: list[str]) -> pl.DataFrame:
    wanted = pl.col("symbol").is_in(symbols) & pl.col("ds").is_between(FIRST, LAST)
    return market.frame.filter(wanted).sort("symbol", "ds").select(COLUMNS)


def test_the_bars_of_both_classes_arrive_as_the_exchange_has_them(
    exchange: AlpacaMarketData, market: ExchangeMarket
) -> None:
    symbols = ["BTC/USD", "AAPL", "SPY"]
    found = exchange.bars(symbols, FIRST, LAST)
    assert_frame_equal(found.select(COLUMNS), _expected(market, symbols))
    assert found["symbol"].value_counts().sort("symbol").rows() == [
        ("AAPL", 61),
        ("BTC/USD", 88),
        ("SPY", 61),
    ]
    assert found["source"].unique().to_list() == ["alpaca"]


def test_answers_of_many_pages_are_put_together(
    exchange: AlpacaMarketData, market: ExchangeMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_MOST_BARS", 7)
    symbols = ["AAPL", "BTC/USD", "MSFT"]
    found = exchange.bars(symbols, FIRST, LAST)
    assert_frame_equal(found.select(COLUMNS), _expected(market, symbols))


def test_assets_come_in_the_steps_they_trade_in(exchange: AlpacaMarketData) -> None:
    listed = {asset.symbol: asset for asset in exchange.assets()}
    assert sorted(listed) == ["AAPL", "BTC/USD", "ETH/USD", "MSFT", "SPY"]
    assert exchange.asset("BTC/USD") == listed["BTC/USD"]
    assert listed["BTC/USD"].asset_class is AssetClass.CRYPTO
    assert exchange.asset("NOSUCH") is None


@pytest.fixture(name="wire")
def _wire() -> Iterator[Wire]:
    with serving() as wire:
        yield wire


def _bar(at: str, close: float = 100.0, volume: float = 1.0) -> Json:
    return {"t": at, "o": 100.0, "h": close + 5, "l": close - 5, "c": close, "v": volume, "n": 1}


def test_coin_days_cut_at_another_midnight_are_made_anew_from_hours(wire: Wire) -> None:
    def answer(query: Json) -> Any:  # noqa: ANN401  # any JSON
        if query["timeframe"] == "1Day":
            rows = [_bar("2024-01-02T06:00:00Z", 50.0), _bar("2024-01-03T06:00:00Z", 60.0)]
        else:
            rows = [_bar(f"2024-01-02T{h:02d}:00:00Z", 100.0 + h, 2.0) for h in range(24)]
            rows.append(_bar("2024-01-03T00:00:00Z", 7.0))
        return {"bars": {"BTC/USD": rows}, "next_page_token": None}

    wire.answers["/v1beta3/crypto/us/bars"] = answer
    found = connect(wire.url).bars(["BTC/USD"], dt.date(2024, 1, 2), dt.date(2024, 1, 2))
    (row,) = found.select(COLUMNS).rows()
    assert row == (
        "BTC/USD",
        dt.date(2024, 1, 2),
        100.0,
        128.0,
        95.0,
        123.0,
        48.0,
        dt.datetime(2024, 1, 3, tzinfo=dt.UTC),
    )
    assert [q["timeframe"] for _, _, q in wire.asked] == ["1Day", "1Hour"]


def test_the_tape_is_asked_for_up_to_sixteen_minutes_ago_unadjusted(wire: Wire) -> None:
    wire.answers["/v2/stocks/bars"] = {"bars": {}, "next_page_token": None}
    found = connect(wire.url, feed="iex").bars(["AAPL"], dt.date(2024, 1, 2), NOW.date())
    assert found.is_empty()
    ((_, _, query),) = wire.asked
    assert (query["start"], query["end"]) == ("2024-01-02T05:00:00Z", "2024-01-03T23:49:00Z")
    assert (query["adjustment"], query["feed"]) == ("raw", "iex")


def test_a_session_that_is_not_over_is_left_out(wire: Wire) -> None:
    rows = [_bar("2024-01-03T05:00:00Z"), _bar("2024-01-04T05:00:00Z")]
    wire.answers["/v2/stocks/bars"] = {"bars": {"AAPL": rows}, "next_page_token": None}
    found = connect(wire.url).bars(["AAPL"], dt.date(2024, 1, 2), NOW.date())
    assert found["ds"].to_list() == [dt.date(2024, 1, 3)]
    assert found["known_at"].to_list() == [dt.datetime(2024, 1, 3, 21, tzinfo=dt.UTC)]


def test_splits_and_dividends_are_known_on_the_date_they_take_effect(wire: Wire) -> None:
    split = {"symbol": "AAPL", "ex_date": "2020-08-31", "new_rate": 4, "old_rate": 1}
    paid = {"symbol": "AAPL", "ex_date": "2024-02-09", "rate": 0.24}  # announced, still ahead
    wire.answers["/v1/corporate-actions"] = {
        "corporate_actions": {"forward_splits": [split], "cash_dividends": [paid]},
        "next_page_token": None,
    }
    first, second = connect(wire.url).actions(["AAPL", "BTC/USD"])
    assert (first.kind, str(first.ratio)) == (ActionKind.SPLIT, "4")
    assert first.known_at == dt.datetime(2020, 8, 31, tzinfo=dt.UTC)
    assert (second.kind, str(second.amount), second.known_at) == (ActionKind.DIVIDEND, "0.24", NOW)
    ((_, _, query),) = wire.asked
    assert query["symbols"] == "AAPL"


def test_a_plan_that_does_not_hold_the_feed_is_told(wire: Wire) -> None:
    body = '{"code": 40310000, "message": "subscription does not permit querying recent SIP data"}'
    wire.faults.append(Fault("GET", "/v2/stocks", status=403, body=body))
    with pytest.raises(EngineRefusedError, match="recent SIP data"):
        connect(wire.url).bars(["AAPL"], FIRST, LAST)
