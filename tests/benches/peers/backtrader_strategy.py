"""backtrader: one cerebro an asset and permutation, with the analyzers a sweep needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import backtrader as bt
import numpy as np
from job import CASH, SLIPPAGE, Job, Outcome, answer

_FIRST = dt.datetime(2010, 1, 1)  # noqa: DTZ001  # backtrader's dates have no zone


class _Bars(bt.feed.DataBase):
    params = (("rows", ()),)

    def start(self) -> None:
        super().start()
        self.at = 0

    def _load(self) -> bool:
        if self.at >= len(self.p.rows):
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0] = self.p.rows[
            self.at
        ]
        lines.volume[0] = lines.openinterest[0] = 0
        self.at += 1
        return True


class _Dip(bt.Strategy):
    params = (("plan", None),)

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.entered = 0

    def notify_order(self, order: Any) -> None:  # noqa: ANN401  # backtrader has no types
        if order.status == order.Completed and order.isbuy():
            self.entered = len(self)

    def next(self) -> None:
        signal, stop, target, quantity, held = self.p.plan
        i = len(self) - 1
        if self.position.size:
            if len(self) - self.entered >= held - 1:
                for order in self.orders[1:]:
                    self.cancel(order)
                self.close()
        elif signal[i] and quantity[i] >= 1:
            self.orders = self.buy_bracket(
                size=int(quantity[i]),
                exectype=bt.Order.Market,
                stopprice=stop[i],
                limitprice=target[i],
            )


def run(job: Job) -> Outcome:
    """Trades and profit of every permutation, summed over assets."""
    days = [bt.date2num(_FIRST + dt.timedelta(days=n)) for n in range(job.close.shape[1])]
    count = len(job.permutations)
    trades, profit = np.zeros(count, int), np.zeros(count)
    for asset in range(len(job.close)):
        columns = (x[asset].tolist() for x in (job.open, job.high, job.low, job.close))
        rows = list(zip(days, *columns, strict=True))
        for permutation in range(count):
            stop, target, held = job.levels(permutation)
            signal = job.signals(permutation)[asset].tolist()
            plan = (signal, stop[asset].tolist(), target[asset].tolist(), job.quantity[asset], held)
            closed = _closed(rows, plan)
            trades[permutation] += int(closed.get("total", {}).get("closed", 0))
            profit[permutation] += float(closed.get("pnl", {}).get("gross", {}).get("total", 0.0))
    return Outcome(trades.tolist(), profit.tolist())


def _closed(rows: list[Any], plan: tuple[Any, ...]) -> dict[str, Any]:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(_Bars(rows=rows))
    cerebro.broker.setcash(CASH * 100)
    cerebro.broker.set_slippage_perc(SLIPPAGE, slip_open=True, slip_limit=False, slip_match=True)
    cerebro.addstrategy(_Dip, plan=plan)
    for analyzer in (bt.analyzers.TradeAnalyzer, bt.analyzers.SharpeRatio, bt.analyzers.DrawDown):
        cerebro.addanalyzer(analyzer)
    (ran,) = cerebro.run()
    found: dict[str, Any] = ran.analyzers.tradeanalyzer.get_analysis()
    return found


if __name__ == "__main__":
    answer("backtrader", run)
