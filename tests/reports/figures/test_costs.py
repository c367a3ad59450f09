from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from goldenthread.domain.order import OrderSide
from goldenthread.reports.divergence.rows import Execution
from goldenthread.reports.figures.costs import COSTS, costs, slippage
from reports.facts import DAY, trade_row, trades


def test_fees_are_told_by_asset_class_and_against_what_was_traded() -> None:
    coins = {"asset_class": "CRYPTO", "fees": Decimal("5.01"), "gross_pnl": Decimal(-3)}
    shorts = {"borrow_fees": Decimal("0.25"), "dividends": Decimal(-2)}
    told = trades(trade_row("9", **shorts), trade_row("19"), trade_row("-8", **coins))
    rows = costs(told, {})
    crypto, equity = rows.to_dicts()
    # each bought 10 at 100 and sold 10 at 101: 2,010 traded
    assert crypto["traded"] == pytest.approx(2010)
    assert crypto["fees"] == pytest.approx(5.01)
    assert crypto["fee_rate"] == pytest.approx(5.01 / 2010)
    assert crypto["fee_share"] is None  # nothing was made before fees
    assert crypto["borrow_fees"] is None
    assert equity["trades"] == 2
    assert equity["fees"] == pytest.approx(2)
    assert equity["borrow_fees"] == pytest.approx(0.25)
    assert equity["dividends"] == pytest.approx(-2)
    assert equity["fee_share"] == pytest.approx(2 / 30)  # 10 and 20 before a dollar each


def test_without_a_trade_nothing_was_paid() -> None:
    found = costs(pl.DataFrame(), {})
    assert found.is_empty()
    assert found.columns == list(COSTS)


def test_slippage_is_of_the_trades_whose_executions_are_known() -> None:
    told = trades(
        trade_row("9", trade_id="a"),
        trade_row("9", trade_id="b", traded_quantity=Decimal(20)),
        trade_row("9", trade_id="c", asset_class="CRYPTO"),
    )
    crypto, equity = costs(told, {"a": Decimal("1.50"), "of another": Decimal(7)}).to_dicts()
    assert equity["slippage"] == pytest.approx(1.5)
    assert equity["slippage_rate"] == pytest.approx(1.5 / 2010)  # not of the 4,020 of b
    assert (crypto["slippage"], crypto["slippage_rate"]) == (None, None)


def test_slippage_is_what_was_paid_over_what_was_offered() -> None:
    """100 bought for 50.10 where 50 was offered, 60 and 40 sold for 54.9 and 55 where 55 was."""
    bought = fill(OrderSide.BUY, "100", "50.10", "50")
    sold = [fill(OrderSide.SELL, "60", "54.9", "55"), fill(OrderSide.SELL, "40", "55", "55")]
    assert slippage([bought, *sold]) == Decimal(16)  # 10 and 6
    assert slippage([fill(OrderSide.SELL, "10", "56", "55")]) == Decimal(-10)
    assert slippage([bought, fill(OrderSide.SELL, "100", "55", None)]) is None
    assert slippage([]) is None


def fill(side: OrderSide, quantity: str, price: str, offered: str | None) -> Execution:
    reference = None if offered is None else Decimal(offered)
    return Execution(DAY, side, Decimal(quantity), Decimal(price), reference)
