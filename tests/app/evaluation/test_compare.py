"""Books, saved backtests and versions set against each other."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import goldenthread as gt
from app.command import SUMMER, command
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.compare import compare
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.app.api.research.backtests import Asked, backtest
from goldenthread.app.api.research.per_strategy import Bet, per_strategy
from goldenthread.app.api.research.worlds import World
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import signal_ds
from goldenthread.reports.divergence.course import Cause, Course, NoTrade
from goldenthread.reports.divergence.told import WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.evaluation.compare import Comparison

pytestmark = pytest.mark.xdist_group("compared")
WIDE = {
    "policy.slippage_bps": "25",
    "policy.profile": "live_like",
    "sim.partial_probability": "0.5",
    "gates.max_positions": "2",
}
MADE = """
SELECT COUNT(*) AS trades, SUM(net_pnl) AS net FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last
"""
JUNE = (dt.date(2012, 6, 1), dt.date(2012, 6, 30))
STRATEGY = "channel_breakout"
FILTER = '[reject_unless]\nTOO_LATE = "close < 0"\n'


@pytest.fixture(scope="module", name="project")
def _project(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The summer, a second book of worse fills, and two saved backtests; tests only read it."""
    folder = tmp_path_factory.mktemp("compared") / "project"
    shutil.copytree(summer, folder)
    simulate(Project.open(folder, WIDE), "wide", SUMMER)
    opened = Project.open(folder)
    world, asked = World.of_project(opened), Asked(opened.strategy_files(), span=SUMMER)
    backtest(world, asked).save(folder / "runs" / "all")
    per_strategy(world, replace(asked, span=JUNE), Bet()).save(folder / "runs" / "alone")
    return opened


def causes(found: Comparison) -> dict[Cause, Decimal]:
    return {bucket.cause: bucket.amount for bucket in found.divergence.buckets}


@pytest.mark.parametrize(
    "name", ["sim:main", "sim:wide", "runs/all", "runs/alone", f"{STRATEGY}@file"]
)
def test_a_side_against_itself_differs_in_nothing(project: Project, name: str) -> None:
    found = compare(project, name, name, SUMMER)
    assert found.divergence.buckets == ()
    assert found.divergence.trades[0] > 0
    assert found.as_text().endswith("equal, trade by trade")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sim:main", "sim:wide"),
        ("sim:wide", "runs/all"),
        ("runs/all", "runs/alone"),
        (f"{STRATEGY}@file", "sim:main"),
    ],
)
def test_the_causes_sum_to_the_difference_and_turn_with_the_sides(
    project: Project, a: str, b: str
) -> None:
    there, back = compare(project, a, b, SUMMER), compare(project, b, a, SUMMER)
    net = there.divergence.net
    assert sum(causes(there).values(), Decimal(0)) == net[1] - net[0] != 0
    assert causes(back) == {cause: -amount for cause, amount in causes(there).items()}
    assert back.divergence.net == net[::-1]


def test_a_books_money_is_that_of_its_trades(project: Project) -> None:
    found = compare(project, "sim:main", "sim:wide").divergence
    for book, trades, net in zip(("sim:main", "sim:wide"), found.trades, found.net, strict=True):
        row = facts(project, book, MADE).row(0, named=True)
        assert (row["trades"], row["net"]) == (trades, net)


def test_worse_fills_show_as_what_they_are(project: Project) -> None:
    found = compare(project, "sim:main", "sim:wide")
    amounts = causes(found)
    assert {Cause.SLIPPAGE, Cause.FEES, Cause.MISSED_FILL, Cause.REJECTED} <= set(amounts)
    assert (amounts[Cause.SLIPPAGE] < 0, amounts[Cause.FEES] < 0) == (True, True)
    # what is in the same sessions for the same quantity: 20 basis points more of in and out
    pairs = [p for p in found.divergence.pairs if set(p.parts) == {Cause.SLIPPAGE, Cause.FEES}]
    assert pairs
    for pair in pairs:
        assert isinstance(pair.a, Course)
        turned = pair.a.quantity * (pair.a.entry.price + pair.a.exit.price)
        assert float(-pair.parts[Cause.SLIPPAGE] / turned) == pytest.approx(0.0020, abs=3e-6)


def test_a_trade_of_one_side_is_explained_by_the_facts_of_the_other(project: Project) -> None:
    found = compare(project, "sim:main", "sim:wide").divergence
    reasons = {(pair.b.cause, pair.b.reason) for pair in found.pairs if isinstance(pair.b, NoTrade)}
    assert (Cause.REJECTED, "rejected: MAX_POSITIONS") in reasons


def test_a_saved_backtest_equals_the_simulation_trade_by_trade(project: Project) -> None:
    found = compare(project, "sim:main", "runs/all")
    assert found.divergence.difference == 0
    assert found.divergence.trades[0] == found.divergence.trades[1] > 0
    assert found.divergence.furthest(99) == ()


def test_a_filter_of_the_other_version_is_named(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project.root, folder)
    file = folder / "strategies" / f"{STRATEGY}.toml"
    file.write_text(file.read_text().replace("[reject_unless]\n", FILTER))
    edited = Project.open(folder)
    (before,) = [s for s in project.strategies() if s.strategy_id == STRATEGY]
    found = compare(edited, f"{STRATEGY}@{before.version_key[:8]}", f"{STRATEGY}@file", SUMMER)
    made = found.divergence.net[0]
    assert (made != 0, found.divergence.trades[1]) == (True, 0)
    assert causes(found) == {Cause.REJECTED: -made}
    for pair in found.divergence.pairs:
        assert isinstance(pair.b, NoTrade)
        assert pair.b.reason.startswith("rejected: TOO_LATE")


def test_a_version_says_why_it_left_out_what_the_book_traded(project: Project) -> None:
    found = compare(project, f"{STRATEGY}@file", "sim:main").divergence
    alone = [pair.a.reason for pair in found.pairs if isinstance(pair.a, NoTrade)]
    assert alone == ["rejected: COOLDOWN after the exit of 2012-06-28"]


def test_only_signals_of_the_dates_count(project: Project) -> None:
    found = compare(project, "sim:main", "runs/all", JUNE)
    assert (found.first, found.last) == JUNE
    decided = {signal_ds(pair.signal_id) for pair in found.divergence.pairs}
    assert decided
    assert all(JUNE[0] <= ds <= JUNE[1] for ds in decided)


def test_without_dates_those_count_that_both_sides_have(project: Project) -> None:
    found = compare(project, "sim:main", "runs/alone")
    assert (found.first, found.last) == JUNE


@pytest.mark.parametrize(
    ("a", "words"),
    [
        ("main", "a side is a book .sim:main., the folder of a saved backtest"),
        ("sim:nobody", "no archived day; books that have: sim:main, sim:wide"),
        ("strategies", "strategies is no saved backtest: its config.toml is missing"),
        (f"{STRATEGY}@ffffffff", f"means 0 versions of {STRATEGY}; write {STRATEGY}@file"),
        ("nobody@file", "no strategy 'nobody'; there are: channel_breakout, crypto_swing"),
    ],
)
def test_what_is_no_side_is_refused_with_what_is_allowed(
    project: Project, a: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        compare(project, a, "sim:main")


def test_an_open_project_compares_as_the_command_does(project: Project) -> None:
    found = gt.open(project.root).compare("sim:main", "sim:wide")
    assert repr(found) == command(
        "compare", "sim:main", "sim:wide", "--project", str(project.root)
    ).out.rstrip("\n")


def test_sides_without_anything_in_common_are_refused(project: Project) -> None:
    with pytest.raises(UsageError, match="of two strategies"):
        compare(project, f"{STRATEGY}@file", "dip_in_uptrend@file")
    with pytest.raises(UsageError, match="sim:main decided 2012-05-15 to 2012-08-31"):
        compare(project, "sim:main", "sim:wide", (dt.date(2013, 1, 1), None))


def test_the_command_tells_it_in_80_columns_and_as_json(project: Project) -> None:
    here = ("compare", "sim:main", "sim:wide", "--project", str(project.root))
    lines = command(*here).out.splitlines()
    assert lines[0] == "signals of 2012-05-15 to 2012-08-31"
    assert max(map(len, lines)) <= WIDTH
    document = command(*here, "--json").document
    amounts = [Decimal(cause["amount"]) for cause in document["causes"]]
    assert sum(amounts) == Decimal(document["difference"])
    assert len(document["signals"]) > 10
