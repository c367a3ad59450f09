"""What was recorded says what a real run without the filter, or at another threshold, would."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread as gt
from app.command import SUMMER, command
from app.evaluation.reruns import (
    MONEY,
    TEXTS,
    check_curve,
    check_left_out,
    rerun,
    with_filter,
    without,
)
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.curves import left_out, threshold_curve
from goldenthread.app.api.project import Project
from goldenthread.app.api.research.worlds import World
from goldenthread.domain.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

BREAKOUT = "channel_breakout"


@pytest.mark.xdist_group("summer")
def test_what_is_recorded_says_what_a_run_without_the_filter_makes(summer: Path) -> None:
    checked = check_left_out(Project.open(summer), SUMMER)
    assert len({strategy for strategy, _ in checked}) == 8  # each decided something that summer
    assert max(map(abs, checked.values())) > 100  # dollars: the filters did something


@pytest.mark.xdist_group("summer")
@pytest.mark.parametrize(("strategy_id", "name"), TEXTS)
def test_a_curve_is_what_runs_at_its_thresholds_make(
    summer: Path, strategy_id: str, name: str
) -> None:
    assert check_curve(Project.open(summer), SUMMER, strategy_id, name) >= 6


def test_when_a_threshold_changed_midway_the_curve_is_over_all_values(
    summer: Path, tmp_path: Path
) -> None:
    """Decided at 0.9 in summer, at 0.5 in autumn; without the filter both are one."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    file = folder / "strategies" / f"{BREAKOUT}.toml"
    file.write_text(file.read_text().replace(">= 0.9", ">= 0.5"))
    until = SUMMER[1] + dt.timedelta(days=60)
    simulate(Project.open(folder), "main", (SUMMER[0], until))

    project = Project.open(folder)
    world, span = World.of_project(project), (SUMMER[0], until)
    (now,) = [s for s in project.strategies() if s.strategy_id == BREAKOUT]
    before = with_filter(now, "VOLUME_TOO_LOW", "volume_ratio >= 0.9")
    found = (
        left_out(project, "", strategy=BREAKOUT).filter(name="VOLUME_TOO_LOW").row(0, named=True)
    )
    less = rerun(world, without(now, "VOLUME_TOO_LOW"), span)
    assert found["net_pnl"] + found["leave_one_out"] == pytest.approx(less.net_pnl, abs=MONEY)
    # As it decided: 0.9 first, 0.5 then, neither all the time.
    assert found["trades"] not in {rerun(world, s, span).trades for s in (before, now)}
    curve = threshold_curve(project, "VOLUME_TOO_LOW", BREAKOUT)
    assert (curve.as_recorded, curve.test[-6:]) == (0, ">= 0.5")
    for row in curve.points.iter_rows(named=True):
        text = f"volume_ratio >= {row['threshold']:.17g}"
        made = rerun(world, with_filter(now, "VOLUME_TOO_LOW", text), span)
        assert row["net_pnl"] == pytest.approx(made.net_pnl, abs=MONEY), row
    (present,) = curve.points.filter("present").to_dicts()
    assert present["threshold"] == 0.5

    file.write_text(file.read_text().replace(">= 0.5", ">= 0.9"))  # taken back: the first version
    simulate(Project.open(folder), "main", (SUMMER[0], until + dt.timedelta(days=3)))
    assert threshold_curve(Project.open(folder), "VOLUME_TOO_LOW", BREAKOUT).test[-6:] == ">= 0.9"


def test_the_warehouse_alone_is_enough(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    shutil.rmtree(folder / "state")
    found = left_out(Project.open(folder), "sim:main")
    assert found.select("strategy_id", "name").equals(
        left_out(Project.open(summer), "sim:main").select("strategy_id", "name")
    )


@pytest.mark.xdist_group("summer")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("VOLUME_TOO_LOW", ""), "VOLUME_TOO_LOW is a filter of channel_breakout, hammer_watch"),
        (("NOTHING", ""), "no strategy has a filter 'NOTHING'; there are BUYING_CLIMAX, "),
        (("PANIC", "nobody"), "the book has no decision of nobody on these dates"),
        (("VOLUME_TOO_LOW", "hammer_watch"), "has no number to turn; a curve needs a value"),
    ],
)
def test_what_has_no_curve_is_said(summer: Path, asked: tuple[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        threshold_curve(Project.open(summer), *asked)


@pytest.mark.xdist_group("summer")
def test_dates_restrict_the_decisions(summer: Path) -> None:
    project, span = Project.open(summer), (dt.date(2012, 6, 1), dt.date(2012, 7, 31))
    curve = threshold_curve(project, "TREND_TOO_WEAK", span=span)
    (strategy,) = [s for s in project.strategies() if s.strategy_id == "dip_in_uptrend"]
    made = rerun(World.of_project(project), strategy, span)
    (present,) = curve.points.filter("present").to_dicts()
    assert (present["trades"], present["net_pnl"]) == (
        made.trades,
        pytest.approx(made.net_pnl, abs=MONEY),
    )


@pytest.mark.xdist_group("summer")
def test_the_table_of_filters_says_what_each_is_worth_beside_the_others(summer: Path) -> None:
    project = gt.open(summer)
    table, worth = project.filters(), left_out(project, "")
    known = {(row["strategy_id"], row["name"]): row["leave_one_out"] for row in worth.to_dicts()}
    for row in table.to_dicts():
        if row["kind"] == "filter":
            assert row["leave_one_out"] == known[row["strategy_id"], row["name"]], row
        else:  # a gate is the account's: no strategy is run without it
            assert row["leave_one_out"] is None
    assert "leave_one_out" not in project.filters(by="month").columns


@pytest.mark.xdist_group("summer")
def test_the_command_draws_a_curve_in_eighty_columns(summer: Path) -> None:
    asked = ("shadow", BREAKOUT, "--curve", "VOLUME_TOO_LOW", "--project", str(summer))
    told = command(*asked)
    assert told.code == 0, told.err
    assert f"{BREAKOUT} VOLUME_TOO_LOW: volume_ratio >= 0.9" in told.out
    assert "chosen in hindsight" in told.out
    (now,) = [line for line in told.out.splitlines() if "now" in line and "0.9" in line]
    assert "\N{FULL BLOCK}" in now or "\N{LIGHT SHADE}" in now
    table = [line for line in told.out.splitlines() if line.startswith(("│", "┃"))]
    assert max(map(len, table)) <= 80
    document = command(*asked, "--json").document
    points = gt.open(summer).curve("VOLUME_TOO_LOW", BREAKOUT)
    assert document["points"] == points.to_dicts()
    assert (document["signals"], document["unknown"]) == (75, 0)


@pytest.mark.xdist_group("summer")
def test_without_bars_the_facts_still_speak(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    before = gt.open(folder).filters()
    shutil.rmtree(folder / "data")
    found = gt.open(folder).filters()
    assert found["leave_one_out"].null_count() == found.height
    assert found.drop("leave_one_out").equals(before.drop("leave_one_out"))


@pytest.mark.xdist_group("summer")
def test_a_strategy_whose_symbol_lost_its_bars_has_no_figure_the_others_do(
    summer: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    file = folder / "data" / "bars.parquet"
    pl.read_parquet(file).filter(pl.col("symbol") != "DAWN/USD").write_parquet(file)
    found = set(left_out(Project.open(folder), "")["strategy_id"])
    assert set(left_out(Project.open(summer), "")["strategy_id"]) - found == {"crypto_swing"}
    with pytest.raises(DataError, match="no bars to price DAWN/USD with"):
        threshold_curve(Project.open(folder), "BUYING_CLIMAX")
