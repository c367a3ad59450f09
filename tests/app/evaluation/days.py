"""Days of made-up stocks, flat but for what a test gives them, on an exchange over HTTP."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from emulators.exchange import settings_for
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BOOK, MODEL = "paper:PA9", "sim:model-PA9"
MON, TUE, WED, THU, FRI = (dt.date(2024, 3, day) for day in (4, 5, 6, 7, 8))
"""The dates of the tests; the bars begin before and end after."""
LOUD, QUIET = 9_000.0, 1_000.0
"""Volumes: a loud bar is a signal."""
Bar = tuple[float, float, float, float, float]
"""Open, high, low, close and volume."""

_DAY = dt.timedelta(days=1)
_SETTINGS = """\
[project]
book = "paper:PA9"
[policy]
profile      = "paper"
slippage_bps = "0"
[gates]
max_positions         = 9
max_order_notional    = 100000
max_position_fraction = 0.9
max_gross_exposure    = 3.0
"""
STRATEGY = """\
strategy_id = "{name}"
assets      = {assets}

[entry]
when  = "volume > 5000"
{order}

[exit]
stop     = "entry * 0.5"
max_bars = 1

[size]
mode     = "fraction"
fraction = 0.2
max_position_fraction = 0.9
"""
MARKET = 'order = "market"'
_PENNY = {
    "PENNY": (
        0.5,
        {
            TUE: (0.5, 0.5, 0.5, 0.5, LOUD),
            WED: (0.5, 0.52, 0.49, 0.51, QUIET),
            THU: (0.51, 0.51, 0.51, 0.51, QUIET),
        },
    )
}


def bars(symbols: Mapping[str, tuple[float, Mapping[dt.date, Bar]]]) -> pl.DataFrame:
    """Flat bars at each symbol's price, quiet, with those of single dates put in their place."""
    days = sessions(AssetClass.EQUITY, MON - 70 * _DAY, FRI + 10 * _DAY)
    rows = [
        (symbol, ds, *told.get(ds, (price, price, price, price, QUIET)))
        for symbol, (price, told) in symbols.items()
        for ds in days
    ]
    names = ("symbol", "ds", "open", "high", "low", "close", "volume")
    return pl.DataFrame(rows, schema=names, orient="row")


def project_in(folder: Path, strategies: Mapping[str, str], table: pl.DataFrame) -> Path:
    """A project of these strategy files and bars."""
    init_project(folder, samples=False)
    (folder / "goldenthread.toml").write_text(_SETTINGS)
    for name, text in strategies.items():
        (folder / "strategies" / f"{name}.toml").write_text(text)
    table.write_parquet(folder / "bars.parquet")
    report = import_bars(Project.open(folder), folder / "bars.parquet", {})
    assert report.refused == 0
    return folder


def penny(folder: Path) -> Path:
    """A project that buys 40,000 shares on WED, opening at 0.50, and sells them on THU at 0.51."""
    loud = STRATEGY.format(name="loud", assets=["PENNY"], order=MARKET)
    return project_in(folder, {"loud": loud}, bars(_PENNY))


@contextmanager
def at_exchange(
    folder: Path, data: Path, **terms: object
) -> Iterator[tuple[Project, ExchangeServer]]:
    """The project at Alpaca's API, spoken by an exchange of those terms on the bars of ``data``."""
    told = ExchangeTerms(
        start=MON - _DAY,
        account_id="PA9",
        **{"cash": Decimal(100_000), "slippage_bps": Decimal(0), **terms},  # type: ignore[arg-type]
    )
    with ExchangeServer(open_market(data / "data", SystemClock().now()), told) as exchange:
        yield Project.open(folder, settings_for(exchange)), exchange
