"""vectorbt's ``from_order_func`` with exactly the rules of the job, and its usual metrics."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from job import CASH, SLIPPAGE, Job, Outcome, answer
from numba import njit
from vectorbt.portfolio import nb
from vectorbt_figures import measured

warnings.simplefilter("ignore")  # vectorbt's own, about pandas


@njit
def _exit_price(bar: Any, levels: Any, due: bool, slippage: float) -> float:  # noqa: ANN401
    opened, high, low = bar
    stop, target = levels
    if due:
        return opened * (1 - slippage)
    if opened >= target:
        return opened
    if low <= stop:
        return min(opened, stop) * (1 - slippage)
    return target if high >= target else -1.0


@njit
def _order(ctx: Any, bars: Any, job: Any, state: Any, slippage: float) -> Any:  # noqa: ANN401
    """One entry and one exit a bar and column at most: asked again until nothing is ordered."""
    opened, high, low = bars
    signal, stops, targets, quantity, hold, assets = job
    stop, target, entered, asked = state
    i = ctx.i
    for column in range(ctx.from_col, ctx.to_col):
        asset, permutation = column % assets, column // assets
        held = ctx.last_position[column]
        if asked[column] == 2 * i + 2 or (asked[column] == 2 * i + 1 and held == 0):
            continue
        if held == 0 and i > 0 and signal[permutation, i - 1, asset]:
            asked[column] = 2 * i + 1
            entered[column] = i
            stop[column] = stops[permutation, i - 1, asset]
            target[column] = targets[permutation, i - 1, asset]
            paid = opened[i, asset] * (1 + slippage)
            return column, nb.order_nb(size=quantity[i - 1, asset], price=paid)
        asked[column] = 2 * i + 2
        if held > 0:
            due = i == entered[column] + hold[permutation]
            bar = (opened[i, asset], high[i, asset], low[i, asset])
            price = _exit_price(bar, (stop[column], target[column]), due, slippage)
            if price > 0:
                return column, nb.order_nb(size=-held, price=price)
    return -1, nb.order_nothing_nb()


def run(job: Job) -> Outcome:
    """Every permutation of every asset as one column; the metrics a sweep ranks by."""
    assets, bars = job.close.shape
    count = len(job.permutations)
    signal = np.stack([job.signals(p).T for p in range(count)])
    stops = np.stack([job.levels(p)[0].T for p in range(count)])
    targets = np.stack([job.levels(p)[1].T for p in range(count)])
    hold = np.array([job.levels(p)[2] for p in range(count)])
    columns = pd.MultiIndex.from_product([range(count), range(assets)], names=["p", "asset"])
    close = pd.DataFrame(
        np.tile(job.close.T, (1, count)),
        index=pd.bdate_range("2014-01-01", periods=bars),
        columns=columns,
    )
    wide = count * assets
    state = (np.zeros(wide), np.zeros(wide), np.full(wide, -1), np.zeros(wide, np.int64))
    prices = tuple(np.ascontiguousarray(x.T) for x in (job.open, job.high, job.low))
    portfolio = vbt.Portfolio.from_order_func(
        close,
        _order,
        prices,
        (signal, stops, targets, np.ascontiguousarray(job.quantity.T), hold, assets),
        state,
        SLIPPAGE,
        flexible=True,
        init_cash=CASH * 100,
        max_orders=wide * 400,
        freq="1D",
    )
    return measured(portfolio, columns)


if __name__ == "__main__":
    answer("vectorbt from_order_func", run)
