"""Where daily bars, assets and corporate actions come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import polars as pl

    from goldenthread.domain.asset import Asset, CorporateAction


class MarketData(Protocol):
    """Raw daily bars with their corporate actions apart."""

    def assets(self) -> list[Asset]:
        """Every asset there are bars for, sorted by symbol."""
        ...

    def bars(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> pl.DataFrame:
        """Raw bars with ``start <= ds <= end``, every revision, in BAR_SCHEMA.

        Sorted by symbol, ds, known_at. Symbols without bars are simply absent.
        """
        ...

    def actions(self, symbols: Sequence[str]) -> list[CorporateAction]:
        """The corporate actions of the symbols, sorted by symbol, ex_ds, kind."""
        ...
