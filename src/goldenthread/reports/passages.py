"""The sections of an explanation, each from rows to labelled lines of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.reports.notation import exact, money, number, percent, price, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    import polars as pl

Line = tuple[str, str]


class Section(NamedTuple):
    """A title and its lines, each a label and a text; without lines there is nothing to say."""

    title: str
    lines: tuple[Line, ...]


def decision(signal: Mapping[str, Any], bar: Mapping[str, Any] | None) -> Section:
    """The candle the strategy read, and every factor it computed from it."""
    lines = [("date", exact(signal["signal_ds"])), ("decided", exact(signal["decided_at"]))]
    if bar is None:
        lines.append(("close", exact(signal["close"])))
    else:
        lines += [(name, exact(bar[name])) for name in ("open", "high", "low", "close", "volume")]
    lines += [(factor["name"], exact(factor["value"])) for factor in signal["factors"]]
    if signal.get("priority") is not None:
        lines.append(("priority", exact(signal["priority"])))
    return Section("Candle and factors", tuple(lines))


def verdicts(signal: Mapping[str, Any], title: str, kinds: tuple[str, ...]) -> Section:
    """What each filter (and its terms) or gate said: value, threshold, verdict."""
    said = [verdict for verdict in signal["verdicts"] if verdict["kind"] in kinds]
    return Section(title, tuple(_verdict(verdict) for verdict in said))


def plan(signal: Mapping[str, Any]) -> Section:
    """The levels as they were frozen."""
    if signal["planned_entry"] is None:
        return Section("Plan", (("levels", "could not be computed (INVALID_LEVELS)"),))
    entry, stop = signal["planned_entry"], signal["planned_stop"]
    lines = [
        ("entry", f"{signal['order_type']} at {price(entry)}, {signal['valid_bars']} session(s)"),
        ("stop", f"{price(stop)}: {price(abs(entry - stop))} a unit at risk"),
    ]
    for place, target in enumerate(signal["targets"], start=1):
        lines.append(
            (f"target {place}", f"{price(target['price'])}, sells {exact(target['sell'])}")
        )
    if signal["trail"] is not None:
        lines.append(("trail", f"{price(signal['trail'])} behind the best price"))
    if signal["breakeven_after"] is not None:
        lines.append(("breakeven", f"after target {signal['breakeven_after']}"))
    lines.append(("at most", f"{signal['max_bars']} sessions"))
    return Section("Plan", tuple(lines))


def sizing(signal: Mapping[str, Any], version: Mapping[str, Any] | None) -> Section:
    """How the quantity came about, and what it put at risk."""
    equity, quantity = signal["equity_at_decision"], signal["quantity"]
    lines = [("equity", money(equity, 2))]
    if version is not None:
        lines.append(("rule", _size_rule(version)))
    lines.append(("asked for", f"{exact(signal['planned_quantity'])}, ordered {exact(quantity)}"))
    if quantity and signal["planned_entry"] is not None:
        entry, stop = signal["planned_entry"], signal["planned_stop"]
        lines += [
            ("cost", _product(quantity, price(entry), quantity * entry, equity)),
            (
                "at risk",
                _product(
                    quantity,
                    f"({price(max(entry, stop))} - {price(min(entry, stop))})",
                    quantity * abs(entry - stop),
                    equity,
                ),
            ),
        ]
    return Section("Size", tuple(lines))


def orders(rows: pl.DataFrame) -> Section:
    """What was asked of the broker and how it stands, oldest first."""
    if rows.is_empty():
        return Section("Orders", ())
    ordered = rows.sort("ds", "leg", "attempt").iter_rows(named=True)
    return Section("Orders", tuple(_order(row) for row in ordered))


def fills(rows: pl.DataFrame) -> Section:
    """What was executed, oldest first, in the units of its own day."""
    if rows.is_empty():
        return Section("Fills", ())
    executed = rows.sort("filled_at", "order_key", "fill_no").iter_rows(named=True)
    return Section("Fills", tuple(_fill(row) for row in executed))


def result(signal: Mapping[str, Any]) -> Section:
    """A trade's exit and the arithmetic of its P&L; nothing when it was not traded."""
    if "trade_id" not in signal:
        return Section("Result", ())
    quantity, entry = signal["traded_quantity"], signal["entry_price"]
    stop, net = signal["initial_stop"], signal["net_pnl"]
    risk = quantity * abs(entry - stop)
    held = f"{signal['bars_held']} session(s)"
    lines = [
        ("in", f"{signal['entry_ds']}, {exact(quantity)} at {price(entry)} on average"),
        ("out", f"{signal['exit_ds']} at {price(signal['exit_price'])} on average, after {held}"),
        ("because", exact(signal["exit_reason"])),
        ("net P&L", _net(signal["gross_pnl"], signal["fees"], signal["dividends"], net)),
        ("return", percent(signal["return_fraction"], 2)),
        ("risked", f"{exact(quantity)} x |{price(entry)} - {price(stop)}| = {money(risk, 2)}"),
        ("R", number(signal["r_multiple"])),
    ]
    if signal["mfe"] is not None:
        moves = f"{percent(signal['mfe'])} at best, {percent(signal['mae'])} at worst"
        lines.append(("moved", moves))
    if signal["flags"]:
        lines.append(("flags", ", ".join(signal["flags"])))
    if not signal["is_final"]:
        lines.append(("fees", "the broker's final fees are not known yet"))
    return Section("Result", tuple(lines))


def theory(signal: Mapping[str, Any]) -> Section:
    """What the signal would have made by the fill rules, when it was not traded."""
    if "outcome_status" not in signal:
        return Section("What it would have made", ())
    lines = [
        ("outcome", f"{signal['outcome_status']} with the bars up to {signal['revision']}"),
        ("priced as", exact(signal["priced_as"])),
    ]
    if signal["theoretical_entry_ds"] is not None:
        at = f"{signal['theoretical_entry_ds']} at {price(signal['theoretical_entry_price'])}"
        lines.append(("in", at))
    if signal["theoretical_exit_ds"] is not None:
        at = f"{signal['theoretical_exit_ds']} at {price(signal['theoretical_exit_price'])}"
        held = f"after {exact(signal['theoretical_bars_held'])} session(s)"
        lines.append(("out", f"{at} by {signal['theoretical_exit_reason']}, {held}"))
    if signal["theoretical_net_pnl"] is not None:
        names = ("gross_pnl", "fees", "dividends", "net_pnl")
        lines.append(("net P&L", _net(*(signal[f"theoretical_{name}"] for name in names))))
        lines.append(("R", number(signal["theoretical_r_multiple"])))
    if signal["theoretical_note"]:
        lines.append(("note", signal["theoretical_note"]))
    return Section("What it would have made", tuple(lines))


def version(signal: Mapping[str, Any], row: Mapping[str, Any] | None) -> Section:
    """Which version of strategy, policy, code and data decided."""
    lines = [("strategy", f"{signal['strategy_id']} {signal['version_key']}")]
    if row is not None:
        until = "now" if row["valid_to"] is None else exact(row["valid_to"])
        lines.append(("valid", f"{exact(row['valid_from'])} until {until}"))
        if row["git_hash"]:
            lines.append(("git", row["git_hash"]))
    lines += [
        ("policy", signal["policy_key"]),
        ("code", signal["engine_digest"]),
        ("bars", signal["bars_digest"]),
    ]
    return Section("Versions", tuple(lines))


def _verdict(verdict: Mapping[str, Any]) -> Line:
    indent = "  " if verdict["kind"] == "term" else ""
    word = "passed" if verdict["passed"] else "FAILED"
    if verdict["value"] is None and verdict["threshold"] is None:
        return f"{indent}{verdict['name']}", word
    seen = f"value {exact(verdict['value'])}, threshold {exact(verdict['threshold'])}"
    return f"{indent}{verdict['name']}", f"{word}: {seen}"


def _size_rule(version: Mapping[str, Any]) -> str:
    size = json.loads(version["config"])["size"]
    said = {name: value for name, value in size.items() if value is not None and name != "mode"}
    return ", ".join([size["mode"], *(f"{name} {value}" for name, value in said.items())])


def _product(quantity: Decimal, factor: str, amount: Decimal, equity: Decimal) -> str:
    share = f", {percent(amount / equity, 2)} of equity" if equity else ""
    return f"{exact(quantity)} x {factor} = {money(amount, 2)}{share}"


def _net(gross: Decimal, fees: Decimal, dividends: Decimal | None, net: Decimal) -> str:
    held = f" {signed_money(dividends, 2)} dividends" if dividends else ""
    return f"{signed_money(gross, 2)} gross - {money(fees, 2)} fees{held} = {signed_money(net, 2)}"


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


def _fill(row: Mapping[str, Any]) -> Line:
    done = f"{row['order_side']} {exact(row['quantity'])} at {price(row['price'])}"
    fees = f", fee {money(row['fee'], 2)}" if row["fee"] else ""
    if row["fee_quantity"]:
        fees += f", fee {exact(row['fee_quantity'])} in coin"
    flags = f" [{', '.join(row['flags'])}]" if row["flags"] else ""
    return str(row["ds"]), f"{done} = {money(row['notional'], 2)}{fees}{flags}"
