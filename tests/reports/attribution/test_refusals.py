from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.reports.attribution.refusals import attribution, ranked
from goldenthread.reports.bootstrap import block_days, sum_interval
from reports.facts import DAY, Row, refused, refused_row

VOLUME = {"VOLUME_TOO_LOW": "filter"}
RSI = {"RSI_TOO_HIGH": "filter"}
FULL = {"MAX_POSITIONS": "gate"}


def _row(table: pl.DataFrame, name: str) -> Row:
    return table.row(by_predicate=pl.col("name") == name, named=True)


def test_each_refusal_counts_for_every_filter_that_failed_and_alone_for_a_sole_cause() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "100"),
            refused_row(VOLUME | RSI, "-30"),
            refused_row(VOLUME, "-40"),
            refused_row(RSI, "7"),
        )
    )
    volume = _row(table, "VOLUME_TOO_LOW")
    assert (volume["refused"], volume["alone"]) == (3, 2)
    assert volume["net_pnl"] == 30.0  # 100 - 30 - 40
    assert volume["alone_net_pnl"] == 60.0  # 100 - 40
    assert volume["hit_rate"] == pytest.approx(2 / 3)  # two of three would have lost
    assert volume["alone_hit_rate"] == 0.5
    rsi = _row(table, "RSI_TOO_HIGH")
    assert (rsi["refused"], rsi["alone"], rsi["net_pnl"]) == (2, 1, -23.0)


def test_a_filter_that_always_passed_is_not_listed() -> None:
    table = attribution(refused(refused_row(VOLUME, "1")))
    assert table["name"].to_list() == ["VOLUME_TOO_LOW"]


def test_unknown_outcomes_are_counted_apart_and_have_no_money() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "10"),
            refused_row(VOLUME, None),
            refused_row(VOLUME, None, outcome_status="UNPRICEABLE"),
            refused_row(VOLUME, "999", priced_as="MARKET_NEXT_OPEN"),
        )
    )
    row = _row(table, "VOLUME_TOO_LOW")
    counts = [row[name] for name in ("resolved", "open", "unpriceable", "untriggered")]
    assert counts == [1, 1, 1, 1]
    assert row["net_pnl"] == 10.0


def test_with_nothing_resolved_money_and_hit_rate_are_unknown() -> None:
    row = _row(attribution(refused(refused_row(VOLUME, None))), "VOLUME_TOO_LOW")
    assert (row["net_pnl"], row["hit_rate"], row["alone_net_pnl"]) == (None, None, None)


def test_filters_gates_and_the_broker_are_told_apart() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "1"),
            refused_row(FULL, "1"),
            refused_row({"BROKER_REFUSED": "term"}, "1"),
            refused_row({"INVALID_LEVELS": "term"}, None),
        )
    )
    assert table.select("kind", "name").rows() == [
        ("broker", "BROKER_REFUSED"),
        ("filter", "VOLUME_TOO_LOW"),
        ("gate", "INVALID_LEVELS"),
        ("gate", "MAX_POSITIONS"),
    ]


def test_a_planned_order_that_would_not_have_filled_is_untriggered_and_made_nothing_known() -> None:
    unfilled = refused_row(VOLUME, None, outcome_status="RESOLVED")
    row = _row(attribution(refused(unfilled)), "VOLUME_TOO_LOW")
    assert (row["resolved"], row["untriggered"], row["alone_untriggered"]) == (0, 1, 1)
    assert (row["net_pnl"], row["alone_net_pnl"], row["average_r"]) == (None, None, None)


def test_the_mean_r_is_that_of_the_resolved() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "15"),  # ten dollars risked: 1.5 R
            refused_row(VOLUME, "-10"),  # -1 R
            refused_row(VOLUME | RSI, "25"),  # 2.5 R, not alone
            refused_row(VOLUME, None),
        )
    )
    row = _row(table, "VOLUME_TOO_LOW")
    assert row["average_r"] == pytest.approx(1.0)  # (1.5 - 1 + 2.5) / 3
    assert row["alone_average_r"] == pytest.approx(0.25)  # (1.5 - 1) / 2


def test_a_name_in_two_strategies_is_two_filters_and_a_gate_is_the_accounts() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "1"),
            refused_row(VOLUME, "2", strategy_id="dip"),
            refused_row(FULL, "4"),
            refused_row(FULL, "8", strategy_id="dip"),
        )
    )
    assert table.select("kind", "strategy_id", "name", "net_pnl").rows() == [
        ("filter", "breakout", "VOLUME_TOO_LOW", 1.0),
        ("filter", "dip", "VOLUME_TOO_LOW", 2.0),
        ("gate", None, "MAX_POSITIONS", 12.0),
    ]


def test_that_a_strategy_is_in_shadow_does_not_take_a_refusal_from_a_filter() -> None:
    table = attribution(
        refused(
            refused_row({**VOLUME, "SHADOW_STRATEGY": "gate"}, "5"),
            refused_row({**VOLUME, **FULL, "SHADOW_STRATEGY": "gate"}, "70"),
            refused_row({"SHADOW_STRATEGY": "gate"}, "900"),
        )
    )
    alone = dict(table.select("name", "alone_net_pnl").iter_rows())
    assert alone == {"VOLUME_TOO_LOW": 5.0, "SHADOW_STRATEGY": 900.0, "MAX_POSITIONS": None}


def test_a_row_a_symbol_or_a_month_adds_up_to_the_filter() -> None:
    february = dt.date(2024, 2, 29)
    frame = refused(
        refused_row(VOLUME, "1"),
        refused_row(VOLUME, "2", symbol="MSFT"),
        refused_row(VOLUME | RSI, "4", symbol="MSFT", signal_ds=february),
    )
    by_symbol = attribution(frame, "symbol").filter(name="VOLUME_TOO_LOW")
    assert by_symbol.select("symbol", "refused", "alone", "net_pnl").rows() == [
        ("AAPL", 1, 1, 1.0),
        ("MSFT", 2, 1, 6.0),
    ]
    by_month = attribution(frame, "month").filter(name="VOLUME_TOO_LOW")
    assert by_month.select("month", "refused", "alone", "net_pnl").rows() == [
        (dt.date(2024, 1, 1), 2, 2, 3.0),
        (dt.date(2024, 2, 1), 1, 0, 4.0),
    ]


def _spread(nets: list[str], days: int = 400) -> list[Row]:
    """Refusals of VOLUME alone, evenly over the days, the last of them on the last."""
    apart = days // len(nets)
    last = refused_row(RSI, None, signal_ds=DAY + dt.timedelta(days=days - 1))
    when = [DAY + dt.timedelta(days=n * apart) for n in range(len(nets))]
    return [
        *(refused_row(VOLUME, n, signal_ds=d) for n, d in zip(nets, when, strict=True)),
        last,
    ]


def test_nineteen_refusals_alone_are_not_enough_evidence_and_twenty_are() -> None:
    few = _row(attribution(refused(*_spread(["5"] * 19))), "VOLUME_TOO_LOW")
    assert (few["verdict"], few["alone_low"]) == ("not enough evidence: n = 19", None)
    enough = _row(attribution(refused(*_spread(["5"] * 20))), "VOLUME_TOO_LOW")
    assert enough["verdict"] == "costs money"


def test_the_sign_of_the_whole_interval_is_the_verdict() -> None:
    lost = _row(attribution(refused(*_spread(["-5"] * 40))), "VOLUME_TOO_LOW")
    assert lost["verdict"] == "earns money"
    assert lost["alone_low"] < -200.0 < lost["alone_high"] < 0  # 40 * -5
    mixed = _row(attribution(refused(*_spread(["5", "-5"] * 20))), "VOLUME_TOO_LOW")
    assert mixed["verdict"] == "no effect shown"
    assert mixed["alone_low"] < 0 < mixed["alone_high"]


def test_the_interval_is_that_of_the_days_money_over_the_whole_span() -> None:
    rows = _spread([str(n * n % 17 - 6) for n in range(40)])
    row = _row(attribution(refused(*rows)), "VOLUME_TOO_LOW")
    daily = np.zeros((400, 1))
    for refusal in rows[:-1]:
        daily[(refusal["signal_ds"] - DAY).days, 0] += float(refusal["theoretical_net_pnl"])
    low, high = sum_interval(daily, block_days(5, 400))  # the cube root of 400 is 7.4: 8 days
    assert (row["alone_low"], row["alone_high"]) == pytest.approx((low[0], high[0]))


def test_many_refusals_within_a_few_weeks_are_not_enough_evidence() -> None:
    row = _row(attribution(refused(*_spread(["5"] * 30, days=30))), "VOLUME_TOO_LOW")
    assert row["verdict"] == "not enough evidence: 30 days"


def test_one_good_month_is_no_effect() -> None:
    january = [refused_row(VOLUME, "5", signal_ds=DAY + dt.timedelta(days=n)) for n in range(25)]
    later = refused_row(RSI, None, signal_ds=DAY + dt.timedelta(days=700))
    row = _row(attribution(refused(*january, later)), "VOLUME_TOO_LOW")
    assert row["verdict"] == "no effect shown"  # 25 winners, but they happened once


def test_filters_are_ranked_by_the_money_they_alone_decided_within_their_strategy() -> None:
    table = attribution(
        refused(
            refused_row(VOLUME, "1"),
            refused_row(RSI, "-50"),
            refused_row(RSI, "7", strategy_id="dip"),
            refused_row(VOLUME, None, strategy_id="dip"),
            refused_row(FULL, "1000"),
            refused_row({"BROKER_REFUSED": "broker"}, "1"),
        )
    )
    assert ranked(table).select("strategy_id", "name").rows() == [
        ("breakout", "RSI_TOO_HIGH"),
        ("breakout", "VOLUME_TOO_LOW"),
        ("dip", "RSI_TOO_HIGH"),
        ("dip", "VOLUME_TOO_LOW"),
        (None, "MAX_POSITIONS"),
        (None, "BROKER_REFUSED"),
    ]


def test_symbols_are_ranked_within_their_filter_and_months_stay_in_order() -> None:
    frame = refused(
        refused_row(VOLUME, "1"),
        refused_row(VOLUME, "-9", symbol="MSFT"),
        refused_row(RSI, "5", signal_ds=dt.date(2023, 1, 2)),
        refused_row(RSI, "2"),
    )
    by_symbol = ranked(attribution(frame, "symbol"))
    assert by_symbol.select("name", "symbol").rows() == [
        ("RSI_TOO_HIGH", "AAPL"),
        ("VOLUME_TOO_LOW", "MSFT"),
        ("VOLUME_TOO_LOW", "AAPL"),
    ]
    by_month = ranked(attribution(frame, "month"))
    assert by_month["alone_net_pnl"].to_list() == [5.0, 2.0, -8.0]


def test_nothing_refused_gives_an_empty_table_with_the_same_columns() -> None:
    empty = attribution(refused())
    assert empty.is_empty()
    assert empty.schema == attribution(refused(refused_row(VOLUME, "1"))).schema
    by_month = attribution(refused(), "month")
    assert by_month.schema == attribution(refused(refused_row(VOLUME, "1")), "month").schema


reasons = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3, unique=True).map(
    lambda names: dict.fromkeys(names, "filter")
)
nets = st.one_of(st.none(), st.decimals(-1000, 1000, places=2).map(str))
ways = st.sampled_from(["PLANNED", "MARKET_NEXT_OPEN"])
signals = st.lists(st.builds(lambda r, n, p: refused_row(r, n, priced_as=p), reasons, nets, ways))


@given(signals)
def test_every_refusal_has_one_kind_of_outcome_and_money_adds_up(rows: list[Row]) -> None:
    table = attribution(refused(*rows))
    for row in table.iter_rows(named=True):
        parts = ("resolved", "open", "unpriceable", "untriggered")
        assert row["refused"] == sum(row[part] for part in parts)
        assert row["alone"] == sum(row[f"alone_{part}"] for part in parts)
        mine = [r for r in rows if row["name"] in r["rejection_reasons"]]
        known = [r for r in mine if r["priced_as"] == "PLANNED" and r["theoretical_net_pnl"]]
        total = sum((r["theoretical_net_pnl"] for r in known), Decimal(0))
        assert (row["net_pnl"] or 0.0) == pytest.approx(float(total))
