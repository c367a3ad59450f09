"""Many days in a row: a summer of the demo's bars, and six years of the shared ones."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.command import SUMMER, command, contents
from app.evaluation.reruns import TEXTS, check_curve, check_left_out
from goldenthread.app.api.project import Project

SIX_YEARS = (dt.date(2012, 9, 4), dt.date(2018, 12, 31))
ENDED_2017 = ("JNJ", "JPM", "KO", "PG", "WMT", "XOM")
ENDS = ("traded", "rejected", "expired", "invalidated")
ONCE = {"lost": 0, "duplicated": 0, "unmatched_fills": 0, "unarchived": 0}
_LARGEST = Decimal("1e-9")
_MONEY = """
SELECT ds, equity, cash, money_error FROM snapshot_accounts WHERE ds BETWEEN @from AND @to
ORDER BY ds
"""


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


def _between(span: tuple[dt.date, dt.date]) -> tuple[str, str, str, str]:
    return ("--from", str(span[0]), "--to", str(span[1]))


@pytest.mark.xdist_group("summer")
def test_every_outcome_occurs_and_the_counts_add_up(summer: Path) -> None:
    found = asked(summer, "check", "thread")
    assert {"waiting", "active", *ENDS} <= found.keys()
    assert all(found[name] > 0 for name in ("waiting", "active", *ENDS)), found
    ended = sum(found[name] for name in ENDS)
    assert found["generated"] == ended + found["waiting"] + found["active"]


@pytest.mark.xdist_group("summer")
def test_nothing_is_lost_doubled_or_unmatched(summer: Path) -> None:
    found = asked(summer, "check", "thread")
    assert {name: found[name] for name in ONCE} == ONCE
    assert found["ok"] is True
    assert found["money_error"] <= _LARGEST


@pytest.mark.xdist_group("summer")
def test_signals_are_refused_by_filters_and_by_gates(summer: Path) -> None:
    rows = asked(summer, "signals", "--outcome", "rejected")
    reasons = {row["reason"] for row in rows}
    assert {"VOLUME_TOO_LOW", "NOT_TIGHT"} <= reasons  # filters of the shipped strategies
    assert {"DUPLICATE_SYMBOL", "SHADOW_STRATEGY"} <= reasons  # gates


@pytest.mark.xdist_group("summer")
def test_no_theoretical_figure_is_missing_without_a_note(summer: Path) -> None:
    rows = [r for r in asked(summer, "signals") if r["outcome"] in {"rejected", "expired"}]
    missing = [r for r in rows if r["net_pnl"] is None]
    why = {r["signal_id"]: r["note"].split("; ")[-1] for r in missing}  # after who held the symbol
    assert set(why.values()) == {"not triggered", "still open"}
    still_open = {name for name, words in why.items() if words == "still open"}
    assert still_open == {r["signal_id"] for r in missing if r["outcome_status"] == "OPEN"}
    at_market = {r["note"] for r in rows if r["priced_as"] == "MARKET_NEXT_OPEN" and r["net_pnl"]}
    assert at_market == {"as a market order at the next open"}
    assert {r["note"] for r in asked(summer, "signals", "--outcome", "traded")} == {None}
    untouched = next(name for name, words in why.items() if words == "not triggered")
    told = asked(summer, "explain", untouched)
    assert told["summary"].endswith("it would have made nothing (not triggered).")


@pytest.mark.xdist_group("summer")
def test_the_page_of_an_open_signal_shows_no_bar_its_book_has_not_met(
    summer: Path, tmp_path: Path
) -> None:
    page = tmp_path / "open.html"
    name = asked(summer, "signals", "--outcome", "open")[0]["signal_id"]
    asked(summer, "explain", name, "--html", str(page))
    days = re.findall(r"<title>(\d{4}-\d\d-\d\d): open", page.read_text(encoding="utf-8"))
    assert max(days) == "2012-08-31"  # the bars go on to 2013


@pytest.mark.xdist_group("summer")
def test_broker_and_ledger_agree(summer: Path) -> None:
    found = asked(summer, "check", "broker")
    assert (found["ok"], found["differences"], found["as_of"]) == (True, {}, "2012-08-31")
    assert found["symbols_held"] > 0


@pytest.mark.xdist_group("summer")
def test_each_trade_made_what_the_rules_alone_say(summer: Path) -> None:
    found = asked(summer, "check", "parity")
    assert (found["ok"], found["different"], found["shown"]) == (True, 0, [])
    assert found["trades"] == found["compared"] == len(asked(summer, "trades")) > 0
    assert found["not_compared"] == {}


@pytest.mark.xdist_group("summer")
def test_a_backtest_of_the_same_dates_is_the_same_book(summer: Path) -> None:
    tested = asked(summer, "check", "parity")["backtest"]
    ended = sum(asked(summer, "check", "thread")[name] for name in ENDS)
    days = (SUMMER[1] - SUMMER[0]).days + 1
    assert (tested["different"], tested["not_compared"]) == (0, "")
    assert tested["rows"] > ended + days  # and every execution


@pytest.mark.xdist_group("summer")
def test_cutting_off_the_future_changes_no_decision(summer: Path) -> None:
    found = asked(summer, "check", "lookahead", "--days", "8")
    assert (found["ok"], found["changed"]) == (True, [])
    assert found["decisions"] > 0


@pytest.mark.xdist_group("summer")
def test_every_snapshot_conserves_money(summer: Path) -> None:
    rows = asked(summer, "warehouse", "query", _MONEY, *_between(SUMMER))
    assert len(rows) == (SUMMER[1] - SUMMER[0]).days + 1
    for row in rows:
        assert abs(Decimal(row["money_error"])) <= _LARGEST * Decimal(row["equity"]), row


@pytest.mark.xdist_group("summer")
def test_a_finished_simulation_run_again_changes_nothing_and_tells_the_same(summer: Path) -> None:
    digest, before = asked(summer, "warehouse", "digest"), contents(summer)
    again = asked(summer, "simulate", "--name", "main", *_between(SUMMER))
    assert (again["book"], again["days_run"], again["days_per_s"]) == ("sim:main", 0, None)
    assert again["signals"].keys() == {"generated", "waiting", "active", *ENDS}
    assert again["trades"] == again["signals"]["traded"] > 0
    assert Decimal(again["equity"]) > 0
    assert again["start_equity"] == "100000"
    assert (again["first"], again["last"]) == ("2012-05-15", "2012-08-31")
    assert any("FB: no bar 2012-05-15 to 2012-05-17" in words for words in again["gaps"])
    assert asked(summer, "warehouse", "digest") == digest
    assert contents(summer) == before


class SixYears(NamedTuple):
    """The project of the shared bars, and what its simulation said at its end."""

    folder: Path
    told: dict[str, Any]


@pytest.fixture(scope="module")
def six_years(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> SixYears:
    """Everything there is of the shared bars, every shipped strategy, 2,310 days."""
    folder = tmp_path_factory.mktemp("six") / "project"
    assert command("init", str(folder)).code == 0
    actions = [
        word
        for kind in ("lean_factor_files", "lean_map_files")
        for word in ("--actions", str(shared_data / kind))
    ]
    told = asked(folder, "data", "import", str(shared_data / "daily_bars.parquet"), *actions)
    assert (told["symbols"], told["new"], told["refused"]) == (30, 95_609, 0)
    return SixYears(folder, asked(folder, "simulate", "--name", "main", *_between(SIX_YEARS)))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.xdist_group("six_years")
class TestSixYearsOfRealBars:
    def test_every_day_is_run_and_every_outcome_occurs(self, six_years: SixYears) -> None:
        told = six_years.told
        print(f"\n{told['days_run']} days, {told['days_per_s']} days/s: {told['signals']}")  # noqa: T201  # its figure
        assert told["days_run"] == (SIX_YEARS[1] - SIX_YEARS[0]).days + 1 == 2_310
        assert all(told["signals"][name] > 0 for name in ENDS)
        assert told["trades"] == told["signals"]["traded"]
        assert Decimal(told["equity"]) > 0

    def test_nothing_is_lost_doubled_or_unmatched(self, six_years: SixYears) -> None:
        found = asked(six_years.folder, "check", "thread")
        assert {name: found[name] for name in ONCE} == ONCE
        assert found["ok"] is True
        live = found["waiting"] + found["active"]
        assert found["generated"] == live + sum(found[name] for name in ENDS)
        assert found["generated"] == six_years.told["signals"]["generated"]

    def test_broker_ledger_and_rules_agree(self, six_years: SixYears) -> None:
        assert asked(six_years.folder, "check", "broker")["differences"] == {}
        found = asked(six_years.folder, "check", "parity")
        assert found["shown"] == []
        assert (found["backtest"]["different"], found["backtest"]["not_compared"]) == (0, "")
        assert found["backtest"]["rows"] > 20_000  # facts, executions and daily accounts

    def test_a_stock_held_when_its_bars_ended_stops_nobody_else(self, six_years: SixYears) -> None:
        held = {p["symbol"] for p in asked(six_years.folder, "positions")}
        assert "MSFT" in held  # bought before 2013-03-01, never to be sold for want of a bar
        years = {
            int(trade["entry_ds"][:4])
            for trade in asked(six_years.folder, "trades")
            if trade["side"] == "long" and trade["symbol"] != "MSFT"
        }
        assert years == set(range(2012, 2019))

    def test_every_snapshot_conserves_money(self, six_years: SixYears) -> None:
        rows = asked(six_years.folder, "warehouse", "query", _MONEY, *_between(SIX_YEARS))
        assert len(rows) == six_years.told["days_run"]
        worst = max(abs(Decimal(r["money_error"])) / Decimal(r["equity"]) for r in rows)
        assert worst <= _LARGEST

    def test_every_gap_is_said(self, six_years: SixYears) -> None:
        gaps = six_years.told["gaps"]
        assert "MSFT: no bar 2013-03-04 to 2018-12-31 (1469 sessions, after)" in gaps
        for symbol in ENDED_2017:  # the session after 2017-09-01, over Labor Day
            assert f"{symbol}: no bar 2017-09-05 to 2018-12-31 (333 sessions, after)" in gaps
        assert "SOL/USD: no bar 2012-09-04 to 2018-12-31 (2310 sessions, all)" in gaps
        assert not any(words.startswith(("AAPL", "SPY")) for words in gaps)

    def test_what_is_recorded_says_what_runs_with_other_filters_make(
        self, six_years: SixYears
    ) -> None:
        project = Project.open(six_years.folder)
        assert len(check_left_out(project, SIX_YEARS)) == 22  # filters of eight strategies
        for strategy_id, name in list(TEXTS)[::2]:
            assert check_curve(project, SIX_YEARS, strategy_id, name) >= 6

    def test_run_again_it_changes_nothing(self, six_years: SixYears) -> None:
        digest = asked(six_years.folder, "warehouse", "digest")
        again = asked(six_years.folder, "simulate", "--name", "main", *_between(SIX_YEARS))
        assert again["days_run"] == 0
        assert asked(six_years.folder, "warehouse", "digest") == digest
