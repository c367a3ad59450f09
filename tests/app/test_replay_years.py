"""Three years of a book that was edited all along, and whose bars were revised afterwards."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

from app.test_versions import setting
from faults.project import figure
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.replay import replay
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import facts, live_signals
from goldenthread.domain.ids import signal_id
from goldenthread.market.bars import BarBook, KnownBars
from goldenthread.market.quality import judge
from goldenthread.positions.sizing import size
from goldenthread.research.backtest.decisions import Decisions
from goldenthread.research.backtest.setup import Account, Setup
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.engine import compile_strategy
from goldenthread.warehouse.rows.columns import numeric

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.chaos import Tally
    from goldenthread.domain.signal import Candidate
    from goldenthread.research.replay.replaying import Replay

    Edit = Callable[[Path], None]

pytestmark = [pytest.mark.slow, pytest.mark.shared]

_DAY = dt.timedelta(days=1)
FIRST, LAST = dt.date(2014, 1, 1), dt.date(2016, 12, 31)
_AFTER = dt.date(2017, 1, 6)
_REVISED = dt.datetime(2017, 1, 3, 12, tzinfo=dt.UTC)
BOOK = "sim:main"
_GATES = "goldenthread.toml"
_FACTS = """
SELECT signal_id, close, factors, verdicts, planned_entry, planned_stop, targets, trail, priority,
       planned_quantity, equity_at_decision
FROM (
  SELECT trade_id AS signal_id, signal_ds, close, factors, verdicts, planned_entry, planned_stop,
         targets, trail, priority, planned_quantity, equity_at_decision, book, ds
  FROM fact_trades WHERE ds BETWEEN @first AND @last
  UNION ALL
  SELECT signal_id, signal_ds, close, factors, verdicts, planned_entry, planned_stop,
         targets, trail, priority, planned_quantity, equity_at_decision, book, ds
  FROM fact_rejected_signals WHERE ds BETWEEN @first AND @last
  UNION ALL
  SELECT signal_id, signal_ds, close, factors, verdicts, planned_entry, planned_stop,
         targets, trail, priority, planned_quantity, equity_at_decision, book, ds
  FROM fact_signals_expired WHERE ds BETWEEN @first AND @last
)
WHERE book = @book AND signal_ds <= DATE '2016-12-31'
"""


class Stretch(NamedTuple):
    """What was in force from one date on, and its decisions on the bars as they are now."""

    first: dt.date
    last: dt.date
    project: Project


def remove(name: str) -> Edit:
    return lambda folder: (folder / "strategies" / f"{name}.toml").unlink()


def bring_back(name: str) -> Edit:
    def edit(folder: Path) -> None:
        shutil.copy(folder / "kept" / f"{name}.toml", folder / "strategies")

    return edit


def strategy(name: str, parameter: str, value: str) -> Edit:
    return setting(f"strategies/{name}.toml", parameter, value)


EDITS: list[tuple[dt.date, list[Edit]]] = [
    (FIRST, []),
    (dt.date(2014, 6, 1), [strategy("trend_rider", "stop_atr", "2.5")]),
    (dt.date(2014, 10, 1), [strategy("trend_rider", "stop_atr", "2.0")]),  # as it was
    (
        dt.date(2015, 2, 1),
        [strategy("channel_breakout", "near", "0.5"), setting(_GATES, "max_positions", "7")],
    ),
    (dt.date(2015, 6, 1), [remove("failed_rally")]),
    (
        dt.date(2015, 10, 1),
        [strategy("dip_in_uptrend", "rsi_max", "25"), setting(_GATES, "correlation_max", "0.8")],
    ),
    (dt.date(2016, 2, 1), [remove("hammer_watch"), bring_back("failed_rally")]),
    (dt.date(2016, 6, 1), [strategy("crypto_swing", "stop_atr", "3.0")]),
]


class Years(NamedTuple):
    """The project, and what was in force in each stretch of it."""

    folder: Path
    stretches: list[Stretch]


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Years:
    """Five edits of strategies, two deletions, two of the policy; then 1 % of bars revised."""
    folder = tmp_path_factory.mktemp("years") / "project"
    init_project(folder)
    actions = [shared_data / "lean_factor_files", shared_data / "lean_map_files"]
    import_bars(Project.open(folder), shared_data / "daily_bars.parquet", {}, actions)
    shutil.copytree(folder / "strategies", folder / "kept")
    stretches = []
    ends = [first - _DAY for first, _ in EDITS[1:]] + [LAST]
    for (first, edits), last in zip(EDITS, ends, strict=True):
        for edit in edits:
            edit(folder)
        project = Project.open(folder)
        simulate(project, "main", (FIRST, last))
        project.strategies()
        kept = folder.parent / f"from-{first}"
        for name in ("strategies", "goldenthread.toml", "universes.toml"):
            kept.mkdir(exist_ok=True)
            copied = shutil.copytree if (folder / name).is_dir() else shutil.copy
            copied(folder / name, kept / name)
        stretches.append(Stretch(first, last, Project.open(kept)))
    revise(folder)
    simulate(Project.open(folder), "main", (FIRST, _AFTER))
    return Years(folder, stretches)


def revise(folder: Path) -> None:
    """Bring one bar in a hundred of the years and the year before again, a little otherwise."""
    stored = pl.read_parquet(folder / "data" / "bars.parquet")
    years = stored.filter(pl.col("ds").is_between(FIRST - 365 * _DAY, LAST))
    some = years.sample(fraction=0.01, seed=7).with_columns(
        close=(pl.col("low") + pl.col("high")) / 2,
        volume=(pl.col("volume") * 1.25).round(),
        known_at=pl.lit(_REVISED, pl.Datetime("us", "UTC")),
    )
    some.write_parquet(folder / "revised.parquet")
    report = import_bars(Project.open(folder), folder / "revised.parquet", {})
    assert report.revised > 200, report


def timed(request: pytest.FixtureRequest, folder: Path, what: str, *, now: bool = False) -> Replay:
    begun = time.perf_counter()
    found = replay(Project.open(folder), BOOK, as_known_now=now)
    seconds = time.perf_counter() - begun
    figure(
        request,
        f"replay {what}: {found.days} days, {found.decisions} decisions, {found.differing}"
        f" differing, {found.same_revised_bars} the same on revised bars, {seconds:.1f} s",
    )
    return found


@pytest.mark.fault("F23")
def test_three_edited_years_decided_again_are_the_same(
    years: Years, request: pytest.FixtureRequest, tally: Tally
) -> None:
    found = timed(request, years.folder, "as known then")
    assert found.deviations == []
    assert found.equal == found.decisions > 5_000
    assert (found.not_archived, found.same_new_engine) == (0, 0)
    tally("decisions of three edited years made again from the archive", found.decisions)


@pytest.mark.fault("F23")
def test_the_warehouse_alone_says_so_too(
    years: Years, tmp_path: Path, request: pytest.FixtureRequest, tally: Tally
) -> None:
    alone = tmp_path / "alone"
    for name in ("goldenthread.toml", "warehouse"):
        copied = shutil.copytree if (years.folder / name).is_dir() else shutil.copy
        alone.mkdir(exist_ok=True)
        copied(years.folder / name, alone / name)
    found = timed(request, alone, "from the warehouse alone")
    assert found.deviations == []
    whole = replay(Project.open(years.folder), BOOK)
    assert found.equal + found.not_archived == found.decisions == whole.decisions
    assert 0 < found.not_archived < 25
    tally("the same years from the warehouse alone", found.equal)


@pytest.mark.fault("F23")
def test_as_known_now_lists_exactly_the_decisions_that_the_revisions_change(
    years: Years, request: pytest.FixtureRequest, tally: Tally
) -> None:
    found = timed(request, years.folder, "as known now", now=True)
    project = Project.open(years.folder)
    before = {row["signal_id"]: row for row in facts(project, BOOK, _FACTS).to_dicts()}
    again = decided_on_the_revised_bars(years)
    living = {document.id for document in live_signals(project, BOOK)}
    changed = {
        name
        for name in before.keys() | again.keys()
        if name not in before or name not in again or differs(before[name], again[name])
    }
    listed = {d.signal_id for d in found.deviations if d.ds <= LAST}
    assert listed - living == changed - living
    assert len(listed) > 100
    assert set(found.causes) == {"bar revised"}
    assert all(" known 2017-01-03 12:00: " in d.why for d in found.deviations)
    tally("decisions that revised bars change, named one by one", len(listed))


def decided_on_the_revised_bars(years: Years) -> dict[str, tuple[Candidate, Setup]]:
    """Each stretch decided afresh, as a backtest does, on bars that always were as they are now."""
    project = Project.open(years.folder)
    store = project.market_data
    assets = {asset.symbol: asset for asset in store.assets()}
    stored = pl.read_parquet(years.folder / "data" / "bars.parquet").sort("known_at")
    newest = stored.with_columns(known_at=pl.col("known_at").first().over("symbol", "ds"))
    final = newest.unique(["symbol", "ds"], keep="last").sort("symbol", "ds")
    actions = store.actions(list(assets))
    bars = BarBook(judge(final, actions).bars, actions, list(assets.values()), MAX_LOOKBACK)
    found: dict[str, tuple[Candidate, Setup]] = {}
    for first, last, kept in years.stretches:
        strategies = kept.strategies()
        setup = Setup(
            strategies=tuple(compile_strategy(s) for s in strategies),
            members={s.strategy_id: tuple(m for m in s.members if m in assets) for s in strategies},
            market=KnownBars(bars, assets),
            policy=kept.policy,
            account=Account(),
            first=first,
            last=last,
            texts={},
        )
        decisions = Decisions(setup)
        for number in range((last - first).days + 1):
            for c in decisions.candidates(first + number * _DAY):
                found[signal_id(c.ds, c.strategy_id, c.symbol)] = (c, setup)
    return found


def differs(row: dict[str, Any], again: tuple[Candidate, Setup]) -> bool:
    """Whether a decision says anything else than its fact, at the size of the fact's equity."""
    candidate, setup = again
    plan, asset = candidate.plan, setup.market.assets[candidate.symbol]
    factors = sorted((n, None if v is None else float(v)) for n, v in candidate.factors.items())
    said = [
        (v.name, *(None if x is None else float(x) for x in (v.value, v.threshold)), v.passed)
        for v in candidate.verdicts
    ]
    ours = [
        candidate.close,
        factors,
        said,
        None if candidate.priority is None else float(candidate.priority),
        size(candidate, row["equity_at_decision"], setup.policy, asset).planned,
        plan and (plan.entry, plan.stop, plan.trail, [t.price for t in plan.targets]),
    ]
    levels = (row["planned_entry"], row["planned_stop"], row["trail"])
    theirs = [
        row["close"],
        sorted((f["name"], f["value"]) for f in row["factors"]),
        [tuple(v[k] for k in _VERDICT) for v in row["verdicts"] if v["kind"] != "gate"],
        row["priority"],
        row["planned_quantity"],
        None if levels[0] is None else (*levels, [numeric(t["price"]) for t in row["targets"]]),
    ]
    return ours != theirs


_VERDICT = ("name", "value", "threshold", "passed")
