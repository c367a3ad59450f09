from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.market.jumps import STATES, Series, Split, judge_series

CALM = [100.0, 101.0] * 10


def _states(
    closes: list[float], opens: list[float] | None = None, splits: tuple[Split, ...] = ()
) -> list[str]:
    opening = opens or [closes[0], *closes[:-1]]
    series = Series(np.arange(len(closes)), np.array(opening), np.array(closes))
    return [STATES[code].value for code in judge_series(series, splits)]


def test_a_calm_series_is_good() -> None:
    assert set(_states(CALM)) == {"GOOD"}


def test_a_close_that_the_next_open_and_close_undo_is_quarantined_and_nothing_else_is() -> None:
    # ln(70/101) = -0.37: a jump. The next bar opens at 100 and closes at 101 again.
    closes = [*CALM, 70.0, 101.0, 100.0]
    opens = [100.0, *CALM[:-1], 101.0, 100.0, 101.0]
    assert _states(closes, opens)[-3:] == ["QUARANTINED", "GOOD", "GOOD"]


def test_a_fall_that_stays_is_confirmed_and_the_bars_after_it_are_good() -> None:
    assert _states([*CALM, 70.0, 71.0, 70.0])[-3:] == ["CONFIRMED", "GOOD", "GOOD"]


def test_a_fall_that_recovers_from_where_it_closed_was_real() -> None:
    # The next bar opens at 70, where the fall closed: people traded there. Its rise to 100 is
    # a jump of its own, confirmed by the bar after it.
    closes = [*CALM, 70.0, 100.0, 100.0]
    assert _states(closes)[-3:] == ["CONFIRMED", "CONFIRMED", "GOOD"]


def test_a_last_bar_that_jumped_is_suspect() -> None:
    assert _states([*CALM, 140.0])[-1] == "SUSPECT"


def test_a_split_on_record_is_no_jump_and_one_not_on_record_is() -> None:
    closes = [*CALM, 50.0, 50.5, 50.0]
    recorded = Split(len(CALM), Decimal(2))
    assert set(_states(closes, splits=(recorded,))) == {"GOOD"}
    assert _states(closes)[-3:] == ["CONFIRMED", "GOOD", "GOOD"]


def test_a_move_that_is_usual_for_the_symbol_is_no_jump() -> None:
    # Median move ln(1.12) = 0.113, volatility 0.113 / 0.6745 = 0.168, times 4 = 0.67;
    # the last move is ln(140/100) = 0.34, above 0.20 but not above 0.67.
    wild = [100.0, 112.0] * 10
    assert set(_states([*wild, 100.0, 140.0])) == {"GOOD"}


def test_without_ten_earlier_moves_the_absolute_size_alone_decides() -> None:
    # Nine moves of 12 % come before; with the eleventh bar there are ten, and 40 % is usual.
    assert _states([*([100.0, 112.0] * 5), 157.0])[-1] == "SUSPECT"
    assert _states([*([100.0, 112.0] * 5), 100.0, 140.0])[-1] == "GOOD"


def test_the_bar_after_a_quarantined_one_is_measured_from_the_last_believed_close() -> None:
    # 60 against 101 is undone by more than half: ln(80/60) / ln(101/60) = 0.55 at the open,
    # ln(79/60) / ln(101/60) = 0.53 at the close. 79 itself is -0.25 from 101: a jump.
    closes = [*CALM, 60.0, 79.0]
    opens = [100.0, *CALM[:-1], 101.0, 80.0]
    assert _states(closes, opens)[-2:] == ["QUARANTINED", "SUSPECT"]


def test_a_first_bar_has_nothing_to_be_measured_against() -> None:
    assert _states([5.0]) == ["GOOD"]


_MOVES = st.lists(
    st.tuples(
        st.one_of(st.floats(-0.05, 0.05), st.floats(-1.0, 1.0)),
        st.one_of(st.just(0.0), st.floats(-1.0, 1.0)),
    ),
    min_size=1,
    max_size=60,
)


def _walk(moves: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    closes = np.exp(np.cumsum([step for step, _ in moves])) * 100
    opens = np.append(100.0, closes[:-1]) * np.exp([gap for _, gap in moves])
    return closes.tolist(), opens.tolist()


@given(_MOVES, st.data())
def test_cutting_off_the_future_changes_no_state_but_the_last(
    moves: list[tuple[float, float]], data: st.DataObject
) -> None:
    closes, opens = _walk(moves)
    cut = data.draw(st.integers(1, len(closes)))
    whole, part = _states(closes, opens), _states(closes[:cut], opens[:cut])
    assert part[:-1] == whole[: cut - 1]
    assert part[-1] == ("GOOD" if whole[cut - 1] == "GOOD" else "SUSPECT")


@given(st.integers(0, 2**32 - 1))
def test_the_unit_of_the_price_does_not_matter(seed: int) -> None:
    moves = np.random.default_rng(seed).standard_t(2, (40, 2)) * 0.05
    closes, opens = _walk([(step, gap) for step, gap in moves.tolist()])
    in_cents = [100 * price for price in closes], [100 * price for price in opens]
    assert _states(closes, opens) == _states(*in_cents)
