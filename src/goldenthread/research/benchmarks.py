"""An account beside the benchmarks its settings name, from the bars that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.figures.benchmark import BenchmarkFigures, against, held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.asset import AssetClass
    from goldenthread.market.bars import BarBook


def beside(
    equity: pl.DataFrame, bars: BarBook, benchmarks: Mapping[AssetClass, str]
) -> list[BenchmarkFigures]:
    """The account beside the benchmark of each asset class; a class without one is left out.

    Args:
        equity: ``ds`` and ``equity`` of one account, one row a day, oldest first.
        bars: Bars and corporate actions of the benchmarks.
        benchmarks: A symbol for each asset class; empty for none.
    """
    first, last = equity["ds"][0], equity["ds"][-1]
    found = []
    for asset_class, symbol in benchmarks.items():
        if symbol:
            days, *_, close = bars.columns(symbol, first, last)
            worth = held(pl.DataFrame({"ds": days, "close": close}), bars.actions(symbol))
            found.append(against(equity, worth, (asset_class.value, symbol)))
    return found
