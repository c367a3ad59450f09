"""How much each mode asks for, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.policy import Gates, Policy
from goldenthread.domain.strategy import Size
from goldenthread.positions.sizing import size
from positions.rig import AAPL, BTC, D, candidate, plan

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.domain.signal import Candidate

POLICY = Policy(gates=Gates(max_positions=8))
EQUITY = D(100_000)


@pytest.mark.parametrize(
    ("rule", "planned", "quantity"),
    [
        # 1 % of 100,000 lost over a stop 7 away: 1000 / 7
        (Size(mode="risk", risk_fraction=D("0.01")), "142.857142857", "142"),
        # 10 % of 100,000 at 97
        (Size(mode="fraction", fraction=D("0.1")), "103.092783505", "103"),
        (Size(mode="cash", cash=D(5000)), "51.546391752", "51"),
        # 100,000 / 8 / 97
        (Size(mode="equal"), "128.865979381", "128"),
        # 100,000 x 0.15 / 0.30 / 97
        (Size(mode="vol_target", vol_target=D("0.15")), "515.463917525", "515"),
        # 142.86 x 97 = 13,857 is more than 5 %: 5,000 / 97
        (
            Size(mode="risk", risk_fraction=D("0.01"), max_position_fraction=D("0.05")),
            "51.546391752",
            "51",
        ),
    ],
)
def test_each_mode_asks_for_its_quantity_in_whole_shares(
    rule: Size, planned: str, quantity: str
) -> None:
    idea = candidate("AAPL", 2, plan("97", "90"), size=rule, volatility="0.30")
    sized = size(idea, EQUITY, POLICY, AAPL)
    assert (sized.planned, sized.quantity) == (D(planned), D(quantity))


def test_a_coin_is_sized_to_its_step() -> None:
    rule = Size(mode="cash", cash=D(1000))
    sized = size(candidate("BTC/USD", 2, plan("30000", "29000"), size=rule), EQUITY, POLICY, BTC)
    assert sized.quantity == D("0.033333333")


@pytest.mark.parametrize(
    ("idea", "equity"),
    [
        (candidate("AAPL", 2, None), "100000"),
        (candidate("AAPL", 2, plan("97", "98")), "100000"),
        (candidate("AAPL", 2, plan()), "0"),
        (candidate("AAPL", 2, plan()), "-5"),
        (candidate("AAPL", 2, plan(), size=Size(mode="risk")), "100000"),
        (candidate("AAPL", 2, plan(), size=Size(mode="vol_target", vol_target=D(1))), "100000"),
    ],
)
def test_a_missing_figure_sizes_nothing_and_says_why(idea: Candidate, equity: str) -> None:
    sized = size(idea, D(equity), POLICY, AAPL)
    assert (sized.planned, sized.quantity) == (D(0), D(0))
    assert "no size" in sized.arithmetic


@given(
    equity=st.decimals(1, 10_000_000, places=2),
    fraction=st.decimals("0.001", 1, places=3),
    cap=st.decimals("0.001", 1, places=3),
    entry=st.decimals("1", 5000, places=2),
)
def test_a_size_never_exceeds_its_cap_nor_its_plan(
    equity: Decimal, fraction: Decimal, cap: Decimal, entry: Decimal
) -> None:
    rule = Size(mode="fraction", fraction=fraction, max_position_fraction=cap)
    idea = candidate("AAPL", 2, plan(str(entry), "0.5"), size=rule)
    sized = size(idea, equity, POLICY, AAPL)
    assert sized.quantity * entry <= equity * min(cap, fraction)
    assert 0 <= sized.planned - sized.quantity < 1
