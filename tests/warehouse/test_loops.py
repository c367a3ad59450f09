from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import ConflictError
from goldenthread.domain.order import IntentStatus
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.warehouse import loops
from goldenthread.warehouse.digest import digest
from warehouse.examples import (
    ALL,
    BOOK,
    DAY,
    account,
    at,
    day,
    empty,
    expired_signal,
    fill,
    intent,
    position,
    resolved,
    run,
    signal,
    trade,
    waiting,
)

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse


def rows(warehouse: Warehouse, table: str) -> pl.DataFrame:
    sql = f"SELECT * FROM {table} WHERE ds BETWEEN @from AND @to ORDER BY ds"
    return warehouse.query(sql, ALL)


def bars(*states: str, known_at: dt.datetime | None = None) -> pl.DataFrame:
    """AAPL from ``DAY`` on, one bar a state, close 100, 101 …"""
    return pl.DataFrame(
        [
            {
                "symbol": "AAPL",
                "ds": day(n),
                "open": 99.5,
                "high": 102.25,
                "low": 99.0,
                "close": 100.0 + n,
                "volume": 1_000.0,
                "source": "test",
                "known_at": known_at or at(day(n), 21),
                "state": state,
            }
            for n, state in enumerate(states)
        ],
        schema=BAR_SCHEMA,
    )


def test_a_refused_signal_carries_its_decision_and_what_it_would_have_made() -> None:
    warehouse = empty()
    result = loops.load_rejected(warehouse, [(signal(), resolved(day(3)))], run())
    assert (result.offered, result.inserted, result.refused) == (1, 1, ())
    row = rows(warehouse, "fact_rejected_signals").row(0, named=True)
    assert row["ds"] == row["signal_ds"] == DAY
    assert row["factors"] == [
        {"name": "rsi", "value": 61.5},
        {"name": "volume_ratio", "value": None},
    ]
    assert [v["passed"] for v in row["verdicts"]] == [True, False]
    assert row["verdicts"][0]["threshold"] == 70.0
    assert row["targets"] == [{"price": Decimal(110), "sell": Decimal("0.5")}]
    assert row["planned_quantity"] == Decimal("20.833333333")  # 20.8333… at nine decimals
    assert row["rejection_reasons"] == ["VOLUME_TOO_LOW"]
    assert row["theoretical_net_pnl"] == Decimal("95.5")
    assert row["theoretical_r_multiple"] == Decimal("0.795833333")  # 95.5 / 120
    assert row["revision"] == day(3)


def test_a_signal_whose_levels_were_not_computable_is_archived_without_levels() -> None:
    warehouse = empty()
    bad = signal(plan=None, rejection_reason="INVALID_LEVELS", quantity=Decimal(0))
    unpriceable = waiting().model_copy(update={"status": OutcomeStatus.UNPRICEABLE})
    assert loops.load_rejected(warehouse, [(bad, unpriceable)], run()).inserted == 1
    row = rows(warehouse, "fact_rejected_signals").row(0, named=True)
    assert (row["planned_entry"], row["targets"], row["max_bars"]) == (None, [], None)
    assert (row["outcome_status"], row["theoretical_net_pnl"]) == ("UNPRICEABLE", None)


def test_loading_the_same_rows_again_changes_nothing_and_says_so() -> None:
    warehouse = empty()
    pairs = [(signal(symbol), resolved(day(3))) for symbol in ("AAPL", "IBM", "MSFT")]
    loops.load_rejected(warehouse, pairs, run())
    before = digest(warehouse, BOOK)
    again = loops.load_rejected(warehouse, pairs, run(run_id="run-2"))
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 3)
    assert digest(warehouse, BOOK) == before
    assert set(rows(warehouse, "fact_rejected_signals")["run_id"]) == {"run-1"}


def test_an_outcome_moves_with_a_higher_revision_only() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting(day(2)))], run())
    stale = loops.load_rejected(warehouse, [(signal(), resolved(day(2)))], run(day(2)))
    assert (stale.updated, stale.unchanged) == (0, 1)
    newer = loops.load_rejected(warehouse, [(signal(), resolved(day(3)))], run(day(3), "run-3"))
    assert (newer.updated, newer.unchanged) == (1, 0)
    older = loops.load_rejected(warehouse, [(signal(), waiting(day(1)))], run(day(4)))
    assert older.updated == 0
    row = rows(warehouse, "fact_rejected_signals").row(0, named=True)
    assert (row["outcome_status"], row["revision"]) == ("RESOLVED", day(3))
    assert row["run_id"] == "run-3"


def test_one_load_of_a_month_leaves_what_daily_loads_leave() -> None:
    daily, monthly = empty(), empty()
    for n in range(5):
        loops.load_rejected(daily, [(signal(), waiting(day(n)))], run(day(n), f"run-{n}"))
        loops.load_expired(
            daily, [(expired_signal(ds=day(n)), waiting(day(n + 1)))], run(day(n), f"run-{n}")
        )
    loops.load_rejected(monthly, [(signal(), waiting(day(4)))], run(day(4)))
    ended = [(expired_signal(ds=day(n)), waiting(day(n + 1))) for n in range(5)]
    result = loops.load_expired(monthly, ended, run(day(4)))
    assert result.inserted == 5
    assert digest(daily, BOOK) == digest(monthly, BOOK)


def test_an_expired_signal_lies_on_the_day_it_ended() -> None:
    warehouse = empty()
    loops.load_expired(warehouse, [(expired_signal(), resolved(day(3)))], run())
    row = rows(warehouse, "fact_signals_expired").row(0, named=True)
    assert (row["ds"], row["signal_ds"], row["valid_until"]) == (day(1), DAY, day(1))
    assert (row["status"], row["end_reason"]) == ("EXPIRED", "NOT_TRIGGERED")


def test_a_fact_that_contradicts_an_archived_one_stops_the_load_before_it_writes() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting())], run())
    other = signal(quantity=Decimal(21))
    fresh = (signal("IBM"), waiting())
    with pytest.raises(ConflictError, match=r"quantity is 20\.0+, now 21\.0+"):
        loops.load_rejected(warehouse, [fresh, (other, waiting(day(9)))], run())
    assert rows(warehouse, "fact_rejected_signals").height == 1


def test_a_row_that_is_not_fit_is_set_aside_and_the_others_are_loaded() -> None:
    warehouse = empty()
    nameless = signal("IBM", rejection_reason=None)
    result = loops.load_rejected(warehouse, [(signal(), waiting()), (nameless, waiting())], run())
    assert (result.offered, result.inserted, len(result.refused)) == (2, 1, 1)
    refused = result.refused[0]
    assert (refused.table, refused.field) == ("fact_rejected_signals", "rejection_reason")
    assert refused.value is None
    assert "valid string" in refused.reason


def test_a_trade_carries_its_decision_and_its_result() -> None:
    warehouse = empty()
    assert loops.load_trades(warehouse, [trade("99", day(4))], run(day(4))).inserted == 1
    row = rows(warehouse, "fact_trades").row(0, named=True)
    assert (row["ds"], row["exit_ds"], row["signal_ds"], row["revision"]) == (
        day(4),
        day(4),
        DAY,
        day(4),
    )
    assert (row["gross_pnl"], row["fees"], row["net_pnl"]) == (100, 1, 99)
    assert row["equity_at_decision"] == 10_000
    assert row["version_key"] == "v1"


def test_snapshots_are_written_once_and_prove_conservation() -> None:
    warehouse = empty()
    marks = [loops.Mark(DAY, position(), Decimal(104))]
    results = loops.load_snapshots(warehouse, [account(), account(day(1))], marks, run())
    assert [r.inserted for r in results] == [2, 1]
    # 10 069.75 = 10 000 + 0 realised + 70 unrealised - 0.25 fees
    assert rows(warehouse, "snapshot_accounts")["money_error"].to_list() == [0, 0]
    held = rows(warehouse, "snapshot_positions").row(0, named=True)
    assert held["market_value"] == 2080  # 20 x 104
    assert held["unrealised_pnl"] == 70  # 20 x (104 - 100.5)
    with pytest.raises(ConflictError, match="cash"):
        loops.load_snapshots(warehouse, [account(cash=Decimal(1))], [], run())


def test_an_order_is_followed_to_its_end_and_its_fill_is_written_once() -> None:
    warehouse = empty()
    held = position()
    executed = [(fill(held.position_id), held)]
    first = loops.load_orders(warehouse, [(intent(), held)], executed, run())
    assert [r.inserted for r in first] == [1, 1]
    done = [(intent(IntentStatus.DONE), held)]
    second = loops.load_orders(warehouse, done, executed, run(day(1)))
    assert [(r.inserted, r.updated, r.unchanged) for r in second] == [(0, 1, 0), (0, 0, 1)]
    order = rows(warehouse, "fact_orders").row(0, named=True)
    assert (order["status"], order["leg"], order["attempt"]) == ("DONE", "entry1", 1)
    execution = rows(warehouse, "fact_fills").row(0, named=True)
    assert execution["notional"] == 2010  # 20 x 100.5
    assert execution["strategy_id"] == "breakout"


def test_a_suspect_bar_gets_its_verdict_whenever_it_is_archived() -> None:
    daily, monthly = empty(), empty()
    loops.load_bars(daily, bars("GOOD", "SUSPECT"), [], run(day(1)))
    verdict = loops.load_bars(daily, bars("GOOD", "CONFIRMED", "GOOD"), [], run(day(2)))[0]
    assert (verdict.inserted, verdict.updated, verdict.unchanged) == (1, 1, 1)
    loops.load_bars(monthly, bars("GOOD", "CONFIRMED", "GOOD"), [], run(day(2)))
    assert rows(daily, "fact_bars")["state"].to_list() == ["GOOD", "CONFIRMED", "GOOD"]
    assert digest(daily, BOOK) == digest(monthly, BOOK)


def test_a_later_revision_of_a_bar_is_a_row_of_its_own_and_the_current_one() -> None:
    warehouse = empty()
    loops.load_bars(warehouse, bars("GOOD"), [], run())
    revised = bars("GOOD", known_at=at(day(5))).with_columns(close=pl.lit(100.25))
    loops.load_bars(warehouse, revised, [], run())
    assert rows(warehouse, "fact_bars").height == 2
    assert rows(warehouse, "bars_current")["close"].to_list() == [Decimal("100.25")]


def test_a_bar_without_a_price_is_refused_with_its_field() -> None:
    broken = bars("GOOD", "GOOD").with_columns(
        low=pl.when(pl.col("ds") == day(1)).then(float("nan")).otherwise(pl.col("low"))
    )
    result = loops.load_bars(empty(), broken, [], run())[0]
    assert (result.inserted, [r.field for r in result.refused]) == (1, ["low"])


def test_a_corporate_action_lies_on_its_ex_date() -> None:
    warehouse = empty()
    split = CorporateAction(
        symbol="AAPL",
        kind=ActionKind.SPLIT,
        ex_ds=dt.date(2014, 6, 9),
        ratio=Decimal(7),
        source="test",
        known_at=at(DAY),
    )
    loops.load_bars(warehouse, bars(), [split], run())
    row = rows(warehouse, "fact_corporate_actions").row(0, named=True)
    assert (row["ds"], row["kind"], row["ratio"]) == (dt.date(2014, 6, 9), "SPLIT", 7)


def test_a_run_is_written_down_once_with_the_sums_of_its_loops() -> None:
    warehouse = empty()
    loaded = [loops.load_trades(warehouse, [trade("99", DAY)], run())]
    job = {
        "job": "run",
        "status": "DONE",
        "started_at": at(DAY),
        "finished_at": at(DAY, 1),
        "duration_s": 3600.0,
        "git_hash": "",
        "engine_digest": "engine",
        "detail": {"symbols": 1},
    }
    assert loops.load_run(warehouse, job, loaded, run()).inserted == 1
    assert loops.load_run(warehouse, job, [], run()).unchanged == 1
    row = rows(warehouse, "job_runs").row(0, named=True)
    assert (row["offered"], row["inserted"], row["detail"]) == (1, 1, '{"symbols":1}')


def test_an_act_of_an_operator_is_logged_once() -> None:
    warehouse = empty()
    act = {
        "id": "halt-1",
        "acted_at": at(DAY),
        "actor": "ada",
        "action": "HALT",
        "subject": BOOK,
        "detail": {"why": "news"},
    }
    assert loops.audit(warehouse, [act], run()).inserted == 1
    assert loops.audit(warehouse, [act], run()).unchanged == 1


def test_the_dates_of_a_span_are_its_whole_years_with_their_sessions() -> None:
    warehouse = empty()
    result = loops.load_dates(warehouse, dt.date(2024, 7, 1), dt.date(2024, 7, 5), run())
    assert result.inserted == 366  # 2024 is a leap year
    fourth = warehouse.query("SELECT * FROM dim_dates WHERE ds = DATE '2024-07-04'", {}).row(
        0, named=True
    )
    assert (fourth["is_equity_session"], fourth["is_crypto_session"]) == (False, True)
    assert (fourth["quarter"], fourth["weekday"], fourth["iso_week"]) == (3, 4, 27)
    assert loops.load_dates(warehouse, DAY, DAY, run()).unchanged == 366
