"""A frame of signals is priced like each of its rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from goldenthread.domain.errors import DataError
from goldenthread.research.shadow import PriceQuery, price
from goldenthread.research.shadow_frame import Lane, price_frame
from goldenthread.rules.rounding import tranche_quantities
from goldenthread.rules.tape import Closes, tape_of
from research.histories import History, random_history

MONEY = ("gross_pnl", "fees", "dividends", "net_pnl")


def row_of(history: History, symbol: str) -> dict[str, object]:
    plan, asset = history.signal.plan, history.asset
    assert plan is not None
    sells = [target.sell for target in plan.targets]
    parts = tranche_quantities(history.signal.planned_quantity, sells, asset.quantity_step)
    padded = [*plan.targets, None, None][:2]
    sold = [*map(float, parts[:-1]), 0.0, 0.0][:2]
    return {
        "symbol": symbol,
        "ds": history.signal.ds,
        "side": str(history.signal.side),
        "order": plan.order,
        "entry": float(plan.entry),
        "stop": float(plan.stop),
        "trail": None if plan.trail is None else float(plan.trail),
        "breakeven": plan.breakeven_after,
        "valid_bars": plan.valid_bars,
        "max_bars": plan.max_bars,
        "runner": float(parts[-1]),
        **{f"target_{n}": None if t is None else float(t.price) for n, t in enumerate(padded, 1)},
        **{f"part_{n}": quantity for n, quantity in enumerate(sold, 1)},
    }


def lane_of(history: History) -> Lane:
    bars = history.bars
    columns = [
        np.array([getattr(b, k) for b in bars], np.float64)
        for k in ("open", "high", "low", "close")
    ]
    days = np.array([b.ds for b in bars], "datetime64[D]")
    span = (history.signal.ds, history.upto)
    tape, terms = tape_of(history.asset, [days, *columns], history.actions, history.policy, span)
    exits = np.array(sorted(history.rule_exits), "datetime64[D]").astype(np.int64)
    closes = Closes(np.isin(tape.day, exits), np.zeros(len(tape.day), np.bool_))
    return Lane(tape, terms, closes, len(tape.day) - 1)


def test_a_frame_of_signals_is_priced_like_each_alone() -> None:
    histories = {f"S{seed}": random_history(seed) for seed in range(60)}
    frame = pl.DataFrame([row_of(h, symbol) for symbol, h in histories.items()])
    lanes = {symbol: lane_of(h) for symbol, h in histories.items()}

    priced = price_frame(frame.reverse(), lanes).reverse()

    for history, row in zip(histories.values(), priced.iter_rows(named=True), strict=True):
        query = PriceQuery(
            history.asset, history.actions, history.policy, history.upto, history.rule_exits
        )
        told = price(history.signal, history.bars, query)
        for name in ("status", "note", "entry_ds", "exit_ds", "exit_reason", "bars_held"):
            assert row[name] == getattr(told, name), (name, row, told)
        for name in ("entry_price", "exit_price", *MONEY, "r_multiple"):
            exact = getattr(told, name)
            expected = None if exact is None else pytest.approx(float(exact), rel=1e-9, abs=2e-9)
            assert row[name] == expected, (name, row, told)


def test_a_symbol_without_bars_is_named() -> None:
    frame = pl.DataFrame([row_of(random_history(1), "GONE")])

    with pytest.raises(DataError, match="no bars to price GONE with"):
        price_frame(frame, {})
