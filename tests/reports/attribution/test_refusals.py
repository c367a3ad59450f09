from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.reports.attribution.endings import endings, outcomes
from goldenthread.reports.attribution.money_line import money_line
from goldenthread.reports.attribution.refusals import attribution
from reports.facts import Row, expired, refused, refused_row

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


def test_nothing_refused_gives_an_empty_table_with_the_same_columns() -> None:
    empty = attribution(refused())
    assert empty.is_empty()
    assert empty.schema == attribution(refused(refused_row(VOLUME, "1"))).schema


def test_the_money_line_names_the_filter_with_the_largest_sum_of_its_own() -> None:
    rows = [refused_row(VOLUME, "40")] * 30 + [refused_row(VOLUME, "4.25")] * 8
    rows += [refused_row(VOLUME, None)] * 3 + [refused_row(RSI, "-100")] * 10
    line = money_line(attribution(refused(*rows)))
    # 30 * 40 + 8 * 4.25 = 1234; RSI_TOO_HIGH is at -1000
    assert line == (
        "VOLUME_TOO_LOW alone refused 41 trades that would have made +$1,234 (38 resolved, 3 open)"
    )


def test_the_money_line_says_what_refusing_saved() -> None:
    line = money_line(attribution(refused(*[refused_row(RSI, "-100")] * 10)))
    assert line == "RSI_TOO_HIGH alone refused 10 trades that would have lost $1,000 (10 resolved)"


def test_nine_refusals_are_too_few_for_a_sentence_about_a_filter() -> None:
    few = attribution(refused(*[refused_row(RSI, "-9000")] * 9, *[refused_row(FULL, "1")] * 10))
    assert money_line(few).startswith("MAX_POSITIONS alone refused 10 trades")
    assert "nothing can be said" in money_line(attribution(refused(refused_row(RSI, "5"))))
    assert "nothing can be said" in money_line(attribution(refused()))


def test_a_gate_speaks_only_when_no_filter_can() -> None:
    rows = [refused_row(VOLUME, "1")] * 10 + [refused_row(FULL, "500")] * 10
    assert money_line(attribution(refused(*rows))).startswith("VOLUME_TOO_LOW")


def test_equal_money_goes_to_the_first_name() -> None:
    rows = [refused_row(VOLUME, "5")] * 10 + [refused_row(RSI, "-5")] * 10
    assert money_line(attribution(refused(*rows))).startswith("RSI_TOO_HIGH")
    assert money_line(attribution(refused(*reversed(rows)))).startswith("RSI_TOO_HIGH")


def test_endings_tell_expired_from_invalidated_and_leave_out_untriggered_money() -> None:
    table = endings(
        expired(
            ("EXPIRED", "NOT_TRIGGERED", "MARKET_NEXT_OPEN", "50"),
            ("EXPIRED", "SUBMIT_WINDOW_MISSED", "PLANNED", "-20"),
            ("INVALIDATED", "CANCEL_IF", "MARKET_NEXT_OPEN", None),
        )
    )
    found = table.select("status", "end_reason", "signals", "untriggered", "net_pnl").rows()
    assert found == [
        ("EXPIRED", "NOT_TRIGGERED", 1, 1, None),
        ("EXPIRED", "SUBMIT_WINDOW_MISSED", 1, 0, -20.0),
        ("INVALIDATED", "CANCEL_IF", 1, 1, None),
    ]
    assert endings(expired()).is_empty()


def test_a_signal_ends_in_one_place_and_a_refusal_in_that_of_its_first_reason() -> None:
    given_up = refused(
        refused_row(VOLUME | FULL, "1"),
        refused_row(FULL, "1"),
        refused_row({"BROKER_REFUSED": "term"}, None),
    )
    ended = expired(
        ("EXPIRED", "NOT_TRIGGERED", "MARKET_NEXT_OPEN", "1"),
        ("INVALIDATED", "CANCEL_IF", "MARKET_NEXT_OPEN", "1"),
    )
    assert outcomes(7, given_up, ended) == {
        "traded": 7,
        "refused by a filter": 1,
        "refused by a gate": 1,
        "refused by the broker": 1,
        "expired": 1,
        "invalidated": 1,
    }
    assert sum(outcomes(0, refused(), expired()).values()) == 0


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
