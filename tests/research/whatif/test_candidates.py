"""What a choice of candidates made, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from goldenthread.research.whatif.leave_one_out import leave_one_out
from research.whatif.books import NULL, candidates_of

NO, YES = False, True


def test_the_deepest_drawdown_is_of_capital_and_profit_by_day_of_exit() -> None:
    made = candidates_of([100, -110, -220, 500]).made(np.ones(4, np.bool_))
    assert (made.trades, made.net_pnl) == (4, 270)
    assert made.max_drawdown == pytest.approx(0.3)  # from 1100 to 770
    assert made.daily.tolist() == [100, -110, -220, 500]


def test_a_loss_on_the_first_day_is_a_drawdown_of_the_capital() -> None:
    assert candidates_of([-50]).made(np.ones(1, np.bool_)).max_drawdown == pytest.approx(0.05)


def test_an_order_that_never_filled_is_no_trade_and_no_money() -> None:
    made = candidates_of([NULL, 40]).made(np.ones(2, np.bool_))
    assert (made.trades, made.net_pnl) == (1, 40)


def test_nothing_taken_made_nothing() -> None:
    made = candidates_of([10, 20]).made(np.zeros(2, np.bool_))
    assert (made.trades, made.net_pnl, made.max_drawdown) == (0, 0, 0)
    nobody = candidates_of([]).made(np.zeros(0, np.bool_))
    assert (nobody.trades, nobody.net_pnl, nobody.max_drawdown) == (0, 0, 0)


def test_a_filter_is_worth_what_the_others_let_through() -> None:
    # The first fails both, the second WEAK alone, the third LATE alone, the last none.
    found = candidates_of([1000, 30, -7, 5], WEAK=[YES, YES, NO, NO], LATE=[YES, NO, YES, NO])
    rows = leave_one_out(found).rows()
    # name, trades and money with all filters, trades without this one, what they would have added
    assert rows == [("WEAK", 1, 5, 2, 30), ("LATE", 1, 5, 2, -7)]
    assert found.passing().tolist() == [NO, NO, NO, YES]
    assert found.passing(without="WEAK").tolist() == [NO, YES, NO, YES]
