"""A book of profile `live_like`: dividends and borrow from the exchange to the warehouse."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.command import command
from emulators.exchange import over_http
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import ALL_TIME, facts
from goldenthread.app.api.store import digest

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

SPAN = (dt.date(2012, 6, 1), dt.date(2012, 7, 31))
_STRATEGY = """
strategy_id = "{side}s"
assets      = {assets}
timeframe   = "1D"
side        = "{side}"

[entry]
when = "close > 0"

[reject_unless]
UP_TODAY = "close > open"

[exit]
stop     = "entry * {stop}"
targets  = [{{ at = "entry * {target}", sell = 0.5 }}]
trail    = "0.05 * entry"
max_bars = 12

[size]
mode     = "fraction"
fraction = 0.1
"""
_ACTIONS = """symbol,kind,ex_ds,ratio,amount
AAPL,DIVIDEND,2012-06-12,,2.65
AAPL,DIVIDEND,2012-07-13,,2.65
IBM,DIVIDEND,2012-06-20,,0.85
GOOG,DIVIDEND,2012-06-15,,1.1
MSFT,DIVIDEND,2012-06-19,,0.2
MSFT,DIVIDEND,2012-06-26,,0.3
MSFT,DIVIDEND,2012-07-16,,0.0371
"""
_ROWS = "SELECT * FROM {} WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"


@pytest.fixture(scope="module", name="paid")
def _paid(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that goes long and short in shares that pay dividends, not run yet."""
    folder = tmp_path_factory.mktemp("paid") / "project"
    shutil.copytree(imported, folder)
    settings = folder / "goldenthread.toml"
    told = settings.read_text().replace('"paper"          #', '"live_like"      #')
    assert '"live_like"      #' in told
    settings.write_text(told)
    shutil.rmtree(folder / "strategies")
    (folder / "strategies").mkdir()
    levels = {"long": (["AAPL", "IBM"], 0.9, 1.04), "short": (["GOOG", "MSFT"], 1.1, 0.96)}
    for side, (assets, stop, target) in levels.items():
        text = _STRATEGY.format(side=side, assets=assets, stop=stop, target=target)
        (folder / "strategies" / f"{side}s.toml").write_text(text)
    (folder / "actions.csv").write_text(_ACTIONS)
    import_bars(Project.open(folder), folder / "bars.parquet", {}, [folder / "actions.csv"])
    return folder


@pytest.fixture(scope="module", name="ran")
def _ran(paid: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with a book simulated over two months."""
    folder = tmp_path_factory.mktemp("ran") / "project"
    shutil.copytree(paid, folder)
    project = Project.open(folder)
    simulate(project, "main", SPAN)
    return project


def rows(project: Project, table: str) -> pl.DataFrame:
    return facts(project, "sim:main", _ROWS.format(table), ALL_TIME)


def test_trades_are_booked_with_what_they_earned_and_cost(ran: Project) -> None:
    trades = rows(ran, "fact_trades").to_dicts()
    assert {trade["side"] for trade in trades} == {"long", "short"}
    for trade in trades:
        made = trade["gross_pnl"] - trade["fees"] + trade["dividends"]
        assert trade["net_pnl"] == made
        sign = 1 if trade["side"] == "long" else -1
        assert trade["dividends"] * sign >= 0
        assert (trade["borrow_fees"] > 0) == (sign < 0)
    assert any(trade["dividends"] > 0 for trade in trades)
    assert any(trade["dividends"] < 0 for trade in trades)


def test_a_dividend_is_the_amount_times_the_shares_held_over_the_close_before(
    ran: Project,
) -> None:
    (held,) = [
        trade
        for trade in rows(ran, "fact_trades").to_dicts()
        if trade["symbol"] == "AAPL"
        if trade["entry_ds"] < dt.date(2012, 6, 12) <= trade["exit_ds"] < dt.date(2012, 7, 13)
    ]
    sold = rows(ran, "fact_fills").to_dicts()
    before = [f for f in sold if f["position_id"] == held["trade_id"] and f["ds"].day < 12]
    shares = sum(f["quantity"] * (1 if f["order_side"] == "buy" else -1) for f in before)
    assert held["dividends"] == shares * Decimal("2.65")


def test_money_is_conserved_on_every_day(ran: Project) -> None:
    accounts = rows(ran, "snapshot_accounts")
    worst = max(abs(error) for error in accounts["money_error"])
    assert worst <= Decimal("1e-9") * 100_000
    assert accounts["dividends"][0] == 0
    assert len(set(accounts["dividends"])) > 4
    proof = check_thread(ran, "sim:main")
    assert proof["ok"]


def test_the_backtest_and_the_rules_give_the_same_rows(ran: Project) -> None:
    answer = command("check", "parity", "--json", "--project", str(ran.root))
    found = answer.document
    assert found["backtest"]["rows"] > 100
    assert found["backtest"]["different"] == 0
    assert (found["compared"], found["different"], found["ok"]) == (found["trades"], 0, True)


def test_the_exchange_over_http_pays_and_charges_the_same(
    paid: Path, ran: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(paid, folder)
    with over_http(folder, "SIM-main", SPAN[0]) as (project, _exchange):
        simulate(project, "main", SPAN)
        assert digest(project, "sim:main") == digest(ran, "sim:main")
