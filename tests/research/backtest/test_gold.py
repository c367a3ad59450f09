"""One trade from bars to equity, worked out by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread as gt
from goldenthread.domain.errors import UsageError
from research.backtest.gold import SPAN, TEXT, gold_bars, gold_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.backtest.result import Backtest


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    file = gold_file(tmp_path_factory.mktemp("gold"))
    return gt.backtest(file, bars=gold_bars(), span=SPAN)


def test_the_trade_is_what_the_rules_say(found: Backtest) -> None:
    (trade,) = found.trades.to_dicts()
    assert (trade["signal_ds"], trade["entry_ds"], trade["exit_ds"]) == (
        dt.date(2024, 1, 3),
        dt.date(2024, 1, 4),
        dt.date(2024, 1, 5),
    )
    assert trade["traded_quantity"] == 9  # 1000 / 105, whole shares
    assert trade["entry_price"] == Decimal("106.053")  # the open of 106 and 5 bps
    assert trade["exit_price"] == 115  # the limit, never slipped
    assert trade["net_pnl"] == Decimal("80.523")  # 9 x (115 - 106.053)
    assert trade["r_multiple"] == Decimal("0.809463494")  # over 9 x (106.053 - 95)
    assert (trade["exit_reason"], trade["bars_held"]) == ("TARGET", 2)
    assert trade["mfe"] == Decimal("0.084363479")  # 115, the exit's own bar seen by its fill only
    assert trade["mae"] == Decimal("-0.019358245")  # 104


def test_every_day_is_marked_at_its_close(found: Backtest) -> None:
    start = Decimal(100_000)
    held = start - 9 * Decimal("106.053") + 9 * 107
    closed = start + Decimal("80.523")
    assert found.equity["equity"].to_list() == [start, start, held, *[closed] * 4]
    assert found.equity["ds"].to_list() == [dt.date(2024, 1, n) for n in range(2, 9)]
    assert found.equity["gross_exposure"].to_list()[2] == 963
    assert found.equity["money_error"].to_list() == [0] * 7


def test_the_second_idea_is_refused_because_the_first_is_held(found: Backtest) -> None:
    (refused,) = found.rejected.to_dicts()
    assert refused["rejection_reasons"] == ["DUPLICATE_SYMBOL"]
    assert refused["quantity"] == 9
    assert refused["outcome_status"] == "OPEN"  # its target of 117 was not met yet
    assert refused["theoretical_net_pnl"] is None
    assert found.filters.select("kind", "name", "refused", "open").rows() == [
        ("gate", "DUPLICATE_SYMBOL", 1, 1)
    ]


def test_the_counts_and_figures_are_of_the_same_trade(found: Backtest) -> None:
    assert found.signals == {
        "generated": 2,
        "traded": 1,
        "rejected": 1,
        "expired": 0,
        "invalidated": 0,
        "waiting": 0,
        "active": 0,
    }
    account, strategy = found.metrics.to_dicts()
    assert (account["strategy_id"], strategy["strategy_id"]) == (None, "gold")
    assert (account["trades"], account["win_rate"], account["costs"]) == (1, 1.0, 0.0)
    assert account["net_pnl"] == pytest.approx(80.523)
    assert found.expired.is_empty()


def test_a_notebook_shows_it_in_a_line_and_in_a_table(found: Backtest) -> None:
    assert repr(found) == "Backtest(2024-01-02 to 2024-01-08: 2 signals, 1 trades, 0.1%)"
    page = found._repr_html_()  # what a notebook calls
    assert "<caption>2024-01-02 to 2024-01-08, equity $100,081</caption>" in page
    assert "win rate</th><td style='text-align:right'>100.0%</td>" in page


def test_another_parameter_is_another_backtest(tmp_path: Path) -> None:
    file = gold_file(tmp_path)
    tighter = gt.backtest(file, bars=gold_bars(), span=SPAN, params={"loss": 1})
    (trade,) = tighter.trades.to_dicts()  # stop at 104: met on the entry bar
    assert (trade["exit_reason"], trade["exit_ds"]) == ("STOP", dt.date(2024, 1, 4))
    assert tighter.config["params"] == {"loss": "1"}


def test_an_exit_of_today_starts_the_cooldown_today(tmp_path: Path) -> None:
    eager = TEXT.replace("close < 110", "close < 120")  # decides on the day of the exit again
    again = gt.backtest(gold_file(tmp_path, eager), bars=gold_bars(), span=SPAN)
    assert again.fills["ds"].to_list()[-1] == dt.date(2024, 1, 8)  # it is bought again at once
    patient = eager.replace("[size]", "[size]\ncooldown_bars = 2")
    rested = gt.backtest(gold_file(tmp_path, patient), bars=gold_bars(), span=SPAN)
    refused = {row["ds"]: row["rejection_reasons"] for row in rested.rejected.to_dicts()}
    assert refused[dt.date(2024, 1, 5)] == ["COOLDOWN"]
    assert refused[dt.date(2024, 1, 8)] == ["NOT_RISING", "COOLDOWN"]
    assert rested.fills["ds"].to_list()[-1] == dt.date(2024, 1, 5)


def test_less_cash_buys_nothing(tmp_path: Path) -> None:
    poor = gt.backtest(gold_file(tmp_path), bars=gold_bars(), span=SPAN, start_cash=400)
    assert poor.trades.is_empty()
    assert "MAX_POSITION_FRACTION" in poor.rejected["rejection_reasons"][0].to_list()
    assert set(poor.equity["equity"]) == {Decimal(400)}


def test_a_folder_holds_all_of_it_and_proves_it(found: Backtest, tmp_path: Path) -> None:
    folder = found.save(tmp_path / "runs" / "gold")
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert files == {*manifest["files"], "manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["first"], config["strategies"]) == (dt.date(2024, 1, 2), ["gold"])
    assert pl.read_parquet(folder / "trades.parquet").equals(found.trades)
    assert "gold.toml" in {p.name for p in (folder / "strategies").iterdir()}
    assert [p.name for p in folder.parent.iterdir()] == ["gold"]


def test_a_folder_with_something_in_it_is_never_written_over(
    found: Backtest, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already; name a new folder"):
        found.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]
