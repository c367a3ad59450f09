"""The command ``backtest`` on a project's bars."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread as gt
from app.command import SUMMER, command
from research.backtest.gold import SPAN, gold_bars, gold_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")
MAY = ("--from", "2012-05-15", "--to", "2012-06-15")


def test_all_strategies_are_told_with_their_figures_and_kept(
    imported: Path, tmp_path: Path
) -> None:
    words = ("--all", *MAY, "--out", str(tmp_path / "run"), "--project", str(imported), "--json")
    answer = command("backtest", *words)
    assert (answer.code, answer.err) == (0, "")
    found = answer.document
    assert found["signals"]["generated"] > found["trades"] > 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["signals"] == found["signals"]
    assert any("follow_the_leader: no bars of QQQ" in words for words in found["notes"])


def test_the_command_and_the_notebook_give_the_same(summer: Path) -> None:
    file = summer / "strategies" / "golden_cross.toml"
    alone = gt.backtest(file, project=summer, span=SUMMER)
    words = ("--from", str(SUMMER[0]), "--to", str(SUMMER[1]), "--project", str(summer))
    told = command("backtest", str(file), *words, "--json").document
    assert told["equity"] == format(alone.outcome.snapshots[-1].equity, "f")
    assert told["signals"] == alone.signals


def test_the_account_stands_beside_the_benchmarks_as_in_the_report_of_the_simulated_book(
    summer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_BENCHMARKS__EQUITY", "AAPL")
    days = ("--from", str(SUMMER[0]), "--to", str(SUMMER[1]))
    words = ("--all", *days, "--out", str(tmp_path / "run"), "--project", str(summer), "--json")
    told = command("backtest", *words).document["benchmarks"]
    report = ("report", "--out", str(tmp_path / "page.html"), "--project", str(summer), "--json")
    reported = command(*report).document["figures"]["benchmarks"]
    assert told == [{name: row[name] for name in told[0]} for row in reported]
    apple, bitcoin = pl.read_parquet(tmp_path / "run" / "benchmarks.parquet").to_dicts()
    assert (apple["asset_class"], apple["benchmark"], apple["returns"]) == ("EQUITY", "AAPL", 76)
    assert apple["beta"] == told[0]["beta"] != 0
    assert bitcoin["note"] == "no bars of BTC/USD on days of the account"


def test_bars_of_ones_own_have_no_benchmark(tmp_path: Path) -> None:
    found = gt.backtest(gold_file(tmp_path), bars=gold_bars(), span=SPAN)
    assert found.benchmarks.is_empty()


def test_each_strategy_by_itself_is_told_as_the_notebook_gives_it(
    summer: Path, tmp_path: Path
) -> None:
    names = ("golden_cross", "dip_in_uptrend")
    stakes = ("--per-strategy", "--capital", "50000", "--fraction", "0.2")
    words = ("--from", "2012-01-03", "--to", "2012-08-31", "--project", str(summer))
    out = ("--out", str(tmp_path / "run"))
    told = command("backtest", *names, *stakes, *words, *out, "--json").document
    alone = gt.backtest(
        names,
        project=summer,
        span=("2012-01-03", "2012-08-31"),
        per_strategy=True,
        capital=50_000,
        fraction=0.2,
    )
    assert told["mode"].endswith("gates of the account not asked; each strategy by itself")
    assert [row["strategy_id"] for row in told["strategies"]] == list(names)
    for row in told["strategies"]:
        (figures,) = alone.metrics.filter(strategy_id=row["strategy_id"]).to_dicts()
        assert {name: figures[name] for name in row} == row
    assert sum(row["trades"] for row in told["strategies"]) == alone.trades.height > 0
    assert pl.read_parquet(tmp_path / "run" / "trades.parquet").equals(alone.trades)
    shown = command("backtest", *names, *stakes, *words).out
    assert "cash not shared" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no strategy to run"),
        (("--all", "x.toml"), "strategy files and --all were both given"),
        (("--all", "--param", "stop_atr"), "--param got 'stop_atr'; write NAME=VALUE"),
        (("--all", "--param", "nope=1"), "no parameter 'nope'"),
        (("--all", "--capital", "5"), "--capital and --fraction are those of --per-strategy"),
        (("--all", "--per-strategy", "--fraction", "0"), "must both be positive"),
        (("--all", "--per-strategy", "--from", "1999-01-01", "--to", "1999-02-01"), "no bar from"),
        (("nowhere.toml",), "nowhere.toml cannot be read"),
        (("--all", "--from", "1999-01-01", "--to", "1999-02-01"), "no bar from 1999-01-01"),
    ],
)
def test_what_cannot_be_run_says_why(imported: Path, words: tuple[str, ...], said: str) -> None:
    answer = command("backtest", *words, "--project", str(imported))
    assert answer.code == 2
    assert said in answer.err
