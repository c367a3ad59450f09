from __future__ import annotations

from decimal import Decimal

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Entry
from goldenthread.research.sweep.grid import Axis, axis_of, grid_of, permutation_id
from goldenthread.research.sweep.plan import plan_of
from signals.windows import strategy

D = Decimal


def test_a_range_holds_both_ends_exactly() -> None:
    assert axis_of("k=0.1:0.4:0.1") == Axis("k", (D("0.1"), D("0.2"), D("0.3"), D("0.4")))
    assert axis_of("k=1:2:0.4").values == (D(1), D("1.4"), D("1.8"))
    assert axis_of(" k = 5, 2,9 ").values == (D(5), D(2), D(9))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k", "write name=first:last:step"),
        ("k=", "write name=first:last:step"),
        ("k=1:2", "write name=first:last:step"),
        ("k=2:1:1", "is empty: 1 is below 2"),
        ("k=1:2:0", "its step 0 is not positive"),
        ("k=1,x", "'x' is no number"),
        ("k=1,nan", "'nan' is no number"),
        ("k=1,1.0", "names a value twice"),
        ("k=0:1:0.00000001", "100,000,001 values"),
    ],
)
def test_what_is_no_axis_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        axis_of(text)


def test_a_grid_is_the_product_with_the_last_axis_fastest() -> None:
    grid = grid_of([axis_of("a=1,2"), axis_of("b=5,6,7")])
    assert grid.rows[:4] == ((D(1), D(5)), (D(1), D(6)), (D(1), D(7)), (D(2), D(5)))
    assert len(grid.rows) == 6


def test_a_sample_is_drawn_without_making_the_whole_and_again_by_its_seed() -> None:
    axes = [axis_of(f"{name}=1:1000:1") for name in "abcde"]
    first = grid_of(axes, sample=50, seed=3)
    assert first == grid_of(axes, sample=50, seed=3)
    assert first != grid_of(axes, sample=50, seed=4)
    assert len(set(first.rows)) == 50
    with pytest.raises(UsageError, match="1,000,000,000,000,000 permutations are more than"):
        grid_of(axes)


def test_empty_and_doubled_grids_are_refused() -> None:
    with pytest.raises(UsageError, match="the grid is empty"):
        grid_of([])
    with pytest.raises(UsageError, match="a: varied twice"):
        grid_of([axis_of("a=1"), axis_of("a=2")])
    with pytest.raises(UsageError, match="--sample got 0"):
        grid_of([axis_of("a=1")], sample=0)


PLAN = strategy(
    params={"rsi_max": D(40), "k": D(2), "idle": D(1), "weight": D(1), "n": D(5)},
    factors={"atr": "SMA(TRANGE(), n)"},
    entry=Entry(when="close > 1", priority="weight * close"),
    reject_unless={"HIGH": "RSI(close, 5) < rsi_max"},
    stop="entry - k * atr",
)


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ("idle=1,2", "no expression of test that decides a trade alone uses the parameter 'idle'"),
        ("weight=1,2", r"priority does not: permutations do not compete"),
        ("rsi_mx=1,2", "'rsi_mx' is no parameter of test; did you mean rsi_max"),
        ("exit.max_bars=1.5,2", "is no strategy"),
        ("size.cooldown_bars=-1,2", "is no strategy"),
        ("n=5,5.5", "timeperiod is a whole number"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_anything_runs(vary: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan_of(PLAN, grid_of([axis_of(vary)]))


def test_permutations_share_what_they_have_in_common() -> None:
    axes = ["rsi_max=20:40:5", "k=1,2,3", "exit.max_bars=5,9", "size.cooldown_bars=0,2"]
    plan = plan_of(PLAN, grid_of([axis_of(text) for text in axes]))
    assert (plan.size, len(plan.entries), len(plan.rides)) == (60, 5, 6)
    part = plan.part(plan.size - 1 - plan.entry[:1] * 0)
    assert (part.size, len(part.entries), len(part.rides)) == (1, 1, 1)
    assert part.rides[0].strategy.exit.max_bars == 9
    assert part.cooldown.tolist() == [2]


def test_a_permutation_is_named_by_what_it_is() -> None:
    name = permutation_id(PLAN, {"k": D("1.50"), "rsi_max": D(30)})
    assert name == permutation_id(PLAN, {"rsi_max": D("30.0"), "k": D("1.5")})
    assert name != permutation_id(PLAN, {"rsi_max": D("30.0"), "k": D("1.6")})
