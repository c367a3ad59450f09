from __future__ import annotations

from goldenthread.reports.attribution.money_line import money_line
from goldenthread.reports.attribution.refusals import attribution
from reports.facts import refused, refused_row

VOLUME = {"VOLUME_TOO_LOW": "filter"}
RSI = {"RSI_TOO_HIGH": "filter"}
FULL = {"MAX_POSITIONS": "gate"}


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
