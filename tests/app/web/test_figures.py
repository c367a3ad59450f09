"""What the dashboard shows is what the warehouse holds, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING, Any

import requests

from app.command import command
from app.web.serving import asked
from goldenthread.reports.notation import money, signed_money

if TYPE_CHECKING:
    from pathlib import Path


def queried(folder: Path, sql: str) -> list[dict[str, Any]]:
    """What ``goldenthread warehouse query`` prints."""
    return list(command("warehouse", "query", sql, "--json", "--project", str(folder)).document)


def every_page(url: str, rows: str) -> list[dict[str, Any]]:
    """The rows of all pages, one after the other."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    while True:
        page = asked(url, **query)
        found += page[rows]
        if page["older"] is None:
            return found
        query = {"after": page["older"]}


def test_signals_are_those_of_the_warehouse(site: str, summer: Path) -> None:
    held = queried(
        summer,
        "SELECT signal_id, signal_ds, strategy_id, symbol, side, LOWER(outcome) AS outcome, reason,"
        " outcome_status, priced_as, net_pnl FROM all_signals ORDER BY signal_id DESC",
    )
    shown = every_page(f"{site}/api/signals", "signals")
    ended = [row for row in shown if row["outcome"] not in {"open", "waiting"}]
    assert [{k: v for k, v in row.items() if k != "note"} for row in ended] == held
    assert len(shown) == len(held) + 4  # three positions are open, one signal waits


def test_trades_are_those_of_the_warehouse(site: str, summer: Path) -> None:
    held = queried(
        summer,
        "SELECT trade_id, strategy_id, symbol, side, entry_ds, exit_ds, traded_quantity,"
        " entry_price, exit_price, exit_reason, bars_held, fees, net_pnl, r_multiple"
        " FROM fact_trades ORDER BY ds DESC, trade_id DESC",
    )
    assert every_page(f"{site}/api/trades", "trades") == held
    page = unescape(requests.get(f"{site}/trades", timeout=120).text)
    for row in held:
        assert signed_money(Decimal(row["net_pnl"]), 2).replace("-", "\u2212") in page


def test_the_account_is_that_of_the_warehouse(site: str, summer: Path) -> None:
    held = queried(summer, "SELECT ds, equity, cash, drawdown FROM snapshot_accounts ORDER BY ds")
    curve = asked(f"{site}/api/equity")
    assert [{k: row[k] for k in held[0]} for row in curve] == held
    account = asked(f"{site}/api/today")["account"]
    assert {k: account[k] for k in held[0]} == held[-1]
    moved = Decimal(held[-1]["equity"]) - Decimal(held[-2]["equity"])
    assert Decimal(account["day_pnl"]) == moved
    page = unescape(requests.get(f"{site}/", timeout=120).text)
    assert money(Decimal(held[-1]["equity"]), 2) in page
    assert signed_money(moved, 2).replace("-", "\u2212") in page


def test_strategies_are_those_of_the_warehouse(site: str, summer: Path) -> None:
    held = queried(summer, "SELECT * FROM summary_strategy_performance ORDER BY strategy_id")
    shown = asked(f"{site}/api/strategies")["strategies"]
    ended = [row for row in shown if row.get("first_ds")]
    assert [{k: row[k] for k in held[0]} for row in ended] == held
    for row in held:
        story = asked(f"{site}/api/strategies/{row['strategy_id']}")
        made = [Decimal(str(v["net_pnl"])) for v in story["versions"] if v["net_pnl"] is not None]
        assert sum(v["trades"] for v in story["versions"]) == row["trades"]
        assert round(sum(made, Decimal(0)), 6) == round(Decimal(row["net_pnl"]), 6)


def test_positions_are_marked_as_the_warehouse_marks_them(site: str, summer: Path) -> None:
    held = queried(
        summer,
        "SELECT position_id, close, unrealised_pnl FROM snapshot_positions"
        " WHERE ds = '2012-08-31' ORDER BY position_id",
    )
    shown = asked(f"{site}/api/positions")
    assert shown["marked"] == "2012-08-31"
    marked = [row for row in shown["positions"] if row["close"] is not None]
    marked.sort(key=lambda row: str(row["position_id"]))
    assert [{k: row[k] for k in held[0]} for row in marked] == held
    assert len(shown["positions"]) == len(held) + 1  # one waits for its entry


def test_runs_are_those_of_the_warehouse(site: str, summer: Path) -> None:
    held = queried(
        summer,
        "SELECT run_id, ds, status, duration_s, offered FROM job_runs"
        " ORDER BY ds DESC, started_at DESC",
    )
    shown = asked(f"{site}/api/jobs")["runs"]
    assert [{k: row[k] for k in held[0]} for row in shown] == held


def test_shadow_says_what_the_command_says(site: str, summer: Path) -> None:
    said = command("shadow", "--json", "--project", str(summer)).document["refused"]
    shown = asked(f"{site}/api/shadow")["refused"]
    assert shown == [{k: v for k, v in row.items() if k != "leave_one_out"} for row in said]
    words = ("shadow", "channel_breakout", "--curve", "VOLUME_TOO_LOW", "--json")
    curve = command(*words, "--project", str(summer)).document
    found = asked(f"{site}/api/shadow/channel_breakout/VOLUME_TOO_LOW")
    assert found == {"book": "sim:main", **curve}


def test_data_and_stories_are_those_of_the_commands(site: str, summer: Path) -> None:
    here = ("--json", "--project", str(summer))
    assert asked(f"{site}/api/data")["coverage"] == command("data", "ls", *here).document
    trade = asked(f"{site}/api/trades")["trades"][0]["trade_id"]
    told = command("explain", trade, *here).document
    assert asked(f"{site}/api/signals/{trade}") == told
    page = unescape(requests.get(f"{site}/signals/{trade}", timeout=120).text)
    assert told["summary"] in page
    assert '<svg class="chart candles"' in page
