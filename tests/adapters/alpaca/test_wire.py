"""What goes over the wire comes back as it was, in exact decimals."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from goldenthread.adapters.alpaca.accounts import (
    account_from_json,
    account_json,
    clock_from_json,
    clock_json,
    position_json,
)
from goldenthread.adapters.alpaca.activities import (
    charge_from_json,
    charges_json,
    fill_from_json,
    fill_json,
)
from goldenthread.adapters.alpaca.instruments import (
    actions_from_json,
    actions_json,
    asset_from_json,
    asset_json,
    bar_from_json,
    bar_json,
    ds_of,
)
from goldenthread.adapters.alpaca.orders import (
    OrderTerms,
    order_json,
    reports_from_json,
    request_from_json,
    request_json,
    status_of,
)
from goldenthread.adapters.alpaca.symbols import canonical, joined
from goldenthread.adapters.alpaca.values import amount, instant, loads, session_of, text
from goldenthread.domain.account import AccountState, Holding
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.bar import Bar
from goldenthread.domain.errors import DataError, EngineRefusedError
from goldenthread.domain.order import (
    Fill,
    OrderClass,
    OrderReport,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)

D = Decimal
EQUITY, CRYPTO = AssetClass.EQUITY, AssetClass.CRYPTO
AT = dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC)


def _request(**fields: object) -> OrderRequest:
    base: dict[str, object] = {
        "client_order_id": "a-entry1-1",
        "symbol": "AAPL",
        "asset_class": EQUITY,
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "quantity": D(10),
    }
    return OrderRequest.model_validate(base | fields)


def _report(**fields: object) -> OrderReport:
    base: dict[str, object] = {
        "broker_order_id": "b1",
        "client_order_id": "a-entry1-1",
        "symbol": "AAPL",
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "status": OrderStatus.NEW,
        "quantity": D(10),
        "submitted_at": AT,
    }
    return OrderReport.model_validate(base | fields)


def _fill(**fields: object) -> Fill:
    base: dict[str, object] = {
        "execution_id": "e-1",
        "broker_order_id": "b1",
        "fill_no": 1,
        "symbol": "AAPL",
        "side": OrderSide.BUY,
        "quantity": D(10),
        "price": D("101.5"),
        "ds": dt.date(2024, 1, 3),
        "filled_at": AT,
        "flags": ("AT_OPEN",),
    }
    return Fill.model_validate(base | fields)


TERMS = OrderTerms(EQUITY, TimeInForce.GTC, OrderClass.SIMPLE, AT)


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        ("BTCUSD", "BTC/USD"),
        ("BTC/USD", "BTC/USD"),
        ("BTC%2FUSD", "BTC/USD"),
        ("ETHUSDT", "ETH/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("AAPL", "AAPL"),
        ("BRK.B", "BRK.B"),
        ("GOOGL", "GOOGL"),
        ("ABUSD", "ABUSD"),
    ],
)
def test_a_symbol_has_one_spelling_of_ours(wire: str, ours: str) -> None:
    assert canonical(wire) == ours


def test_the_class_decides_where_letters_cannot() -> None:
    assert canonical("ABUSD", CRYPTO) == "AB/USD"
    assert canonical("ABCUSD", EQUITY) == "ABCUSD"
    assert joined("BTC/USD") == "BTCUSD"


@pytest.mark.parametrize(
    ("number", "written"),
    [("0.00000001", "0.00000001"), ("1E+3", "1000"), ("65000.10", "65000.1"), ("-0", "0")],
)
def test_amounts_are_written_in_plain_digits(number: str, written: str) -> None:
    assert text(D(number)) == written


@pytest.mark.parametrize("value", ["NaN", "", None, "ten", True, "Infinity"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="qty"):
        amount(value, "qty")


def test_json_numbers_stay_exact() -> None:
    assert loads('{"qty": 0.1}') == {"qty": D("0.1")}


REQUESTS = [
    _request(),
    _request(type=OrderType.LIMIT, limit_price=D("99.5"), time_in_force=TimeInForce.DAY),
    _request(
        symbol="BTC/USD",
        asset_class=CRYPTO,
        side=OrderSide.SELL,
        type=OrderType.STOP_LIMIT,
        quantity=D("0.000000001"),
        stop_price=D(90),
        limit_price=D("85.5"),
    ),
    _request(order_class=OrderClass.BRACKET, take_profit=D(120), stop_loss=D(80)),
    _request(order_class=OrderClass.OTO, stop_loss=D(80)),
    _request(
        side=OrderSide.SELL,
        order_class=OrderClass.OCO,
        type=OrderType.LIMIT,
        limit_price=D(120),
        stop_loss=D(80),
    ),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.order_class + r.type)
def test_a_request_arrives_as_it_was_sent(request_: OrderRequest) -> None:
    body = json.loads(json.dumps(request_json(request_)))
    assert request_from_json(body, "other") == request_
    assert not [v for v in body.values() if isinstance(v, float)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qty": None}, "qty"),
        ({"type": "trailing_stop"}, "type 'trailing_stop'"),
        ({"order_class": "mleg"}, "mleg"),
        ({"side": None}, "side"),
    ],
)
def test_a_body_we_do_not_understand_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(EngineRefusedError, match=message):
        request_from_json(request_json(_request()) | change, "x")


def test_an_order_with_legs_arrives_take_profit_first() -> None:
    head = _report(filled_quantity=D(4), average_price=D("100.25"), status="partially_filled")
    gain = _report(
        broker_order_id="b2",
        client_order_id="c2",
        side=OrderSide.SELL,
        type=OrderType.LIMIT,
        limit_price=D(120),
        status="held",
        parent_id="b1",
        leg="take_profit",
    )
    loss = gain.model_copy(
        update={
            "broker_order_id": "b3",
            "client_order_id": "c3",
            "type": OrderType.STOP,
            "limit_price": None,
            "stop_price": D(80),
            "leg": "stop_loss",
        }
    )
    row = order_json(head, TERMS, [order_json(loss, TERMS), order_json(gain, TERMS)])
    assert reports_from_json(json.loads(json.dumps(row))) == (head, gain, loss)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_state_of_ours_arrives(status: OrderStatus) -> None:
    (report,) = reports_from_json(order_json(_report(status=status), TERMS))
    assert report.status is status


@pytest.mark.parametrize("name", ["done_for_day", "calculated", "some_new_state", ""])
def test_a_state_we_do_not_know_counts_as_open(name: str) -> None:
    assert status_of(name) is OrderStatus.ACCEPTED
    assert status_of(name, D(1)) is OrderStatus.PARTIALLY_FILLED


def test_an_order_that_is_not_ours_to_read_is_bad_data() -> None:
    row = order_json(_report(), TERMS) | {"qty": None, "notional": "100"}
    with pytest.raises(DataError, match="qty"):
        reports_from_json(row)
    with pytest.raises(DataError, match="trailing_stop"):
        reports_from_json(order_json(_report(), TERMS) | {"type": "trailing_stop"})


def test_an_account_arrives_with_holdings_and_the_brokers_clock() -> None:
    account = AccountState(
        account_id="PA123",
        as_of=AT,
        cash=D("1000.123456789"),
        equity=D(2000),
        buying_power=D(4000),
        crypto_buying_power=D(900),
        long_value=D(1500),
        short_value=D(-500),
        holdings=(
            Holding(symbol="AAPL", quantity=D(-5), average_price=D(100), market_price=D(101)),
            Holding(symbol="BTC/USD", quantity=D("0.9975"), average_price=D(7), market_price=D(8)),
        ),
    )
    row = account_json(account, D(2), shorting=True)
    positions = [position_json(h) for h in account.holdings]
    assert [p["symbol"] for p in positions] == ["AAPL", "BTCUSD"]
    assert account_from_json(row, positions, clock_json(AT)) == account
    assert account_from_json(row | {"trading_blocked": True}, [], clock_json(AT)).blocked
    assert account_from_json(row | {"status": "ACCOUNT_CLOSED"}, [], clock_json(AT)).blocked


@pytest.mark.parametrize(
    ("now", "is_open", "opens", "closes"),
    [
        ("2024-01-03T14:29:00Z", False, "2024-01-03T14:30:00Z", "2024-01-03T21:00:00Z"),
        ("2024-01-03T14:30:00Z", True, "2024-01-04T14:30:00Z", "2024-01-03T21:00:00Z"),
        ("2024-01-03T21:00:00Z", False, "2024-01-04T14:30:00Z", "2024-01-04T21:00:00Z"),
        ("2024-01-06T12:00:00Z", False, "2024-01-08T14:30:00Z", "2024-01-08T21:00:00Z"),
    ],
)
def test_the_clock_knows_new_york(now: str, is_open: bool, opens: str, closes: str) -> None:
    row = clock_json(dt.datetime.fromisoformat(now))
    assert (row["is_open"], row["next_open"], row["next_close"]) == (is_open, opens, closes)
    assert clock_from_json(row).now.isoformat() == now.replace("Z", "+00:00")


@pytest.mark.parametrize(
    ("at", "asset_class", "ds"),
    [
        ("2024-01-03T23:59:59.999999999Z", CRYPTO, "2024-01-03"),
        ("2024-01-04T00:00:00Z", CRYPTO, "2024-01-04"),
        ("2024-01-03T20:30:00-05:00", CRYPTO, "2024-01-04"),
        ("2024-01-03T21:00:00Z", EQUITY, "2024-01-03"),
        ("2024-01-04T00:30:00Z", EQUITY, "2024-01-03"),  # 19:30 in New York: extended hours
        ("2024-01-04T01:00:00Z", EQUITY, "2024-01-04"),  # 20:00: the overnight session
        ("2024-01-06T01:30:00Z", EQUITY, "2024-01-08"),  # Friday evening
        ("2024-01-06T15:00:00Z", EQUITY, "2024-01-08"),  # Saturday
        ("2024-07-03T20:00:00Z", EQUITY, "2024-07-03"),
    ],
)
def test_an_execution_belongs_to_the_session_of_its_instant(
    at: str, asset_class: AssetClass, ds: str
) -> None:
    assert session_of(at, asset_class, "t").isoformat() == ds


def test_instants_round_to_the_nearest_microsecond() -> None:
    assert instant("2024-01-03T23:59:59.999999999Z", "t").isoformat() == "2024-01-04T00:00:00+00:00"
    assert instant("2024-01-03T10:00:00.1234564Z", "t").microsecond == 123456
    assert instant("2024-01-03T10:00:00-05:00", "t").hour == 15
    with pytest.raises(DataError, match="not an instant"):
        instant("2024-01-03", "t")


FILLS = [
    _fill(),
    _fill(flags=("GAPPED", "AMBIGUOUS_BAR"), filled_at=AT.replace(hour=21, minute=0)),
    _fill(
        symbol="BTC/USD",
        quantity=D("0.123456789"),
        filled_at=dt.datetime(2024, 1, 4, tzinfo=dt.UTC),
        flags=(),
    ),
    _fill(
        symbol="BTC/USD",
        ds=dt.date(2024, 1, 4),
        filled_at=dt.datetime(2024, 1, 4, tzinfo=dt.UTC),
    ),
]


@pytest.mark.parametrize("fill", FILLS)
def test_an_execution_arrives_in_its_session(fill: Fill) -> None:
    row = fill_json(fill, _report(quantity=D(20)), D(0))
    assert fill_from_json(json.loads(json.dumps(row)), 1) == fill
    assert row["type"] == "partial_fill"


@pytest.mark.parametrize(
    ("at", "symbol", "flags"),
    [
        ("2024-01-03T14:30:02Z", "AAPL", ("AT_OPEN",)),
        ("2024-01-03T14:33:00Z", "AAPL", ()),
        ("2024-01-03T13:00:00Z", "AAPL", ()),
        ("2024-01-04T00:06:00Z", "BTCUSD", ("AT_OPEN",)),
        ("2024-01-04T02:00:00Z", "BTCUSD", ()),
    ],
)
def test_alpacas_own_executions_are_at_the_open_by_their_instant(
    at: str, symbol: str, flags: tuple[str, ...]
) -> None:
    row = fill_json(_fill(), _report(), D(0)) | {"transaction_time": at, "symbol": symbol}
    del row["goldenthread_flags"]
    assert fill_from_json(row, 1).flags == flags


def test_fees_arrive_in_coin_or_in_dollars() -> None:
    bought = _fill(symbol="BTC/USD", fee_quantity=D("0.0025"))
    sold = _fill(symbol="BTC/USD", side=OrderSide.SELL, fee=D("2.21"))
    coin, dollars = (charge_from_json(charges_json(f, AT)[0]) for f in (bought, sold))
    assert (coin.kind, coin.symbol, coin.coin, coin.quote) == ("CFEE", "BTC/USD", D("0.0025"), D(0))
    assert (dollars.symbol, dollars.coin, dollars.quote) == ("", D(0), D("2.21"))
    assert charges_json(_fill(), AT) == []
    assert charge_from_json(charges_json(_fill(fee=D("0.03")), AT)[0]).kind == "FEE"


def test_assets_arrive_in_the_steps_they_trade_in() -> None:
    coin = Asset(
        symbol="BTC/USD",
        asset_class=CRYPTO,
        name="Bitcoin",
        price_tick=D("0.01"),
        quantity_step=D("0.000000001"),
        min_notional=D(10),
        shortable=False,
        fractionable=True,
        source="alpaca",
    )
    stock = Asset(
        symbol="AAPL",
        asset_class=EQUITY,
        name="Apple",
        price_tick=D("0.01"),
        quantity_step=D(1),
        min_notional=D(0),
        source="alpaca",
    )
    for asset in (coin, stock):
        assert asset_from_json(json.loads(json.dumps(asset_json(asset)))) == asset
    assert asset_from_json(asset_json(stock) | {"class": "us_option"}) is None
    assert asset_from_json(asset_json(stock) | {"tradable": False}) is None


@pytest.mark.parametrize(("asset_class", "symbol"), [(EQUITY, "AAPL"), (CRYPTO, "BTC/USD")])
def test_a_bar_arrives_in_its_session(asset_class: AssetClass, symbol: str) -> None:
    bar = Bar(symbol, dt.date(2024, 7, 3), D("1.1"), D("2.5"), D("0.3"), D("1.7"), D("10.25"))
    wire = bar_from_json(json.loads(json.dumps(bar_json(bar, asset_class))))
    assert ds_of(wire.at, asset_class) == bar.ds
    assert wire[1:] == bar[2:]


def test_bars_cut_at_midnight_in_chicago_are_no_utc_days() -> None:
    assert ds_of(instant("2024-07-03T05:00:00Z", "t"), CRYPTO) is None
    assert ds_of(instant("2024-01-03T06:00:00Z", "t"), CRYPTO) is None
    assert ds_of(instant("2024-07-03T04:00:00Z", "t"), EQUITY) == dt.date(2024, 7, 3)


def test_corporate_actions_arrive_by_kind() -> None:
    day, source = dt.date(2014, 6, 9), "alpaca"
    actions = [
        CorporateAction(
            symbol="AAPL", kind=ActionKind.SPLIT, ex_ds=day, ratio=D(7), source=source, known_at=AT
        ),
        CorporateAction(
            symbol="C", kind=ActionKind.SPLIT, ex_ds=day, ratio=D("0.1"), source=source, known_at=AT
        ),
        CorporateAction(
            symbol="IBM",
            kind=ActionKind.DIVIDEND,
            ex_ds=day,
            amount=D("1.1"),
            source=source,
            known_at=AT,
        ),
        CorporateAction(
            symbol="OLD",
            kind=ActionKind.SYMBOL_CHANGE,
            ex_ds=day,
            new_symbol="NEW",
            source=source,
            known_at=AT,
        ),
        CorporateAction(
            symbol="XYZ", kind=ActionKind.DELISTING, ex_ds=day, source=source, known_at=AT
        ),
    ]
    content = json.loads(json.dumps(actions_json(actions)))
    assert actions_from_json({**content, "spin_offs": [{"ex_date": "2014-06-09"}]}, AT) == actions
    with pytest.raises(DataError, match="forward_splits"):
        actions_from_json({"forward_splits": [{"ex_date": "2014-06-09", "symbol": "A"}]}, AT)
