"""One position a symbol at a time: which candidates are taken, by hand and against a slow way."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.research.whatif.holding import Course, taken

OPEN = -1
Row = tuple[int, int, int, int]
"""Session, ended, left, cooldown."""


def course_of(*symbols: list[Row]) -> Course:
    rows = np.array([row for symbol in symbols for row in symbol], np.int64).reshape(-1, 4)
    edges = np.cumsum([0, *map(len, symbols)]).astype(np.int64)
    return Course(edges, *(np.ascontiguousarray(column) for column in rows.T))


def chosen(*symbols: list[Row], passes: list[bool] | None = None) -> list[bool]:
    course = course_of(*symbols)
    mask = np.ones(len(course.session), np.bool_) if passes is None else np.array(passes)
    return [bool(took) for took in taken(course, mask)]


def test_the_next_is_decided_on_the_session_the_former_ended_in() -> None:
    rows = [(0, 3, 3, 0), (1, 2, 2, 0), (2, 9, 9, 0), (3, 5, 5, 0)]
    assert chosen(rows) == [True, False, False, True]


def test_after_an_exit_a_candidate_waits_for_its_own_cooldown() -> None:
    # The exit is on 3; the second keeps away until 5, the third decides on 4 and needs 1 session.
    assert chosen([(0, 3, 3, 7), (4, 6, 6, 2), (4, 6, 6, 1)]) == [True, False, True]


def test_an_order_that_was_never_filled_starts_no_cooldown() -> None:
    assert chosen([(0, 2, OPEN, 5), (1, 4, 4, 5), (2, 4, 4, 5)]) == [True, False, True]


def test_what_is_still_going_at_the_end_keeps_all_others_out() -> None:
    assert chosen([(0, OPEN, OPEN, 0), (99, 100, 100, 0)]) == [True, False]


def test_each_symbol_has_its_own_position() -> None:
    assert chosen([(0, OPEN, OPEN, 0)], [(1, 2, 2, 0)]) == [True, True]


def test_who_did_not_pass_holds_nothing() -> None:
    rows = [(0, 9, 9, 0), (1, 2, 2, 0)]
    assert chosen(rows, passes=[False, True]) == [False, True]


@st.composite
def _symbols(draw: st.DrawFn) -> list[tuple[Row, bool]]:
    sessions = sorted(draw(st.sets(st.integers(0, 30), max_size=12)))
    rows = []
    for session in sessions:
        ended = draw(st.one_of(st.just(OPEN), st.integers(session + 1, session + 9)))
        left = ended if ended > 0 and draw(st.booleans()) else OPEN
        rows.append(((session, ended, left, draw(st.integers(0, 4))), draw(st.booleans())))
    return rows


@settings(deadline=None)  # the first example waits for the compiler
@given(st.lists(_symbols(), min_size=1, max_size=3))
def test_it_is_what_walking_session_by_session_chooses(
    symbols: list[list[tuple[Row, bool]]],
) -> None:
    rows = [[row for row, _ in symbol] for symbol in symbols]
    passes = [passed for symbol in symbols for _, passed in symbol]
    assert chosen(*rows, passes=passes) == [took for symbol in symbols for took in _walked(symbol)]


def _walked(rows: list[tuple[Row, bool]]) -> list[bool]:
    """Session after session: who holds or waits, and when the last one left."""
    took: set[Row] = set()
    holder: Row | None = None
    exited: int | None = None
    for now in range(60):
        if holder is not None and holder[1] != OPEN and now >= holder[1]:
            exited = holder[2] if holder[2] != OPEN else exited
            holder = None
        for row, passed in rows:
            cools = exited is not None and now < exited + row[3]
            if row[0] == now and passed and holder is None and not cools:
                holder = row
                took.add(row)
    return [row in took for row, _ in rows]
