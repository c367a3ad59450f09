"""Recorded decisions at equal stakes, by hand: the trade of gold that per-strategy mode has."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from goldenthread.app.api.research.sweeps import bars_read
from goldenthread.app.api.research.worlds import World
from goldenthread.domain.errors import DataError
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.whatif.pricing import DECIDED, desks_of, price_decisions
from goldenthread.signals.compilation import compile_strategy
from research.backtest.gold import DAYS, gold_bars, gold_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.whatif.candidates import Candidates

KEY = "v"
SOUND: tuple[object, ...] = (105.0, 95.0, None, [115.0], [])


def priced(folder: Path, *decisions: tuple[dt.date, tuple[object, ...]]) -> Candidates:
    world = World.of_frame(gold_bars(), folder)
    (strategy,) = world.strategies([gold_file(folder)])
    rows = [("GOLD", ds, KEY, *levels) for ds, levels in decisions]
    stakes = Stakes(Decimal(100_000), Decimal("0.1"), world.policy, DAYS[0], DAYS[-1])
    return price_decisions(
        pl.DataFrame(rows, DECIDED, orient="row"),
        {KEY: compile_strategy(strategy)},
        desks_of(bars_read(world, strategy, DAYS[-1]), stakes),
        stakes,
    )


def test_a_decision_is_worth_what_its_stake_makes(tmp_path: Path) -> None:
    found = priced(tmp_path, (DAYS[1], SOUND))
    # A tenth of 100000 buys 95 whole shares at 105; entered at 106 and 5 bps, the target is 115.
    assert found.net.tolist() == pytest.approx([95 * (115 - 106.053)])
    assert (found.course.session.tolist(), found.course.left.tolist()) == ([1], [3])
    closed_on = (DAYS[3] - dt.date(1970, 1, 1)).days
    assert found.exit_day.tolist() == [closed_on]


def test_the_filters_it_failed_are_those_recorded_less_the_gates(tmp_path: Path) -> None:
    failed = (*SOUND[:4], ["NOT_RISING", "DUPLICATE_SYMBOL"])
    found = priced(tmp_path, (DAYS[1], failed), (DAYS[2], SOUND))
    assert {name: which.tolist() for name, which in found.failed.items()} == {
        "NOT_RISING": [True, False]
    }


@pytest.mark.parametrize(
    "levels",
    [
        (None, None, None, [], []),
        (105.0, 106.0, None, [115.0], []),
        (105.0, 95.0, None, [104.0], []),
        (20_000.0, 95.0, None, [30_000.0], []),
    ],
    ids=["no levels", "stop above the entry", "target below it", "the stake buys none"],
)
def test_what_cannot_be_ordered_is_never_taken(tmp_path: Path, levels: tuple[object, ...]) -> None:
    found = priced(tmp_path, (DAYS[1], levels))
    assert found.orderable.tolist() == [False]
    assert found.made(found.passing()).trades == 0


def test_decisions_outside_the_span_are_left_out_and_late_ones_stay_open(tmp_path: Path) -> None:
    found = priced(tmp_path, (dt.date(2023, 12, 29), SOUND), (DAYS[-1], SOUND))
    assert found.rows["signal_ds"].to_list() == [DAYS[-1]]
    assert found.course.ended.tolist() == [-1]
    assert found.made(found.passing()).trades == 0


def test_a_symbol_without_bars_is_named(tmp_path: Path) -> None:
    world = World.of_frame(gold_bars(), tmp_path)
    (strategy,) = world.strategies([gold_file(tmp_path)])
    stakes = Stakes(Decimal(1), Decimal(1), world.policy, DAYS[0], DAYS[-1])
    rows = pl.DataFrame([("GONE", DAYS[1], KEY, *SOUND)], DECIDED, orient="row")
    desks = desks_of(bars_read(world, strategy, None), stakes)
    with pytest.raises(DataError, match="no bars to price GONE with: pull them"):
        price_decisions(rows, {KEY: compile_strategy(strategy)}, desks, stakes)
