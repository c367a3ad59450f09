from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.order import OrderSide
from goldenthread.reports.divergence.prices import offered, unslipped
from goldenthread.rules.slippage import slipped

BAR = {"open": Decimal(50), "low": Decimal(48), "high": Decimal(53)}


def fill(kind: str | None, side: str, price: str, stop: str | None = None) -> dict[str, Any]:
    level = None if stop is None else Decimal(stop)
    return {"order_type": kind, "order_side": side, "price": Decimal(price), "stop_price": level}


@pytest.mark.parametrize(
    ("executed", "reference"),
    [
        (fill("market", "buy", "50.03"), "50"),
        (fill("limit", "buy", "49.5"), "49.5"),
        (fill("stop", "sell", "48.97", "49"), "49"),  # crossed inside the bar
        (fill("stop", "sell", "49.9", "51"), "50"),  # the open was past it
        (fill("stop", "buy", "52.1", "52"), "52"),
        (fill("stop_limit", "buy", "50.2", "49"), "50"),
        (fill("stop", "sell", "24", "100"), "50"),  # of before a split, yet the open is worse
        (fill("stop", "sell", "24", "25"), None),  # of before a split: no price of this bar
        (fill(None, "sell", "49"), None),  # an order that is not ours
    ],
)
def test_an_execution_is_measured_against_what_its_bar_offered(
    executed: dict[str, Any], reference: str | None
) -> None:
    assert offered({**BAR, **executed}) == (None if reference is None else Decimal(reference))


def test_without_a_bar_a_market_order_was_offered_nothing_known() -> None:
    assert offered({**dict.fromkeys(BAR), **fill("market", "buy", "50.03")}) is None


@given(
    st.decimals("0.01", "100000", places=2),
    st.sampled_from(list(OrderSide)),
    st.integers(0, 100).map(Decimal),
)
def test_a_price_in_cents_is_found_again_behind_its_slippage(
    price: Decimal, side: OrderSide, bps: Decimal
) -> None:
    found = unslipped(slipped(price, side, bps), side, bps)
    assert slipped(found, side, bps) == slipped(price, side, bps)
    assert abs(found - price) < Decimal("0.000002")
