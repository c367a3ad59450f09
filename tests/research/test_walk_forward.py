"""Walk-forward: which stretches there are, and what they make joined."""

from __future__ import annotations

import datetime as dt
import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.errors import UsageError
from goldenthread.research.walk_forward import (
    Length,
    Piece,
    Span,
    Walk,
    parse_walk,
    walk_forward,
    windows,
)

DAY = dt.timedelta(days=1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_lengths_are_read_in_either_order() -> None:
    assert parse_walk("train=3y,test=6m") == Walk(Length(months=36), Length(months=6))
    assert parse_walk("test=2w, train=90d") == Walk(Length(days=90), Length(days=14))


@pytest.mark.parametrize(
    "text", ["", "train=3y", "train=3y,test=6", "train=0y,test=6m", "train=1y,train=2y", "fit=3y"]
)
def test_a_wrong_text_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match=r"train=3y,test=6m"):
        parse_walk(text)


def test_the_steps_of_four_years_by_hand() -> None:
    found = windows(parse_walk("train=3y,test=6m"), Span(day("2012-01-01"), day("2016-03-31")))
    assert [tuple(f"{d}" for d in (*w.train, *w.test)) for w in found] == [
        ("2012-01-01", "2014-12-31", "2015-01-01", "2015-06-30"),
        ("2012-07-01", "2015-06-30", "2015-07-01", "2015-12-31"),
        ("2013-01-01", "2015-12-31", "2016-01-01", "2016-03-31"),
    ]


def test_a_history_no_longer_than_one_training_is_refused() -> None:
    with pytest.raises(UsageError, match="not longer than one training"):
        windows(parse_walk("train=1y,test=1m"), Span(day("2015-01-01"), day("2015-12-31")))


@given(
    st.dates(day("2000-01-01"), day("2010-12-31")),
    st.sampled_from(["train=3y,test=6m", "train=1m,test=1m", "train=40d,test=1m"]),
    st.integers(2_000, 4_000),
)
def test_judged_stretches_follow_each_other_without_gap_or_overlap(
    first: dt.date, text: str, length: int
) -> None:
    span = Span(first, first + dt.timedelta(days=length))
    found = windows(parse_walk(text), span)
    assert all(w.train.last + DAY == w.test.first for w in found)
    assert all(a.test.last + DAY == b.test.first for a, b in itertools.pairwise(found))
    assert found[-1].test.last == span.last


def piece(start: float, rows: list[tuple[str, float]], pnl: list[float]) -> Piece:
    equity = pl.DataFrame({"ds": [day(d) for d, _ in rows], "equity": [e for _, e in rows]})
    return Piece(start, equity, pl.DataFrame({"net_pnl": pnl}, schema={"net_pnl": pl.Float64}))


def test_each_stretch_grows_what_the_one_before_left() -> None:
    pieces = {
        day("2015-02-01"): piece(100, [("2015-02-01", 101.0), ("2015-02-28", 110.0)], [10.0]),
        day("2015-03-01"): piece(1000, [("2015-03-01", 900.0), ("2015-03-20", 1200.0)], []),
    }
    asked: list[Span] = []

    def fit(span: Span) -> str:
        asked.append(span)
        return f"{span.first:%b}"

    def evaluate(params: str, span: Span) -> Piece:
        assert params == f"{asked[-1].first:%b}"
        return pieces[span.first]

    span = Span(day("2015-01-01"), day("2015-03-20"))
    found = walk_forward(parse_walk("train=1m,test=1m"), span, fit, evaluate)
    assert found.chosen == ("Jan", "Feb")
    assert [w.train for w in found.windows] == asked
    assert found.equity["step"].to_list() == [1, 1, 2, 2]
    # 110 less a tenth is 99, and 110 plus a fifth is 132
    assert found.equity["equity"].to_list() == pytest.approx([101, 110, 99, 132])
    assert found.trades.to_dicts() == [{"net_pnl": 10.0, "step": 1}]


def test_equity_from_outside_the_judged_stretch_is_refused() -> None:
    early = piece(100, [("2015-01-31", 101.0)], [])
    span = Span(day("2015-01-01"), day("2015-02-20"))
    with pytest.raises(ValueError, match="not within 2015-02-01 to 2015-02-20"):
        walk_forward(parse_walk("train=1m,test=1m"), span, lambda _: 0, lambda *_: early)
