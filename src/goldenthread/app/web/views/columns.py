"""Columns that many pages have, spelled once: links, names, money."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from goldenthread.reports.markup import Column, text, written
from goldenthread.reports.notation import exact, price, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.reports.notation import Number

STRATEGY = Column(
    "Strategy",
    text("strategy_id"),
    figure=False,
    link=lambda row: address("strategies", row["strategy_id"]),
)
SYMBOL = Column("Symbol", text("symbol"), figure=False)
SIDE = Column("Side", text("side"), figure=False)


def address(*steps: str) -> str:
    """The address of a page, each step of it written so that it stays one."""
    return "".join(f"/{quote(step, safe='')}" for step in steps)


def signal_column(name: str) -> Column:
    """The id under that name, short, leading to the story of its signal."""
    return Column(
        "Signal",
        lambda row: str(row[name])[:17],
        figure=False,
        link=lambda row: address("signals", row[name]),
    )


def words(head: str, name: str) -> Column:
    """A column of plain text."""
    return Column(head, text(name), figure=False)


def figure(head: str, name: str) -> Column:
    """A column of figures as they are."""
    return Column(head, text(name))


def price_column(head: str, name: str) -> Column:
    """A column of prices."""
    return Column(head, written(name, price))


def cents(head: str, name: str) -> Column:
    """A column of money to the cent, coloured by its sign."""
    return Column(head, lambda row: signed_money(row[name], 2), signed=True)


def share_of(name: str, most: Number) -> Any:  # noqa: ANN401  # how a Column draws its bar
    """How much of the largest amount a row's is, for a bar; None where it is not known."""

    def share(row: Mapping[str, Any]) -> float | None:
        return None if row[name] is None or not most else float(row[name]) / float(most)

    return share


def pairs(rows: Mapping[str, object]) -> str:
    """Names and values, a line each, in HTML."""
    lines = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(exact(value))}</dd>" for name, value in rows.items()
    )
    return f'<dl class="lines">{lines}</dl>'
