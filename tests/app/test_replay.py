"""Decisions made again from the warehouse: equal, or what differs first and why."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread
from app.command import PROGRAM, SUMMER, command
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.replay import replay, try_version
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import live_signals
from goldenthread.app.demo import demo_bars
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.research.replay.replaying import Deviation, Replay

_DAY = dt.timedelta(days=1)
_HIGHEST = ("series[0], bound.lookback + 1)", "series[0], max(2, bound.lookback))")
"""HIGHEST and LOWEST as they are, and one bar too short."""
_WEEK = (dt.date(2012, 6, 25), dt.date(2012, 6, 29))


@pytest.fixture(scope="module")
def alone(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse and the settings of the summer, and nothing else of it."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(summer / "warehouse", folder / "warehouse")
    shutil.copy(summer / "goldenthread.toml", folder)
    return folder


@pytest.fixture
def spoiled(alone: Path, tmp_path: Path) -> Callable[[str], Replay]:
    """What a replay of the week finds after a statement changed the warehouse."""

    def found(statement: str) -> Replay:
        folder = shutil.copytree(alone, tmp_path / "spoiled")
        session = DuckDBSession(str(folder / "warehouse" / "wh.read.duckdb"))
        session.execute(statement, {})
        session.close()
        return replay(Project.open(folder), span=_WEEK)

    return found


def only(found: Replay) -> Deviation:
    (deviation,) = found.deviations
    return deviation


def test_a_summer_decided_again_is_the_same(summer: Path) -> None:
    found = replay(Project.open(summer))
    assert found.deviations == []
    assert found.days == (SUMMER[1] - SUMMER[0]).days + 1
    assert found.equal == found.decisions > 150
    answer = command("replay", "--project", str(summer))
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert "sim:main, 2012-05-15 to 2012-08-31, bars as known then" in lines
    assert f"{'differing':<26}{0:>9}" in lines


def test_without_the_hot_store_signals_that_live_are_not_archived_yet(
    summer: Path, alone: Path
) -> None:
    whole, found = replay(Project.open(summer)), replay(Project.open(alone))
    assert found.deviations == []
    living = live_signals(Project.open(summer), "sim:main")
    assert found.not_archived == len(living) > 0
    assert found.equal == whole.equal - len(living)
    assert sorted(path.name for path in alone.iterdir()) == ["goldenthread.toml", "warehouse"]


@pytest.mark.parametrize(
    ("statement", "cause", "what"),
    [
        (
            "UPDATE fact_rejected_signals SET close = close + 0.01",
            "fact changed",
            "close",
        ),
        (
            "UPDATE fact_rejected_signals SET quantity = quantity + 1",
            "fact changed",
            "quantity",
        ),
        (
            "UPDATE fact_rejected_signals SET rejection_reasons = ['LATE']",
            "fact changed",
            "rejection_reasons",
        ),
        (
            "UPDATE fact_rejected_signals SET version_key = 'another'",
            "config changed",
            "version",
        ),
        (
            "UPDATE fact_rejected_signals SET policy_key = 'another'",
            "config changed",
            "policy",
        ),
        ("DELETE FROM fact_rejected_signals", "coverage", "decision"),
    ],
)
def test_a_fact_that_is_not_what_was_decided_is_named_with_its_cause(
    spoiled: Callable[[str], Replay], alone: Path, statement: str, cause: str, what: str
) -> None:
    whole = replay(Project.open(alone), span=_WEEK)
    session = DuckDBSession(str(alone / "warehouse" / "wh.read.duckdb"), copy=True)
    sql = "SELECT signal_id, strategy_id, symbol FROM fact_rejected_signals WHERE ds = @ds"
    row = session.query(f"{sql} ORDER BY signal_id", {"ds": _WEEK[1]}).row(0, named=True)
    session.close()
    found = spoiled(f"{statement} WHERE signal_id = '{row['signal_id']}'")
    told = only(found)
    assert (told.signal_id, told.ds) == (row["signal_id"], _WEEK[1])
    assert (told.strategy_id, told.symbol) == (row["strategy_id"], row["symbol"])
    assert (told.cause, told.what) == (cause, what)
    assert (found.decisions, found.equal) == (whole.decisions, whole.equal - 1)


def test_a_bar_that_lacks_or_was_overwritten_is_a_matter_of_coverage(
    spoiled: Callable[[str], Replay],
) -> None:
    found = spoiled("DELETE FROM fact_bars WHERE symbol = 'GOOG' AND ds = DATE '2012-04-02'")
    assert {d.symbol for d in found.deviations} == {"GOOG"}
    assert {(d.cause, d.what) for d in found.deviations} >= {("coverage", "bars_digest")}
    assert set(found.causes) == {"coverage"}


def test_a_revision_that_says_it_was_known_is_named_as_known_then(
    spoiled: Callable[[str], Replay],
) -> None:
    found = spoiled(
        "INSERT INTO fact_bars SELECT * REPLACE (close - 1 AS close, low - 1 AS low,"
        " TIMESTAMP_ADD(known_at, INTERVAL 90 MINUTE) AS known_at)"
        " FROM fact_bars WHERE symbol = 'GOOG' AND ds = DATE '2012-04-02'"
    )
    assert set(found.causes) == {"bar revised"}
    bar = demo_bars().filter(symbol="GOOG", ds=dt.date(2012, 4, 2)).row(0, named=True)
    lower = f"low {bar['low']} -> {bar['low'] - 1}, close {bar['close']} -> {bar['close'] - 1}"
    assert {d.why for d in found.deviations} == {f"GOOG 2012-04-02 known 2012-04-02 21:30: {lower}"}


def test_the_same_result_by_other_code_is_counted_apart(spoiled: Callable[[str], Replay]) -> None:
    found = spoiled("UPDATE fact_rejected_signals SET engine_digest = 'old' WHERE TRUE")
    assert (found.differing, found.same_new_engine > 5) == (0, True)


def test_a_book_whose_facts_are_all_gone_is_a_matter_of_coverage(
    spoiled: Callable[[str], Replay],
) -> None:
    found = spoiled("DELETE FROM fact_rejected_signals WHERE TRUE")
    assert set(found.causes) == {"coverage"}
    assert {(d.archived, d.again) for d in found.deviations} == {("none", "a candidate")}


def test_a_version_that_is_gone_from_the_dimension_is_a_change_of_configuration(
    spoiled: Callable[[str], Replay],
) -> None:
    found = spoiled("DELETE FROM dim_strategies WHERE strategy_id = 'channel_breakout'")
    assert {(d.strategy_id, d.cause) for d in found.deviations} == {
        ("channel_breakout", "config changed")
    }
    assert {d.again for d in found.deviations} == {"none"}


@pytest.mark.slow
def test_changed_code_is_named_by_file_and_function(alone: Path, tmp_path: Path) -> None:
    package = Path(goldenthread.__file__).parent
    copied = tmp_path / "src" / "goldenthread"
    shutil.copytree(package, copied, ignore=shutil.ignore_patterns("__pycache__"))
    source = copied / "signals" / "indicators.py"
    text = source.read_text()
    assert text.count(_HIGHEST[0]) == 1
    source.write_text(text.replace(*_HIGHEST))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "replay", "--json", "--project", str(alone)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
    )
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    assert found["causes"] == {"engine changed": found["differing"]}
    assert {d["why"] for d in found["deviations"]} == {"signals/indicators.py _own"}
    whats = {d["what"] for d in found["deviations"]}
    assert {"factor high_20 (HIGHEST(high, 20))", "decision"} <= whats
    assert found["same_new_engine"] > 100
    assert found["equal"] == 0


def test_as_known_now_names_the_revised_bars_of_each_decision_they_change(fresh: Path) -> None:
    first, last = dt.date(2012, 6, 18), dt.date(2012, 6, 29)
    simulate(Project.open(fresh), "main", (first, last))
    bars = demo_bars().filter(symbol="GOOG", ds=dt.date(2012, 6, 21))
    unread = demo_bars().filter(symbol="IBM", ds=dt.date(2012, 6, 19))  # few strategies read opens
    later = dt.datetime(2012, 6, 30, 12, tzinfo=dt.UTC)
    revised = bars.with_columns(close=bars["low"], known_at=later)
    unread = unread.with_columns(open=unread["close"], known_at=later)
    pl.concat([revised, unread]).write_parquet(fresh / "revised.parquet")
    assert import_bars(Project.open(fresh), fresh / "revised.parquet", {}).revised == 2
    simulate(Project.open(fresh), "main", (first, last + 2 * _DAY))
    project = Project.open(fresh)
    assert replay(project).differing == 0
    found = replay(project, as_known_now=True)
    assert 0 < found.differing < found.decisions
    assert set(found.causes) == {"bar revised"}
    assert found.same_revised_bars > 0
    old, low = bars["close"].item(), bars["low"].item()
    said = f"GOOG 2012-06-21 known 2012-06-30 12:00: close {old} -> {low}"
    assert {d.why.partition(";")[0] for d in found.deviations if d.symbol == "GOOG"} == {said}
    answer = command("replay", "--as-known-now", "--project", str(fresh))
    assert answer.code == 1
    assert said in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_another_version_is_tried_on_the_days_beside_those_in_force(
    summer: Path, tmp_path: Path
) -> None:
    project = Project.open(summer)
    text = (summer / "strategies" / "dip_in_uptrend.toml").read_text()
    strict = tmp_path / "strict.toml"
    strict.write_text(text.replace('TREND_TOO_WEAK = "trend > 0.015"', 'NEVER = "close < 0"'))
    tried, in_force = try_version(project, "", "", str(strict))
    assert (tried.candidates, in_force.candidates) == (in_force.candidates, tried.refused)
    assert tried.by_filter["NEVER"] == tried.candidates
    assert (tried.trades, tried.net_pnl, tried.win_rate) == (0, None, None)
    ended = (in_force.trades, in_force.not_triggered, in_force.open, in_force.unpriceable)
    assert in_force.candidates == in_force.refused + sum(ended)
    assert in_force.net_pnl is not None
    key = project.read(summer / "strategies" / "dip_in_uptrend.toml").version_key
    again, same = try_version(project, "", "dip_in_uptrend", key[:8])
    assert same == in_force
    assert again == in_force._replace(version=key[:12])


def test_what_cannot_be_asked_is_refused_with_what_there_is(summer: Path) -> None:
    project = Project.open(summer)
    with pytest.raises(UsageError, match="never had a strategy 'nobody'; it had channel_breakout"):
        replay(project, strategy="nobody")
    with pytest.raises(UsageError, match="no archived day from 2013-01-01 to 2013-02-01"):
        replay(project, span=(dt.date(2013, 1, 1), dt.date(2013, 2, 1)))
    with pytest.raises(UsageError, match="'zz', the beginning of 0 version keys; give more"):
        try_version(project, "", "", "zz")
    answer = command("replay", "--with-version", "a", "--as-known-now", "--project", str(summer))
    assert (answer.code, answer.out) == (2, "")
    assert "leave --as-known-now out" in answer.err


def test_one_strategy_is_replayed_by_its_name(summer: Path) -> None:
    project = goldenthread.open(summer)
    found = project.replay("trend_rider")
    others = [project.replay(s.strategy_id) for s in project.strategies()]
    assert 0 < found.decisions < sum(other.decisions for other in others)
    assert sum(other.decisions for other in others) == project.replay().decisions
