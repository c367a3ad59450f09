"""backtesting.py: one run an asset and permutation, with its full statistics."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from job import CASH, SLIPPAGE, Job, Outcome, answer

warnings.simplefilter("ignore")  # its own, about margins


class _Dip(Strategy):
    """Buys where the job says so; ``asset`` and ``permutation`` are its parameters."""

    job: Job
    asset = 0
    permutation = 0

    def init(self) -> None:
        """Look up what the permutation wants of the asset."""
        stop, target, self.held = self.job.levels(self.permutation)
        self.signal = self.job.signals(self.permutation)[self.asset]
        self.stop, self.target = stop[self.asset], target[self.asset]
        self.quantity = self.job.quantity[self.asset]

    def next(self) -> None:
        """Leave after so many bars, else enter on a signal."""
        i = len(self.data) - 1
        if self.trades:
            if i - self.trades[0].entry_bar >= self.held - 1:
                self.position.close()
                return
        elif not self.orders and self.signal[i] and self.quantity[i] >= 1:
            self.buy(size=int(self.quantity[i]), sl=self.stop[i], tp=self.target[i])


def run(job: Job) -> Outcome:
    """Trades and profit of every permutation, summed over assets."""
    index = pd.bdate_range("2014-01-01", periods=job.close.shape[1])
    count = len(job.permutations)
    trades, profit = np.zeros(count, int), np.zeros(count)
    _Dip.job = job
    for asset in range(len(job.close)):
        columns = {"Open": job.open, "High": job.high, "Low": job.low, "Close": job.close}
        bars = pd.DataFrame({name: values[asset] for name, values in columns.items()}, index=index)
        backtest = Backtest(bars, _Dip, cash=CASH * 100, spread=SLIPPAGE, finalize_trades=False)
        for permutation in range(count):
            found = backtest.run(asset=asset, permutation=permutation)
            trades[permutation] += int(found["# Trades"])
            profit[permutation] += float(found["_trades"]["PnL"].sum())
    return Outcome(trades.tolist(), profit.tolist())


if __name__ == "__main__":
    answer("backtesting.py", run)
