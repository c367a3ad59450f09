"""An account beside the benchmarks its settings name, from the bars that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.figures.benchmark import BenchmarkFigures, against, held

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from goldenthread.domain.asset import AssetClass
    from goldenthread.market.bars import BarBook


def worth_of(
    bars: BarBook, symbols: Iterable[str], first: dt.date, last: dt.date
) -> dict[str, pl.DataFrame]:
    """What one unit of money became in each symbol (``ds equity``), dividends reinvested.

    A symbol without bars in the span has an empty frame.
    """
    found = {}
    for symbol in symbols:
        days, *_, close = bars.columns(symbol, first, last)
        found[symbol] = held(pl.DataFrame({"ds": days, "close": close}), bars.actions(symbol))
    return found


def beside(
    equity: pl.DataFrame, worth: Mapping[str, pl.DataFrame], benchmarks: Mapping[AssetClass, str]
) -> list[BenchmarkFigures]:
    """The account beside the benchmark of each asset class; a class without one is left out.

    Args:
        equity: ``ds`` and ``equity`` of one account, one row a day, oldest first.
        worth: What one unit of money became in each symbol, as ``worth_of`` gives it.
        benchmarks: A symbol for each asset class; empty for none.
    """
    return [
        against(equity, worth[symbol], (asset_class.value, symbol))
        for asset_class, symbol in benchmarks.items()
        if symbol
    ]
