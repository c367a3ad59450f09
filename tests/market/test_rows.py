from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import exchange_calendars
import polars as pl
import pytest

from goldenthread.market.rows import LARGEST, in_order, sift
from market.market_bars import MONDAY, daily

if TYPE_CHECKING:
    from faults.chaos import Tally

NOON = dt.datetime(2021, 3, 5, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("close", math.nan, "finite"),
        ("open", math.inf, "finite"),
        ("volume", math.nan, "finite"),
        ("close", None, "finite"),
        ("low", 0.0, "from 0.000000001"),
        ("open", -5.0, "from 0.000000001"),
        ("high", 2 * LARGEST, "from 0.000000001"),
        ("volume", -1.0, "volume is from 0"),
        ("high", 99.0, "below open or close"),
        ("low", 102.0, "above open or close"),
    ],
)
def test_a_bar_that_breaks_a_rule_is_refused_with_its_field_value_and_reason(
    field: str, value: float | None, reason: str
) -> None:
    bars = daily("AAPL", [100, 101, 102])
    hurt = bars.with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(value)).otherwise(field).alias(field)
    )
    kept, refused = sift(hurt)
    assert kept["close"].to_list() == [100, 102]
    row = refused.row(0, named=True)
    assert (row["symbol"], row["ds"], row["field"]) == ("AAPL", "2021-03-02", field)
    assert row["value"] == ("(empty)" if value is None else str(pl.Series([value]).cast(str)[0]))
    assert reason in row["reason"]
    assert len(refused) == 1


@pytest.mark.parametrize(
    "ds",
    [dt.date(2021, 3, 6), dt.date(2021, 4, 2), dt.date(1900, 1, 2), dt.date(2990, 1, 2)],
    ids=["Saturday", "Good Friday", "before the calendar", "after the calendar"],
)
def test_an_equity_bar_of_a_day_without_a_session_is_refused(ds: dt.date) -> None:
    bars = daily("AAPL", [100]).with_columns(ds=pl.lit(ds))
    kept, refused = sift(bars)
    assert kept.is_empty()
    assert refused["field"].to_list() == ["ds"]


def test_crypto_trades_on_saturdays() -> None:
    bars = daily("BTC/USD", [100]).with_columns(ds=pl.lit(dt.date(2021, 3, 6)))
    assert sift(bars).refused.is_empty()


def test_a_bar_whose_session_is_not_over_is_refused() -> None:
    # On Friday at noon UTC Thursday's sessions are over; Friday's crypto day and New York are not.
    bars = pl.concat([daily("AAPL", [100] * 5), daily("BTC/USD", [100] * 5)])
    kept, refused = sift(bars, NOON)
    assert refused.select("symbol", "ds").rows() == [
        ("AAPL", "2021-03-05"),
        ("BTC/USD", "2021-03-05"),
    ]
    assert "not over at 2021-03-05 12:00" in refused["reason"][0]
    assert len(kept) == 8


def test_new_york_is_complete_at_its_close_while_the_utc_day_still_forms() -> None:
    bars = pl.concat([daily("AAPL", [100] * 5), daily("BTC/USD", [100] * 5)])
    evening = dt.datetime(2021, 3, 5, 21, tzinfo=dt.UTC)
    assert sift(bars, evening).refused["symbol"].to_list() == ["BTC/USD"]


def unusual_closes() -> list[tuple[dt.date, dt.datetime]]:
    """Sessions of 1990 to 2023 that close at another UTC hour than the one before, and their close.

    Half days, the sessions after them, and those after New York's clocks are set: by the other
    calendar, not by ours.
    """
    start, end = dt.date(1990, 1, 1), dt.date(2023, 12, 31)
    closes = exchange_calendars.get_calendar("XNYS", start=start, end=end).schedule["close"]
    instants = [close.to_pydatetime() for close in closes]
    hours = [instant.timetz() for instant in instants]
    return [
        (instants[n].date(), instants[n]) for n in range(1, len(hours)) if hours[n] != hours[n - 1]
    ]


@pytest.mark.fault("F17")
@pytest.mark.filterwarnings("ignore:Series.values returning")
def test_a_session_of_any_length_is_over_at_its_close_and_not_a_moment_before(
    tally: Tally,
) -> None:
    sessions = unusual_closes()
    assert len(sessions) > 190  # 68 switches of the clocks, and half days with the session after
    for ds, close in sessions:
        bar = daily("AAPL", [100.0], first=ds)
        assert sift(bar, close - dt.timedelta(microseconds=1)).bars.is_empty(), ds
        assert sift(bar, close).refused.is_empty(), ds
    tally("half days, and days of other hours than the day before", len(sessions))


@pytest.mark.fault("F17", "days of a coin at their last millisecond")
@pytest.mark.parametrize(
    "ds",
    [
        *(dt.date(2023, 12, 31), dt.date(2024, 2, 28), dt.date(2024, 2, 29)),
        *(dt.date(2024, 3, 10), dt.date(2024, 11, 3), dt.date(2016, 12, 31)),
    ],
    ids=["new year", "28 February", "leap day", "clocks ahead", "clocks back", "leap second"],
)
def test_a_coin_is_of_its_utc_day_until_the_last_millisecond(ds: dt.date) -> None:
    bar = daily("BTC/USD", [100.0], first=ds)
    last = dt.datetime.combine(ds, dt.time(23, 59, 59, 999_000), dt.UTC)
    assert sift(bar, last).bars.is_empty()
    assert sift(bar, last + dt.timedelta(milliseconds=1)).refused.is_empty()


def test_of_equal_rows_of_one_day_the_first_is_kept() -> None:
    bars = daily("AAPL", [100, 101])
    kept, refused = sift(pl.concat([bars, bars]))
    assert kept.equals(bars)
    assert refused["ds"].to_list() == ["2021-03-01", "2021-03-02"]


def test_of_two_different_bars_of_one_day_none_is_kept() -> None:
    bars = pl.concat([daily("AAPL", [100, 101]), daily("AAPL", [100, 99])])
    kept, refused = sift(bars)
    assert kept["ds"].to_list() == [MONDAY]
    assert sorted(refused["ds"].to_list()) == ["2021-03-01", "2021-03-02", "2021-03-02"]


def test_a_revision_known_later_is_no_duplicate() -> None:
    first = daily("AAPL", [100])
    later = daily("AAPL", [101]).with_columns(pl.col("known_at") + pl.duration(days=1))
    assert sift(pl.concat([first, later])).refused.is_empty()


def test_bars_stand_in_order_by_symbol_day_and_when_they_were_known() -> None:
    bars = pl.concat([daily("AAPL", [100, 101]), daily("BTC/USD", [5, 6])])
    revised = bars[1:2].with_columns(pl.col("known_at") + dt.timedelta(days=1))
    assert in_order(bars)
    assert in_order(bars.clear())
    assert in_order(pl.concat([bars[:2], revised, bars[2:]]))
    assert not in_order(pl.concat([bars[:1], revised, bars[1:]]))
    assert not in_order(pl.concat([bars[:2], bars[1:]]))  # one twice
    assert not in_order(bars[[1, 0, 2, 3]])
    assert not in_order(bars[[2, 3, 0, 1]])
