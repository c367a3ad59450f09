"""Trades of strategies that ran by themselves, in floats, as courses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.order import OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.course import Course, Leg
from goldenthread.reports.divergence.prices import unslipped

if TYPE_CHECKING:
    from collections.abc import Mapping


class Terms(NamedTuple):
    """How a strategy's prices were slipped: its side and entry order, whether it sells in parts."""

    side: Side
    order: str
    in_parts: bool
    bps: Decimal


def ran_alone(trade: Mapping[str, Any], terms: Terms) -> Course:
    """The course of a trade of per-strategy mode (columns of ``research.sweep.single.TRADES``).

    What such a run does not keep is not made up: of a strategy with targets, which sell at a
    limit, nobody knows how much of the average exit was slipped, and its reference is None.
    """
    into, out_of = (OrderSide.BUY, OrderSide.SELL)[:: terms.side.sign]
    quantity, entry, leave = (
        _exact(trade[name]) for name in ("quantity", "entry_price", "exit_price")
    )
    limited = terms.order == "limit"
    return Course(
        side=terms.side,
        ordered=quantity,
        quantity=quantity,
        entry=Leg(
            (trade["entry_ds"],), entry, entry if limited else unslipped(entry, into, terms.bps)
        ),
        exit=Leg(
            (trade["exit_ds"],),
            leave,
            None if terms.in_parts else unslipped(leave, out_of, terms.bps),
        ),
        gross=_exact(trade["gross_pnl"]),
        fees=_exact(trade["fees"]),
        income=_exact(trade["dividends"]),
        reason=trade["exit_reason"],
    )


def _exact(value: float) -> Decimal:
    return money(Decimal(repr(value)))
