from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from goldenthread.reports.figures.costs import COSTS, costs
from reports.facts import trade_row, trades


def test_fees_are_told_by_asset_class_and_against_what_was_traded() -> None:
    coins = {"asset_class": "CRYPTO", "fees": Decimal("5.01"), "gross_pnl": Decimal(-3)}
    shorts = {"borrow_fees": Decimal("0.25"), "dividends": Decimal(-2)}
    rows = costs(trades(trade_row("9", **shorts), trade_row("19"), trade_row("-8", **coins)))
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
    found = costs(pl.DataFrame())
    assert found.is_empty()
    assert found.columns == list(COSTS)
