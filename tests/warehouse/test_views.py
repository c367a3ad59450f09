from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.warehouse import loops
from goldenthread.warehouse.views import VIEWS
from warehouse.examples import (
    ALL,
    day,
    empty,
    expired_signal,
    resolved,
    run,
    signal,
    trade,
    waiting,
)

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse


def loaded() -> Warehouse:
    """Five trades of one strategy, three refused and two expired signals."""
    warehouse = empty()
    trades = [
        trade("100", day(2), "A"),
        trade("-40", day(3), "B"),
        trade("-80", day(3), "C"),
        trade("30", day(3), "D"),
        trade("50", day(5), "E"),
    ]
    loops.load_trades(warehouse, trades, run())
    refused = [
        (signal("F"), resolved(day(4), "25")),
        (signal("G"), resolved(day(4), "-10")),
        (signal("H"), waiting()),
        (signal("I"), resolved(day(4), "999", priced_as="MARKET_NEXT_OPEN")),
    ]
    loops.load_rejected(warehouse, refused, run())
    loops.load_expired(warehouse, [(expired_signal("J"), resolved(day(4), "777"))], run())
    return warehouse


def test_a_day_of_a_strategy_has_its_hand_computed_figures() -> None:
    daily = loaded().query(
        "SELECT * FROM agg_strategy_daily WHERE ds BETWEEN @from AND @to ORDER BY ds", ALL
    )
    assert daily["ds"].to_list() == [day(0), day(1), day(2), day(3), day(5)]
    third = daily.row(3, named=True)
    # B -40, C -80, D +30 in this order (equal exit_at, so by id; the sums do not depend on it)
    assert (third["trades"], third["wins"], third["net_pnl"]) == (3, 1, Decimal(-90))
    assert third["win_rate"] == pytest.approx(1 / 3, abs=1e-15)
    assert third["profit_factor"] == 0.25  # 30 / (40 + 80)
    assert (third["gross_pnl"], third["fees"]) == (Decimal(-87), Decimal(3))  # 3 fees of 1
    first = daily.row(0, named=True)
    assert (first["rejected"], first["trades"], first["wins"], first["win_rate"]) == (4, 0, 0, None)
    assert daily.row(1, named=True)["expired"] == 1


def test_profit_factor_is_unknown_without_a_loss() -> None:
    daily = loaded().query("SELECT * FROM agg_strategy_daily WHERE ds = DATE '2024-03-06'", {})
    assert daily.row(0, named=True)["profit_factor"] is None


def test_drawdown_is_the_deepest_fall_of_the_running_result() -> None:
    warehouse = empty()
    # running: 100, 60, -20, 10, 60; peaks 100; falls 0, 40, 120, 90, 40
    for n, net in enumerate(("100", "-40", "-80", "30", "50")):
        loops.load_trades(warehouse, [trade(net, day(2 + n), f"S{n}")], run())
    summary = warehouse.query("SELECT * FROM summary_strategy_performance", {}).row(0, named=True)
    assert summary["max_drawdown"] == 120
    alone = empty()
    loops.load_trades(alone, [trade("-7", day(2))], run())  # a first loss falls from 0
    row = alone.query("SELECT * FROM summary_strategy_performance", {}).row(0, named=True)
    assert row["max_drawdown"] == 7


def test_the_summary_counts_refused_money_only_where_it_was_the_signals_own_order() -> None:
    row = loaded().query("SELECT * FROM summary_strategy_performance", {}).row(0, named=True)
    assert (row["trades"], row["wins"], row["rejected"], row["expired"]) == (5, 3, 4, 1)
    assert row["net_pnl"] == 60  # 100 - 40 - 80 + 30 + 50
    assert row["win_rate"] == 0.6
    assert row["profit_factor"] == 1.5  # 180 / 120
    assert row["expectancy"] == 12.0  # 60 / 5
    assert row["average_r"] == pytest.approx(0.12)  # 0.6 / 5
    assert row["average_bars_held"] == 4.0
    assert (row["refused_resolved"], row["refused_net_pnl"]) == (2, 15)  # 25 - 10
    assert (row["first_ds"], row["last_ds"]) == (day(0), day(5))


def test_all_signals_holds_every_outcome_once() -> None:
    rows = loaded().query(
        "SELECT symbol, outcome, reason, net_pnl FROM all_signals "
        "WHERE ds BETWEEN @from AND @to ORDER BY symbol",
        ALL,
    )
    assert rows["symbol"].to_list() == list("ABCDEFGHIJ")
    assert rows["outcome"].to_list() == ["TRADED"] * 5 + ["REJECTED"] * 4 + ["EXPIRED"]
    assert rows["reason"].to_list()[-2:] == ["VOLUME_TOO_LOW", "NOT_TRIGGERED"]
    assert rows["net_pnl"].to_list()[7] is None  # H is OPEN: unknown, never 0


def test_all_signals_says_why_a_figure_is_missing() -> None:
    warehouse = empty()
    untouched = Outcome(
        status=OutcomeStatus.RESOLVED, priced_as="PLANNED", revision=day(2), note="not triggered"
    )
    loops.load_rejected(warehouse, [(signal("F"), untouched)], run())
    loops.load_trades(warehouse, [trade("100", day(2), "A")], run())
    rows = warehouse.query(
        "SELECT symbol, net_pnl, theoretical_note FROM all_signals"
        " WHERE ds BETWEEN @from AND @to ORDER BY symbol",
        ALL,
    )
    assert rows.rows() == [("A", Decimal(100), ""), ("F", None, "not triggered")]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_columns_its_declaration_names(name: str) -> None:
    found = empty().query(f"SELECT * FROM {name}", {}).columns
    assert found == [column for column, _ in VIEWS[name].columns]
