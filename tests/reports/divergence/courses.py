"""Courses for the tests of divergence: one long trade, varied."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.course import Course, Leg

IN, OUT = dt.date(2012, 6, 4), dt.date(2012, 6, 12)
Money = str | int


def course(
    way_in: tuple[dt.date, Money, Money | None] = (IN, 50, 50),
    way_out: tuple[dt.date, Money, Money | None] = (OUT, 55, 55),
    quantity: tuple[Money, Money] = (100, 100),
    costs: tuple[Money, Money] = (0, 0),
    side: Side = Side.LONG,
) -> Course:
    """A trade: session, price and reference of each leg, ordered and filled, fees and income."""
    entry, leave = _leg(way_in), _leg(way_out)
    ordered, filled = map(Decimal, quantity)
    fees, income = map(Decimal, costs)
    gross = (leave.price - entry.price) * filled * side.sign
    return Course(side, ordered, filled, entry, leave, gross, fees, income)


def _leg(told: tuple[dt.date, Money, Money | None]) -> Leg:
    ds, price, reference = told
    return Leg((ds,), Decimal(price), None if reference is None else Decimal(reference))
