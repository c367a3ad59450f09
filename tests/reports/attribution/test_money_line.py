from __future__ import annotations

import polars as pl

from goldenthread.reports.attribution.money_line import in_hindsight, loudest, money_line
from goldenthread.reports.attribution.refusals import attribution
from reports.facts import refused, refused_row

VOLUME = {"VOLUME_TOO_LOW": "filter"}
RSI = {"RSI_TOO_HIGH": "filter"}
FULL = {"MAX_POSITIONS": "gate"}


def told(table: pl.DataFrame) -> str:
    return money_line(loudest(table))


def test_the_money_line_names_the_filter_with_the_largest_sum_of_its_own() -> None:
    rows = [refused_row(VOLUME, "40")] * 30 + [refused_row(VOLUME, "4.25")] * 8
    rows += [refused_row(VOLUME, None)] * 3 + [refused_row(RSI, "-100")] * 10
    line = told(attribution(refused(*rows)))
    # 30 * 40 + 8 * 4.25 = 1234; RSI_TOO_HIGH is at -1000
    assert line == (
        "VOLUME_TOO_LOW alone refused 41 trades that would have made +$1,234 (38 resolved, 3 open)"
    )


def test_the_money_line_says_what_refusing_saved() -> None:
    line = told(attribution(refused(*[refused_row(RSI, "-100")] * 10)))
    assert line == "RSI_TOO_HIGH alone refused 10 trades that would have lost $1,000 (10 resolved)"


def test_nine_refusals_are_too_few_for_a_sentence_about_a_filter() -> None:
    few = attribution(refused(*[refused_row(RSI, "-9000")] * 9, *[refused_row(FULL, "1")] * 10))
    assert told(few).startswith("MAX_POSITIONS alone refused 10 trades")
    assert "nothing can be said" in told(attribution(refused(refused_row(RSI, "5"))))
    assert "nothing can be said" in told(attribution(refused()))


def test_a_gate_speaks_only_when_no_filter_can() -> None:
    rows = [refused_row(VOLUME, "1")] * 10 + [refused_row(FULL, "500")] * 10
    assert told(attribution(refused(*rows))).startswith("VOLUME_TOO_LOW")


def test_equal_money_goes_to_the_first_name() -> None:
    rows = [refused_row(VOLUME, "5")] * 10 + [refused_row(RSI, "-5")] * 10
    assert told(attribution(refused(*rows))).startswith("RSI_TOO_HIGH")
    assert told(attribution(refused(*reversed(rows)))).startswith("RSI_TOO_HIGH")


def test_an_interval_stands_beside_the_money_where_there_is_one() -> None:
    row = loudest(attribution(refused(*[refused_row(RSI, "100")] * 10)))
    assert row is not None
    line = money_line({**row, "alone_low": -1900.4, "alone_high": 6700.0}, "1 would do")
    assert line == (
        "RSI_TOO_HIGH alone refused 10 trades that would have made +$1,000 [-$1,900, +$6,700]"
        " (10 resolved); 1 would do"
    )


def points(*rows: tuple[float, bool, int, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, ["threshold", "present", "trades", "difference"], orient="row")


def test_the_best_threshold_in_hindsight_says_trades_and_money() -> None:
    found = points((1.2, False, 131, 2100.4), (1.5, True, 100, 0), (2, False, 60, 900))
    assert in_hindsight(found) == (
        "1.2 instead of 1.5 would have taken 31 trades more and made +$2,100, in hindsight and at"
        " equal stakes"
    )
    assert in_hindsight(found[1:]).startswith("2 instead of 1.5 would have left out 40 trades and")


def test_hindsight_is_silent_when_few_trades_moved_or_none_made_more() -> None:
    assert in_hindsight(points((1.2, False, 109, 5000), (1.5, True, 100, 0))) == ""
    assert in_hindsight(points((1.2, False, 190, -1), (1.5, True, 100, 0))) == ""
