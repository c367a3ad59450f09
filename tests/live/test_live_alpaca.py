"""A real paper account: identity of orders, details of brackets, the boundary of crypto bars.

Every order is a limit far below the market, so nothing is bought, and is withdrawn again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import (
    OrderClass,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)

pytest.importorskip("alpaca", reason="needs the extra alpaca")

from goldenthread.adapters.market_data.alpaca import AlpacaMarketData
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.broker.alpaca import AlpacaBroker

pytestmark = pytest.mark.live

SYMBOL, COIN = "AAPL", "BTC/USD"
DAYS = dt.timedelta(days=10)


@pytest.fixture(name="data")
def _data(access: Access) -> AlpacaMarketData:
    return AlpacaMarketData(access, access, SystemClock())


@pytest.fixture(name="resting")
def _resting(broker: AlpacaBroker, data: AlpacaMarketData) -> Iterator[OrderRequest]:
    """One share at half its price; whatever became of it is withdrawn after the test."""
    today = broker.now().date()
    held = {holding.symbol for holding in broker.account().holdings}
    busy = {report.symbol for report in broker.orders(today) if report.status.is_open}
    if SYMBOL in held | busy:
        pytest.fail(f"the account holds or orders {SYMBOL}; the live tests need it unused")
    close = Decimal(str(data.bars([SYMBOL], today - DAYS, today)["close"][-1]))
    request = OrderRequest(
        client_order_id=f"gt-live-{uuid4().hex}",
        symbol=SYMBOL,
        asset_class=AssetClass.EQUITY,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal(1),
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.SIMPLE,
        limit_price=(close / 2).quantize(Decimal("0.01")),
    )
    yield request
    for report in broker.find_order(request.client_order_id)[:1]:
        if report.status.is_open:
            broker.cancel(report.broker_order_id)


def test_an_id_is_one_order_however_often_it_is_sent_and_stays_so_when_canceled(
    broker: AlpacaBroker, resting: OrderRequest
) -> None:
    assert broker.find_order(resting.client_order_id) == ()
    (first,) = broker.submit(resting)
    (again,) = broker.submit(resting)
    assert again.broker_order_id == first.broker_order_id
    gone = broker.cancel(first.broker_order_id)
    assert gone.status in {OrderStatus.CANCELED, OrderStatus.PENDING_CANCEL}
    (after,) = broker.submit(resting)
    assert after.broker_order_id == first.broker_order_id
    assert broker.fills(broker.now().date()) == []


def test_a_bracket_is_withdrawn_with_its_legs(
    broker: AlpacaBroker, resting: OrderRequest, figure: Callable[[str], None]
) -> None:
    assert resting.limit_price is not None
    bracket = resting.model_copy(
        update={
            "order_class": OrderClass.BRACKET,
            "take_profit": resting.limit_price * 2,
            "stop_loss": (resting.limit_price / 2).quantize(Decimal("0.01")),
        }
    )
    head, gain, loss = broker.submit(bracket)
    assert (gain.leg, loss.leg) == ("take_profit", "stop_loss")
    assert {gain.parent_id, loss.parent_id} == {head.broker_order_id}
    raw = broker._order(head.broker_order_id)
    legs = [{k: leg.get(k) for k in ("status", "type", "expires_at")} for leg in raw["legs"]]
    figure(f"Alpaca bracket: head {raw['status']} until {raw.get('expires_at')}, legs {legs}")
    broker.cancel(head.broker_order_id)
    assert not [r for r in broker.find_order(bracket.client_order_id)[1:] if r.filled_quantity]


def test_an_order_beyond_the_account_is_refused_with_its_code(
    broker: AlpacaBroker, resting: OrderRequest
) -> None:
    with pytest.raises(EngineRefusedError) as refused:
        broker.submit(resting.model_copy(update={"quantity": Decimal(10_000_000)}))
    assert refused.value.code == "40310000"
    assert broker.find_order(resting.client_order_id) == ()


def test_days_of_a_coin_are_utc_days_wherever_alpaca_begins_them(
    access: Access,
    broker: AlpacaBroker,
    data: AlpacaMarketData,
    figure: Callable[[str], None],
) -> None:
    last = broker.now().date() - dt.timedelta(days=1)
    span = (last - DAYS, last)
    sent = list(data._sent([COIN], AssetClass.CRYPTO, "1Day", span))
    begins = sorted({bar.at.time().isoformat("minutes") for _, bar in sent})
    figure(f"Alpaca begins daily bars of {COIN} at {', '.join(begins)} UTC")
    found = data.bars([COIN], *span)
    assert found["ds"].to_list() == [span[0] + dt.timedelta(days=n) for n in range(11)]
    if access.url:
        pytest.skip("`goldenthread exchange` has days only, no hours to compare with")
    hours = data._from_hours([COIN], span)[COIN]
    for row in found.to_dicts():
        made = hours[row["ds"]]
        assert (row["open"], row["close"]) == (float(made.open), float(made.close))
