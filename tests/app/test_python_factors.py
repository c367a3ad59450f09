"""Factors written in Python: run only where they are enabled, kept with the version they are of."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread as gt
from app.command import command
from goldenthread.app.api.days import run, simulate
from goldenthread.app.api.evaluation.curves import left_out, threshold_curve
from goldenthread.app.api.evaluation.replay import replay
from goldenthread.app.api.project import Project
from goldenthread.app.api.research.sweeps import Helpers, SweepOrder, promote, sweep
from goldenthread.app.api.research.worlds import World
from goldenthread.app.api.strategies import check_strategies, strategy_history
from goldenthread.app.demo import demo_bars
from goldenthread.app.engines.wiring import open_hot_store, read_hot_store
from goldenthread.app.versions import Library
from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import StrategyStatus
from goldenthread.research.sweep.layout import Workers

if TYPE_CHECKING:
    from pathlib import Path

FIRST = dt.date(2012, 3, 5)
_DAY = dt.timedelta(days=1)
_SETTING = "[factors]\nenabled = {}\n"
_FACTORS = """
import goldenthread as gt
import numpy as np


@gt.factor(lookback=lambda n: n)
def momentum(price, n=10):
    out = np.full(len(price), np.nan)
    out[n:] = price[n:] / price[:-n] - 1
    return out


@gt.factor(lookback=0)
def leave(close):
    return np.zeros(len(close))


@gt.factor(lookback=3)
def hope(close):
    return np.append(close[1:], close[-1])


@gt.factor(lookback=1)
def broken(close):
    return close[1:]
"""
ALWAYS = _FACTORS.replace("np.zeros", "np.ones")
_STRATEGY = """
strategy_id = "mover"
assets = ["AAPL", "IBM"]
[params]
n = 10
[entry]
when = "momentum(close, n) > -1"
[exit]
stop = "entry * 0.5"
when = "leave() > 0"
max_bars = 200
[size]
mode = "fraction"
fraction = 0.1
"""


def enable(folder: Path, *, enabled: bool) -> None:
    settings = folder / "goldenthread.toml"
    head = settings.read_text().partition("[factors]")[0]
    settings.write_text(head + _SETTING.format(str(enabled).lower()))


def write(folder: Path, strategy: str = _STRATEGY, factors: str = _FACTORS) -> Project:
    (folder / "factors").mkdir(exist_ok=True)
    (folder / "factors" / "own.py").write_text(factors)
    (folder / "strategies" / "mover.toml").write_text(strategy)
    return Project.open(folder)


@pytest.fixture
def project(fresh: Path) -> Project:
    """A project with one strategy, which calls Python factors, enabled."""
    for path in (fresh / "strategies").glob("*.toml"):
        path.unlink()
    enable(fresh, enabled=True)
    return write(fresh)


def positions(project: Project) -> dict[str, str]:
    """The status of what is held, by symbol."""
    store = read_hot_store(project.settings, project.root, "sim:main")
    held = store.query("live_positions", equal={})
    return {document.body["symbol"]: document.body["status"] for document in held}


def test_nothing_runs_until_the_settings_say_so(project: Project) -> None:
    enable(project.root, enabled=False)
    ran = "import pathlib\npathlib.Path(__file__ + '.ran').touch()\n"
    off = write(project.root, factors=ran + _FACTORS)
    said = r"line 7: entry.when: momentum is Python code \(factors/own.py\), .* enabled = true"
    with pytest.raises(UsageError, match=said):
        off.strategies()
    for words in (("run",), ("backtest", "mover"), ("check", "lookahead")):
        answer = command(*words, "--project", str(project.root))
        assert (answer.code, answer.out) == (2, "")
        assert "[factors]" in answer.err
    assert not list(project.root.rglob("*.ran"))


def test_check_tells_candidates_or_what_is_wrong_with_a_factor(project: Project) -> None:
    (row,) = check_strategies(project, [])
    assert (row["error"], row["no_bars"]) == ("", [])
    assert isinstance(row["candidates"], int)
    assert row["candidates"] > 500
    for factor, said in (
        ("hope()", "factors.a: hope(close of "),
        ("broken()", "factors/own.py, broken: it gave back an array of shape"),
        ("momentum(close, -2)", "factors/own.py, momentum: its look-back is -2;"),
        ("momentun(close)", "line 5: factors.a: unknown function 'momentun'; did you mean"),
    ):
        text = _STRATEGY.replace("[params]", f'[factors]\na = "{factor}"\n[params]')
        (row,) = check_strategies(write(project.root, text), [])
        assert said in str(row["error"])
    peeking = _STRATEGY.replace("[params]", '[factors]\na = "hope()"\n[params]')
    answer = command("strategy", "check", "--project", str(write(project.root, peeking).root))
    assert answer.code == 2


def test_a_position_leaves_by_the_code_it_was_entered_with(project: Project) -> None:
    simulate(project, "main", (FIRST, FIRST))
    always = write(project.root, factors=ALWAYS)
    simulate(always, "main", (FIRST, FIRST + 2 * _DAY))
    assert positions(always) == {"AAPL": "OPEN", "IBM": "OPEN"}  # the old code still says never
    first, second = strategy_history(always, "sim:main", "mover")
    assert first["version"] != second["version"]
    assert first["valid_to"] == second["valid_from"]


def test_and_so_does_one_whose_code_said_leave(project: Project) -> None:
    always = write(project.root, factors=ALWAYS)
    simulate(always, "main", (FIRST, FIRST))
    never = write(project.root)
    simulate(never, "main", (FIRST, FIRST + _DAY))
    assert positions(never) == {"AAPL": "CLOSING", "IBM": "CLOSING"}


def test_old_code_that_fails_is_not_judged_and_holds_up_nobody(project: Project) -> None:
    failing = _FACTORS.replace("return np.zeros(len(close))", "return close / nothing")
    simulate(write(project.root, factors=failing), "main", (FIRST, FIRST))
    report = run(write(project.root), "sim:main", FIRST + _DAY)
    assert positions(project) == {"AAPL": "OPEN", "IBM": "OPEN"}
    told = [note for note in report.notes if "exit.when of mover is not judged" in note]
    assert len(told) == 2
    assert (
        "cannot reach it: factors/own.py, line 15: leave, given 54 bars, raised NameError"
        in told[0]
    )


def test_switched_off_the_rule_of_an_open_position_is_not_judged_and_that_is_said(
    project: Project,
) -> None:
    simulate(write(project.root, factors=ALWAYS), "main", (FIRST, FIRST))
    enable(project.root, enabled=False)
    path_of(project).unlink()
    off = Project.open(project.root)
    report = run(off, "sim:main", FIRST + _DAY)
    assert positions(off) == {"AAPL": "OPEN", "IBM": "OPEN"}
    told = [note for note in report.notes if "exit.when of mover is not judged" in note]
    assert len(told) == 2
    logged = (project.root / "logs" / "notices.jsonl").read_text().splitlines()
    assert sum("is not judged" in line for line in logged) == 2


def test_code_kept_with_a_version_must_have_its_digest(project: Project) -> None:
    simulate(project, "main", (FIRST, FIRST))
    store = open_hot_store(project.settings, project.root, "sim:main")
    (strategy,) = project.strategies()
    document = store.get("strategies", f"code-{strategy.canonical()['code']['own.py']}")
    assert document is not None
    assert document.body == {"text": _FACTORS}
    kept = Library([], runs_code=True).version(store, strategy.version_key)
    assert kept is not None
    assert kept.strategy == strategy
    store.compare_and_set(document, {"text": ALWAYS})
    assert Library([], runs_code=True).version(store, strategy.version_key) is None


def test_a_sweep_is_another_one_when_the_code_is(project: Project) -> None:
    order = SweepOrder("mover", ["n=5,10"], first=FIRST, last=dt.date(2012, 6, 1), top=1)
    found = sweep(World.of_project(project), order)
    written = promote(project, found.sweep_id, 1, StrategyStatus.SHADOW)
    (name,) = [str(row["strategy_id"]) for row in written]
    promoted = {s.strategy_id: s for s in project.strategies()}[name]
    assert f"parent mover {project.read(path_of(project)).version_key[:12]}, sweep" in (
        promoted.description
    )
    (project.root / "strategies" / f"{name}.toml").unlink()
    other = write(project.root, factors=_FACTORS + "# faster\n")
    with pytest.raises(UsageError, match=r"factors/own.py changed since the sweep"):
        promote(other, found.sweep_id, 1, StrategyStatus.SHADOW)
    assert not (project.root / "strategies" / f"{name}.toml").exists()
    assert sweep(World.of_project(other), order).sweep_id != found.sweep_id


def path_of(project: Project) -> Path:
    return project.root / "strategies" / "mover.toml"


@pytest.mark.slow
def test_processes_are_given_the_code(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.root, tmp_path / "copy")
    for folder in (project.root, tmp_path / "copy"):
        write(folder, _STRATEGY.replace("200", "5"))
    order = SweepOrder("mover", ["n=5,10,15"], first=FIRST, last=dt.date(2012, 6, 1))
    inside = sweep(World.of_project(project), order)
    beside = sweep(
        World.of_project(Project.open(tmp_path / "copy")), order, Helpers(Workers(processes=2))
    )
    assert inside.result_digest == beside.result_digest
    assert (inside.figures["trades"] > 0).all()


def test_a_notebook_backtests_them_on_bars_of_its_own_and_keeps_the_code(
    project: Project, tmp_path: Path
) -> None:
    bars = demo_bars().filter(pl.col("ds") < dt.date(2012, 6, 1))
    found = gt.backtest(path_of(project), bars, span=(FIRST, None))
    assert found.trades.height + found.signals["active"] > 0
    kept = found.save(tmp_path / "kept")
    assert (kept / "factors" / "own.py").read_text() == _FACTORS
    manifest = json.loads((kept / "manifest.json").read_text())
    assert "factors/own.py" in manifest["files"]
    enable(project.root, enabled=False)
    with pytest.raises(UsageError, match="Python factors are off"):
        gt.backtest(path_of(project), bars)


def test_decisions_are_made_again_by_the_code_archived_with_their_version(project: Project) -> None:
    simulate(project, "main", (FIRST, FIRST + _DAY))
    doubled = _FACTORS.replace("price[:-n] - 1", "price[:-n] * 2 - 1")
    after = write(project.root, factors=doubled)
    simulate(after, "main", (FIRST, FIRST + 3 * _DAY))
    shutil.rmtree(project.root / "state")
    write(project.root, factors="# gone\n")
    found = replay(Project.open(project.root))
    assert found.deviations == []
    assert found.equal + found.not_archived == found.decisions == 8  # two symbols, four days
    assert found.equal > 0
    enable(project.root, enabled=False)
    off = replay(Project.open(project.root))
    assert off.differing == found.equal
    assert {(d.cause, d.why) for d in off.deviations} == {
        ("coverage", "it calls Python factors, which are off ([factors] enabled)")
    }


def test_a_filter_is_left_out_with_the_code_archived_with_the_version(project: Project) -> None:
    filtered = _STRATEGY.replace(
        "[exit]", '[reject_unless]\nFELL = "momentum(close, n) > 0.01"\n[exit]'
    )
    simulate(write(project.root, filtered), "main", (FIRST, FIRST + 20 * _DAY))
    shutil.rmtree(project.root / "state")
    write(project.root, filtered, factors="# gone\n")
    again = Project.open(project.root)
    assert left_out(again, "sim:main")["name"].to_list() == ["FELL"]
    assert threshold_curve(again, "FELL", "mover", "sim:main").points.height > 2
    enable(project.root, enabled=False)
    off = Project.open(project.root)
    assert left_out(off, "sim:main").is_empty()
    with pytest.raises(UsageError, match="calls Python factors that may not run here or were not"):
        threshold_curve(off, "FELL", "mover", "sim:main")
