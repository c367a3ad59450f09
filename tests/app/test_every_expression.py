"""One strategy that says everything there is to say is told alike by every way of running."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import goldenthread as gt
from app.command import command
from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.desks import load_assets, load_inputs
from goldenthread.app.api.project import Project
from goldenthread.app.api.research.sweeps import SweepOrder, sweep
from goldenthread.app.api.research.worlds import World
from goldenthread.app.demo import demo_bars
from goldenthread.domain.errors import UsageError
from goldenthread.market.universe import resolve
from goldenthread.research.sweep import running, work
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.sweep.work import Bars
from goldenthread.signals.binding import MAX_LOOKBACK
from research.sweep.markets import slowly
from signals.factors.files import SPREAD

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from research.sweep.markets import Told

_UNIVERSES = """
steady = ["IBM", "DAWN/USD"]
others = ["AAPL", "GOOG", "MSFT", "DUSK/USD"]
moving = { rule = "pct_rank(ROC(close, 60)) >= 0.6 and spread() > 0", among = ["@others"] }
"""
_EVERYTHING = """
strategy_id = "everything"
assets = ["@steady", "@moving"]
[params]
best = 3
[inputs]
score = { table = "scores", max_age_days = 20 }
[factors]
strength = "rank(ROC(close, 20))"
apart = "LAG(zscore(close / SMA(close, 30)), 1)"
weekly = "on('1W', close > SMA(close, 8))"
wide = "spread(12)"
[entry]
when = "strength <= best or apart < -1 or change(wide) > wide / 9"
order = "limit"
price = "close * 0.995"
priority = "-strength"
[reject_unless]
TOLD = "score > -0.5 and ref('IBM', ROC(close, 10) + change(close)) > -8"
WEEK_FALLS = "weekly or on('1M', close > LAG(close, 1))"
[exit]
stop = "entry * (0.97 - strength / 1000)"
when = "pct_rank(score) < 0.1 or rank(spread(5) / close) > 6"
max_bars = 8
[size]
mode = "fraction"
fraction = 0.2
"""
SPAN = (dt.date(2012, 1, 20), dt.date(2012, 4, 10))


@pytest.fixture(scope="module")
def told(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose only strategy says everything, simulated over eleven weeks."""
    folder = tmp_path_factory.mktemp("everything") / "project"
    shutil.copytree(imported, folder)
    for path in (folder / "strategies").glob("*.toml"):
        path.unlink()
    (folder / "universes.toml").unlink()
    add_everything(folder)
    project = Project.open(folder)
    simulate(project, "main", SPAN)
    return project


def add_everything(folder: Path) -> None:
    """Give a project the strategy that says everything, and all that it reads."""
    with (folder / "universes.toml").open("a") as file:
        file.write(_UNIVERSES)
    (folder / "strategies" / "everything.toml").write_text(_EVERYTHING)
    (folder / "factors").mkdir()
    (folder / "factors" / "ranges.py").write_text(SPREAD)
    settings = folder / "goldenthread.toml"
    settings.write_text(settings.read_text().replace("enabled = false", "enabled = true "))
    (folder / "scores.csv").write_text(_scores())
    brought = ("data", "import-factors", str(folder / "scores.csv"), "--name", "scores")
    assert command(*brought, "--project", str(folder)).code == 0


def _scores() -> str:
    """A value a symbol and week, known on its evening; one revised a week later."""
    rows = ["symbol,ds,known_at,value"]
    for at, symbol in enumerate(("AAPL", "GOOG", "IBM", "MSFT", "DAWN/USD", "DUSK/USD")):
        for week in range(16):
            ds = dt.date(2012, 1, 4) + dt.timedelta(days=7 * week + at)
            rows.append(f"{symbol},{ds},{ds}T22:00:00Z,{(week * 7 + at * 5) % 11 / 5 - 1}")
        rows.append(f"{symbol},2012-02-01,2012-02-09T12:00:00Z,0.7")
    return "\n".join(rows)


def asked(project: Project, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(project.root))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


def test_simulation_and_backtest_give_one_book(told: Project) -> None:
    found = asked(told, "check", "parity")
    assert (found["ok"], found["different"], found["shown"]) == (True, 0, [])
    assert found["trades"] == found["compared"] > 5
    assert (found["backtest"]["different"], found["backtest"]["not_compared"]) == (0, "")


@pytest.mark.fault("F21")
def test_nothing_looks_ahead(told: Project, tally: Tally) -> None:
    found = asked(told, "check", "lookahead", "--days", "12", "--to", "2012-02-06")
    assert (found["ok"], found["changed"]) == (True, [])
    assert found["decisions"] > 5
    tally("decisions of a strategy that says everything, without their future", found["decisions"])


def test_a_sweep_takes_the_trades_of_single_decisions_on_each_date(
    told: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (work, running):  # members of a chunk are compared with all others
        monkeypatch.setattr(module, "CHUNK", 2)
    order = SweepOrder("everything", ["best=1,3"], first=SPAN[0], last=SPAN[1], top=2)
    found = sweep(World.of_project(told), order)
    three = found.figures.row(by_predicate=pl.col("best") == 3, named=True)
    trades = found.store.trades(three["permutation"])
    assert trades is not None
    columns = ("symbol", "signal_ds", "entry_ds", "exit_ds", "exit_reason", "net_pnl", "bars_held")
    assert three["trades"] == trades.height > 5
    assert trades.select(columns).rows() == [
        (*one[:5], pytest.approx(one.net_pnl), one.bars_held) for one in singly(told)
    ]


def singly(project: Project) -> list[Told]:
    """The trades of a fixed fraction a signal, decided one date and symbol after the other."""
    (strategy,) = project.strategies()
    assets = load_assets(project)
    members = (assets[symbol] for symbol in resolve(strategy.assets, project.universes))
    bars = judged_bars(project).filter(pl.col("ds") <= SPAN[1])
    inputs = load_inputs(project, [strategy])
    stakes = Stakes(Decimal(100_000), Decimal("0.1"), project.policy, *SPAN)
    return slowly(strategy, Bars(bars, (), tuple(members), (), MAX_LOOKBACK, inputs), stakes)


def test_a_sweep_is_another_one_when_a_value_of_its_table_is_another(
    told: Project, tmp_path: Path
) -> None:
    shutil.copytree(told.root, tmp_path / "project")
    copy = Project.open(tmp_path / "project")
    order = SweepOrder("everything", ["best=2"], first=SPAN[0], last=dt.date(2012, 2, 10))
    before = sweep(World.of_project(copy), order)
    more = tmp_path / "more.csv"
    more.write_text("symbol,ds,known_at,value\nIBM,2012-02-03,2012-02-03T20:00:00Z,0.9\n")
    for table, is_same in (("another", True), ("scores", False)):
        brought = ("data", "import-factors", str(more), "--name", table)
        assert command(*brought, "--project", str(copy.root)).code == 0
        assert (sweep(World.of_project(copy), order).sweep_id == before.sweep_id) is is_same


def test_bars_of_ones_own_bring_no_tables(told: Project) -> None:
    with pytest.raises(UsageError, match=r"everything reads score of \[inputs\], and bars= brings"):
        gt.backtest(told.strategy_files()[0], demo_bars())
