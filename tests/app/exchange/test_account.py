"""Account, positions, assets, clock, calendar and activities, as alpaca-py sees them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from app.exchange.sdk import QUIET_BARS, Clients, ask, clients, refusal

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    LimitOrderRequest,
    MarketOrderRequest,
)

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02", slippage_bps=0)

ACCOUNT = {
    *("id", "account_number", "status", "crypto_status", "currency", "cash", "buying_power"),
    *("regt_buying_power", "non_marginable_buying_power", "options_buying_power", "equity"),
    *("last_equity", "portfolio_value", "position_market_value", "long_market_value"),
    *("short_market_value", "initial_margin", "maintenance_margin", "last_maintenance_margin"),
    *("sma", "multiplier", "accrued_fees", "pending_reg_taf_fees", "pending_transfer_in"),
    *("pending_transfer_out", "intraday_adjustments", "balance_asof", "crypto_tier"),
    *("shorting_enabled", "trading_blocked", "transfers_blocked", "account_blocked"),
    *("trade_suspended_by_user", "created_at"),
}
GONE = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"}


def buy(symbol: str, qty: float) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=symbol, qty=qty, side="buy", time_in_force="gtc")


def test_an_account_has_every_field_alpaca_documents_and_none_it_dropped(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    row = ask(alpaca_exchange, "GET", "/v2/account").body
    assert row.keys() >= ACCOUNT
    assert row.keys() & GONE == set()
    account = alpaca.trading.get_account()
    assert (account.account_number, account.status.value) == ("PA0OFFLINE", "ACTIVE")
    assert (account.cash, account.buying_power, account.multiplier) == ("100000", "200000", "2")


def test_wrong_keys_and_none_are_told_apart_and_carry_no_code(
    alpaca_exchange: ExchangeServer,
) -> None:
    none = ask(alpaca_exchange, "GET", "/v2/account", headers={})
    assert (none.status, none.body) == (401, {"message": "unauthorized"})
    keys = {"APCA-API-KEY-ID": alpaca_exchange.key_id, "APCA-API-SECRET-KEY": "wrong"}
    wrong = ask(alpaca_exchange, "GET", "/v2/account", headers=keys)
    assert (wrong.status, wrong.body) == (403, {"message": "forbidden."})


def test_a_holding_is_marked_at_the_last_close_and_compared_with_the_one_before(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy("AAPL", 10))
    alpaca_exchange.advance("2024-01-04")
    (held,) = alpaca.trading.get_all_positions()
    assert (held.avg_entry_price, held.current_price, held.lastday_price) == ("100", "104", "102")
    assert (held.market_value, held.cost_basis, held.unrealized_pl) == ("1040", "1000", "40")
    assert (held.unrealized_intraday_pl, held.change_today) == ("20", "0.019607843")
    account = alpaca.trading.get_account()
    assert (account.equity, account.last_equity) == ("100040", "100020")


def test_a_position_is_found_by_either_spelling_and_by_asset_id(alpaca: Clients) -> None:
    alpaca.trading.submit_order(buy("BTC/USD", 1))
    asset = alpaca.trading.get_asset("BTC/USD")
    spellings = ("BTCUSD", "BTC/USD", "BTC%2FUSD", asset.id)
    assert {alpaca.trading.get_open_position(s).symbol for s in spellings} == {"BTCUSD"}
    missing = refusal(lambda: alpaca.trading.get_open_position("AAPL"))
    assert missing == (404, 40410000, "position does not exist")


def test_a_position_is_closed_in_part_and_whole(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy("AAPL", 10))
    alpaca_exchange.advance("2024-01-03")
    part = alpaca.trading.close_position("AAPL", ClosePositionRequest(percentage="25"))
    assert (part.qty, part.side.value, part.type.value) == ("2", "sell", "market")
    alpaca_exchange.advance("2024-01-04")
    assert alpaca.trading.get_open_position("AAPL").qty == "8"
    (row,) = alpaca.trading.close_all_positions(cancel_orders=True)
    assert (row.symbol, row.status, row.body.qty) == ("AAPL", 200, "8")
    alpaca_exchange.advance("2024-01-05")
    assert alpaca.trading.get_all_positions() == []


def test_shares_that_rest_in_an_order_are_not_closed(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy("AAPL", 10))
    alpaca_exchange.advance("2024-01-03")
    rest = LimitOrderRequest(
        symbol="AAPL", qty=10, side="sell", time_in_force="gtc", limit_price=150
    )
    alpaca.trading.submit_order(rest)
    said = refusal(lambda: alpaca.trading.close_position("AAPL"))
    message = "insufficient qty available for order (requested: 10, available: 0)"
    assert said == (403, 40310000, message)


def test_assets_are_those_with_bars(alpaca: Clients) -> None:
    assert [a.symbol for a in alpaca.trading.get_all_assets()] == ["AAPL", "BTC/USD"]
    only = alpaca.trading.get_all_assets(GetAssetsRequest(asset_class="crypto"))
    assert [a.symbol for a in only] == ["BTC/USD"]
    coin = alpaca.trading.get_asset("BTCUSD")
    assert (coin.exchange.value, coin.shortable, coin.min_trade_increment) == (
        "CRYPTO",
        False,
        1e-9,
    )
    assert refusal(lambda: alpaca.trading.get_asset("NONE"))[:2] == (404, 40410000)


def test_the_clock_moves_only_when_told(alpaca_exchange: ExchangeServer, alpaca: Clients) -> None:
    clock = alpaca.trading.get_clock()
    assert clock.timestamp == dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)
    assert not clock.is_open
    assert clock.next_open == dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC)
    alpaca_exchange.advance("2024-01-05")
    assert alpaca.trading.get_clock().next_open == dt.datetime(2024, 1, 8, 14, 30, tzinfo=dt.UTC)


def test_the_calendar_knows_early_closes_and_holidays(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    span = GetCalendarRequest(start=dt.date(2024, 7, 3), end=dt.date(2024, 7, 5))
    days = alpaca.trading.get_calendar(span)
    assert [(d.date.day, d.open.hour, d.close.hour) for d in days] == [(3, 9, 13), (5, 9, 16)]
    (row,) = ask(alpaca_exchange, "GET", "/v2/calendar?start=2024-07-03&end=2024-07-03").body
    assert row == {
        "date": "2024-07-03",
        "open": "09:30",
        "close": "13:00",
        "session_open": "0400",
        "session_close": "1700",
        "settlement_date": "2024-07-05",
    }


def test_activities_tell_executions_and_the_fees_apart(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy("BTC/USD", 1))
    order = alpaca.trading.submit_order(buy("AAPL", 10))
    alpaca_exchange.advance("2024-01-03")
    (fill, *_), (fee,) = (
        alpaca.trading.get("/account/activities", {"activity_types": kind})
        for kind in ("FILL", "CFEE")
    )
    known = {"activity_type", "id", "order_id", "order_status", "symbol", "side", "qty", "price"}
    assert fill.keys() >= known | {"cum_qty", "leaves_qty", "transaction_time", "type"}
    assert (fill["order_id"], fill["symbol"], fill["price"]) == (str(order.id), "AAPL", "100")
    assert (fee["symbol"], fee["qty"], fee["net_amount"]) == ("BTCUSD", "-0.0025", "0")
    assert "order_id" not in fee
    assert Decimal(alpaca.trading.get_open_position("BTCUSD").qty) == 1 + Decimal(fee["qty"])


def test_activities_are_paged_by_the_last_id(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    orders = [alpaca.trading.submit_order(buy("AAPL", 1)) for _ in range(5)]
    alpaca_exchange.advance("2024-01-03")
    seen: list[str] = []
    executed: list[str] = []
    query: dict[str, Any] = {"page_size": 2, "direction": "asc"}
    while rows := alpaca.trading.get("/account/activities/FILL", query):
        seen += [row["id"] for row in rows]
        executed += [row["order_id"] for row in rows]
        query["page_token"] = seen[-1]
    assert len(seen) == len(set(seen)) == 5
    assert executed == [str(order.id) for order in orders]  # as they were executed
    late = alpaca.trading.get("/account/activities", {"after": "2024-01-04"})
    assert late == []


@pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02", profile="live_like")
def test_a_live_like_exchange_charges_equity_fees(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy("AAPL", 10))
    alpaca_exchange.advance("2024-01-03")
    alpaca.trading.close_position("AAPL")
    alpaca_exchange.advance("2024-01-04")
    (fee,) = alpaca.trading.get("/account/activities", {"activity_types": "FEE"})
    # SEC 8.00 a million of 1,019.49 is 0.0082, TAF 10 x 0.000166: a cent each
    assert (fee["activity_sub_type"], fee["net_amount"]) == ("REG", "-0.02")


def test_what_the_exchange_does_not_speak_is_not_found(alpaca_exchange: ExchangeServer) -> None:
    answer = ask(alpaca_exchange, "GET", "/v2/watchlists")
    assert (answer.status, answer.body) == (404, {"message": "endpoint not found."})


def test_two_exchanges_run_side_by_side(alpaca_exchange: ExchangeServer) -> None:
    from goldenthread.app.exchange.market import open_market  # noqa: PLC0415  # this test only
    from goldenthread.app.exchange.server import ExchangeServer as Server  # noqa: PLC0415  # same

    with Server(open_market(None, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))) as other:
        assert other.url != alpaca_exchange.url
        clients(other.url, other.key_id, other.secret_key).trading.submit_order(buy("SPY", 1))
        other.advance("2024-01-03")
        assert other.state()["account"]["long_market_value"] != "0"
    assert alpaca_exchange.state()["account"]["long_market_value"] == "0"
