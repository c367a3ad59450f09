"""The sections of an explanation, each from rows to labelled lines of text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.reports.notation import exact, money, number, percent, price, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        lines += _size_rule(signal, json.loads(version["config"])["size"])
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
        *_gross(signal),
        ("net P&L", _net(signal["gross_pnl"], signal["fees"], signal.get("dividends"), net)),
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


def ending(signal: Mapping[str, Any], version: Mapping[str, Any] | None) -> Section:
    """How an order that was never filled came to its end; nothing for any other signal."""
    if not signal.get("end_reason"):
        return Section("End", ())
    reason = signal["end_reason"]
    why = _ENDS.get(reason, reason)
    if reason == "CANCEL_IF" and version is not None:
        why += f": {json.loads(version['config'])['entry']['cancel_if']}"
    lines = (
        ("could wait", f"until the session of {signal['valid_until']}"),
        ("ended", f"{signal['ds']} {signal['status']} ({reason})"),
        ("because", why),
    )
    return Section("End", lines)


_ENDS = {
    "NOT_TRIGGERED": "no session of that time reached the price of the entry",
    "CANCEL_IF": "the strategy's cancel_if was true on that close",
    "BROKER_CANCELED": "the broker ended the order by itself",
    "SUBMIT_WINDOW_MISSED": "the run came too late to send the order",
}


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
        gross, fees = signal["theoretical_gross_pnl"], signal["theoretical_fees"]
        dividends, net = signal.get("theoretical_dividends"), signal["theoretical_net_pnl"]
        lines.append(("net P&L", _net(gross, fees, dividends, net)))
        lines.append(("R", number(signal["theoretical_r_multiple"])))
    if signal["theoretical_note"]:
        lines.append(("note", signal["theoretical_note"]))
    return Section("What it would have made", tuple(lines))


def _verdict(verdict: Mapping[str, Any]) -> Line:
    indent = "  " if verdict["kind"] == "term" else ""
    word = "passed" if verdict["passed"] else "FAILED"
    if verdict["value"] is None and verdict["threshold"] is None:
        return f"{indent}{verdict['name']}", word
    seen = f"value {exact(verdict['value'])}, threshold {exact(verdict['threshold'])}"
    return f"{indent}{verdict['name']}", f"{word}: {seen}"


def _size_rule(signal: Mapping[str, Any], size: Mapping[str, Any]) -> list[Line]:
    """The settings of the size, and the quantity they ask for where the row has every figure."""
    said = {name: value for name, value in size.items() if value is not None and name != "mode"}
    lines = [("rule", ", ".join([size["mode"], *(f"{n} {value}" for n, value in said.items())]))]
    equity, entry, stop = (
        signal[n] for n in ("equity_at_decision", "planned_entry", "planned_stop")
    )
    if entry is None or entry == stop or size["mode"] not in _AMOUNTS:
        return lines
    given = Decimal(size[_AMOUNTS[size["mode"]]])
    amount = given if size["mode"] == "cash" else equity * given
    unit = abs(entry - stop) if size["mode"] == "risk" else entry
    words = money(given, 2) if size["mode"] == "cash" else f"{money(equity, 2)} x {exact(given)}"
    lines.append(("by the rule", f"{words} / {price(unit)} = {number(amount / unit)}"))
    cap = size.get("max_position_fraction")
    if cap is not None and amount / unit * entry > equity * Decimal(cap):
        most = number(equity * Decimal(cap) / entry)
        lines.append(("capped at", f"{money(equity, 2)} x {cap} / {price(entry)} = {most}"))
    return lines


_AMOUNTS = {"risk": "risk_fraction", "fraction": "fraction", "cash": "cash"}
"""The setting that says how much, for the modes whose arithmetic the row alone has."""


def _product(quantity: Decimal, factor: str, amount: Decimal, equity: Decimal) -> str:
    share = f", {percent(amount / equity, 2)} of equity" if equity else ""
    return f"{exact(quantity)} x {factor} = {money(amount, 2)}{share}"


def _gross(trade: Mapping[str, Any]) -> list[Line]:
    """Quantity times price difference; nothing where coin fees or splits make it another sum."""
    quantity, ends = trade["traded_quantity"], (trade["entry_price"], trade["exit_price"])
    first, last = ends if trade["side"] == "long" else ends[::-1]
    if abs(quantity * (last - first) - trade["gross_pnl"]) > _CENT:
        return []
    sum_of = f"{exact(quantity)} x ({price(last)} - {price(first)})"
    return [("gross P&L", f"{sum_of} = {signed_money(trade['gross_pnl'], 2)}")]


_CENT = Decimal("0.01")


def _net(gross: Decimal, fees: Decimal, dividends: Decimal | None, net: Decimal) -> str:
    # A row archived before dividends were kept has none.
    held = f" {signed_money(dividends, 2)} dividends" if dividends else ""
    return f"{signed_money(gross, 2)} gross - {money(fees, 2)} fees{held} = {signed_money(net, 2)}"
