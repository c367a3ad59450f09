from __future__ import annotations

import datetime as dt

import polars as pl

from goldenthread.market.coverage import gaps, ledger
from goldenthread.market.imports import asset_record
from market.market_bars import MONDAY, daily

SUNDAY = MONDAY + dt.timedelta(days=6)
ASSETS = [asset_record(symbol, "test") for symbol in ("BTC/USD", "AAPL", "MSFT")]


def _bars() -> pl.DataFrame:
    """Apple on Monday, Tuesday and Thursday; Bitcoin from Tuesday to Saturday."""
    apple = daily("AAPL", [100, 101, 102, 103]).filter(pl.col("close") != 102)
    coin = daily("BTC/USD", [7, 8, 9, 8, 7], first=MONDAY + dt.timedelta(days=1))
    states = pl.Series("state", ["GOOD", "CONFIRMED", "QUARANTINED", "GOOD", "SUSPECT"])
    return pl.concat([apple, coin.with_columns(states)])


def test_the_ledger_counts_sessions_of_each_calendar() -> None:
    # Monday to Sunday: five sessions in New York, seven UTC days.
    rows = ledger(_bars(), ASSETS, MONDAY, SUNDAY).rows()
    day = [MONDAY + dt.timedelta(days=n) for n in range(7)]
    assert rows == [
        ("AAPL", day[0], day[3], 5, 3, 2, 0, 0),
        ("BTC/USD", day[1], day[5], 7, 5, 2, 2, 1),
        ("MSFT", None, None, 5, 0, 5, 0, 0),
    ]


def test_gaps_are_runs_of_sessions_without_a_bar() -> None:
    day = [MONDAY + dt.timedelta(days=n) for n in range(7)]
    assert gaps(_bars(), ASSETS, MONDAY, SUNDAY).rows() == [
        ("AAPL", day[2], day[2], 1, "inside"),
        ("AAPL", day[4], day[4], 1, "after"),
        ("BTC/USD", day[0], day[0], 1, "before"),
        ("BTC/USD", day[6], day[6], 1, "after"),
        ("MSFT", day[0], day[4], 5, "all"),
    ]


def test_only_the_range_asked_for_counts() -> None:
    tuesday = MONDAY + dt.timedelta(days=1)
    apple = [asset for asset in ASSETS if asset.symbol == "AAPL"]
    assert ledger(_bars(), apple, tuesday, tuesday).rows() == [
        ("AAPL", tuesday, tuesday, 1, 1, 0, 0, 0)
    ]
    assert gaps(_bars(), apple, tuesday, tuesday).is_empty()


def test_a_revised_bar_is_one_bar_in_its_newest_state() -> None:
    first = daily("AAPL", [100]).with_columns(state=pl.lit("QUARANTINED"))
    later = daily("AAPL", [101]).with_columns(pl.col("known_at") + pl.duration(days=3))
    row = ledger(pl.concat([later, first]), ASSETS[1:2], MONDAY, MONDAY).row(0, named=True)
    assert (row["bars"], row["missing"], row["quarantined"]) == (1, 0, 0)


def test_without_assets_there_is_nothing_to_cover() -> None:
    assert ledger(_bars(), [], MONDAY, SUNDAY).is_empty()
    assert gaps(_bars(), [], MONDAY, SUNDAY).is_empty()
