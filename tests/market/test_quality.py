from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.market.imports import read_actions, read_bars
from goldenthread.market.quality import Judged, judge
from goldenthread.warehouse.rows.columns import numeric
from market.market_bars import MONDAY, daily, split

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
REPORT = Path(__file__).parents[2] / "docs" / "data" / "quality.md"
MSFT_SPLIT = "symbol,kind,ex_ds,ratio\nMSFT,SPLIT,2003-02-18,2\n"
LATER = pl.duration(days=10)


def _state(bars: pl.DataFrame, symbol: str, ds: str) -> str:
    found = bars.filter(pl.col("symbol") == symbol, pl.col("ds") == dt.date.fromisoformat(ds))
    return str(found["state"].item())


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The shared bars, judged with LEAN's actions and the one split that LEAN does not have."""
    ours = tmp_path_factory.mktemp("actions") / "actions.csv"
    ours.write_text(MSFT_SPLIT)
    actions = read_actions(shared_data / "lean_factor_files") + read_actions(ours)
    bars = read_bars(shared_data / "daily_bars.parquet", {}, "", NOW).bars
    return judge(bars, actions, NOW)


@pytest.mark.shared
def test_the_two_corrupt_closes_are_quarantined_and_no_good_bar_is(real: Judged) -> None:
    # 19 good bars would be 2 in 10,000 of the 95,609.
    quarantined = real.bars.filter(state="QUARANTINED").select("symbol", "ds").rows()
    assert quarantined == [("BTC/USD", dt.date(2018, 4, 3)), ("GOOGL", dt.date(2008, 9, 30))]
    assert (len(real.bars), len(real.refused)) == (95_609, 0)


@pytest.mark.shared
def test_a_profit_warning_is_confirmed_and_called_no_split(real: Judged) -> None:
    assert _state(real.bars, "AAPL", "2000-09-29") == "CONFIRMED"


@pytest.mark.shared
def test_every_recorded_split_explains_its_jump(real: Judged) -> None:
    splits = [
        *(("AAPL", ds) for ds in ("2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31")),
        *(("AIG", ds) for ds in ("1998-08-03", "1999-08-02", "2000-07-31", "2009-07-01")),
        *(("EEM", ds) for ds in ("2005-06-09", "2008-07-24")),
        *(("BAC", "2004-08-30"), ("BNO", "2013-08-29"), ("GOOGL", "2014-04-03")),
        *(("IBM", "1999-05-27"), ("IWM", "2005-06-09"), ("USO", "2020-04-29")),
        ("MSFT", "2003-02-18"),
    ]
    assert {_state(real.bars, *split) for split in splits} == {"GOOD"}


@pytest.mark.shared
def test_a_split_without_a_record_is_a_jump_that_was_confirmed(shared_data: Path) -> None:
    bars = read_bars(shared_data / "daily_bars.parquet", {}, "", NOW).bars
    msft = bars.filter(symbol="MSFT")
    assert _state(judge(msft, []).bars, "MSFT", "2003-02-18") == "CONFIRMED"


@pytest.mark.shared
def test_the_report_in_the_docs_says_what_is_measured(real: Judged) -> None:
    report = REPORT.read_text(encoding="utf-8")
    for symbol, ds in real.bars.filter(state="QUARANTINED").select("symbol", "ds").iter_rows():
        assert f"| {symbol} | {ds} |" in report
    doubted = real.bars.filter(pl.col("state").is_in(["SUSPECT", "CONFIRMED"]))
    counts = doubted.group_by("symbol").len().sort("len", "symbol", descending=[True, False])
    listed = ", ".join(f"{symbol} {count}" for symbol, count in counts.iter_rows())
    assert f"{len(doubted)} bars" in report
    assert listed in report.replace("\n", " ")


def _jumpy(symbol: str = "AAPL") -> pl.DataFrame:
    """Twelve calm bars, one at 70, and one back at 100."""
    return daily(symbol, [100.0] * 12 + [70.0, 100.0], opens=[100.0] * 14)


def test_symbols_are_judged_apart_and_come_back_sorted() -> None:
    bars = pl.concat([_jumpy("MSFT"), daily("AAPL", [100.0, 101.0])])
    judged = judge(bars, []).bars
    assert judged["symbol"].to_list() == ["AAPL"] * 2 + ["MSFT"] * 14
    assert judged.filter(state="QUARANTINED")["symbol"].to_list() == ["MSFT"]


def test_what_state_the_bars_came_with_is_not_read() -> None:
    bars = daily("AAPL", [100.0, 101.0]).with_columns(state=pl.lit("QUARANTINED"))
    assert judge(bars, []).bars["state"].to_list() == ["GOOD", "GOOD"]


def test_no_bars_are_judged_to_no_bars() -> None:
    nothing = daily("AAPL", [100.0]).clear()
    judged = judge(nothing, [], NOW)
    assert judged.bars.equals(nothing)
    assert judged.refused.is_empty()


def test_a_refused_row_is_not_judged_with_the_others() -> None:
    bars = daily("AAPL", [100.0, 101.0, 102.0]).with_columns(
        volume=pl.when(pl.col("close") == 101).then(-1.0).otherwise("volume")
    )
    judged = judge(bars, [])
    assert judged.bars["close"].to_list() == [100.0, 102.0]
    assert judged.refused["field"].to_list() == ["volume"]


def test_a_corrected_close_is_good_and_the_wrong_one_stays_quarantined() -> None:
    wrong = _jumpy()
    right = wrong.filter(close=70.0).with_columns(
        pl.lit(100.5).alias("close"),
        pl.lit(100.5).alias("high"),
        pl.lit(100.0).alias("low"),
        pl.col("known_at") + LATER,
    )
    judged = judge(pl.concat([wrong, right]), []).bars
    assert judged.filter(ds=right["ds"][0])["state"].to_list() == ["QUARANTINED", "GOOD"]


def test_a_split_recorded_late_explains_the_jump_from_then_on() -> None:
    bars = daily("AAPL", [100.0] * 12 + [50.0] * 3, opens=[100.0] * 12 + [50.0] * 3)
    ex_ds = bars["ds"][12]
    late = split("AAPL", ex_ds, "2").model_copy(update={"known_at": NOW})
    before: Sequence[CorporateAction] = []
    assert judge(bars, before).bars["state"].to_list()[12] == "CONFIRMED"
    assert set(judge(bars, [late]).bars["state"]) == {"GOOD"}


def test_only_splits_explain_jumps() -> None:
    bars = daily("AAPL", [100.0] * 12 + [50.0] * 3)
    dividend = split("AAPL", bars["ds"][12], "2").model_copy(update={"kind": ActionKind.DIVIDEND})
    assert judge(bars, [dividend]).bars["state"].to_list()[12] == "CONFIRMED"
    assert bars["ds"][0] == MONDAY


def test_judged_prices_are_the_doubles_nearest_to_nine_decimals() -> None:
    # 0.02515999972820282 is what a file of 32-bit floats says of 0.02516
    raw = daily("BTC/USD", [0.02515999972820282, 0.025160000499, 0.0251600005])
    raw = raw.with_columns(open=pl.col("close"), high=pl.col("close"), low=pl.col("close"))
    raw = raw.with_columns(volume=pl.Series([69410680685.0, 12345678.123456789, 0.1 + 0.2]))
    judged = judge(raw, []).bars
    assert judged["close"].to_list() == [0.02516, 0.02516, 0.025160000]
    assert judged["volume"].to_list() == [69410680685.0, 12345678.123456789, 0.3]
    assert judge(judged, []).bars.equals(judged)


@pytest.mark.shared
def test_what_numeric_keeps_of_a_judged_price_is_the_price_to_the_bit(real: Judged) -> None:
    for name in ("open", "close", "volume"):
        values = real.bars[name].to_list()
        assert [float(numeric(Decimal(repr(value)))) for value in values] == values
