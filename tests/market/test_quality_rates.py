"""The table of docs/data/quality.md is what the quality gate finds today (fault F11)."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from goldenthread.market.imports import read_actions, read_bars
from goldenthread.market.jumps import JUMP
from goldenthread.market.quality import Judged, judge
from market.quality_rates import KINDS, PAGE, UNSEEN, cases, measured, table

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally

pytestmark = [pytest.mark.shared, pytest.mark.slow]

OFTEN_UNSEEN = {"two days exchanged", "a split applied twice"}
"""What no rule promises to find: see the page."""
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Judged:
    """The shared bars, judged with LEAN's actions."""
    bars = read_bars(shared_data / "daily_bars.parquet", {}, "", NOW).bars
    return judge(bars, read_actions(shared_data / "lean_factor_files"), NOW)


@pytest.mark.fault("F11")
def test_the_table_of_wrong_bars_by_kind_is_what_the_gate_finds(
    shared_data: Path, tally: Tally
) -> None:
    found = measured(cases(shared_data))
    assert table(found) in PAGE.read_text(encoding="utf-8"), (
        "renew it: python tests/market/quality_rates.py"
    )
    promised = {name: kind for name, kind in found.items() if name not in OFTEN_UNSEEN}
    missed = sum(kind.count(UNSEEN) for kind in promised.values())
    assert missed == 0
    total = sum(kind.ends.total() for kind in promised.values())
    tally(f"wrong bars by lot, of {len(promised)} kinds", total, {"violations": missed})


def test_what_is_made_wrong_is_wrong(shared_data: Path) -> None:
    for case in cases(shared_data, days=1):
        for name, make in KINDS.items():
            wrong = make(case)
            assert wrong.actions or not wrong.bars.equals(case.bars, null_equal=False), name


@pytest.mark.fault("F11")
def test_a_close_that_another_source_contradicts_by_a_jump_is_quarantined(
    real: Judged, shared_data: Path, tally: Tally
) -> None:
    with (shared_data / "cross_source_disagreements.csv").open() as file:
        doubted = [row for row in csv.DictReader(file) if row["field"] == "close"]
    far = {
        (row["symbol"].replace("-", "/"), dt.date.fromisoformat(row["ds"]))
        for row in doubted
        if abs(float(row["rel_diff"])) > JUMP
    }
    quarantined = real.bars.filter(state="QUARANTINED").select("symbol", "ds").rows()
    assert far == set(quarantined)
    assert len(far) == 2
    tally("closes that another source contradicts by more than 20 %, quarantined", len(far))


@pytest.mark.fault("F11")
def test_no_real_move_however_wild_is_quarantined(
    real: Judged, shared_data: Path, tally: Tally
) -> None:
    with (shared_data / "anomalies.csv").open() as file:
        wild = [row for row in csv.DictReader(file) if row["kind"] == "jump_gt_35pct"]
    named = {(row["symbol"].replace("-USD", "/USD"), row["ds"]) for row in wild}
    rows = real.bars.select("symbol", "ds", "state").rows()
    states = {(s, str(ds)): state for s, ds, state in rows if (s, str(ds)) in named}
    assert len(states) == len(wild) == 59
    assert "QUARANTINED" not in states.values()
    tally("real moves of more than 35 %, none quarantined", len(wild))
    bars = len(real.bars) - real.bars["state"].to_list().count("QUARANTINED")
    assert bars == 95_607
    tally("good bars of 26 years, none refused or quarantined", bars)
