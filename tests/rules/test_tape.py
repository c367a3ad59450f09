"""Bars, signals and terms as the kernel's arrays."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.errors import DataError
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Plan, TargetLevel
from goldenthread.domain.strategy import Side
from goldenthread.rules.tape import LIMIT, MARKET, Wanted, tape_of, tickets_of
from rules.market import AAPL, BTC, D

NOW = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)
DAYS = np.array(["2024-01-05", "2024-01-08", "2024-01-10"], "datetime64[D]")
PRICES = [np.array([10.0, 11.0, 12.0]) + shift for shift in (0.0, 0.5, -0.5, 0.25)]
BARS = [DAYS, *PRICES]


def action(kind: ActionKind, day: int, ratio: str = "1") -> CorporateAction:
    return CorporateAction(
        symbol="AAPL",
        kind=kind,
        ex_ds=dt.date(2024, 1, day),
        ratio=D(ratio),
        source="test",
        known_at=NOW,
    )


def plan(**fields: object) -> Plan:
    return Plan.model_validate(
        {"order": "market", "entry": D(10), "stop": D(9), "max_bars": 5, **fields}
    )


def test_a_tape_has_every_session_and_no_prices_where_there_is_no_bar() -> None:
    tape, _ = tape_of(AAPL, BARS, [], Policy())

    assert tape.day.astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-05",
        "2024-01-08",
        "2024-01-09",
        "2024-01-10",
    ]
    np.testing.assert_array_equal(tape.close, [10.25, 11.25, np.nan, 12.25])


def test_a_tape_may_span_more_or_less_than_its_bars() -> None:
    span = (dt.date(2024, 1, 8), dt.date(2024, 1, 11))

    tape, _ = tape_of(AAPL, BARS, [], Policy(), span)

    np.testing.assert_array_equal(tape.open, [11.0, np.nan, 12.0, np.nan])


def test_prices_are_kept_at_nine_decimals_like_the_bars_of_the_rules() -> None:
    tape, _ = tape_of(BTC, [DAYS[:1], *(np.array([0.12345678949]) for _ in range(4))], [], Policy())

    assert tape.open.tolist() == [0.123456789]


def test_a_split_takes_effect_at_the_next_session_and_two_multiply() -> None:
    splits = [action(ActionKind.SPLIT, 6, "3"), action(ActionKind.SPLIT, 8, "0.5")]

    tape, _ = tape_of(AAPL, BARS, splits, Policy())

    assert tape.split.tolist() == [1.0, 1.5, 1.0, 1.0]


@pytest.mark.parametrize(("day", "session"), [(6, 1), (9, 2), (31, 4)])
def test_terms_tell_the_first_session_without_the_asset(day: int, session: int) -> None:
    _, terms = tape_of(AAPL, BARS, [action(ActionKind.DELISTING, day)], Policy())

    assert terms.delisted == session


def test_terms_hold_exact_steps_and_the_mode_of_the_asset_class() -> None:
    _, stock = tape_of(AAPL, BARS, [], Policy(slippage_bps=D(5)))
    _, coin = tape_of(BTC, BARS, [], Policy())

    assert (stock.tick_num, stock.tick_den, stock.sub_dollar) == (1, 100, True)
    assert (stock.step, stock.slippage, stock.delisted) == (10**9, 0.0005, 4)
    assert (coin.step, coin.sub_dollar, coin.delisted) == (1, False, 6)
    assert (stock.managed, coin.managed) == (False, True)


def test_only_the_fees_of_the_class_and_the_profile_are_in_force() -> None:
    paper, _ = tape_of(AAPL, BARS, [], Policy(profile="paper"))
    live, _ = tape_of(AAPL, BARS, [], Policy(profile="live_like"))
    coin, _ = tape_of(BTC, BARS, [], Policy(profile="live_like"))

    assert not any(column.any() for column in (paper.taker, paper.sec, paper.taf, paper.cat))
    # January 2024: SEC advisory of February 2023, TAF of 2024, no CAT fee yet
    assert (live.sec[0], live.taf[0], live.taf_cap[0], live.cat[0]) == (8e-6, 0.000166, 8.30, 0.0)
    assert (coin.taker[0], coin.maker[0], coin.sec[0]) == (0.0025, 0.0015, 0.0)


def test_a_bar_on_a_day_without_a_session_is_named() -> None:
    bars = [np.array(["2024-01-05", "2024-01-06", "2024-01-08"], "datetime64[D]"), *PRICES]

    with pytest.raises(DataError, match="AAPL has a bar on 2024-01-06"):
        tape_of(AAPL, bars, [], Policy())


def test_tickets_carry_levels_and_tranches_in_units_with_the_runner_last() -> None:
    tape, terms = tape_of(AAPL, BARS, [], Policy())
    targets = (TargetLevel(price=D(11), sell=D("0.5")), TargetLevel(price=D(12), sell=D("0.5")))
    wanted = [
        Wanted(dt.date(2024, 1, 4), Side.LONG, plan(trail=D("0.5")), D(3)),
        Wanted(
            dt.date(2024, 1, 9),
            Side.SHORT,
            plan(order="limit", targets=targets, breakeven_after=1, valid_bars=2),
            D(7),
            at_market=True,
        ),
    ]

    tickets = tickets_of(wanted, tape, terms)

    assert tickets.session.tolist() == [-1, 2]
    assert (tickets.sign.tolist(), tickets.order.tolist()) == ([1, -1], [MARKET, LIMIT])
    assert tickets.at_market.tolist() == [False, True]
    np.testing.assert_array_equal(tickets.trail, [0.5, np.nan])
    np.testing.assert_array_equal(tickets.targets, [[np.nan, np.nan], [11.0, 12.0]])
    shares = 10**9
    assert tickets.parts.tolist() == [[0, 0, 3 * shares], [3 * shares, 4 * shares, 0]]
    assert (tickets.breakeven.tolist(), tickets.valid_bars.tolist()) == ([0, 1], [1, 2])


def test_a_quantity_off_the_step_is_divided_in_units() -> None:
    tape, terms = tape_of(AAPL, BARS, [], Policy())
    half = plan(targets=(TargetLevel(price=D(11), sell=D("0.5")),))

    tickets = tickets_of([Wanted(dt.date(2024, 1, 5), Side.LONG, half, D("0.5"))], tape, terms)

    assert tickets.parts.tolist() == [[250_000_000, 250_000_000]]


def test_a_quantity_too_large_to_count_is_refused() -> None:
    tape, terms = tape_of(BTC, BARS, [], Policy())

    with pytest.raises(DataError, match="more than the kernel can count"):
        tickets_of([Wanted(dt.date(2024, 1, 5), Side.LONG, plan(), D(10**10))], tape, terms)
