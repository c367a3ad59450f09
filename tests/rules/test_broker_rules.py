from __future__ import annotations

from typing import Any

import pytest

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.order import OrderClass, OrderRequest, OrderSide, OrderType, TimeInForce
from goldenthread.rules.broker_rules import violation
from rules.market import AAPL, BTC, D

BUY, SELL = OrderSide.BUY, OrderSide.SELL
MALFORMED, UNPROCESSABLE, FORBIDDEN = "40010001", "42210000", "40310000"
SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
PRICES: dict[OrderType, dict[str, str]] = {
    OrderType.MARKET: {},
    OrderType.LIMIT: {"limit_price": "100"},
    OrderType.STOP: {"stop_price": "100"},
    OrderType.STOP_LIMIT: {"stop_price": "100", "limit_price": "100"},
}
LEGS: dict[OrderClass, dict[str, str]] = {
    OrderClass.SIMPLE: {},
    OrderClass.BRACKET: {"take_profit": "110", "stop_loss": "90"},
    OrderClass.OTO: {"stop_loss": "90"},
    OrderClass.OCO: {"stop_loss": "90"},
}


def order(asset: Asset, **changes: Any) -> OrderRequest:  # noqa: ANN401  fields of many types
    values: dict[str, Any] = {
        "client_order_id": "x",
        "symbol": asset.symbol,
        "asset_class": asset.asset_class,
        "side": BUY,
        "type": OrderType.MARKET,
        "quantity": "1",
        **changes,
    }
    return OrderRequest.model_validate(values)


def code(asset: Asset, **changes: Any) -> str | None:  # noqa: ANN401  as above
    """The code of the refusal; ``reference`` among the changes is the last price."""
    reference = changes.pop("reference", None)
    found = violation(order(asset, **changes), asset, reference)
    return found and found.code


def shaped(
    asset: Asset, order_type: OrderType, order_class: OrderClass, time: TimeInForce
) -> str | None:
    side = SELL if order_class is OrderClass.OCO else BUY
    return code(
        asset,
        side=side,
        type=order_type,
        order_class=order_class,
        time_in_force=time,
        **PRICES[order_type],
        **LEGS[order_class],
    )


COMPLEX = [OrderClass.BRACKET, OrderClass.OTO, OrderClass.OCO]
DAY, GTC, IOC = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC
OPG, CLS, FOK = TimeInForce.OPG, TimeInForce.CLS, TimeInForce.FOK
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
EVERY = [
    (order_type, order_class, time)
    for order_type in OrderType
    for order_class in OrderClass
    for time in TimeInForce
]
EQUITY_TAKES = (
    {(t, OrderClass.SIMPLE, time) for t in OrderType for time in (DAY, GTC, IOC, FOK)}
    | {(t, OrderClass.SIMPLE, time) for t in (MARKET, LIMIT) for time in (OPG, CLS)}
    | {(t, c, time) for t in OrderType for c in COMPLEX[:2] for time in (DAY, GTC)}
    | {(LIMIT, OrderClass.OCO, time) for time in (DAY, GTC)}
)
CRYPTO_TAKES = {
    (t, OrderClass.SIMPLE, time) for t in (MARKET, LIMIT, STOP_LIMIT) for time in (GTC, IOC)
}


@pytest.mark.parametrize(("order_type", "order_class", "time"), EVERY)
def test_the_matrix_of_type_class_and_time_in_force(
    order_type: OrderType, order_class: OrderClass, time: TimeInForce
) -> None:
    shape = (order_type, order_class, time)
    assert (shaped(AAPL, *shape) is None) == (shape in EQUITY_TAKES)
    assert (shaped(BTC, *shape) is None) == (shape in CRYPTO_TAKES)


@pytest.mark.parametrize(
    ("changes", "expected", "message"),
    [
        ({"type": STOP, "stop_price": "100"}, MALFORMED, "invalid order type for crypto order"),
        ({"time_in_force": DAY}, UNPROCESSABLE, "invalid crypto time_in_force"),
        (
            {"order_class": OrderClass.OTO, "stop_loss": "90"},
            UNPROCESSABLE,
            "crypto orders not allowed for advanced order_class: oto",
        ),
        ({"quantity": "0.0000000001"}, UNPROCESSABLE, "qty 1E-10 is not a multiple of 1E-9"),
        (
            {"type": LIMIT, "limit_price": "60000.001"},
            UNPROCESSABLE,
            "invalid limit_price 60000.001. price increment is 0.01",
        ),
        (
            {"type": LIMIT, "limit_price": "60000", "quantity": "0.0001"},  # 6 dollars
            FORBIDDEN,
            "cost basis must be >= minimal amount of order 10",
        ),
    ],
)
def test_crypto_refusals_in_the_brokers_words(
    changes: dict[str, Any], expected: str, message: str
) -> None:
    found = violation(order(BTC, **changes), BTC)
    assert found is not None
    assert (found.code, found.message) == (expected, message)


@pytest.mark.parametrize(
    ("changes", "expected", "message"),
    [
        ({"quantity": "0"}, MALFORMED, "qty must be > 0"),
        ({"type": LIMIT}, MALFORMED, "limit orders require limit_price"),
        ({"type": STOP}, MALFORMED, "stop orders require stop_price"),
        ({"limit_price": "100"}, MALFORMED, "market orders require no limit_price"),
        ({"type": LIMIT, "limit_price": "0"}, MALFORMED, "limit price must be > 0"),
        (
            {"type": LIMIT, "limit_price": "290.123"},
            UNPROCESSABLE,
            f"invalid limit_price 290.123. {SUB_PENNY}",
        ),
        (
            {"type": STOP, "stop_price": "100", "time_in_force": OPG},
            UNPROCESSABLE,
            "opg orders must be market or limit orders",
        ),
        (
            {"order_class": OrderClass.BRACKET, "take_profit": "110"},
            UNPROCESSABLE,
            "bracket orders require stop_loss.stop_price",
        ),
        (
            {"order_class": OrderClass.BRACKET, "stop_loss": "90"},
            UNPROCESSABLE,
            "bracket orders require take_profit.limit_price",
        ),
        (
            {"order_class": OrderClass.OTO},
            UNPROCESSABLE,
            "oto orders require exactly one of take_profit and stop_loss",
        ),
        (
            {"order_class": OrderClass.OTO, "take_profit": "110", "stop_loss": "90"},
            UNPROCESSABLE,
            "oto orders require exactly one of take_profit and stop_loss",
        ),
        (
            {"stop_loss": "90"},
            UNPROCESSABLE,
            "simple orders must have neither take_profit nor stop_loss",
        ),
        (
            {"order_class": OrderClass.OCO, "stop_loss": "90"},
            UNPROCESSABLE,
            "oco orders must be limit orders",
        ),
        (
            {"order_class": OrderClass.BRACKET, "take_profit": "90", "stop_loss": "110"},
            UNPROCESSABLE,
            "take_profit.limit_price must be > stop_loss.stop_price",
        ),
    ],
)
def test_equity_refusals_in_the_brokers_words(
    changes: dict[str, Any], expected: str, message: str
) -> None:
    found = violation(order(AAPL, **changes), AAPL)
    assert found is not None
    assert (found.code, found.message) == (expected, message)


def test_prices_below_one_dollar_may_have_four_decimals() -> None:
    assert code(AAPL, type=LIMIT, limit_price="0.1234") is None
    assert code(AAPL, type=LIMIT, limit_price="0.12345") == UNPROCESSABLE
    assert code(AAPL, type=LIMIT, limit_price="1.234") == UNPROCESSABLE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time_in_force": DAY}, None),
        ({"time_in_force": DAY, "type": STOP, "stop_price": "100"}, None),
        ({"time_in_force": GTC}, UNPROCESSABLE),
        ({"time_in_force": DAY, "order_class": OrderClass.OTO, "stop_loss": "90"}, UNPROCESSABLE),
        ({"time_in_force": DAY, "quantity": "0.0000000001"}, UNPROCESSABLE),  # ten decimals
        (
            {"time_in_force": DAY, "quantity": "0.005", "type": LIMIT, "limit_price": "100"},
            FORBIDDEN,
        ),
    ],
)
def test_fractions_of_a_share_are_simple_day_orders_of_a_dollar_or_more(
    changes: dict[str, Any], expected: str | None
) -> None:
    assert code(AAPL, **{"quantity": "0.5", **changes}) == expected


def test_fractions_need_a_fractionable_asset() -> None:
    whole = AAPL.model_copy(update={"fractionable": False})
    assert code(whole, quantity="0.5", time_in_force=DAY) == FORBIDDEN
    assert code(whole, quantity="5", time_in_force=DAY) is None


@pytest.mark.parametrize(
    ("side", "gain", "loss", "expected"),
    [
        (BUY, "100.01", "99.99", None),
        (BUY, "100.00", "99.99", UNPROCESSABLE),  # the target is not beyond the entry
        (BUY, "100.01", "100.00", UNPROCESSABLE),  # nor the stop
        (SELL, "99.99", "100.01", None),
        (SELL, "100.00", "100.01", UNPROCESSABLE),
        (SELL, "99.99", "100.00", UNPROCESSABLE),
    ],
)
def test_bracket_legs_are_at_least_a_cent_beyond_the_entry(
    side: OrderSide, gain: str, loss: str, expected: str | None
) -> None:
    legs: dict[str, Any] = {
        "order_class": OrderClass.BRACKET,
        "side": side,
        "take_profit": gain,
        "stop_loss": loss,
    }
    assert code(AAPL, type=LIMIT, limit_price="100", **legs) == expected
    assert code(AAPL, type=STOP, stop_price="100", **legs) == expected
    assert code(AAPL, reference=D(100), **legs) == expected  # market, judged by the last price


def test_an_oco_sells_above_its_stop_and_buys_below_it() -> None:
    oco: dict[str, Any] = {"type": LIMIT, "order_class": OrderClass.OCO, "limit_price": "100"}
    assert code(AAPL, side=SELL, stop_loss="90", **oco) is None
    assert code(AAPL, side=SELL, stop_loss="110", **oco) == UNPROCESSABLE
    assert code(AAPL, side=BUY, stop_loss="110", **oco) is None
    assert code(AAPL, side=BUY, stop_loss="90", **oco) == UNPROCESSABLE


def test_shorts_need_a_shortable_asset_but_a_plain_sale_does_not() -> None:
    fixed = AAPL.model_copy(update={"shortable": False})
    assert code(fixed, side=SELL, order_class=OrderClass.OTO, stop_loss="110") == FORBIDDEN
    assert code(fixed, side=SELL) is None


def test_the_minimum_binds_crypto_buys_only_and_market_orders_by_the_last_price() -> None:
    # 0.0001 coins at 60000 are 6 dollars, below 10.
    assert code(BTC, reference=D(60000), quantity="0.0001") == FORBIDDEN
    assert code(BTC, reference=D(60000), quantity="0.0001", side=SELL) is None
    assert code(BTC, quantity="0.0001") is None
    assert code(BTC, reference=D(100000), quantity="0.0001") is None  # exactly 10


def test_the_matrix_covers_both_asset_classes() -> None:
    assert {AAPL.asset_class, BTC.asset_class} == set(AssetClass)
