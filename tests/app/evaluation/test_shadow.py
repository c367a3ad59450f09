from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, get_args

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import goldenthread as gt
from app.command import SUMMER, command
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.shadow import refusals
from goldenthread.domain.policy import GATE_NAMES
from goldenthread.reports.attribution.refusals import By

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.project import Project

LATER = dt.date(2012, 12, 31)
SETTLED = ("resolved", "unpriceable", "untriggered")


@pytest.mark.xdist_group("summer")
def test_the_facts_of_a_book_say_what_the_frames_of_its_backtest_say(summer: Path) -> None:
    project = gt.open(summer)
    tested = gt.backtest(project.strategy_files(), span=SUMMER, project=summer)
    found = project.filters()
    assert found.height > 10
    order = ("kind", "strategy_id", "name")
    alike = found.drop("leave_one_out").sort(order)
    assert_frame_equal(alike, tested.filters.sort(order), rel_tol=1e-9)


@pytest.mark.xdist_group("summer")
def test_the_sums_are_those_of_the_single_signals(summer: Path) -> None:
    project = gt.open(summer)
    made = _made_alone(project)
    assert len(made) >= 5
    for row in project.filters().filter(pl.col("alone_resolved") > 0).iter_rows(named=True):
        mine = made[row["strategy_id"] or "", row["name"]]
        assert (row["alone_resolved"], row["alone_net_pnl"]) == (
            len(mine),
            pytest.approx(sum(mine)),
        )
        assert row["alone_hit_rate"] == sum(amount <= 0 for amount in mine) / len(mine)


@pytest.mark.xdist_group("summer")
def test_what_is_open_has_no_money_until_a_later_archive_resolves_it(
    summer: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    project = gt.open(folder)
    before, made = project.filters(span=SUMMER), _made_alone(project)
    assert before["open"].sum() > before["alone_open"].sum() > 0
    simulate(project, "main", (SUMMER[0], LATER))
    after, later = project.filters(span=SUMMER), _made_alone(project)
    names = ("kind", "strategy_id", "name", "refused")
    assert after.select(names).sort(names).rows() == before.select(names).sort(names).rows()
    assert after["open"].sum() == 0  # each is resolved now, or would not have been filled
    settled = [table.select(pl.sum_horizontal(*SETTLED).sum()).item() for table in (before, after)]
    assert settled[1] - settled[0] == before["open"].sum()
    assert sum(map(len, later.values())) > sum(map(len, made.values()))
    for row in after.filter(pl.col("alone_resolved") > 0).iter_rows(named=True):
        mine = later[row["strategy_id"] or "", row["name"]]
        assert (row["alone_resolved"], row["alone_net_pnl"]) == (
            len(mine),
            pytest.approx(sum(mine)),
        )


def _made_alone(project: Project) -> dict[tuple[str, str], list[float]]:
    """What each filter (with its strategy) and gate (with none) refused by itself made, by hand."""
    made: dict[tuple[str, str], list[float]] = {}
    for row in refusals(project, "", span=SUMMER).iter_rows(named=True):
        causes = set(row["rejection_reasons"])
        named = causes - {"SHADOW_STRATEGY"} or causes
        if len(named) == 1 and row["theoretical_net_pnl"] is not None:
            (name,) = named
            whose = "" if name in GATE_NAMES else row["strategy_id"]
            made.setdefault((whose, name), []).append(row["theoretical_net_pnl"])
    return made


@pytest.mark.xdist_group("summer")
def test_one_strategy_one_month_or_one_symbol_is_part_of_the_whole(summer: Path) -> None:
    project = gt.open(summer)
    whole = project.filters().filter(strategy_id="channel_breakout")
    mine = project.filters("channel_breakout").filter(kind="filter")
    assert mine.select("name", "refused").rows() == whole.select("name", "refused").rows()
    for by in get_args(By)[1:]:
        parts = project.filters("channel_breakout", by)
        summed = parts.filter(kind="filter").group_by("name").agg(pl.col("refused", "alone").sum())
        assert_frame_equal(
            summed.sort("name"), mine.select("name", "refused", "alone").sort("name")
        )
    august = (dt.date(2012, 8, 1), dt.date(2012, 8, 31))
    assert set(project.filters(by="month", span=august)["month"]) == {dt.date(2012, 8, 1)}


@pytest.mark.xdist_group("summer")
def test_a_strategy_without_refusals_or_an_unknown_part_is_said_to_be_so(summer: Path) -> None:
    here = ("--project", str(summer))
    answer = command("shadow", "chanel_breakout", *here)
    assert answer.code == 2
    assert "channel_breakout" in answer.err
    answer = command("shadow", "--by", "week", *here)
    assert answer.code == 2
    assert "filter, symbol, month" in answer.err


@pytest.mark.xdist_group("summer")
def test_people_read_a_table_for_each_strategy_and_one_of_the_gates(summer: Path) -> None:
    out = command("shadow", "--project", str(summer)).out
    assert "channel_breakout" in out
    assert "the account's gates" in out
    assert "not enough evidence: n = " in out
    by_month = command("shadow", "--by", "month", "--project", str(summer)).out
    assert "2012-06" in by_month
    assert "verdict" not in by_month
