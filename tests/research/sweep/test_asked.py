"""What a notebook types about a project: names, dates, amounts as they come, mistakes explained."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest

import goldenthread as gt
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.project import init_project
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import UsageError
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = sessions(AssetClass.EQUITY, dt.date(2024, 1, 2), dt.date(2024, 3, 28))
_TEXT = """
strategy_id = "gold"
assets      = ["GOLD"]

[params]
loss = 5

[entry]
when = "close > open"

[exit]
stop     = "entry - loss"
max_bars = 3

[size]
mode = "cash"
cash = 1000
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A project with sixty days of one stock that rises by one a day."""
    closes = [100.0 + n for n in range(len(_DAYS))]
    bars = pl.DataFrame({"symbol": "GOLD", "ds": _DAYS, "close": closes}).with_columns(
        open=pl.col("close") - 1,
        high=pl.col("close") + 1,
        low=pl.col("close") - 2,
        volume=pl.lit(1_000_000.0),
    )
    bars.write_parquet(tmp_path / "bars.parquet")
    init_project(tmp_path / "desk", samples=False)
    import_bars(gt.open(tmp_path / "desk"), tmp_path / "bars.parquet", {})
    (tmp_path / "desk" / "strategies" / "gold.toml").write_text(_TEXT)
    return tmp_path / "desk"


def test_dates_amounts_and_a_single_axis_are_taken_as_they_are_typed(desk: Path) -> None:
    found = gt.sweep("gold", "loss=3,5", folder=desk, first="2024-02-01", capital=50_000)
    assert found.manifest["first"] == "2024-02-01"
    assert found.manifest["capital"] == "50000"
    assert found.manifest["symbols"] == ["GOLD"]
    file = desk / "strategies" / "gold.toml"
    again = gt.sweep(file, ["loss=3,5"], desk, first=dt.date(2024, 2, 1), capital="50000")
    assert again.sweep_id == found.sweep_id
    one = gt.sweep("gold", "loss=3,5", folder=desk, first="2024-02-01", fraction=0.2)
    assert one.manifest["fraction"] == "0.2"


def test_a_notebook_shows_it_in_a_line_and_in_a_table(desk: Path) -> None:
    found = gt.sweep("gold", "loss=3,5", folder=desk, objective="total_return", symbols="GOLD")
    best = found.figures.row(0, named=True)
    assert repr(found) == (
        f"Sweep({found.sweep_id}: 2 permutations, best total_return"
        f" {best['total_return']:.3f} with loss={best['loss']:g})"
    )
    page = found._repr_html_()  # what a notebook calls
    assert page.startswith(f"<p>Sweep({found.sweep_id}: 2 permutations")
    assert best["permutation"] in page


def test_a_backtest_takes_the_id_as_a_sweep_does_and_saves_where_it_is_told(desk: Path) -> None:
    file = desk / "strategies" / "gold.toml"
    found = gt.backtest("gold", project=desk)
    assert found.trades.height > 0
    assert found.trades.equals(gt.backtest(file, project=desk).trades)
    with pytest.raises(UsageError, match=r"no strategy 'god'; name a file, or one of .*: gold"):
        gt.backtest("god", project=desk)
    folder = str(desk / "runs" / "gold")
    assert found.save(folder) == desk / "runs" / "gold"
    assert pl.read_parquet(desk / "runs" / "gold" / "trades.parquet").equals(found.trades)


def test_bars_of_ones_own_give_the_same_sweep_as_a_project_of_them(
    desk: Path, tmp_path: Path
) -> None:
    bars = pl.read_parquet(tmp_path / "bars.parquet")
    file, asked = desk / "strategies" / "gold.toml", "loss=3,5"
    theirs = gt.sweep("gold", asked, desk, first="2024-02-01")
    for number, frame in enumerate((bars, bars.to_pandas().set_index(["symbol", "ds"]))):
        folder = tmp_path / f"own{number}"
        ours = gt.sweep(file, asked, folder, bars=frame, first="2024-02-01")
        assert (ours.sweep_id, ours.result_digest) == (theirs.sweep_id, theirs.result_digest)
        assert ours.figures.equals(theirs.figures)
        kept = {path.name for path in (folder / "sweeps").iterdir()}
        assert kept == {ours.sweep_id, "trials"}


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        (pl.DataFrame({"symbol": ["GOLD"]}), "bars has no column for .*: rename the columns"),
        ([1, 2], "bars= got list; it takes a polars or pandas frame"),
        (pd.DataFrame({"a": [1]}, index=pd.Index(["x"])), "a level without a name that is no date"),
    ],
)
def test_bars_that_are_none_are_refused_as_in_a_backtest(
    desk: Path,
    tmp_path: Path,
    bars: Any,  # noqa: ANN401  # whatever is typed
    said: str,
) -> None:
    with pytest.raises(UsageError, match=said):
        gt.sweep(desk / "strategies" / "gold.toml", "loss=3,5", tmp_path, bars=bars)


def test_bars_of_ones_own_need_every_symbol_the_strategy_names(desk: Path, tmp_path: Path) -> None:
    bars = pl.read_parquet(tmp_path / "bars.parquet").with_columns(symbol=pl.lit("IRON"))
    with pytest.raises(UsageError, match="gold names GOLD, and the bars have IRON"):
        gt.sweep(desk / "strategies" / "gold.toml", "loss=3,5", tmp_path, bars=bars)


@pytest.mark.parametrize("span", ["2024", ("2024-02-01",), (None, None, None)])
def test_a_span_is_two_dates(desk: Path, span: Any) -> None:  # noqa: ANN401  # whatever is typed
    with pytest.raises(UsageError, match=r"span got .*; it is two dates, \('2020-01-01', None\)"):
        gt.backtest("gold", project=desk, span=span)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"capitl": 1}, "sweep has no option 'capitl'; did you mean capital"),
        ({"first": "May 2024"}, "first got 'May 2024', no date of the calendar"),
        ({"capital": "10,000"}, "capital got '10,000'; it is a number above 0, 100000 for"),
        ({"fraction": 0}, "fraction got 0; it is a number above 0, 0.1 for example"),
    ],
)
def test_what_cannot_be_meant_says_what_can(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        gt.sweep("gold", "loss=3,5", **options)
    assert said in str(error.value)
