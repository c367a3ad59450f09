from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import exchange_calendars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError
from goldenthread.rules import calendar
from rules.make_xnys import table

if TYPE_CHECKING:
    from faults.chaos import Tally

EQUITY, CRYPTO = AssetClass.EQUITY, AssetClass.CRYPTO
COVERED = st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31))
CLASSES = st.sampled_from(AssetClass)

inside_exchange_calendars = pytest.mark.filterwarnings("ignore:Series.values returning")


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]  # parts of a date and time


@inside_exchange_calendars
def test_the_shipped_table_is_what_exchange_calendars_says_today() -> None:
    shipped = Path(calendar.__file__).with_name("xnys.csv").read_text()
    assert shipped == table(), "renew it: python tests/rules/make_xnys.py"


@inside_exchange_calendars
@pytest.mark.fault("F17")
def test_every_session_from_1990_to_2027_has_the_open_and_close_of_exchange_calendars(
    tally: Tally,
) -> None:
    start, end = dt.date(1990, 1, 1), dt.date(2027, 12, 31)
    frame = exchange_calendars.get_calendar("XNYS", start=start, end=end).schedule
    expected = [
        (session.date(), opened.to_pydatetime(), closed.to_pydatetime())
        for session, opened, closed in zip(frame.index, frame["open"], frame["close"], strict=True)
    ]
    ours = [
        (ds, calendar.session_open(EQUITY, ds), calendar.session_close(EQUITY, ds))
        for ds in calendar.sessions(EQUITY, start, end)
    ]
    assert len(ours) == 9569  # 9915 weekdays in these 38 years less 346 closures
    assert ours == expected
    deadlines = [calendar.entry_deadline(EQUITY, ds) for ds, _, _ in ours[:-1]]
    assert deadlines == [opened for _, opened, _ in expected[1:]]
    tally("sessions of 1990 to 2027, their open and close beside exchange-calendars", len(ours))


def test_new_york_is_closed_on_weekends_holidays_and_after_11_september() -> None:
    closed = [
        dt.date(2024, 5, 4),  # a Saturday
        dt.date(2024, 5, 5),  # a Sunday
        dt.date(2024, 3, 29),  # Good Friday
        dt.date(2001, 9, 11),
        dt.date(2025, 1, 9),  # the mourning of President Carter
    ]
    assert not any(calendar.is_session(EQUITY, ds) for ds in closed)
    assert calendar.is_session(EQUITY, dt.date(2024, 5, 6))
    assert all(calendar.is_session(CRYPTO, ds) for ds in closed)


def test_the_next_session_after_11_september_is_the_17th() -> None:
    # 10 September 2001 was a Monday; 11 to 14 closed, then a weekend.
    assert calendar.next_session(EQUITY, dt.date(2001, 9, 10)) == dt.date(2001, 9, 17)
    assert calendar.previous_session(EQUITY, dt.date(2001, 9, 17)) == dt.date(2001, 9, 10)
    assert calendar.next_session(EQUITY, dt.date(2001, 9, 12)) == dt.date(2001, 9, 17)
    assert calendar.next_session(CRYPTO, dt.date(2001, 9, 10)) == dt.date(2001, 9, 11)


def test_sessions_are_counted_over_a_weekend_and_a_holiday() -> None:
    # Friday 24 May 2024, then Memorial Day on Monday the 27th.
    friday, wednesday = dt.date(2024, 5, 24), dt.date(2024, 5, 29)
    assert calendar.add_sessions(EQUITY, friday, 1) == dt.date(2024, 5, 28)
    assert calendar.add_sessions(EQUITY, friday, 2) == wednesday
    assert calendar.add_sessions(CRYPTO, friday, 2) == dt.date(2024, 5, 26)
    assert calendar.count_sessions(EQUITY, friday, wednesday) == 2
    assert calendar.count_sessions(CRYPTO, friday, wednesday) == 5
    assert calendar.count_sessions(EQUITY, wednesday, friday) == 0
    assert calendar.sessions(EQUITY, friday, wednesday) == [
        friday,
        dt.date(2024, 5, 28),
        wednesday,
    ]


def test_sessions_follow_new_york_through_summer_time_and_close_early_on_black_friday() -> None:
    # New York is UTC-5 in winter and UTC-4 in summer; 29 November 2024 closed at 13:00.
    assert calendar.session_open(EQUITY, dt.date(2024, 1, 2)) == utc(2024, 1, 2, 14, 30)
    assert calendar.session_close(EQUITY, dt.date(2024, 1, 2)) == utc(2024, 1, 2, 21)
    assert calendar.session_open(EQUITY, dt.date(2024, 7, 1)) == utc(2024, 7, 1, 13, 30)
    assert calendar.session_close(EQUITY, dt.date(2024, 7, 1)) == utc(2024, 7, 1, 20)
    assert calendar.session_close(EQUITY, dt.date(2024, 11, 29)) == utc(2024, 11, 29, 18)


def test_a_crypto_session_is_a_utc_day() -> None:
    assert calendar.session_open(CRYPTO, dt.date(2024, 2, 29)) == utc(2024, 2, 29)
    assert calendar.session_close(CRYPTO, dt.date(2024, 2, 29)) == utc(2024, 3, 1)


def test_entries_are_stale_at_the_next_open_or_at_five_past_one() -> None:
    # Friday 8 March 2024; summer time begins on Sunday, so Monday opens at 13:30 UTC.
    friday = dt.date(2024, 3, 8)
    assert calendar.entry_deadline(EQUITY, friday) == utc(2024, 3, 11, 13, 30)
    assert calendar.entry_deadline(CRYPTO, friday) == utc(2024, 3, 9, 1, 5)


def test_a_day_without_session_has_no_hours_and_the_error_names_the_next_session() -> None:
    with pytest.raises(DataError, match="not a session of EQUITY; the next one is 2024-05-06"):
        calendar.session_close(EQUITY, dt.date(2024, 5, 4))


@pytest.mark.parametrize("ds", [dt.date(1970, 12, 31), dt.date(2061, 1, 1), dt.date.max])
def test_dates_outside_the_table_are_refused_not_guessed(ds: dt.date) -> None:
    for asset_class in AssetClass:
        with pytest.raises(DataError, match="outside the trading calendar"):
            calendar.is_session(asset_class, ds)


def test_counting_past_either_end_of_the_table_is_refused() -> None:
    for asset_class in AssetClass:
        with pytest.raises(DataError, match="no session that far"):
            calendar.next_session(asset_class, dt.date(2060, 12, 31))
    with pytest.raises(DataError, match="no session that far"):
        calendar.previous_session(EQUITY, dt.date(1971, 1, 4))


@given(CLASSES, COVERED, st.integers(1, 300))
def test_adding_sessions_and_counting_them_are_inverse(
    asset_class: AssetClass, ds: dt.date, n: int
) -> None:
    later = calendar.add_sessions(asset_class, ds, n)
    assert calendar.is_session(asset_class, later)
    assert calendar.count_sessions(asset_class, ds, later) == n
    assert calendar.sessions(asset_class, ds + dt.timedelta(days=1), later)[-1] == later


@given(CLASSES, COVERED)
def test_no_session_lies_between_neighbours(asset_class: AssetClass, ds: dt.date) -> None:
    before = calendar.previous_session(asset_class, ds)
    after = calendar.next_session(asset_class, ds)
    between = calendar.sessions(asset_class, before, after)
    expected = [before, ds, after] if calendar.is_session(asset_class, ds) else [before, after]
    assert between == expected
