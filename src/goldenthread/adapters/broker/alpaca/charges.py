"""Fees as Alpaca posts them, given back to the executions that caused them.

Alpaca posts fees seconds to hours late and does not say for what. A crypto fee is known by its
symbol and amount, which must be one of the published rates times an execution, rounded as
published. Regulatory fees are daily totals: they are shared out by what each execution would owe.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from goldenthread.adapters.alpaca.symbols import class_of
from goldenthread.domain.account import MONEY_STEP, money
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.rules.fees import FeeQuery, fee_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldenthread.adapters.alpaca.activities import Charge

_RATES = tuple(Decimal(points).scaleb(-4) for points in (25, 22, 20, 18, 15, 13, 12, 10, 8, 5, 2))
"""Alpaca's crypto rates of every tier, maker and taker."""

_CENT = Decimal("0.01")
_EARLY = dt.timedelta(minutes=1)
"""How much earlier than its execution a fee may be stamped: two clocks of Alpaca's."""


def with_fees(fills: Sequence[Fill], charges: Iterable[Charge]) -> list[Fill]:
    """The executions in the same order, each with the fees known for it."""
    posted = sorted(charges, key=lambda c: (c.created_at, c.activity_id))
    crypto = [c for c in posted if c.kind == "CFEE"]
    charged = [_crypto(fill, crypto) if _is_crypto(fill) else fill for fill in fills]
    daily: dict[dt.date, Decimal] = defaultdict(Decimal)
    for charge in posted:
        if charge.kind == "FEE":
            daily[charge.ds] += charge.quote
    return _shared_out(charged, daily)


def _crypto(fill: Fill, posted: list[Charge]) -> Fill:
    """The execution with its fee, which is taken off the list."""
    buys = fill.side is OrderSide.BUY
    owed = {_coin(fill, rate) if buys else _dollars(fill, rate) for rate in _RATES}
    for number, charge in enumerate(posted):
        if charge.created_at < fill.filled_at - _EARLY:
            continue
        if buys and charge.symbol == fill.symbol and charge.coin in owed:
            return fill.model_copy(update={"fee_quantity": posted.pop(number).coin})
        if not buys and not charge.symbol and charge.quote in owed:
            return fill.model_copy(update={"fee": posted.pop(number).quote})
    return fill


def _coin(fill: Fill, rate: Decimal) -> Decimal:
    return (rate * fill.quantity).quantize(MONEY_STEP, ROUND_CEILING)


def _dollars(fill: Fill, rate: Decimal) -> Decimal:
    return (rate * fill.quantity * fill.price).quantize(_CENT, ROUND_CEILING)


def _shared_out(fills: list[Fill], daily: dict[dt.date, Decimal]) -> list[Fill]:
    """Each day's total over its executions of equities, the last one taking the remainder."""
    owed = {f.execution_id: _regulatory(f) for f in fills if not _is_crypto(f)}
    for ds, total in daily.items():
        those = [n for n, f in enumerate(fills) if f.ds == ds and owed.get(f.execution_id)]
        whole = sum((owed[fills[n].execution_id] for n in those), Decimal(0))
        left = total
        for n in those:
            last = n == those[-1]
            share = left if last else money(total * owed[fills[n].execution_id] / whole)
            left -= share
            fills[n] = fills[n].model_copy(update={"fee": share})
    return fills


def _regulatory(fill: Fill) -> Decimal:
    query = FeeQuery(AssetClass.EQUITY, fill.side, fill.quantity, fill.price, fill.ds, "live_like")
    return fee_for(query).quote


def _is_crypto(fill: Fill) -> bool:
    return class_of(fill.symbol) is AssetClass.CRYPTO
