"""Weeks and months from daily bars: complete ones, by the asset's own calendar."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.signals.alignment.periods import period_window
from goldenthread.signals.binding import bind
from goldenthread.signals.evaluation import Calculator, Memo
from signals.windows import COLUMNS, Market

D = dt.date


def market(first: dt.date, last: dt.date, symbol: str = "AAPL", *gone: dt.date) -> Market:
    """A bar each weekday (crypto: each day) but those ``gone``; bar n opens at n, closes n + 0.5.

    Its high is 100 + n, its low -n, its volume 1.
    """
    every = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    dates = every if "/" in symbol else every[np.is_busday(every)]
    dates = dates[~np.isin(dates, np.array(gone, dtype="datetime64[D]"))]
    n = np.arange(1.0, len(dates) + 1)
    values = dict(zip(COLUMNS, (n, 100 + n, -n, n + 0.5, np.ones(len(n))), strict=True))
    return Market({symbol: (dates, values)})


def at(bars: Market, expression: str, ds: dt.date) -> float:
    (symbol,) = bars.bars
    window = bars.window(symbol, ds)
    assert window is not None
    return Calculator(lambda _: None, Memo()).at(bind(expression, {}), window)


# The Mondays 1 and 15 January 2024 are holidays.
JANUARY = market(D(2024, 1, 2), D(2024, 2, 2), "AAPL", D(2024, 1, 15))


def test_a_week_has_the_first_open_the_extremes_the_last_close_and_all_volume() -> None:
    read = {c: at(JANUARY, f"on('1W', {c})", D(2024, 1, 16)) for c in COLUMNS}  # of 8 to 12
    assert read == {"open": 5, "high": 109, "low": -9, "close": 9.5, "volume": 5}


def test_a_week_is_read_from_its_last_session_on_and_never_before() -> None:
    closes = [at(JANUARY, "on('1W', close)", D(2024, 1, day)) for day in (10, 11, 12, 16, 18, 19)]
    assert closes == [4.5, 4.5, 9.5, 9.5, 9.5, 13.5]


def test_a_week_ends_on_the_last_session_of_its_calendar() -> None:
    easter = market(D(2024, 3, 18), D(2024, 4, 5), "AAPL", D(2024, 3, 29))  # Good Friday
    assert at(easter, "on('1W', close)", D(2024, 3, 27)) == 5.5
    assert at(easter, "on('1W', close)", D(2024, 3, 28)) == 9.5  # Thursday, complete
    coins = market(D(2024, 3, 18), D(2024, 4, 5), "BTC/USD")
    assert at(coins, "on('1W', close)", D(2024, 3, 30)) == 7.5
    assert at(coins, "on('1W', close)", D(2024, 3, 31)) == 14.5  # Sunday


def test_a_week_whose_last_session_has_no_bar_is_read_from_the_next_bar_on() -> None:
    halted = market(D(2024, 1, 8), D(2024, 1, 26), "AAPL", D(2024, 1, 19))
    assert at(halted, "on('1W', close)", D(2024, 1, 18)) == 5.5
    assert at(halted, "on('1W', close)", D(2024, 1, 22)) == 9.5
    assert at(halted, "on('1W', volume)", D(2024, 1, 22)) == 4


def test_a_month_is_read_from_its_last_session_on() -> None:
    gone = (D(2024, 2, 19), D(2024, 3, 29))  # Presidents' Day, Good Friday
    spring = market(D(2024, 2, 1), D(2024, 4, 5), "AAPL", *gone)
    volumes = [at(spring, "on('1M', volume)", D(2024, 3, day)) for day in (1, 27, 28)]
    assert volumes == [20, 20, 20]
    opens = [at(spring, "on('1M', open)", D(2024, 3, day)) for day in (27, 28)]
    assert opens == [1, 21]


def test_a_first_period_that_began_before_the_bars_is_left_out() -> None:
    late = market(D(2024, 1, 10), D(2024, 2, 2))  # from a Wednesday on
    assert math.isnan(at(late, "on('1W', close)", D(2024, 1, 12)))
    assert at(late, "on('1W', open)", D(2024, 1, 19)) == 4
    assert math.isnan(at(late, "on('1M', close)", D(2024, 2, 1)))
    # 2 January is the first session of its week: the 1st is a holiday.
    assert at(JANUARY, "on('1W', open)", D(2024, 1, 5)) == 1


def test_averages_of_weeks_are_null_until_there_are_enough() -> None:
    closes = [at(JANUARY, "on('1W', SMA(close, 2))", D(2024, 1, day)) for day in (11, 12, 19)]
    assert math.isnan(closes[0])
    assert closes[1:] == [(4.5 + 9.5) / 2, (9.5 + 13.5) / 2]


def test_yesterday_on_our_bars_is_not_last_week() -> None:
    assert at(JANUARY, "LAG(on('1W', close), 1)", D(2024, 1, 12)) == 4.5
    assert at(JANUARY, "on('1W', LAG(close, 1))", D(2024, 1, 12)) == 4.5
    assert at(JANUARY, "LAG(on('1W', close), 1)", D(2024, 1, 16)) == 9.5
    assert at(JANUARY, "on('1W', LAG(close, 1))", D(2024, 1, 16)) == 4.5


def test_another_symbols_weeks_may_be_looked_up() -> None:
    window = JANUARY.window("AAPL", D(2024, 1, 12))
    assert window is not None
    calculator = Calculator(lambda symbol: JANUARY.window(symbol, D(2024, 1, 12)), Memo())
    assert calculator.at(bind("ref('AAPL', on('1W', close))", {}), window) == 9.5


def test_the_declared_look_back_holds_all_bars_a_value_reads() -> None:
    for period, expression in (("1W", "SMA(close, 40)"), ("1M", "SMA(close, 12)")):
        expr = bind(f"on('{period}', {expression})", {})
        for symbol in ("AAPL", "BTC/USD"):
            bars = market(D(2020, 1, 1), D(2024, 3, 5), symbol)
            dates, columns = bars.bars[symbol]
            first = int(np.searchsorted(dates, np.datetime64(D(2024, 1, 1)))) - expr.lookback
            short = Market({symbol: (dates[first:], {n: c[first:] for n, c in columns.items()})})
            for ds in (D(2024, 1, 2), D(2024, 3, 5)):
                value = at(short, expr.text, ds)
                assert value == at(bars, expr.text, ds)
                assert not math.isnan(value)


def test_a_window_without_a_whole_period_has_none() -> None:
    window = market(D(2024, 1, 10), D(2024, 1, 11)).window("AAPL", D(2024, 1, 11))
    assert window is not None
    assert len(period_window(window, "1W").ds) == 0


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("on('1D', close)", "column 1: period '1D' is not allowed; write '1W' or '1M'"),
        ("on(close)", "column 1: on takes a quoted period and one expression: on('1W', SMA("),
        ("on('1W', on('1M', close))", "column 1: on cannot hold another on: it reads the"),
        ("on('1W', ref('SPY', close))", "column 1: on cannot hold ref: it reads the symbol's own"),
        ("on('1W', RSI(close, 60))", "column 1: it needs"),
        ("SMA('1W', 5)", "column 5: text may only stand first in ref('SPY', ...) or on('1W',"),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_remedy(expression: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        bind(expression, {})
    assert str(refused.value).startswith(message)
