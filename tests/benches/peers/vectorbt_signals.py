"""vectorbt's ``from_signals``: entries, stops and targets exact, the time exit approximated.

Its arrays say when to leave before it knows when it entered, so the time exit is a signal at a
fixed distance from every possible entry and also ends positions opened later.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import vectorbt as vbt
from job import CASH, SLIPPAGE, Job, Outcome, answer
from vectorbt_figures import measured

warnings.simplefilter("ignore")  # vectorbt's own, about pandas


def run(job: Job) -> Outcome:
    """Every permutation of every asset as one column; the metrics a sweep ranks by."""
    assets, bars = job.close.shape
    count = len(job.permutations)
    columns = pd.MultiIndex.from_product([range(count), range(assets)], names=["p", "asset"])
    index = pd.bdate_range("2014-01-01", periods=bars)

    def wide(values: np.ndarray) -> np.ndarray:
        return np.tile(values.T, (1, count))

    signal = np.concatenate([job.signals(p).T for p in range(count)], axis=1)
    stops = np.concatenate([job.levels(p)[0].T for p in range(count)], axis=1)
    targets = np.concatenate([job.levels(p)[1].T for p in range(count)], axis=1)
    opened = wide(job.open)
    entries = np.zeros_like(signal)
    entries[1:] = signal[:-1]
    stop, target = (np.full(opened.shape, np.nan) for _ in range(2))
    paid = opened[1:] * (1 + SLIPPAGE)
    stop[1:], target[1:] = (paid - stops[:-1]) / paid, (targets[:-1] - paid) / paid
    entries &= (stop > 0) & (target > 0)
    held = job.levels(0)[2]
    leave = np.zeros_like(entries)
    leave[held:] = entries[:-held]
    size = np.zeros_like(opened)
    size[1:] = wide(job.quantity)[:-1]
    portfolio = vbt.Portfolio.from_signals(
        pd.DataFrame(wide(job.close), index=index, columns=columns),
        pd.DataFrame(entries, index=index, columns=columns),
        pd.DataFrame(leave, index=index, columns=columns),
        price=opened,
        open=opened,
        high=wide(job.high),
        low=wide(job.low),
        sl_stop=np.where(entries, stop, np.nan),
        tp_stop=np.where(entries, target, np.nan),
        stop_entry_price="FillPrice",
        upon_stop_exit="Close",
        slippage=SLIPPAGE,
        init_cash=CASH * 100,
        size=size,
        accumulate=False,
        freq="1D",
    )
    return measured(portfolio, columns)


if __name__ == "__main__":
    answer("vectorbt from_signals", run)
