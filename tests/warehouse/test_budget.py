from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.warehouse import loops
from goldenthread.warehouse.budget import (
    Budget,
    guarded_query,
    ledger_rows,
    require_range,
    with_range,
)
from warehouse.examples import ALL, NIGHT, at, day, empty, run, trade

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from goldenthread.ports.warehouse import Warehouse

TRADES = "SELECT symbol FROM fact_trades"


class StillClock:
    """Time that stands."""

    def __init__(self, now: dt.datetime = NIGHT) -> None:
        self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError(seconds)


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    return Budget(max_bytes=500, ledger=tmp_path / "logs" / "queries.jsonl", clock=StillClock())


def ten_trades() -> Warehouse:
    """One trade a day for ten days."""
    warehouse = empty()
    trades = [trade("10", day(2 + n), f"S{n}") for n in range(10)]
    loops.load_trades(warehouse, trades, run())
    return warehouse


@pytest.mark.parametrize(
    "sql",
    [
        f"{TRADES} WHERE ds BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'",
        f"{TRADES} WHERE ds BETWEEN @from AND @to AND symbol = 'AAPL'",
        f"{TRADES} WHERE ds >= @from AND ds < DATE_ADD(@from, INTERVAL 1 MONTH)",
        f"{TRADES} WHERE @from <= ds AND DATE '2024-12-31' >= ds",
        f"{TRADES} WHERE (ds = DATE '2024-03-04')",
        f"{TRADES} WHERE ds IN (DATE '2024-03-04', @to)",
        f"{TRADES} WHERE ds IN UNNEST(@days)",
        f"{TRADES} AS t WHERE t.ds = @from",
        (
            "SELECT t.symbol FROM fact_trades AS t JOIN fact_fills AS f ON f.fill_no = t.bars_held "
            "AND f.ds BETWEEN @from AND @to WHERE t.ds BETWEEN @from AND @to"
        ),
        "WITH t AS (SELECT * FROM fact_trades WHERE ds = @from) SELECT COUNT(*) FROM t",
        "SELECT * FROM all_signals WHERE ds BETWEEN @from AND @to",
        "SELECT * FROM summary_strategy_performance",
        "SELECT * FROM dim_strategies",
        "SELECT 1",
    ],
)
def test_a_query_with_its_dates_bounded_is_let_through(sql: str) -> None:
    require_range(sql)


@pytest.mark.parametrize(
    "sql",
    [
        TRADES,
        f"{TRADES} WHERE symbol = 'AAPL'",
        f"{TRADES} WHERE ds >= @from",
        f"{TRADES} WHERE ds BETWEEN @from AND @to OR symbol = 'AAPL'",
        f"{TRADES} WHERE ds BETWEEN @from AND exit_ds",
        f"{TRADES} WHERE entry_ds BETWEEN @from AND @to",
        f"{TRADES} WHERE ds IN (SELECT ds FROM dim_dates)",
        f"{TRADES} WHERE NOT ds BETWEEN @from AND @to",
        f"{TRADES} WHERE FORMAT_DATE('%Y', ds) = '2024'",
        (
            "SELECT t.symbol FROM fact_trades AS t JOIN fact_fills AS f ON f.fill_no = t.bars_held "
            "WHERE t.ds BETWEEN @from AND @to"
        ),
        (
            "SELECT t.symbol FROM fact_trades AS t LEFT JOIN dim_dates AS d ON d.ds = t.ds "
            "AND t.ds BETWEEN @from AND @to"
        ),
        "WITH t AS (SELECT * FROM fact_trades) SELECT * FROM t WHERE ds = @from",
        "SELECT (SELECT COUNT(*) FROM fact_fills) AS n",
        f"SELECT 1 FROM dim_dates WHERE EXISTS ({TRADES})",
        f"{TRADES} WHERE ds = @from UNION ALL {TRADES}",
        "SELECT * FROM agg_strategy_daily",
        "SELECT * FROM bars_current WHERE symbol = 'AAPL'",
    ],
)
def test_a_query_without_a_date_range_is_refused_with_what_to_add(sql: str) -> None:
    with pytest.raises(UsageError, match=r"without a date range; add `\w+\.ds BETWEEN"):
        require_range(sql)


@pytest.mark.parametrize("sql", ["DROP TABLE fact_trades", "SELECT 1; SELECT 2", "", "SELEC 1"])
def test_anything_but_one_select_is_refused(sql: str) -> None:
    with pytest.raises(UsageError):
        require_range(sql)


@pytest.mark.parametrize(
    "sql",
    [
        TRADES,
        f"{TRADES} WHERE symbol = 'S3' OR symbol = 'S4'",
        (
            "SELECT t.symbol FROM fact_trades AS t LEFT JOIN fact_fills AS f "
            "ON f.position_id = t.trade_id"
        ),
        "WITH t AS (SELECT * FROM fact_trades) SELECT symbol FROM t",
        f"{TRADES} UNION ALL {TRADES}",
        "SELECT symbol FROM all_signals",
    ],
)
def test_a_range_can_be_given_from_outside(sql: str) -> None:
    bounded = with_range(sql, day(5), day(6))
    require_range(bounded)
    rows = ten_trades().query(bounded, {})
    assert set(rows["symbol"]) <= {"S3", "S4"}  # S3 left on day 5, S4 on day 6
    assert rows.height == (4 if "UNION" in sql else 2)


def test_a_range_of_its_own_is_left_alone() -> None:
    sql = f"{TRADES} WHERE ds = DATE '2024-03-04'"
    assert with_range(sql, day(5), day(6)) == sql.replace(
        "DATE '2024-03-04'", "CAST('2024-03-04' AS DATE)"
    )


def test_a_query_inside_its_budget_is_answered_and_written_down(budget: Budget) -> None:
    sql = f"{TRADES} WHERE ds BETWEEN @from AND @to"
    rows = guarded_query(ten_trades(), sql, {"from": day(5), "to": day(6)}, budget)
    assert rows["symbol"].to_list() == ["S3", "S4"]
    (entry,) = ledger_rows(budget.ledger)
    # two rows of symbol (32 bytes for a text) and ds (8)
    assert (entry["bytes"], entry["allowed"], entry["sql"]) == (80, True, sql)
    assert entry["at"] == NIGHT.isoformat()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT symbol FROM fact_trades WHERE ds = @from", 1),
        ("SELECT symbol FROM fact_trades WHERE ds >= @from AND ds < @to", 1),
        ("SELECT symbol FROM fact_trades AS t WHERE t.ds BETWEEN @from AND @to", 2),
        (
            (
                "SELECT symbol FROM fact_trades WHERE ds >= @from "
                "AND ds < DATE_ADD(@from, INTERVAL 3 DAY)"
            ),
            3,
        ),
        ("WITH x AS (SELECT symbol FROM fact_trades WHERE ds = @to) SELECT * FROM x", 1),
        ("SELECT symbol FROM fact_trades WHERE ds = @from AND symbol = 'ABSENT'", 1),
    ],
)
def test_the_estimate_counts_the_rows_of_the_dates_asked_for(sql: str, rows: int) -> None:
    size = ten_trades().estimate(sql, {"from": day(5), "to": day(6)})
    assert size == rows * (32 + 8)  # symbol and ds


def test_the_estimate_counts_a_joined_table_by_its_own_dates() -> None:
    sql = (
        "SELECT t.symbol FROM fact_trades AS t LEFT JOIN fact_trades AS o "
        "ON o.trade_id = t.trade_id AND o.ds = @from WHERE t.ds = @from"
    )
    size = ten_trades().estimate(sql, {"from": day(5)})
    assert size == (32 + 32 + 8) + (32 + 8)  # symbol, trade_id, ds of one; trade_id, ds of one


def test_a_view_costs_what_the_tables_under_it_cost() -> None:
    dates = {"from": day(5), "to": day(6)}
    sql = "SELECT * FROM all_signals WHERE ds BETWEEN @from AND @to"
    one = ten_trades().estimate(sql, dates)
    assert one > 0
    wider = ten_trades().estimate(sql, {"from": day(5), "to": day(8)})
    assert wider == 2 * one  # four trades, not two


@pytest.mark.parametrize(
    "sql",
    [
        f"{TRADES} WHERE ds BETWEEN @from AND @to",
        f"{TRADES} WHERE ds >= DATE '2024-03-06' AND ds <= DATE '2024-03-15'",
    ],
)
def test_a_query_above_its_budget_is_told_the_newest_dates_that_fit(
    sql: str, tmp_path: Path
) -> None:
    late = Budget(100, tmp_path / "queries.jsonl", StillClock(at(day(11))))
    values = {"from": day(2), "to": day(11)}
    # ten rows of 40 bytes: two of them are inside 100
    said = r"try the dates BETWEEN DATE '2024-03-14' AND DATE '2024-03-15' \(80 bytes\)"
    with pytest.raises(UsageError, match=said):
        guarded_query(ten_trades(), sql, values, late)


def test_a_query_above_its_budget_is_refused_unread_and_written_down(budget: Budget) -> None:
    wide = "SELECT * FROM fact_trades WHERE ds BETWEEN @from AND @to"
    with pytest.raises(UsageError, match=r"bytes, its budget is 500; .*\[warehouse\] max_query"):
        guarded_query(ten_trades(), wide, ALL, budget)
    (entry,) = ledger_rows(budget.ledger)
    assert not entry["allowed"]
    assert entry["bytes"] > 500


def test_a_query_without_dates_never_reaches_the_warehouse(budget: Budget) -> None:
    with pytest.raises(UsageError, match="date range"):
        guarded_query(ten_trades(), TRADES, {}, budget)
    assert ledger_rows(budget.ledger) == []


def test_one_day_above_the_budget_is_said(tmp_path: Path) -> None:
    small = Budget(39, tmp_path / "queries.jsonl", StillClock(at(day(11))))
    sql = f"{TRADES} WHERE ds BETWEEN @from AND @to"
    with pytest.raises(UsageError, match="2024-03-15 alone is 40 bytes, take fewer columns"):
        guarded_query(ten_trades(), sql, {"from": day(2), "to": day(11)}, small)


@pytest.mark.parametrize("sql", [TRADES, f"{TRADES} WHERE symbol = 'S1'", f"{TRADES} WHERE 1 = 1"])
def test_duckdb_too_refuses_to_read_a_partitioned_table_without_its_dates(sql: str) -> None:
    with pytest.raises(UsageError, match="fact_trades is read without a filter on its partition"):
        ten_trades().query(sql, {})


def test_duckdb_reads_the_lists_of_a_table_within_its_dates() -> None:
    sql = "SELECT v.name FROM fact_trades CROSS JOIN UNNEST(verdicts) AS v WHERE "
    within = f"{sql} ds BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'"
    assert ten_trades().query(within, {}).height > 0
    with pytest.raises(UsageError, match="fact_trades is read without a filter on its partition"):
        ten_trades().query(f"{sql} v.passed", {})
