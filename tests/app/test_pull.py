"""``data pull``: bars from Alpaca's interface into the Parquet files, once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
import pytest

from app.command import command, contents
from goldenthread.app.api.project import init_project
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = '[market_data]\nengine = "alpaca"\n[alpaca]\nrequests_per_minute = 100000\n'
STRATEGY = """
strategy_id = "calm"
assets = ["AAPL", "BTC/USD"]
side = "long"
[factors]
market_up = "ref('SPY', close > SMA(close, 20))"
[entry]
when = "close > LAG(close, 1)"
[reject_unless]
MARKET_FALLING = "market_up"
[exit]
stop = "entry * 0.9"
max_bars = 5
[size]
mode = "fraction"
fraction = 0.1
"""


@pytest.fixture(name="exchange")
def _exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeServer]:
    terms = ExchangeTerms(start=dt.date(2024, 3, 28))
    with ExchangeServer(open_market(None, SystemClock().now()), terms) as server:
        for name, value in {
            "KEY_ID": server.key_id,
            "SECRET_KEY": server.secret_key,
            "DATA_URL": server.url,
            "TRADING_URL": server.url,
        }.items():
            monkeypatch.setenv(f"GOLDENTHREAD_ALPACA__{name}", value)
        yield server


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    init_project(tmp_path, samples=False)
    (tmp_path / "goldenthread.toml").write_text(SETTINGS)
    (tmp_path / "strategies" / "calm.toml").write_text(STRATEGY)
    return tmp_path


def pull(project: Path, *words: str) -> tuple[int, dict[str, object]]:
    answer = command("data", "pull", *words, "--json", "--project", str(project))
    assert answer.err == ""
    return answer.code, answer.document


@pytest.mark.usefixtures("exchange")
def test_the_symbols_of_the_strategies_are_pulled_also_those_they_refer_to(project: Path) -> None:
    code, told = pull(project, "--from", "2024-01-02")
    assert code == 0
    assert (told["symbols"], told["first"], told["last"]) == (3, "2024-01-02", "2024-03-28")
    assert (told["new"], told["revised"], told["refused"]) == (61 + 61 + 87, 0, 0)
    stored = pl.read_parquet(project / "data" / "bars.parquet")
    assert stored["symbol"].unique().sort().to_list() == ["AAPL", "BTC/USD", "SPY"]


def test_a_second_pull_changes_nothing_and_a_later_one_brings_the_new_days(
    exchange: ExchangeServer, project: Path
) -> None:
    pull(project, "--from", "2024-01-02")
    before = contents(project)
    code, told = pull(project, "--from", "2024-01-02")
    assert (code, told["new"], told["revised"]) == (0, 0, 0)
    assert contents(project) == before
    exchange.advance("2024-04-01")
    _, told = pull(project)
    assert (told["new"], told["revised"], told["last"]) == (1 + 1 + 4, 0, "2024-04-01")


@pytest.mark.usefixtures("exchange")
def test_a_symbol_nobody_trades_is_named(project: Path) -> None:
    code, told = pull(project, "MSFT", "NOSUCH", "--from", "2024-03-25")
    assert (code, told["unknown"], told["symbols"], told["new"]) == (1, ["NOSUCH"], 1, 4)


@pytest.mark.usefixtures("exchange")
def test_the_volumes_of_one_venue_are_warned_of(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__FEED", "iex")
    _, told = pull(project, "MSFT", "--from", "2024-03-25")
    assert "filters on volume decide wrongly" in str(told["notes"])


def test_the_parquet_engine_has_nowhere_to_pull_from(tmp_path: Path) -> None:
    init_project(tmp_path, samples=False)
    answer = command("data", "pull", "--project", str(tmp_path))
    assert (answer.code, "engine to 'alpaca'" in answer.err) == (2, True)


def test_a_pull_that_fails_keeps_what_was_there(
    exchange: ExchangeServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(project, "--from", "2024-01-02")
    before = contents(project)
    exchange.advance("2024-04-01")
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, _seconds: None)
    exchange.fault("html", status=502, path="/v1beta3", method="GET", times=50)
    answer = command("data", "pull", "--project", str(project))
    assert (answer.code, "502" in answer.err) == (3, True)
    assert contents(project) == before
