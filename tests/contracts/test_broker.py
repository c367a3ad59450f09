"""What every broker engine must do; each runs the same list."""

from __future__ import annotations

from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, cast
from uuid import UUID

import polars as pl
import pytest
from pydantic import SecretStr

from adapters.broker.market import BTC, D, bracket, coins, day, order, settings, stocks
from goldenthread.adapters.alpaca.connection import Access
from goldenthread.adapters.broker.alpaca import AlpacaBroker
from goldenthread.adapters.broker.simulated import SimulatedBroker
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import ExchangeMarket
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderSide, OrderStatus, OrderType
from goldenthread.market.bars import BarBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from adapters.broker.market import HandMarket
    from goldenthread.domain.policy import Profile
    from goldenthread.market.bars import KnownBars
    from goldenthread.ports.broker import Broker

S = OrderStatus


def _simulated(market: HandMarket, profile: Profile = "paper") -> AbstractContextManager[Broker]:
    return nullcontext(SimulatedBroker(settings(profile=profile), market))


@contextmanager
def _alpaca(market: HandMarket, profile: Profile = "paper") -> Iterator[Broker]:
    """The vendor's unmodified client, over HTTP, against the exchange that speaks Alpaca."""
    bars = pl.DataFrame(schema=BAR_SCHEMA)
    assets = list(market.assets.values())
    book = BarBook(bars, [], assets, lookback=0)
    source = cast("KnownBars", market)  # it has the same methods, its bars are hand-written
    listed = ExchangeMarket(bars, book, source, market.assets, day(1), day(31))
    told = settings()
    terms = ExchangeTerms(
        start=day(1),
        account_id=told.account_id,
        cash=told.start_cash,
        profile=profile,
        slippage_bps=D(0),
    )
    with ExchangeServer(listed, terms) as exchange:
        access = Access(
            exchange.key_id, SecretStr(exchange.secret_key), exchange.url, per_minute=100_000
        )
        broker = AlpacaBroker(access, SystemClock(), advance=exchange.advance)
        with closing(broker):
            yield broker


ENGINES: dict[str, Callable[..., AbstractContextManager[Broker]]] = {
    "simulated": _simulated,
    "alpaca": _alpaca,
}


@pytest.fixture(params=ENGINES, name="trading")
def _trading(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker that met 2 January, before three rising days of AAPL and BTC/USD."""
    prices = ("99 101 98 100", "100 105 95 102", "102 107 97 104", "104 109 99 106")
    market = stocks(*prices).add(*coins(*prices).bars.values())
    with ENGINES[request.param](market) as broker:
        broker.meet(day(2))
        yield broker


def test_an_order_is_executed_once_its_session_is_met(trading: Broker) -> None:
    (report,) = trading.submit(order("a", "10"))
    assert (report.client_order_id, report.status.is_open) == ("a", True)
    assert trading.fills(day(2)) == []
    trading.meet(day(3))
    (fill,) = trading.fills(day(3))
    assert (fill.quantity, fill.price, fill.ds) == (D(10), D(100), day(3))
    assert (fill.broker_order_id, fill.order_key) == (report.broker_order_id, "")
    (after,) = trading.find_order("a")
    assert (after.status, after.filled_quantity, after.average_price) == (S.FILLED, D(10), D(100))


def test_a_client_order_id_is_never_executed_twice(trading: Broker) -> None:
    first = trading.submit(order("a", "10"))
    assert trading.submit(order("a", "10")) == first
    trading.meet(day(3))
    again = trading.submit(order("a", "10"))
    assert [r.status for r in again] == [S.FILLED]
    trading.meet(day(4))
    assert len(trading.fills(day(2))) == 1


def test_an_id_the_broker_never_saw_is_found_empty(trading: Broker) -> None:
    assert trading.find_order("nothing") == ()


def test_meeting_a_date_twice_or_an_earlier_one_changes_nothing(trading: Broker) -> None:
    trading.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    trading.meet(day(4))
    before = (trading.account(), trading.fills(day(1)), trading.orders(day(1)))
    trading.meet(day(4))
    trading.meet(day(3))
    assert (trading.account(), trading.fills(day(1)), trading.orders(day(1))) == before


def test_meeting_a_later_date_meets_those_between_first(trading: Broker) -> None:
    trading.submit(order("a", "10"))
    trading.meet(day(5))
    assert trading.fills(day(1))[0].ds == day(3)


def test_legs_are_found_through_their_parent_take_profit_first(trading: Broker) -> None:
    head, gain, loss = trading.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    assert (gain.leg, loss.leg) == ("take_profit", "stop_loss")
    assert {gain.parent_id, loss.parent_id} == {head.broker_order_id}
    assert (gain.limit_price, loss.stop_price) == (D(120), D(80))
    assert {gain.side, loss.side} == {OrderSide.SELL}


def test_a_replaced_stop_takes_the_place_of_the_old_one(trading: Broker) -> None:
    _, gain, loss = trading.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    trading.meet(day(3))
    moved = trading.replace(loss.broker_order_id, "a2", D(98))
    assert (moved.replaces, moved.stop_price) == (loss.broker_order_id, D(98))
    assert trading.replace(loss.broker_order_id, "a2", D(98)) == moved
    (old,) = trading.find_order(loss.client_order_id)
    assert old.status is S.REPLACED
    assert trading.find_order("a")[1:] == (*trading.find_order(gain.client_order_id), moved)
    trading.meet(day(4))  # its low is 97
    assert trading.fills(day(4))[0].price == D(98)
    assert trading.find_order(gain.client_order_id)[0].status is S.CANCELED


def test_a_replaced_stop_limit_keeps_its_limit_in_proportion(trading: Broker) -> None:
    trading.submit(order("a", "1", symbol=BTC.symbol))
    trading.meet(day(3))
    held = trading.account().holdings[0].quantity
    stop = order(
        "s",
        str(held),
        symbol=BTC.symbol,
        side=OrderSide.SELL,
        type=OrderType.STOP_LIMIT,
        stop_price="84.99",
        limit_price="80.74",
    )
    (report,) = trading.submit(stop)
    # 80.74 / 84.99 is 0.95, its own rounding forgotten; 94 x 0.95 = 89.30, not 89.29
    moved = trading.replace(report.broker_order_id, "s2", D(94))
    assert moved.limit_price == D("89.30")


def test_a_final_order_is_not_canceled_but_shown(trading: Broker) -> None:
    (report,) = trading.submit(order("a", "10"))
    trading.meet(day(3))
    assert trading.cancel(report.broker_order_id).status is S.FILLED


def test_a_canceled_order_is_never_executed(trading: Broker) -> None:
    (report,) = trading.submit(order("a", "10"))
    assert trading.cancel(report.broker_order_id).status is S.CANCELED
    trading.meet(day(3))
    assert trading.fills(day(1)) == []


def test_orders_lists_what_is_open_or_changed_since(trading: Broker) -> None:
    (market,) = trading.submit(order("a", "10"))
    (limit,) = trading.submit(order("b", "10", type=OrderType.LIMIT, limit_price=50))
    trading.meet(day(3))
    trading.meet(day(4))
    assert {r.broker_order_id for r in trading.orders(day(3))} == {
        market.broker_order_id,
        limit.broker_order_id,
    }
    assert [r.broker_order_id for r in trading.orders(day(4))] == [limit.broker_order_id]
    ids = [r.broker_order_id for r in trading.orders(day(1))]
    assert ids == sorted(ids)


def test_refusals_carry_the_brokers_code(trading: Broker) -> None:
    with pytest.raises(EngineRefusedError, match="insufficient buying power") as refused:
        trading.submit(order("a", "100000"))
    assert refused.value.code == "40310000"
    assert trading.find_order("a") == ()
    with pytest.raises(EngineRefusedError, match="not found"):
        trading.cancel(str(UUID(int=7)))


def test_the_account_is_marked_at_the_closes_met(trading: Broker) -> None:
    trading.submit(order("a", "10"))
    trading.meet(day(3))
    account = trading.account()
    # bought 10 at 100, closed at 102
    assert (account.cash, account.long_value, account.equity) == (D(99_000), D(1_020), D(100_020))
    assert account.holdings[0].average_price == D(100)
    assert account.as_of.isoformat() == "2024-01-04T00:05:00+00:00"


@pytest.mark.parametrize("engine", ENGINES)
def test_what_holding_paid_and_cost_is_stated_by_the_account(engine: str) -> None:
    market = stocks(*["100 100 100 100"] * 4)
    market.dividends["AAPL", day(4)] = D("0.24")
    with ENGINES[engine](market, "live_like") as broker:
        broker.meet(day(2))
        broker.submit(order("a", "1000", side=OrderSide.SELL))
        broker.meet(day(4))
        broker.meet(day(4))  # nothing is paid or charged again
        account = broker.account()
    # 100,000 dollars short are 0.8333 a night, up to the cent; 1000 x 0.24 are owed on the 4th
    assert [(p.symbol, p.kind, p.ds, p.amount) for p in account.payments] == [
        ("AAPL", "BORROW", day(3), D("-0.84")),
        ("AAPL", "DIVIDEND", day(4), D(-240)),
        ("AAPL", "BORROW", day(4), D("-0.84")),
    ]
    sold = D(100_000) - D("0.97")  # SEC 0.80 and TAF 0.17
    assert account.cash == D(100_000) + sold - D("241.68")
