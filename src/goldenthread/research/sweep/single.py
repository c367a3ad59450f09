"""One permutation by itself: its trades, its daily equity and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.research.sweep.orders import Desks, asset_orders
from goldenthread.rules.tape import CLOSED, REASONS, Closes
from goldenthread.rules.ticks import UNITS

if TYPE_CHECKING:
    from goldenthread.research.sweep.orders import Orders, Stakes
    from goldenthread.research.sweep.plan import IntArray, Plan
    from goldenthread.research.sweep.work import Bars
    from goldenthread.rules.tape import Tickets

TRADES = {
    "symbol": pl.String,
    "signal_ds": pl.Date,
    "entry_ds": pl.Date,
    "exit_ds": pl.Date,
    "quantity": pl.Float64,
    "entry_price": pl.Float64,
    "exit_price": pl.Float64,
    "gross_pnl": pl.Float64,
    "fees": pl.Float64,
    "dividends": pl.Float64,
    "net_pnl": pl.Float64,
    "r_multiple": pl.Float64,
    "mfe": pl.Float64,
    "mae": pl.Float64,
    "bars_held": pl.Int64,
    "exit_reason": pl.String,
}
"""The columns of a permutation's closed trades."""


class Single(NamedTuple):
    """What one permutation did: closed trades by exit, and ``ds equity gross_exposure``."""

    trades: pl.DataFrame
    equity: pl.DataFrame


def run_single(plan: Plan, row: int, bars: Bars, stakes: Stakes) -> Single:
    """A backtest in per-strategy mode of permutation ``row``.

    Each signal takes a fixed fraction of the start capital, one position a symbol at a time;
    cash is not shared and the gates of an account are not asked. Prices are in units of the
    signal's date.
    """
    from goldenthread.research.sweep.chaining import Chains, new_books  # noqa: PLC0415  # numba, when needed
    from goldenthread.research.sweep.figures import equity_of  # noqa: PLC0415  # the same

    own, days, book = plan.part(np.array([row])), bars.days(stakes), bars.book()
    desks = Desks(book, bars.peers(book), stakes)
    books, frames = new_books(1, len(days)), [pl.DataFrame(schema=TRADES)]
    for asset in bars.assets:
        orders = asset_orders(own, asset, desks)
        if orders is not None:
            taken = Chains(own, orders, days).add_alone(books)
            frames.append(_trades(asset.symbol, orders, taken))
    equity, exposure = equity_of(books, 0, float(stakes.capital))
    curve = {"ds": _dates(days), "equity": equity, "gross_exposure": exposure}
    trades = pl.concat(frames).sort("exit_ds", "entry_ds", "symbol")
    return Single(trades, pl.DataFrame(curve))


def _trades(symbol: str, orders: Orders, tickets: Tickets) -> pl.DataFrame:
    from goldenthread.rules.kernel import ride  # noqa: PLC0415  # numba, when needed

    tape, closes = orders.tape, Closes(orders.closes.leave[0], orders.closes.cancel[0])
    rides = ride(tape, orders.trade, tickets, closes, len(tape.day) - 1)
    day, rows = tape.day, np.flatnonzero(rides.status == CLOSED)
    net = rides.net[rows]
    columns = {
        "symbol": [symbol] * len(rows),
        "signal_ds": _dates(day[tickets.session[rows]]),
        "entry_ds": _dates(day[rides.entered[rows]]),
        "exit_ds": _dates(day[rides.left[rows]]),
        "quantity": tickets.parts[rows].sum(axis=1) / UNITS,
        "entry_price": rides.entry_price[rows],
        "exit_price": rides.exit_price[rows],
        "gross_pnl": rides.gross[rows],
        "fees": rides.fees[rows],
        "dividends": rides.dividends[rows],
        "net_pnl": net,
        "r_multiple": net / rides.risk[rows],
        "mfe": rides.mfe[rows],
        "mae": rides.mae[rows],
        "bars_held": rides.bars_held[rows],
        "exit_reason": [REASONS[code].value for code in rides.reason[rows]],
    }
    return pl.DataFrame(columns, schema=TRADES).with_columns(pl.col("r_multiple").fill_nan(None))


def _dates(days: IntArray) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)
