"""One trade of a strategy by itself, worked out by hand, and the same as a sweep has it."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import goldenthread as gt
from goldenthread.domain.errors import UsageError
from goldenthread.research.sweep.figures import FIGURES
from research.backtest.gold import DAYS, SPAN, TEXT, gold_bars, gold_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.backtest.per_strategy import PerStrategy

OTHER = TEXT.replace('"gold"', '"late"').replace("close > above", "close > above + 6")


@pytest.fixture
def found(tmp_path: Path) -> PerStrategy:
    """Two strategies that both buy gold."""
    other = tmp_path / "strategies" / "late.toml"
    files = [gold_file(tmp_path), other]
    other.write_text(OTHER)
    return gt.backtest(files, bars=gold_bars(), span=SPAN, per_strategy=True, capital=50_000)


def test_a_signal_takes_its_fraction_of_the_capital(found: PerStrategy) -> None:
    (trade,) = found.trades.to_dicts()
    assert (trade["strategy_id"], trade["signal_ds"], trade["entry_ds"]) == ("gold", *DAYS[1:3])
    assert trade["quantity"] == 47  # a tenth of 50000, at 105, in whole shares
    assert trade["entry_price"] == 106.053  # the open of 106 and 5 bps
    assert trade["net_pnl"] == pytest.approx(420.509)  # 47 x (115 - 106.053)


def test_each_curve_begins_with_the_capital_whatever_the_others_hold(found: PerStrategy) -> None:
    gold, late = found.equity.partition_by("strategy_id")
    held = 50_000 + 47 * (107 - 106.053)
    assert gold["equity"].to_list() == pytest.approx([5e4, 5e4, held, 50_420.509, 50_420.509])
    assert gold["gross_exposure"].to_list()[2] == 47 * 107
    # 46 x 107 are below 5000; bought at 108.054, marked at 114 twice; on one account refused
    marked = 50_000 + 46 * (114 - 108.054)
    assert late["equity"].to_list() == pytest.approx([5e4, 5e4, 5e4, marked, marked])


def test_it_says_that_cash_is_not_shared_and_each_is_by_itself(found: PerStrategy) -> None:
    assert found.mode == (
        "per strategy: a fixed fraction of the start capital a signal, cash not shared, gates of"
        " the account not asked; each strategy by itself"
    )
    assert repr(found) == "PerStrategy(gold 1 trades 0.8%, late 0 trades 0.5%)"
    assert f"<p>{found.mode}</p>" in found._repr_html_()  # what a notebook calls


def test_a_folder_holds_all_of_it(found: PerStrategy, tmp_path: Path) -> None:
    folder = found.save(tmp_path / "runs" / "both")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["mode"] == found.mode
    assert set(manifest["files"]) == {
        *("config.toml", "metrics.json", "trades.parquet", "equity.parquet"),
        *(f"strategies/{name}.{kind}" for name in ("gold", "late") for kind in ("toml", "json")),
    }
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["capital"], config["fraction"]) == (50_000, 0.1)
    assert pl.read_parquet(folder / "equity.parquet").equals(found.equity)


def test_it_is_a_sweep_of_one_permutation(tmp_path: Path) -> None:
    file, frame = gold_file(tmp_path), gold_bars()
    asked: dict[str, Any] = {"capital": 30_000, "fraction": 0.3}
    found = gt.backtest(file, frame, {"loss": 3}, span=SPAN, per_strategy=True, **asked)
    swept = gt.sweep(file, "loss=3", tmp_path, frame, first=SPAN[0], last=SPAN[1], **asked)
    (permutation,) = swept.figures["permutation"]
    trades, equity = swept.store.trades(permutation), swept.store.equity(permutation)
    assert trades is not None
    assert equity is not None
    assert trades.height == 1
    assert found.trades.drop("strategy_id").equals(trades)
    assert found.equity.drop("strategy_id").equals(equity)
    ours, theirs = found.metrics.row(0, named=True), swept.figures.row(0, named=True)
    assert [ours[name] for name in FIGURES] == pytest.approx([theirs[name] for name in FIGURES])


@pytest.mark.parametrize("away", ["14d", "-28d"])
def test_a_strategy_without_bars_between_the_dates_is_left_out_and_named(
    tmp_path: Path, away: str
) -> None:
    moved = gold_bars().with_columns(pl.col("date").dt.offset_by(away), symbol=pl.lit("IRON"))
    bars = pl.concat([gold_bars(), moved])
    iron = tmp_path / "strategies" / "iron.toml"
    files = [gold_file(tmp_path), iron]
    iron.write_text(TEXT.replace('"gold"', '"iron"').replace("GOLD", "IRON"))
    found = gt.backtest(files, bars, span=SPAN, per_strategy=True)
    assert found.notes == ("iron: none of its symbols has a bar in the span",)
    assert found.metrics["strategy_id"].to_list() == ["gold"]
    with pytest.raises(UsageError, match="nothing to run: iron: none of its symbols has a bar"):
        gt.backtest(iron, bars, span=SPAN, per_strategy=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"per_strategy": True, "start_cash": 5}, "backtest has no option 'start_cash'"),
        ({"capital": 5}, "backtest has no option 'capital'.*; it takes per_strategy, start_cash"),
        ({"per_strategy": True, "fraction": "much"}, "fraction got 'much'; it is a number above 0"),
        ({"per_strategy": True, "capital": 1e12}, "more than can be counted"),
    ],
)
def test_what_the_mode_does_not_have_says_what_it_has(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        gt.backtest(gold_file(tmp_path), gold_bars(), span=SPAN, **options)
