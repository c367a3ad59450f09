"""What the broker was asked, answered and did, and where the stop stood, as sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.domain.ids import split_order_key
from goldenthread.reports.explain.passages import Line, Section
from goldenthread.reports.notation import exact, money, percent, price
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    import polars as pl

    from goldenthread.domain.asset import CorporateAction


def orders(rows: pl.DataFrame) -> Section:
    """What was asked of the broker, what it answered and how it stands, oldest first."""
    if rows.is_empty():
        return Section("Orders", ())
    ordered = rows.sort("ds", "leg", "attempt").iter_rows(named=True)
    return Section("Orders", tuple(_order(row) for row in ordered))


def fills(
    rows: pl.DataFrame,
    asked: pl.DataFrame,
    signal: Mapping[str, Any],
    actions: Sequence[CorporateAction],
) -> Section:
    """What was executed, in the units of its own day, oldest first, beside the price planned.

    The plan of an entry is the signal's entry, of a stop or target the price of its order in
    ``asked``; an exit at market has none. Nothing is compared across a split of an order.
    """
    if rows.is_empty():
        return Section("Fills", ())
    orders_by_key = {row["order_key"]: row for row in asked.iter_rows(named=True)}
    executed = rows.sort("filled_at", "order_key", "fill_no").iter_rows(named=True)
    return Section(
        "Fills",
        tuple(
            _fill(row, _planned(row, orders_by_key.get(row["order_key"]), signal, actions))
            for row in executed
        ),
    )


def stops(rows: pl.DataFrame) -> Section:
    """Where the stop stood after each run that moved it, in the units of that day."""
    lines: list[Line] = []
    before = None
    for row in rows.sort("ds").iter_rows(named=True) if not rows.is_empty() else ():
        stands = (row["stop"], row["stop_source"])
        if stands != before:
            lines.append((str(row["ds"]), f"{price(row['stop'])} ({row['stop_source']})"))
        before = stands
    return Section("Stop, as it moved", tuple(lines))


def _planned(
    fill: Mapping[str, Any],
    order: Mapping[str, Any] | None,
    signal: Mapping[str, Any],
    actions: Sequence[CorporateAction],
) -> Decimal | None:
    """The price the fill was meant to have, in the units of its day; None when none was."""
    leg = split_order_key(fill["order_key"])[1]
    if leg.startswith("entry"):
        made_on, level = signal["signal_ds"], signal["planned_entry"]
    elif order is not None:
        made_on, level = order["ds"], order["stop_price"] or order["limit_price"]
    else:
        return None
    unsplit = ratio_between(actions, made_on, fill["ds"]) == 1
    return level if unsplit else None


def _order(row: Mapping[str, Any]) -> Line:
    levels = {"limit": "limit_price", "stop": "stop_price", "take profit": "take_profit"}
    levels["stop loss"] = "stop_loss"
    prices = [
        f"{word} {price(row[name])}" for word, name in levels.items() if row[name] is not None
    ]
    asked = f"{row['order_side']} {exact(row['quantity'])} {row['order_type']}"
    stands = f"{row['status']} {row['broker_status']}".strip()
    if row["refusal"]:
        stands += f" ({row['refusal_code']} {row['refusal']})"
    what = " ".join([asked, row["order_class"], row["time_in_force"], *prices])
    return f"{row['leg']}-{row['attempt']}", f"{row['ds']} {what}: {stands}"


def _fill(row: Mapping[str, Any], planned: Decimal | None) -> Line:
    done = f"{row['order_side']} {exact(row['quantity'])} at {price(row['price'])}"
    fees = f", fee {money(row['fee'], 2)}" if row["fee"] else ""
    if row["fee_quantity"]:
        fees += f", fee {exact(row['fee_quantity'])} in coin"
    flags = f" [{', '.join(row['flags'])}]" if row["flags"] else ""
    beside = "" if planned is None else f"; {_against(row, planned)}"
    return str(row["ds"]), f"{done} = {money(row['notional'], 2)}{fees}{flags}{beside}"


def _against(row: Mapping[str, Any], planned: Decimal) -> str:
    """How far the price was from the plan, and in whose favour."""
    off = row["price"] - planned
    if not off:
        return "as planned"
    word = "worse" if (off > 0) == (row["order_side"] == "buy") else "better"
    share = percent(abs(off) / planned, 2)
    return f"planned {price(planned)}: {price(abs(off))} a unit ({share}) {word}"
