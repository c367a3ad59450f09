"""What cannot be a backtest is refused with what was got, what is allowed and what to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest

import goldenthread as gt
from goldenthread.domain.errors import DataError, UsageError
from research.backtest.gold import DAYS, SPAN, TEXT, gold_bars, gold_file

if TYPE_CHECKING:
    from pathlib import Path


def refused(folder: Path, words: str, text: str = TEXT, **asked: Any) -> None:  # noqa: ANN401  # any argument
    asked = {"bars": gold_bars(), "span": SPAN, **asked}
    with pytest.raises(UsageError, match=words):
        gt.backtest(gold_file(folder, text), **asked)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    words = "bars has no column for close; it has 'symbol'.*rename the columns"
    refused(tmp_path, words, bars=gold_bars().drop("close"))


def test_a_frame_that_is_none_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "got list; it takes a polars or pandas frame", bars=[1, 2])


def test_an_empty_frame_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "bars has no rows", bars=gold_bars().clear())


def test_a_row_that_breaks_a_rule_is_named(tmp_path: Path) -> None:
    broken = gold_bars().with_columns(high=pl.lit(1.0))
    with pytest.raises(DataError, match=r"5 of 5 rows of the bars are refused, the first: GOLD"):
        gt.backtest(gold_file(tmp_path), bars=broken, span=SPAN)


@pytest.mark.parametrize("named", ["ds", None])
def test_pandas_may_have_the_dates_in_its_index(tmp_path: Path, named: str | None) -> None:
    frame = gold_bars().drop("date").to_pandas()
    frame.index = pd.DatetimeIndex(pd.to_datetime(DAYS), name=named)
    file = gold_file(tmp_path)
    ours = gt.backtest(file, bars=frame, span=SPAN)
    assert ours.trades.equals(gt.backtest(file, bars=gold_bars(), span=SPAN).trades)


def test_pandas_may_have_symbol_and_date_in_its_index(tmp_path: Path) -> None:
    frame = gold_bars().to_pandas().set_index(["symbol", "date"])
    assert gt.backtest(gold_file(tmp_path), bars=frame, span=SPAN).trades.height == 1


def test_a_pandas_index_that_says_nothing_is_refused(tmp_path: Path) -> None:
    frame = gold_bars().to_pandas()
    frame.index = pd.Index(["a", "b", "c", "d", "e"])
    refused(tmp_path, "a level without a name that is no date", bars=frame)


def test_an_unknown_parameter_is_named_with_those_there_are(tmp_path: Path) -> None:
    words = "no parameter 'los'.*these strategies have: above, amount, loss"
    refused(tmp_path, words, params={"los": 1})


def test_a_parameter_that_nothing_uses_is_refused(tmp_path: Path) -> None:
    text = TEXT.replace("[params]", "[params]\nidle = 1")
    refused(tmp_path, "'idle' of gold is used by no expression", text, params={"idle": 2})


@pytest.mark.parametrize("value", ["much", float("nan"), True])
def test_a_parameter_is_a_number(tmp_path: Path, value: object) -> None:
    refused(tmp_path, "a parameter is a number", params={"loss": value})


def test_a_symbol_without_bars_is_named(tmp_path: Path) -> None:
    text = TEXT.replace('["GOLD"]', '["GOLD", "IRON"]')
    refused(tmp_path, "gold names IRON, and the bars have GOLD", text)


def test_a_symbol_that_is_only_read_needs_bars_too(tmp_path: Path) -> None:
    text = TEXT.replace('"close > above and', "\"ref('SPY', close > 1) and close > above and")
    refused(tmp_path, "gold names SPY", text)


def test_dates_without_bars_are_refused(tmp_path: Path) -> None:
    span = (dt.date(2020, 1, 1), dt.date(2020, 2, 1))
    refused(tmp_path, "there are bars from 2024-01-02 to 2024-01-08", span=span)


@pytest.mark.parametrize("cash", [0, -5, "lots"])
def test_cash_is_an_amount(tmp_path: Path, cash: object) -> None:
    refused(tmp_path, "start_cash got", start_cash=cash)


def test_a_date_is_one_of_the_calendar(tmp_path: Path) -> None:
    refused(tmp_path, "span got '2024-02-30'", span=("2024-01-02", "2024-02-30"))


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(UsageError, match="no strategy to run"):
        gt.backtest([], bars=gold_bars())
