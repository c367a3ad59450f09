from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import goldenthread.signals
from goldenthread.domain.errors import UsageError
from goldenthread.signals.functions import (
    FUNCTIONS,
    Function,
    LookbackKind,
    settling_bars,
)
from goldenthread.signals.indicators import Bound, compute, lookback_of
from signals.catalogue_from_talib import HEADER, rows, sample_bars

CATALOGUE = Path(goldenthread.signals.__file__).parent / "catalogue.csv"
TALIB = [function for function in FUNCTIONS.values() if not function.is_own]
RECURSIVE = [function for function in TALIB if function.kind is LookbackKind.RECURSIVE]
FINITE = [function for function in TALIB if function.kind is LookbackKind.FINITE]


def bound(function: Function, numbers: dict[str, float] | None = None) -> list[Bound]:
    """The function with its defaults, once for each output; ANCHORED over 150 bars."""
    given = numbers or {}
    values = tuple(float(given.get(p.name, p.default or 0)) for p in function.parameters)
    window = 150 if function.kind is LookbackKind.ANCHORED else 0
    reach = lookback_of(function, values, window)
    return [Bound(function, values, window, at, reach) for at in range(len(function.outputs))]


def inputs_of(function: Function, start: int, end: int = 4_000) -> list[np.ndarray]:
    bars = sample_bars(4_000)
    named = {"price0": "close", "price1": "open", "price": "close", "periods": "periods"}
    names = [named[name] for name in function.series] + list(function.prices)
    found = [bars[name][start:end] for name in names]
    if function.group == "Math Transform":  # ACOS and COSH want small numbers
        found = [series / (bars["high"].max() + 1) for series in found]
    return found


def test_the_shipped_catalogue_is_what_talib_says_of_itself() -> None:
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        shipped = list(csv.reader(file))
    hint = "regenerate: python tests/signals/catalogue_from_talib.py"
    assert shipped == [HEADER, *rows()], hint


def test_the_catalogue_holds_talib_with_its_candles_and_ours() -> None:
    assert sum(name.startswith("CDL") for name in FUNCTIONS) == 61
    assert len(TALIB) == 201
    assert {f.name for f in FUNCTIONS.values() if f.is_own} == {
        *("LAG", "HIGHEST", "LOWEST", "ABS", "MIN2", "MAX2")
    }


def test_usage_shows_how_to_write_a_call() -> None:
    assert FUNCTIONS["ATR"].usage == "ATR(timeperiod=14)"
    assert FUNCTIONS["LAG"].usage == "LAG(price, n)"
    assert FUNCTIONS["OBV"].usage == "OBV(price, window)"
    shown = "BBANDS(price, timeperiod=20, nbdevup=2, nbdevdn=2, matype=0).upperband"
    assert FUNCTIONS["BBANDS"].usage == shown


def test_settling_of_one_average_is_its_half_life_in_closed_form() -> None:
    # (1 - 2/31)^n < 1e-12  <=>  n > ln 1e-12 / ln(29/31) = 414.3
    assert settling_bars("ema:timeperiod", {"timeperiod": 30}) == 415
    # (13/14)^n < 1e-12  <=>  n > 372.9
    assert settling_bars("wilder:timeperiod", {"timeperiod": 14}) == 373
    assert settling_bars("ema:timeperiod", {"timeperiod": 1}) == 0  # no smoothing
    assert settling_bars("", {}) == 0


def test_chained_averages_settle_later_and_the_slower_of_two_counts() -> None:
    # Two equal stages, both wrong by 1: after n bars wrong by q^n (1 + n a), at most 1e-12 / 3.
    a = 2 / 11
    n = settling_bars("ema:timeperiod*2", {"timeperiod": 10})
    assert (1 - a) ** n * (1 + n * a) < 1e-12 / 3 <= (1 - a) ** (n - 1) * (1 + (n - 1) * a)
    both = {"fast": 5.0, "slow": 20.0}
    assert settling_bars("ema:fast|ema:slow", both) == settling_bars("ema:slow", both)


def test_an_ma_type_adds_what_it_is_made_of() -> None:
    def settle(matype: int) -> int:
        return settling_bars("ma:timeperiod:matype", {"timeperiod": 20, "matype": matype})

    assert [settle(matype) for matype in (0, 2, 5, 9)] == [0, 0, 0, 0]
    assert settle(1) == settling_bars("ema:timeperiod", {"timeperiod": 20})
    assert settle(13) == settling_bars("wilder:timeperiod", {"timeperiod": 20})
    assert settle(1) < settle(3) < settle(4) < settle(8)
    with pytest.raises(UsageError, match="matype 6 has no fixed look-back; allowed: "):
        settle(6)


@pytest.mark.parametrize("function", RECURSIVE, ids=lambda f: f.name)
def test_more_history_changes_no_recursive_value_by_more_than_1e_12(function: Function) -> None:
    variants: list[dict[str, float]] = [{}]
    types = [p.name for p in function.parameters if p.name.endswith("matype")]
    variants += [dict.fromkeys(types, float(t)) for t in (1, 3, 4, 8, 12, 13) if types]
    for variant in variants:
        for one in bound(function, variant):
            start = 4_000 - one.lookback - 300
            long = compute(one, inputs_of(function, 0))[start:]
            short = compute(one, inputs_of(function, start))
            assert np.isnan(short[: one.lookback]).all()
            assert not np.isnan(short[one.lookback :]).any()
            error = np.abs(long - short)[one.lookback :]
            assert error.max() <= 1e-12 * np.nanmax(np.abs(long)), (variant, one)


@pytest.mark.parametrize("function", FINITE, ids=lambda f: f.name)
def test_a_finite_value_reads_exactly_its_look_back(function: Function) -> None:
    for one in bound(function):
        start = 1_000
        long = compute(one, inputs_of(function, 0))[start:]
        short = compute(one, inputs_of(function, start))
        assert np.isnan(short[: one.lookback]).all()
        # Running sums and differences of near-equal sums leave float noise, nothing else.
        scale = max(1.0, float(np.nanmax(np.abs(long))))
        same = np.abs(long - short)[one.lookback :] <= 1e-9 * scale
        assert (same | np.isnan(long[one.lookback :])).all()


@pytest.mark.fault("F21", "functions of the catalogue, their future cut off")
@pytest.mark.parametrize("function", TALIB, ids=lambda f: f.name)
def test_cutting_off_the_future_changes_no_bit(function: Function) -> None:
    for one in bound(function):
        whole = compute(one, inputs_of(function, 2_000, 3_300))
        cut = compute(one, inputs_of(function, 2_000, 3_101))
        assert whole[:1_101].tobytes() == cut.tobytes()


def test_every_function_has_a_look_back_and_some_value() -> None:
    for function in TALIB:
        for one in bound(function):
            values = compute(one, inputs_of(function, 2_500))
            assert one.lookback >= 0
            assert math.isfinite(values[-1]), function.name
