"""A divergence in words: what each side made, each cause, and the signals furthest apart."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from goldenthread.reports.divergence.course import Course
from goldenthread.reports.divergence.totals import SHOWS
from goldenthread.reports.notation import exact, money, price, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.reports.divergence.course import Leg, Taken
    from goldenthread.reports.divergence.totals import Divergence, Pair

WIDTH = 80
"""Columns of the text."""
_CENTS, _PLACES = 2, 4
"""Decimals of money, and of an average price above one dollar."""


def told(found: Divergence, names: tuple[str, str], ideas: Mapping[str, str], most: int) -> str:
    """The divergence as text of 80 columns, ``most`` of its signals one by one.

    ``names`` are those of A and B, ``ideas`` says what each signal is of (strategy and symbol).
    """
    lines = _headline(found, names)
    buckets = [b for b in found.buckets if b.signals or abs(b.amount) >= SHOWS]
    if not buckets:
        return "\n".join([*lines, "", "equal, trade by trade"])
    lines += ["", *_columns("cause", "B over A", "signals")]
    for bucket in buckets:
        lines += _columns(bucket.cause, signed_money(bucket.amount, _CENTS), str(bucket.signals))
    lines += _columns("sum", signed_money(found.difference, _CENTS), "")
    pairs = found.furthest(most)
    if pairs:
        lines += ["", "furthest apart"]
    for pair in pairs:
        lines += _pair(pair, ideas[pair.signal_id])
    return "\n".join(lines)


def course_told(taken: Taken) -> str:
    """One side of a signal in words: what was filled, in, out, why, and what it made."""
    if not isinstance(taken, Course):
        return taken.reason
    way_in, way_out = _leg(taken.entry), _leg(taken.exit)
    made = signed_money(taken.net, _CENTS)
    held = f"{taken.side.value} {exact(taken.quantity)}"
    return f"{held}, in {way_in}, {f'out {way_out} {taken.reason}'.rstrip()}: {made}"


def _headline(found: Divergence, names: tuple[str, str]) -> list[str]:
    lines = _columns("", "net P&L", "trades")
    rows = zip("AB", names, found.net, found.trades, strict=True)
    for letter, name, net, trades in rows:
        lines += _columns(f"{letter} {name}", money(net, _CENTS), str(trades))
    apart = found.trades[1] - found.trades[0]
    return lines + _columns(
        "B over A", signed_money(found.difference, _CENTS), f"{apart:+d}" if apart else "0"
    )


def _columns(label: str, amount: str, count: str) -> list[str]:
    """A label, an amount and a count; a label too long for its column stands above them."""
    numbers = f"{amount:>16}{count:>10}".rstrip()
    room = WIDTH - 26
    if len(label) <= room:
        return [f"{label:<{room}}{numbers}".rstrip()]
    return [*wrap(label, WIDTH), f"{'':<{room}}{numbers}"]


def _pair(pair: Pair, idea: str) -> list[str]:
    apart = signed_money(pair.difference, _CENTS)
    shown = {cause: amount for cause, amount in pair.parts.items() if abs(amount) >= SHOWS}
    causes = ", ".join(f"{c} {signed_money(x, _CENTS)}" for c, x in shown.items())
    return [
        f"{pair.signal_id[:17]} {idea}: {apart}",
        *_hanging(f"A {course_told(pair.a)}"),
        *_hanging(f"B {course_told(pair.b)}"),
        *_hanging(causes),
    ]


def _hanging(text: str) -> Sequence[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _leg(leg: Leg) -> str:
    first, last = leg.sessions[0], leg.sessions[-1]
    when = str(first) if first == last else f"{first} to {last}"
    return f"{when} at {price(round(leg.price, _PLACES) if leg.price > 1 else leg.price)}"
