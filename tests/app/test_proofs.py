"""The proofs must be able to fail: spoil a ledger, and the check of it says so."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from app.command import command, process
from goldenthread.app.api import proofs
from goldenthread.market.bars import BarBook

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.domain.bar import BarWindow

pytestmark = pytest.mark.xdist_group("summer")

_SWINGS = (100.0, 101.0, 99.5, 100.5, 102.0, 101.0)


@pytest.fixture
def spoiled(summer: Path, tmp_path: Path) -> Path:
    """A copy of the project that ran a summer, for one test to spoil."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    return folder


def in_warehouse(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the statement gives, run on the copy that readers read."""
    with duckdb.connect(str(folder / "warehouse" / "wh.read.duckdb")) as warehouse:
        return warehouse.execute(sql).fetchall()


def in_file(folder: Path, name: str, sql: str, *values: object) -> int:
    """How many rows the statement changed in a SQLite file of the project."""
    with closing(sqlite3.connect(folder / "state" / name)) as store, store:
        return store.execute(sql, values).rowcount


def failing(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    """What a check says that must end with exit code 1."""
    answer = command("check", *words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (1, "")
    return answer.document


def test_a_signal_that_is_nowhere_any_more_is_lost(spoiled: Path) -> None:
    ((name,),) = in_warehouse(spoiled, "SELECT signal_id FROM fact_rejected_signals LIMIT 1")
    in_warehouse(spoiled, f"DELETE FROM fact_rejected_signals WHERE signal_id = '{name}'")
    assert in_file(spoiled, "hot.sqlite", "DELETE FROM document WHERE id = ?", name) == 1
    found = failing(spoiled, "thread")
    assert (found["lost"], found["duplicated"], found["ok"]) == (1, 0, False)


def test_a_signal_with_two_ends_is_a_duplicate(spoiled: Path) -> None:
    in_warehouse(spoiled, "INSERT INTO fact_trades SELECT * FROM fact_trades LIMIT 1")
    found = failing(spoiled, "thread")
    assert (found["lost"], found["duplicated"], found["ok"]) == (0, 1, False)


def test_a_lost_signal_is_not_made_up_for_by_a_doubled_one(spoiled: Path) -> None:
    lost, doubled = (
        name
        for (name,) in in_warehouse(
            spoiled, "SELECT signal_id FROM fact_rejected_signals ORDER BY 1 LIMIT 2"
        )
    )
    in_warehouse(
        spoiled,
        f"UPDATE fact_rejected_signals SET signal_id = '{doubled}' WHERE signal_id = '{lost}'",
    )
    assert in_file(spoiled, "hot.sqlite", "DELETE FROM document WHERE id = ?", lost) == 1
    found = failing(spoiled, "thread")
    assert (found["lost"], found["duplicated"], found["undecided"]) == (1, 1, 0)
    assert found["named"] == [
        f"lost {lost}: decided, and found nowhere",
        f"duplicated {doubled}: ends as REJECTED and REJECTED",
    ]


def test_a_fact_and_a_live_record_that_differ_are_two_ends(spoiled: Path) -> None:
    spoil = (
        "UPDATE document SET status = 'WAITING', body = json_set(body, '$.status', 'WAITING')"
        " WHERE collection = 'live_signals' AND id = ?"
    )
    ((name,),) = in_warehouse(spoiled, "SELECT trade_id FROM fact_trades ORDER BY 1 LIMIT 1")
    assert in_file(spoiled, "hot.sqlite", spoil, name) == 1
    found = failing(spoiled, "thread")
    assert (found["lost"], found["duplicated"]) == (0, 1)
    assert found["named"] == [f"duplicated {name}: ends as TRADED and WAITING"]


def test_an_end_that_nobody_decided_is_told(spoiled: Path) -> None:
    ((name,),) = in_warehouse(spoiled, "SELECT signal_id FROM fact_rejected_signals LIMIT 1")
    invented = f"{name[:-4]}beef"
    in_warehouse(
        spoiled,
        "INSERT INTO fact_rejected_signals SELECT * REPLACE"
        f" ('{invented}' AS signal_id) FROM fact_rejected_signals WHERE signal_id = '{name}'",
    )
    found = failing(spoiled, "thread")
    assert (found["lost"], found["duplicated"], found["undecided"]) == (0, 0, 1)
    assert found["named"] == [f"undecided {invented}: REJECTED, never decided"]


def test_an_execution_that_no_position_holds_is_unmatched(spoiled: Path) -> None:
    ((trade, fills),) = in_warehouse(
        spoiled,
        "SELECT position_id, COUNT(*) FROM fact_fills JOIN fact_trades ON trade_id = position_id"
        " GROUP BY position_id ORDER BY position_id LIMIT 1",
    )
    in_warehouse(spoiled, f"DELETE FROM fact_fills WHERE position_id = '{trade}'")
    delete = "DELETE FROM document WHERE collection = 'live_positions' AND id = ?"
    assert in_file(spoiled, "hot.sqlite", delete, trade) == 1
    found = failing(spoiled, "thread")
    assert (found["unmatched_fills"], found["ok"]) == (fills, False)
    assert all(words.endswith("in no trade and no position") for words in found["named"])


def test_an_execution_in_two_trades_or_twice_in_one_is_unmatched(spoiled: Path) -> None:
    first, second = in_warehouse(
        spoiled,
        "SELECT execution_id, position_id FROM fact_fills ORDER BY execution_id LIMIT 2",
    )
    other = first[1] + "x"
    in_warehouse(
        spoiled,
        f"INSERT INTO fact_fills SELECT * REPLACE ('{other}' AS position_id) FROM fact_fills"
        f" WHERE execution_id = '{first[0]}'",
    )
    in_warehouse(
        spoiled,
        "INSERT INTO fact_fills SELECT * REPLACE (99 AS fill_no) FROM fact_fills"
        f" WHERE execution_id = '{second[0]}'",
    )
    found = failing(spoiled, "thread")
    assert (found["unmatched_fills"], found["lost"], found["ok"]) == (2, 0, False)
    assert set(found["named"]) == {
        f"unmatched fill {first[0]}: in {first[1]} and {other}",
        f"unmatched fill {second[0]}: in {second[1]} (2 times)",
    }


def test_an_execution_of_a_trade_there_is_not_is_unmatched(spoiled: Path) -> None:
    ((trade, fills),) = in_warehouse(
        spoiled,
        "SELECT position_id, COUNT(*) FROM fact_fills JOIN fact_trades ON trade_id = position_id"
        " GROUP BY position_id ORDER BY position_id LIMIT 1",
    )
    in_warehouse(spoiled, f"DELETE FROM fact_trades WHERE trade_id = '{trade}'")
    delete = "DELETE FROM document WHERE collection = 'live_positions' AND id = ?"
    assert in_file(spoiled, "hot.sqlite", delete, trade) == 1
    found = failing(spoiled, "thread")
    assert (found["unmatched_fills"], found["unarchived"], found["ok"]) == (fills, 1, False)
    assert found["named"][0].endswith(f"of {trade}, which is no trade and no open position")


def test_money_that_two_ledgers_disagree_on_is_told(spoiled: Path) -> None:
    in_warehouse(spoiled, "UPDATE snapshot_accounts SET money_error = 1 WHERE ds = '2012-07-02'")
    found = failing(spoiled, "thread")
    assert found["money_error"] == pytest.approx(1e-5, rel=0.1)  # of about 100,000
    assert found["ok"] is False


def test_a_share_more_at_the_broker_is_named(spoiled: Path) -> None:
    file = "exchange-main.sqlite"
    held = command("check", "broker", "--json", "--project", str(spoiled)).document["symbols_held"]
    changed = in_file(spoiled, file, "UPDATE stakes SET quantity = CAST(quantity AS INT) + 1")
    found = failing(spoiled, "broker")
    assert len(found["differences"]) == held == changed > 0
    assert all("broker" in words and "ledger" in words for words in found["differences"].values())


def test_a_trade_that_made_what_the_rules_do_not_say_is_named(spoiled: Path) -> None:
    ((trade,),) = in_warehouse(spoiled, "SELECT trade_id FROM fact_trades ORDER BY 1 LIMIT 1")
    in_warehouse(
        spoiled, f"UPDATE fact_trades SET net_pnl = net_pnl + 0.01 WHERE trade_id = '{trade}'"
    )
    found = failing(spoiled, "parity")
    assert (found["different"], found["ok"]) == (1, False)
    assert trade[:16] in found["shown"][0]


def test_a_day_whose_money_the_backtest_does_not_say_is_named(spoiled: Path) -> None:
    in_warehouse(spoiled, "UPDATE snapshot_accounts SET cash = cash + 1 WHERE ds = '2012-07-02'")
    found = failing(spoiled, "parity")
    assert (found["different"], found["backtest"]["different"], found["ok"]) == (0, 1, False)
    assert found["shown"][0].startswith("snapshot_accounts 2012-07-02: cash ")


def test_a_signal_only_the_backtest_has_is_named(spoiled: Path) -> None:
    ((name,),) = in_warehouse(spoiled, "SELECT signal_id FROM fact_rejected_signals LIMIT 1")
    in_warehouse(spoiled, f"DELETE FROM fact_rejected_signals WHERE signal_id = '{name}'")
    found = failing(spoiled, "parity")
    assert found["shown"] == [f"fact_rejected_signals {name}: only in the backtest"]


def test_an_execution_that_differs_is_named_on_both_sides(spoiled: Path) -> None:
    ((owner,),) = in_warehouse(
        spoiled, "SELECT position_id FROM fact_fills ORDER BY order_key LIMIT 1"
    )
    in_warehouse(
        spoiled,
        "UPDATE fact_fills SET price = price + 1 WHERE order_key ="
        " (SELECT MIN(order_key) FROM fact_fills)",
    )
    found = failing(spoiled, "parity")
    assert found["backtest"]["different"] == 2
    assert all(words.startswith(f"execution of {owner} on ") for words in found["shown"])
    assert found["shown"][0].endswith("only in the book")


def test_a_book_of_other_strategies_is_not_compared_with_a_backtest(spoiled: Path) -> None:
    file = spoiled / "strategies" / "golden_cross.toml"
    file.write_text(file.read_text().replace("max_bars = 120", "max_bars = 121"))
    found = command("check", "parity", "--json", "--project", str(spoiled)).document
    assert found["backtest"] == {
        "rows": 0,
        "different": 0,
        "not_compared": "a strategy or the policy changed since it began",
    }


def test_a_trade_swept_from_the_hot_store_is_still_compared(spoiled: Path) -> None:
    ((trade,),) = in_warehouse(spoiled, "SELECT trade_id FROM fact_trades ORDER BY 1 LIMIT 1")
    swept = "DELETE FROM document WHERE collection = 'live_signals' AND status = 'CLOSED'"
    assert in_file(spoiled, "hot.sqlite", swept) > 0
    whole = command("check", "parity", "--json", "--project", str(spoiled)).document
    assert (whole["compared"], whole["not_compared"], whole["ok"]) == (whole["trades"], {}, True)
    in_warehouse(
        spoiled, f"UPDATE fact_trades SET net_pnl = net_pnl + 0.01 WHERE trade_id = '{trade}'"
    )
    assert failing(spoiled, "parity")["different"] == 1


def test_a_trade_theory_cannot_speak_of_is_counted_with_the_reason(spoiled: Path) -> None:
    (external, stray) = in_warehouse(spoiled, "SELECT trade_id FROM fact_trades ORDER BY 1 LIMIT 2")
    in_warehouse(
        spoiled,
        f"UPDATE fact_trades SET exit_reason = 'EXTERNAL' WHERE trade_id = '{external[0]}'",
    )
    in_warehouse(spoiled, f"UPDATE fact_trades SET symbol = 'GONE' WHERE trade_id = '{stray[0]}'")
    found = command("check", "parity", "--json", "--project", str(spoiled)).document
    assert found["not_compared"] == {
        "closed by the operator or at the broker": 1,
        "no bars of GONE any more": 1,
    }
    assert (found["compared"], found["different"]) == (found["trades"] - 2, 0)


class PeekingBook(BarBook):
    """Bars that let a decision see the next day's, when there is one."""

    def window(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> BarWindow | None:
        later = super().window(symbol, ds + dt.timedelta(days=1), now)
        return later or super().window(symbol, ds, now)


def test_decisions_that_look_ahead_are_found_out(
    summer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "BarBook", PeekingBook)
    found = failing(summer, "lookahead", "--days", "10")
    assert found["ok"] is False
    assert found["changed"]


def test_a_bar_not_believed_is_listed_with_its_date(spoiled: Path) -> None:
    closes = [
        *_SWINGS * 10,
        9_999.0,
        *_SWINGS * 5,
    ]  # a bar a hundred times too high, then as before
    days = [dt.date(2012, 1, 1) + dt.timedelta(days=n) for n in range(len(closes))]
    rows = "".join(f"ZZ/USD,{ds},{c},{c},{c},{c},5\n" for ds, c in zip(days, closes, strict=True))
    (spoiled / "zz.csv").write_text(f"symbol,ds,open,high,low,close,volume\n{rows}")
    assert command("data", "import", str(spoiled / "zz.csv"), "--project", str(spoiled)).code == 0
    found = [row for row in failing(spoiled, "data") if row["symbol"] == "ZZ/USD"]
    # sixty bars before it: day 60 after 1 January is 1 March in a leap year
    assert [(row["ds"], row["state"], row["close"]) for row in found] == [
        ("2012-03-01", "QUARANTINED", 9999.0)
    ]


@pytest.mark.slow
def test_neither_zone_nor_locale_nor_archiving_changes_a_decided_row(
    imported: Path, tmp_path: Path
) -> None:
    digests = {}
    for number, (zone, locale, every) in enumerate(
        [
            ("UTC", "C.UTF-8", "30"),
            ("Pacific/Kiritimati", "C", "1"),
            ("America/New_York", "POSIX", "7"),
        ]
    ):
        folder = tmp_path / str(number)
        shutil.copytree(imported, folder)
        here = ("--project", str(folder), "--json")
        ran = process(
            *("simulate", "--name", "main", "--from", "2012-06-12", "--to", "2012-07-06"),
            *("--archive-every", every, *here),
            variables={"TZ": zone, "LC_ALL": locale},
        )
        assert (ran.code, ran.err) == (0, "")
        digests[zone] = command("warehouse", "digest", *here).document
    first, *others = digests.values()
    assert all(other == first for other in others)
