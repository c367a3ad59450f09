"""Symbols that stop trading, for a while or for good, and days on which nobody trades."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from app.command import command
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.checks import begun
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import facts
from goldenthread.domain.asset import AssetClass
from goldenthread.positions.blotter import live_positions
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally

_STRATEGY = """
strategy_id = "holder"
assets      = ["{symbol}"]
timeframe   = "1D"
side        = "long"

[entry]
when = "close > 0"

[exit]
stop     = "entry * 0.3"
max_bars = {bars}

[size]
mode     = "fraction"
fraction = 0.1
"""
FIRST, LAST_BAR = dt.date(2008, 7, 1), dt.date(2008, 9, 26)
BEGIN, END = dt.date(2008, 9, 15), dt.date(2008, 10, 20)
TRADES = "SELECT * FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"
FILLS = "SELECT * FROM fact_fills WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"
MONEY = (
    "SELECT money_error FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last"
)


def project_of(folder: Path, symbol: str, bars: int) -> Project:
    """A new project whose only strategy always holds one symbol."""
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    (folder / "strategies").mkdir()
    text = _STRATEGY.format(symbol=symbol, bars=bars)
    (folder / "strategies" / "holder.toml").write_text(text)
    return Project.open(folder)


def falling(folder: Path, gone: set[dt.date]) -> Path:
    """A file of a bank's last summer: a cent lower every session, and nothing after LAST_BAR."""
    rows = ["symbol,ds,open,high,low,close,volume"]
    for number, ds in enumerate(sessions(AssetClass.EQUITY, FIRST, LAST_BAR)):
        close = 200 - number
        if ds not in gone:
            prices = (close + 1, close + 2, close - 1, close)
            rows.append(f"BANK,{ds},{','.join(f'{p / 100:.2f}' for p in prices)},1000000")
    file = folder / "bank.csv"
    file.write_text("\n".join(rows))
    return file


def told(project: Project, sql: str) -> list[dict[str, Any]]:
    return facts(project, "sim:main", sql).to_dicts()


def assert_sound(project: Project) -> None:
    """Money holds, and exchange, shadow and backtest say the same."""
    assert all(abs(row["money_error"]) <= Decimal("1e-5") for row in told(project, MONEY))
    desk, _ = begun(project, "sim:main")
    assert desk.engines.hot_store.query("quarantine") == []
    desk.close()
    for what in ("thread", "broker", "parity"):
        answer = command("check", what, "--project", str(project.root))
        assert answer.code == 0, answer.out


@pytest.mark.fault("F18", "a symbol held over its delisting, in the daily flow")
def test_what_is_delisted_is_closed_once_at_its_last_close(tmp_path: Path) -> None:
    project = project_of(tmp_path, "BANK", 60)
    action = tmp_path / "actions.csv"
    action.write_text("symbol,kind,ex_ds\nBANK,DELISTING,2008-09-29\n")
    import_bars(project, falling(tmp_path, set()), {}, [action])
    simulate(project, "main", (BEGIN, END))
    (trade,) = told(project, TRADES)
    # 62 sessions from 1 July to 26 September 2008: the last close is 200 - 61 = 139 cents
    assert (trade["exit_ds"], trade["exit_reason"]) == (dt.date(2008, 9, 29), "DELISTED")
    assert trade["exit_price"] == Decimal("1.39")
    paid = told(project, FILLS)[-1]
    assert (paid["ds"], paid["flags"]) == (dt.date(2008, 9, 29), ["DELISTED"])
    assert paid["order_key"] == f"{trade['trade_id']}-external1-1"
    assert_sound(project)


@pytest.mark.fault("F18", "a last bar that lost 91 %, borne out by what was paid after it")
def test_a_last_fall_counts_when_what_was_paid_after_it_is_a_bar(tmp_path: Path) -> None:
    project = project_of(tmp_path, "BANK", 60)
    file, action = falling(tmp_path, {LAST_BAR}), tmp_path / "actions.csv"
    with file.open("a") as rows:  # Washington Mutual closed at 1.69, then at 0.16
        rows.write("\nBANK,2008-09-26,0.25,0.30,0.12,0.13,9000000")
        rows.write("\nBANK,2008-09-29,0.13,0.13,0.13,0.13,1000")
    action.write_text("symbol,kind,ex_ds\nBANK,DELISTING,2008-09-29\n")
    import_bars(project, file, {}, [action])
    simulate(project, "main", (BEGIN, END))
    (trade,) = told(project, TRADES)
    assert trade["exit_price"] <= Decimal("0.13")
    assert_sound(project)


@pytest.mark.fault("F18", "a symbol held that trades no more and nobody says why")
def test_what_trades_no_more_without_a_word_is_held_and_marked_stale(tmp_path: Path) -> None:
    project = project_of(tmp_path, "BANK", 60)
    import_bars(project, falling(tmp_path, set()), {})
    simulate(project, "main", (BEGIN, END))
    assert told(project, TRADES) == []
    desk, _ = begun(project, "sim:main")
    (position,) = live_positions(desk.engines.hot_store)
    assert position.flags == ("STALE",)
    assert position.stale_sessions == len(sessions(AssetClass.EQUITY, LAST_BAR, END)) - 1
    assert max(row["ds"] for row in told(project, FILLS)) <= LAST_BAR
    assert_sound(project)


@pytest.mark.fault("F18", "a symbol halted on the day its exit is due")
def test_an_exit_that_is_due_in_a_halt_waits_for_the_first_open_after_it(tmp_path: Path) -> None:
    halted = set(sessions(AssetClass.EQUITY, dt.date(2008, 9, 18), dt.date(2008, 9, 22)))
    project = project_of(tmp_path, "BANK", 2)
    import_bars(project, falling(tmp_path, halted), {})
    simulate(project, "main", (BEGIN, dt.date(2008, 9, 24)))
    first = told(project, TRADES)[0]
    # entered on the 16th, due after two bars on the 17th: 18, 19 and 22 have no open
    assert (first["entry_ds"], first["exit_ds"]) == (dt.date(2008, 9, 16), dt.date(2008, 9, 23))
    assert not halted & {row["ds"] for row in told(project, FILLS)}
    assert_sound(project)


@pytest.mark.shared
@pytest.mark.fault("F18")
def test_days_on_which_nobody_traded_are_bars_like_others(
    tmp_path: Path, shared_data: Path, tally: Tally
) -> None:
    project = project_of(tmp_path, "BNO", 2)
    until = dt.date(2010, 12, 3)
    bars = pl.read_parquet(shared_data / "daily_bars.parquet").filter(symbol="BNO")
    bars = bars.filter(pl.col("ds") <= until)
    bars.write_parquet(tmp_path / "bars.parquet")
    import_bars(project, tmp_path / "bars.parquet", {})
    simulate(project, "main", (dt.date(2010, 7, 26), until))
    quiet = set(bars.filter(volume=0)["ds"])
    filled = {row["ds"] for row in told(project, FILLS)}
    assert len(quiet) > 10
    assert filled & quiet
    assert filled <= set(bars["ds"])
    assert_sound(project)
    tally("real days without volume, traded through", len(quiet))
