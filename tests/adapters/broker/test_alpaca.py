"""The Alpaca engine over a real wire that fails: no order doubled, no execution lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from adapters.broker.alpaca_wire import Fault, PatientClock, connect, execution, fee, serving
from adapters.broker.market import BTC, bracket, order
from goldenthread.domain.errors import (
    EngineBusyError,
    EngineError,
    EngineRefusedError,
    UnknownOutcomeError,
)
from goldenthread.domain.order import OrderSide, OrderStatus, OrderType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.broker.alpaca_wire import Json, Wire
    from goldenthread.adapters.broker.alpaca import AlpacaBroker

D, S = Decimal, OrderStatus
D3 = dt.date(2024, 1, 3)


@pytest.fixture(name="wire")
def _wire() -> Iterator[Wire]:
    with serving() as wire:
        yield wire


@pytest.fixture(name="clock")
def _clock() -> PatientClock:
    return PatientClock()


@pytest.fixture(name="broker")
def _broker(wire: Wire, clock: PatientClock) -> Iterator[AlpacaBroker]:
    broker = connect(wire.url, clock=clock)
    yield broker
    broker.close()


def test_quantities_and_prices_are_sent_as_exact_strings(wire: Wire, broker: AlpacaBroker) -> None:
    request = order(
        "a", "0.00000001", symbol=BTC.symbol, type=OrderType.LIMIT, limit_price="65000.1"
    )
    broker.submit(request)
    (sent,) = [body for method, _, body in wire.asked if method == "POST"]
    assert (sent["qty"], sent["limit_price"], sent["symbol"]) == (
        "0.00000001",
        "65000.1",
        "BTC/USD",
    )
    assert sent["client_order_id"] == "a"


@pytest.mark.parametrize("does", ["after", "drop"])
@pytest.mark.fault("F6", "an order taken, its answer lost", engines="Alpaca engine over HTTP")
def test_an_order_taken_without_an_answer_is_found_and_not_sent_again(
    wire: Wire, broker: AlpacaBroker, does: str
) -> None:
    wire.faults.append(Fault("POST", "/v2/orders", does))
    (report,) = broker.submit(order("a", "10"))
    assert (report.client_order_id, report.status) == ("a", S.ACCEPTED)
    assert (wire.count("POST"), len(wire.orders)) == (1, 1)


@pytest.mark.fault("F6", "an order lost on its way", engines="Alpaca engine over HTTP")
def test_an_order_lost_on_the_way_is_of_unknown_outcome_and_not_sent_again(
    wire: Wire, broker: AlpacaBroker
) -> None:
    wire.faults.append(Fault("POST", "/v2/orders", "refuse"))
    with pytest.raises(UnknownOutcomeError, match="must be asked"):
        broker.submit(order("a", "10"))
    assert (wire.count("POST"), len(wire.orders)) == (1, 0)


@pytest.mark.fault(
    "F6",
    "an order taken, its answer and the questions after it lost",
    engines="Alpaca engine over HTTP",
)
def test_a_timeout_is_an_unknown_outcome_though_the_order_was_taken(wire: Wire) -> None:
    wire.faults.append(Fault("POST", "/v2/orders", "drop"))
    wire.faults.append(Fault("GET", "/v2/orders:by", status=504, times=9))
    broker = connect(wire.url)
    with pytest.raises(UnknownOutcomeError):
        broker.submit(order("a", "10"))
    wire.faults.clear()
    assert broker.find_order("a")[0].status is S.ACCEPTED
    assert wire.count("POST") == 1
    broker.close()


def test_a_silent_server_is_given_up_after_the_timeout(wire: Wire) -> None:
    broker = connect("http://127.0.0.1:9", timeout_s=0.5)
    with pytest.raises(EngineBusyError, match=r"cannot be reached at http://127\.0\.0\.1:9"):
        broker.submit(order("a", "10"))
    broker.close()
    assert wire.asked == []


def test_a_page_of_html_after_an_order_is_an_unknown_outcome(
    wire: Wire, broker: AlpacaBroker
) -> None:
    page = "<html><h1>Bad Gateway</h1></html>"
    wire.faults.append(Fault("POST", "/v2/orders", status=502, body=page))
    with pytest.raises(UnknownOutcomeError, match="502: Bad Gateway"):
        broker.submit(order("a", "10"))


@pytest.mark.fault("F6", "an order sent twice", engines="Alpaca engine over HTTP")
def test_a_known_client_order_id_is_looked_up(wire: Wire, broker: AlpacaBroker) -> None:
    first = broker.submit(order("a", "10"))
    assert broker.submit(order("a", "10")) == first
    assert (wire.count("POST"), len(wire.orders)) == (2, 1)


def test_a_duplicate_that_is_not_shown_is_of_unknown_outcome(
    wire: Wire, broker: AlpacaBroker
) -> None:
    body = '{"code": 40010001, "message": "client_order_id must be unique"}'
    wire.faults.append(Fault("POST", "/v2/orders", status=422, body=body))
    with pytest.raises(UnknownOutcomeError, match="does not show it yet"):
        broker.submit(order("a", "10"))


def test_a_refusal_carries_code_and_words_and_is_not_repeated(
    wire: Wire, broker: AlpacaBroker
) -> None:
    body = '{"code": 40310000, "message": "insufficient buying power", "buying_power": "0"}'
    wire.faults.append(Fault("POST", "/v2/orders", status=403, body=body))
    with pytest.raises(EngineRefusedError, match="insufficient buying power") as refused:
        broker.submit(order("a", "10"))
    assert (refused.value.code, wire.count("POST")) == ("40310000", 1)


def test_a_wrong_key_is_no_refusal_of_the_order(wire: Wire) -> None:
    broker = connect(wire.url, key="WRONGKEY")
    with pytest.raises(EngineError, match="does not accept the key WRON…") as error:
        broker.submit(order("a", "10"))
    assert not isinstance(error.value, EngineRefusedError)
    assert "WRONGKEY" not in str(error.value)
    broker.close()


@pytest.mark.fault(
    "F7", "429 with the time of its end, virtual clock", engines="Alpaca engine over HTTP"
)
def test_a_storm_of_429_is_waited_out_until_the_reset(
    wire: Wire, broker: AlpacaBroker, clock: PatientClock
) -> None:
    reset = str(int((clock.at + dt.timedelta(seconds=40)).timestamp()))
    headers = {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}
    wire.faults.append(Fault("POST", "/v2/orders", status=429, headers=headers, times=2))
    begun = clock.at
    (report,) = broker.submit(order("a", "10"))
    assert report.status is S.ACCEPTED
    assert (clock.at - begun).total_seconds() == 42  # until the reset, then the second pause
    assert len(wire.orders) == 1


@pytest.mark.fault("F7", "429 without an end, virtual clock", engines="Alpaca engine over HTTP")
def test_an_endless_storm_is_given_up_without_an_order(wire: Wire, broker: AlpacaBroker) -> None:
    wire.faults.append(Fault("POST", "/v2/orders", status=429, times=99))
    with pytest.raises(EngineBusyError, match="429"):
        broker.submit(order("a", "10"))
    assert (wire.count("POST"), len(wire.orders)) == (4, 0)


@pytest.mark.fault(
    "F7", "502 and 500 to a question, virtual clock", engines="Alpaca engine over HTTP"
)
def test_questions_are_asked_again_after_a_fault(
    wire: Wire, broker: AlpacaBroker, clock: PatientClock
) -> None:
    wire.faults.append(Fault("GET", "/v2/account", status=502, body="<html>", times=3))
    assert broker.account().account_id == "PA1"
    assert clock.slept == [1, 2, 4]
    wire.faults.append(Fault("GET", "/v2/account", status=500, times=9))
    with pytest.raises(EngineBusyError, match="500"):
        broker.account()


def test_a_status_unknown_to_the_sdk_is_taken_as_open(
    wire: Wire, broker: AlpacaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    wire.order("a", status="quantum_pending", filled_qty="3", filled_avg_price="99.5")
    (report,) = broker.find_order("a")
    assert (report.status, report.filled_quantity) == (S.PARTIALLY_FILLED, D(3))
    assert "quantum_pending" in caplog.text


def _bracket(wire: Wire) -> tuple[Json, Json, Json]:
    sells = {"side": "sell", "order_class": "bracket", "status": "held"}
    gain = wire.order("leg-1", type="limit", limit_price="120", **sells)
    loss = wire.order("leg-2", type="stop", stop_price="80", **sells)
    return wire.order("a", order_class="bracket", legs=[gain, loss]), gain, loss


def test_legs_are_asked_for_when_the_answer_has_none(wire: Wire, broker: AlpacaBroker) -> None:
    head, gain, loss = _bracket(wire)
    wire.faults.append(
        Fault("POST", "/v2/orders", status=422, body=_DUPLICATE)
    )  # known before: looked up, without its legs
    wire.answers["/v2/orders:by_client_order_id"] = {**head, "legs": None}
    reports = broker.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    assert [r.leg for r in reports] == ["", "take_profit", "stop_loss"]
    assert [r.broker_order_id for r in reports] == [head["id"], gain["id"], loss["id"]]


_DUPLICATE = '{"code": 40010001, "message": "client_order_id must be unique"}'


def test_a_replaced_leg_is_followed_to_what_took_its_place(
    wire: Wire, broker: AlpacaBroker
) -> None:
    _, gain, loss = _bracket(wire)
    broker.find_order("a")
    moved = broker.replace(loss["id"], "a-stop1-2", D(85))
    assert (moved.leg, moved.stop_price, moved.replaces) == ("stop_loss", D(85), loss["id"])
    found = broker.find_order("a")
    assert [r.broker_order_id for r in found[1:]] == [gain["id"], moved.broker_order_id]
    listed = {r.broker_order_id: r for r in broker.orders(D3)}
    assert listed[moved.broker_order_id].parent_id == found[0].broker_order_id
    assert listed[loss["id"]].status is S.REPLACED


@pytest.mark.fault("F6", "a replacement whose answer is lost", engines="Alpaca engine over HTTP")
def test_a_replacement_without_an_answer_is_looked_up(wire: Wire, broker: AlpacaBroker) -> None:
    stop = wire.order("s", type="stop", side="sell", stop_price="80")
    wire.faults.append(Fault("PATCH", "/v2/orders", "after"))
    moved = broker.replace(stop["id"], "s2", D(85))
    assert (moved.client_order_id, moved.stop_price) == ("s2", D(85))
    assert broker.replace(stop["id"], "s2", D(85)) == moved
    with pytest.raises(EngineRefusedError, match="cannot replace"):
        broker.replace(stop["id"], "s3", D(86))


@pytest.mark.fault("F8", "a fill faster than the cancel", engines="Alpaca engine over HTTP")
def test_a_fill_faster_than_the_cancel_is_shown(wire: Wire, broker: AlpacaBroker) -> None:
    row = wire.order("a", status="filled", filled_qty="10", filled_avg_price="100")
    report = broker.cancel(row["id"])
    assert (report.status, report.filled_quantity) == (S.FILLED, D(10))


@pytest.mark.parametrize("state", ["pending_cancel", "accepted"])
def test_a_cancel_that_waits_for_the_open_is_pending(
    wire: Wire, broker: AlpacaBroker, state: str
) -> None:
    wire.cancels = state
    assert broker.cancel(wire.order("a")["id"]).status is S.PENDING_CANCEL


@pytest.mark.fault("F6", "a cancel whose answer is lost", engines="Alpaca engine over HTTP")
def test_a_cancel_without_an_answer_is_of_unknown_outcome(wire: Wire, broker: AlpacaBroker) -> None:
    row = wire.order("a")
    wire.faults.append(Fault("DELETE", "/v2/orders", "drop"))
    with pytest.raises(UnknownOutcomeError):
        broker.cancel(row["id"])
    assert broker.find_order("a")[0].status is S.CANCELED


def test_more_orders_than_a_page_are_all_listed(wire: Wire, broker: AlpacaBroker) -> None:
    for number in range(1103):
        wire.order(f"a{number}", submitted_at=f"2024-01-03T15:{number // 200:02d}:00Z")
    assert len(broker.orders(D3)) == 1103
    assert wire.count("GET", "/v2/orders") == 4  # three pages of open ones, one of closed


def test_only_what_is_open_or_changed_since_is_listed(wire: Wire, broker: AlpacaBroker) -> None:
    wire.order("old", status="filled", updated_at="2024-01-02T21:00:00Z")
    wire.order("new", status="filled", updated_at="2024-01-03T21:00:00Z")
    wire.order("open", updated_at="2023-12-01T21:00:00Z")
    assert {r.client_order_id for r in broker.orders(D3)} == {"new", "open"}


def test_a_stop_limit_left_behind_by_the_price_counts_as_triggered(
    wire: Wire, broker: AlpacaBroker
) -> None:
    stop = {"type": "stop_limit", "side": "sell", "stop_price": "90", "limit_price": "85.5"}
    wire.order("s", symbol="BTC/USD", asset_class="crypto", **stop)
    position = {"symbol": "BTCUSD", "asset_class": "crypto", "qty": "1", "avg_entry_price": "100"}
    wire.positions = [{**position, "current_price": "85.4"}]
    assert broker.orders(D3)[0].triggered
    wire.positions = [{**position, "current_price": "86"}]
    assert not broker.orders(D3)[0].triggered


@pytest.mark.fault("F8", "executions over many pages", engines="Alpaca engine over HTTP")
def test_executions_of_many_pages_come_once_each_oldest_first(
    wire: Wire, broker: AlpacaBroker
) -> None:
    wire.activities = [execution(n, f"o{n}") for n in range(251)]
    fills = broker.fills(D3)
    assert [f.execution_id for f in fills] == [f"e{n:04d}" for n in range(251)]
    assert wire.count("GET", "/v2/account/activities") == 3
    assert broker.fills(dt.date(2024, 1, 4)) == []


@pytest.mark.fault("F8", "parts told twice and out of order", engines="Alpaca engine over HTTP")
def test_executions_told_twice_and_out_of_order_come_once_oldest_first(
    wire: Wire, broker: AlpacaBroker
) -> None:
    at_once = {"id": execution(1, "o1")["id"].replace("e0001", "e0000")}  # of the same instant
    first, second, third = (
        execution(1, "o1", **at_once, cum_qty="1", leaves_qty="2"),
        execution(1, "o1", cum_qty="2", leaves_qty="1"),
        execution(2, "o1", cum_qty="3"),
    )
    wire.answers["/v2/account/activities"] = [third, second, third, first, second]
    assert [(f.fill_no, f.execution_id) for f in broker.fills(D3)] == [
        (1, "e0000"),
        (2, "e0001"),
        (3, "e0002"),
    ]


@pytest.mark.fault("F8", "parts of an order days apart", engines="Alpaca engine over HTTP")
def test_parts_of_an_order_are_numbered_also_when_the_first_was_long_ago(
    wire: Wire, broker: AlpacaBroker
) -> None:
    early = {"transaction_time": "2023-12-20T15:00:00Z", "id": "20231220150000000::e0"}
    wire.activities = [
        execution(0, "o1", **early, cum_qty="1", leaves_qty="2"),
        execution(1, "o1", cum_qty="2", leaves_qty="1"),
        execution(2, "o1", cum_qty="3"),
    ]
    assert [(f.fill_no, f.execution_id) for f in broker.fills(D3)] == [(2, "e0001"), (3, "e0002")]


COIN = {"symbol": "BTCUSD", "side": "buy", "qty": "0.4", "price": "50000"}


def test_a_fee_in_coin_is_found_when_it_is_posted_late(wire: Wire, broker: AlpacaBroker) -> None:
    wire.activities = [execution(0, "o1", **COIN)]
    assert broker.fills(D3)[0].fee_quantity == 0
    wire.activities.append(fee(9000, symbol="BTCUSD", qty="-0.001", price="50000"))
    assert broker.fills(D3)[0].fee_quantity == D("0.001")


def test_maker_and_taker_parts_of_one_order_each_get_their_fee(
    wire: Wire, broker: AlpacaBroker
) -> None:
    wire.activities = [
        execution(0, "o1", **{**COIN, "cum_qty": "0.4"}),
        execution(1, "o1", **{**COIN, "cum_qty": "0.8"}),
        fee(60, symbol="BTCUSD", qty="-0.0006"),  # 0.15 %
        fee(61, symbol="ETHUSD", qty="-0.001"),
        fee(62, symbol="BTCUSD", qty="-0.001"),  # 0.25 %
        fee(63, symbol="BTCUSD", qty="-0.5"),  # nobody's
    ]
    assert [f.fee_quantity for f in broker.fills(D3)] == [D("0.0006"), D("0.001")]


def test_a_fee_in_dollars_is_known_by_its_amount(wire: Wire, broker: AlpacaBroker) -> None:
    sold = {**COIN, "side": "sell", "qty": "0.01771"}
    wire.activities = [execution(0, "o1", **sold), fee(60, net_amount="-2.22")]
    (fill,) = broker.fills(D3)  # 0.0025 x 885.5 = 2.21375, rounded up
    assert (fill.side, fill.fee, fill.fee_quantity) == (OrderSide.SELL, D("2.22"), D(0))


def test_a_fee_posted_before_an_execution_is_not_its_own(wire: Wire, broker: AlpacaBroker) -> None:
    wire.activities = [
        fee(0, symbol="BTCUSD", qty="-0.001"),
        execution(600, "o1", **COIN),
    ]
    assert broker.fills(D3)[0].fee_quantity == 0


def test_regulatory_totals_of_a_day_are_shared_out_to_the_cent(
    wire: Wire, broker: AlpacaBroker
) -> None:
    total = {"activity_type": "FEE", "activity_sub_type": "TAF"}
    wire.activities = [
        execution(0, "o1", side="sell", qty="1000"),
        execution(1, "o2", side="sell", qty="3000"),
        fee(30_000, **total, net_amount="-0.67"),
        fee(30_001, **total, net_amount="-2.40"),
    ]
    fees = [f.fee for f in broker.fills(D3)]
    assert sum(fees) == D("3.07")
    assert 0 < fees[0] < fees[1]


def test_a_date_that_is_not_over_at_alpaca_cannot_be_met(wire: Wire, broker: AlpacaBroker) -> None:
    wire.now = dt.datetime(2024, 1, 3, 23, 50, tzinfo=dt.UTC)
    with pytest.raises(EngineBusyError, match="2024-01-03 is not over"):
        broker.meet(D3)
    wire.now = dt.datetime(2024, 1, 4, 0, 0, tzinfo=dt.UTC)
    broker.meet(D3)
