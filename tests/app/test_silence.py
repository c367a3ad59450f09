"""A run says why strategies decide nothing; it says so once, and only where it is so."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from app.command import command
from goldenthread.app.api.project import init_project

if TYPE_CHECKING:
    from pathlib import Path

_BARS = """symbol,ds,open,high,low,close,volume
AAPL,2024-01-02,187.15,188.44,183.89,185.64,82488700
AAPL,2024-01-03,184.22,185.88,183.43,184.25,58414500
"""
_OTHER = """
strategy_id = "{name}"
assets      = [{assets}]
[entry]
when = "{when}"
[exit]
stop     = "entry * 0.96"
max_bars = 10
[size]
mode     = "fraction"
fraction = 0.1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A bare project with two bars of one stock."""
    init_project(tmp_path, samples=False)
    (tmp_path / "bars.csv").write_text(_BARS)
    asked(tmp_path, "data", "import", str(tmp_path / "bars.csv"))
    return tmp_path


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


def strategy(folder: Path, name: str, assets: str, when: str = "close > open") -> None:
    """A strategy file of that name."""
    text = _OTHER.format(name=name, assets=assets, when=when)
    (folder / "strategies" / f"{name}.toml").write_text(text)


def test_strategies_without_bars_are_named_with_what_they_lack(project: Path) -> None:
    strategy(project, "able", '"AAPL", "TSLA"')
    strategy(project, "idle", '"MSFT", "BTC/USD"')
    strategy(project, "lazy", '"MSFT"')
    words = "2 strategies decide on nothing: no bars for BTC/USD, MSFT (idle, lazy)"
    assert asked(project, "plan")["report"]["notes"] == [words]
    assert asked(project, "run")["notes"] == [words]
    assert asked(project, "run")["notes"] == [words]  # a date that is done says so too
    days = ("--from", "2024-01-02", "--to", "2024-01-03")
    assert asked(project, "simulate", *days)["notes"] == [words]
    told = command("run", "--project", str(project))
    assert told.out.count("decide on nothing") == 1


def test_a_reference_to_a_symbol_without_bars_is_told(project: Path) -> None:
    strategy(project, "led", '"AAPL"', "ref('SPY', close > open)")
    assert asked(project, "run")["notes"] == [
        "led refers to SPY, which has no bars: whatever asks for it is null"
    ]


def test_a_project_without_strategies_is_told_how_to_write_one(project: Path) -> None:
    (note,) = asked(project, "run")["notes"]
    assert "goldenthread strategy new" in note


def test_where_every_strategy_has_bars_nothing_is_said(project: Path) -> None:
    strategy(project, "able", '"AAPL"')
    assert asked(project, "run")["notes"] == []


def test_the_samples_without_their_bars_are_counted(project: Path) -> None:
    shutil.rmtree(project / "strategies")
    init_project(project)
    (note, *_) = asked(project, "run")["notes"]
    assert note.endswith("(crypto_swing)")
    assert note.startswith("1 strategy decides on nothing: no bars for ")
