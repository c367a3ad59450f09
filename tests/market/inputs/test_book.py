"""A decision reads what was known when it was due, and nothing that came later."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.domain.bar import INPUT_SCHEMA
from goldenthread.market.inputs.book import InputBook

D = dt.date
Row = tuple[dt.date, dt.datetime, float]


def utc(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, 1, day, hour, minute, tzinfo=dt.UTC)


def book(rows: list[Row]) -> InputBook:
    full = [("score", "AAPL", *row) for row in rows]
    return InputBook(pl.DataFrame(full, schema=INPUT_SCHEMA, orient="row"))


def read(values: InputBook, ds: dt.date) -> tuple[dt.date, float] | None:
    """Day and value that hold on a decision date."""
    steps = values.steps("score", "AAPL")
    at = int(np.searchsorted(steps.since, np.datetime64(ds), side="right")) - 1
    return None if at < 0 else (steps.ds[at].item(), float(steps.value[at]))


def test_a_value_holds_from_its_day_when_it_was_known_before_the_run() -> None:
    values = book([(D(2024, 1, 3), utc(4, 0, 5), 1.0), (D(2024, 1, 4), utc(5, 0, 6), 2.0)])
    assert read(values, D(2024, 1, 2)) is None
    assert read(values, D(2024, 1, 3)) == (D(2024, 1, 3), 1.0)  # known at 00:05, when it runs
    assert read(values, D(2024, 1, 4)) == (D(2024, 1, 3), 1.0)  # a minute too late
    assert read(values, D(2024, 1, 5)) == (D(2024, 1, 4), 2.0)


def test_a_value_of_a_day_to_come_waits_for_its_day() -> None:
    assert read(book([(D(2024, 1, 9), utc(2, 12), 1.0)]), D(2024, 1, 8)) is None


def test_a_revision_counts_from_when_it_was_known() -> None:
    values = book([(D(2024, 1, 3), utc(3, 21), 1.0), (D(2024, 1, 3), utc(10, 9), 7.0)])
    assert read(values, D(2024, 1, 9)) == (D(2024, 1, 3), 1.0)
    assert read(values, D(2024, 1, 10)) == (D(2024, 1, 3), 7.0)


def test_an_older_day_that_arrives_late_does_not_hide_a_newer_one() -> None:
    values = book([(D(2024, 1, 5), utc(5, 21), 5.0), (D(2024, 1, 3), utc(8, 9), 3.0)])
    assert read(values, D(2024, 1, 8)) == (D(2024, 1, 5), 5.0)


def test_an_unknown_table_or_symbol_has_no_values() -> None:
    values = book([(D(2024, 1, 5), utc(5, 21), 5.0)])
    assert len(values.steps("score", "MSFT").since) == 0
    assert len(values.steps("other", "AAPL").since) == 0
    assert values.tables == ("score",)


_ROWS = st.lists(
    st.tuples(
        st.integers(1, 25).map(lambda day: D(2024, 1, day)),
        st.tuples(st.integers(1, 28), st.integers(0, 23)).map(lambda at: utc(*at)),
        st.integers(0, 9).map(float),
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)


@given(_ROWS, st.integers(1, 28).map(lambda day: D(2024, 1, day)))
@settings(max_examples=300, deadline=None)
def test_it_is_the_latest_day_known_and_the_future_does_not_matter(
    rows: list[Row], ds: dt.date
) -> None:
    due = dt.datetime.combine(ds + dt.timedelta(days=1), dt.time(0, 5), dt.UTC)
    known = [row for row in rows if row[1] <= due]
    latest = max((row for row in known if row[0] <= ds), default=None)
    expected = None if latest is None else (latest[0], latest[2])
    assert read(book(rows), ds) == expected
    assert read(book(known), ds) == expected


def test_what_a_decision_cannot_know_may_be_cut_off() -> None:
    rows = [(D(2024, 1, 3), utc(3, 21), 1.0), (D(2024, 1, 3), utc(10, 9), 7.0)]
    values = book([*rows, (D(2024, 1, 9), utc(2, 12), 9.0)])
    for day in range(1, 12):
        alone = values.known_on(D(2024, 1, day))
        assert read(alone, D(2024, 1, day)) == read(values, D(2024, 1, day))
    assert read(values.known_on(D(2024, 1, 4)), D(2024, 1, 30)) == (D(2024, 1, 3), 1.0)


def test_the_digest_is_of_the_tables_asked_for_alone() -> None:
    one, other = (book([(D(2024, 1, 5), utc(5, 21), value)]) for value in (5.0, 6.0))
    assert one.digest(["score"]) != other.digest(["score"])
    assert one.digest(["another"]) == other.digest(["another"])
