"""A curve by hand: the value turned, the rest of its filter and the other filters as recorded."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from goldenthread.reports.bootstrap import block_days, sum_interval
from goldenthread.research.whatif.curves import CURVE, READ, curve, turned
from goldenthread.research.whatif.dial import dial_of
from research.whatif.books import DAY, candidates_of
from research.whatif.test_dial import strategy

NO, YES = False, True
Read = tuple[float | None, float | None, bool]


def verdicts(**named: list[Read]) -> pl.DataFrame:
    rows = [
        ("A", DAY + dt.timedelta(days=n), name.replace("_of_", "[") + "]" * ("_of_" in name), *read)
        for name, reads in named.items()
        for n, read in enumerate(reads)
    ]
    return pl.DataFrame(rows, READ, orient="row")


def test_the_threshold_moves_and_nothing_else() -> None:
    # Values 60, 65, 75, 80 against 70; the second is refused by another filter.
    found = candidates_of([10, 100, -4, 7], TOO_HIGH=[NO, NO, YES, YES], MOVING=[NO, YES, NO, NO])
    read: list[Read] = [(60, 70, YES), (65, 70, YES), (75, 70, NO), (80, 70, NO)]
    now = strategy()
    ready = turned(found, verdicts(TOO_HIGH=read), dial_of(now, "TOO_HIGH"), {"v": now})
    points = curve(found, ready)
    assert points.schema == CURVE
    rows = {row["threshold"]: row for row in points.to_dicts()}
    assert [at for at, row in rows.items() if row["present"]] == [70]
    assert rows[70] == {
        "threshold": 70,
        "present": True,
        "passed": 1,
        "trades": 1,
        "net_pnl": 10,
        "difference": 0,
        "low": None,  # four days are too short a span
        "high": None,
        "max_drawdown": 0,
    }
    assert (rows[60]["trades"], rows[60]["net_pnl"], rows[60]["difference"]) == (0, 0, -10)
    assert (rows[80]["trades"], rows[80]["net_pnl"], rows[80]["difference"]) == (2, 6, -4)
    assert rows[80]["max_drawdown"] == pytest.approx(4 / 1010)  # 1000, 1010, 1006


def test_a_value_that_was_null_passes_at_no_threshold() -> None:
    found = candidates_of([10, 20], TOO_HIGH=[NO, YES])
    read: list[Read] = [(60, 70, YES), (None, 70, NO)]
    now = strategy()
    ready = turned(found, verdicts(TOO_HIGH=read), dial_of(now, "TOO_HIGH"), {"v": now})
    assert ready.passes(1e9).tolist() == [YES, NO]


def test_what_was_recorded_stands_at_the_threshold_it_was_recorded_at() -> None:
    # The twelve digits that are kept say 70; the decision had all of them, and it was just below.
    found = candidates_of([10], TOO_HIGH=[NO])
    now = strategy()
    read = verdicts(TOO_HIGH=[(70, 70, YES)])
    ready = turned(found, read, dial_of(now, "TOO_HIGH"), {"v": now})
    assert ready.passes(70).tolist() == [YES]


def test_the_other_terms_are_joined_as_the_filter_joins_them() -> None:
    # close > 5 and (volume > 1000 or open < close), turned in its second term.
    found = candidates_of([1, 2, 3, 4], EITHER=[YES, YES, NO, YES])
    read = verdicts(
        EITHER=[(None, None, NO), (None, None, NO), (None, None, YES), (None, None, NO)],
        EITHER_of_1=[(6, 5, YES), (4, 5, NO), (6, 5, YES), (6, 5, YES)],
        EITHER_of_2=[(800, 1000, NO), (800, 1000, NO), (800, 1000, NO), (800, 1000, NO)],
        EITHER_of_3=[(2, 1, NO), (2, 1, NO), (1, 2, YES), (None, 1, NO)],
    )
    now = strategy()
    ready = turned(found, read, dial_of(now, "EITHER[2]"), {"v": now})
    assert ready.passes(1000).tolist() == [NO, NO, YES, NO]
    # The first gets through, the second lacks its first term, the last has a null beside the or.
    assert ready.passes(700).tolist() == [YES, NO, YES, NO]


def test_a_version_without_the_term_stays_as_it_was_recorded() -> None:
    found = candidates_of([1, 2], TOO_HIGH=[NO, YES])
    old = strategy(TOO_HIGH='"RSI(close, 10) < 50"')
    dial = dial_of(strategy(), "TOO_HIGH")
    ready = turned(found, verdicts(TOO_HIGH=[(40, 50, YES), (60, 50, NO)]), dial, {"v": old})
    assert ready.passes(99).tolist() == [YES, NO]
    assert ready.moved.tolist() == [NO, NO]


def test_the_interval_is_of_the_daily_difference_to_the_present_threshold() -> None:
    # Every second signal was refused at 75, the last one at 90; each of them makes 10.
    found = candidates_of([5.0, 10.0] * 60, TOO_HIGH=[NO, YES] * 60)
    read: list[Read] = [*[(60, 70, YES), (75, 70, NO)] * 59, (60, 70, YES), (90, 70, NO)]
    now = strategy()
    dial = dial_of(now, "TOO_HIGH")
    points = curve(found, turned(found, verdicts(TOO_HIGH=read), dial, {"v": now}))
    (present,), last = points.filter("present").to_dicts(), points.row(-1, named=True)
    assert (present["low"], present["difference"], present["high"]) == (0, 0, 0)
    assert (last["threshold"], last["difference"]) == (90, 590)  # 75 is let through, 90 is not
    daily = np.array([[0.0], [10.0]] * 59 + [[0.0], [0.0]])
    bounds = sum_interval(daily, block_days(1, 120))[:, 0]  # each closed on the next day
    assert [last["low"], last["high"]] == bounds.tolist()
    assert 0 < last["low"] < 590 < last["high"]
