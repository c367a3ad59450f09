"""What a write of the book says to somebody who follows its signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.ports.hot_store import Create, Delete, Replace
from goldenthread.ports.notifier import Facts, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldenthread.ports.hot_store import Operation

_NOUNS = {
    "live_signals": "signal",
    "rejected_signals": "signal",
    "live_positions": "position",
    "order_intents": "order",
    "system_checks": "symbol",
}
_LOUD = ("order_refused", "order_unknown", "symbol_frozen")
_TOLD = {
    "signal": ("side", "quantity", "rejection_reasons", "end_reason", "broker_code"),
    "position": ("side", "quantity", "stop", "exit_reason"),
    "order": ("order_key", "kind", "replaces", "refusal_code", "refusal"),
    "symbol": ("reason",),
}
_ASKED = ("side", "type", "quantity", "limit_price", "stop_price")
_EXECUTED = ("execution_id", "order_key", "side", "quantity", "price", "fee", "filled_at")


class Line(NamedTuple):
    """One event of the log, and what it is about; what does not apply is left out."""

    level: Level
    event: str
    about: Facts


def lines(operation: Operation) -> Iterator[Line]:
    """The lines of one write that took effect, each about one signal or one symbol.

    A record that is new or has another status is one, ``signal_rejected`` or ``order_working``
    for example; so are each execution a position took (``execution``) and each new level of its
    stop (``stop_moved``). What else changed is a day's bookkeeping.
    """
    if isinstance(operation, Delete):
        return
    replaced = operation.document if isinstance(operation, Replace) else None
    place = operation.collection if isinstance(operation, Create) else operation.document.collection
    if place not in _NOUNS:
        return
    before, after = {} if replaced is None else replaced.body, operation.body
    noun, about = _NOUNS[place], _about(after)
    if after["status"] != before.get("status"):
        event = f"{noun}_{after['status'].lower()}"
        said = {**about, **_some(after.get("request", {}), _ASKED), **_some(after, _TOLD[noun])}
        yield Line("warning" if event in _LOUD else "info", event, said)
    if noun == "position":
        known = {fill["execution_id"] for fill in before.get("fills", ())}
        for fill in after["fills"]:
            if fill["execution_id"] not in known:
                yield Line("info", "execution", {**about, **_some(fill, _EXECUTED)})
        if before and after["stop"] != before["stop"]:
            moved = {"stop": after["stop"], "before": before["stop"], "by": after["stop_source"]}
            yield Line("info", "stop_moved", {**about, **moved})


def _about(body: Mapping[str, Any]) -> dict[str, object]:
    """Whose the record is: a position has the id of its signal, an order its symbol inside."""
    named = {
        "signal_id": body.get("signal_id") or body.get("position_id"),
        "strategy_id": body.get("strategy_id"),
        "symbol": body.get("symbol") or body["request"]["symbol"],
    }
    return {name: value for name, value in named.items() if value is not None}


def _some(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, object]:
    found = {name: body.get(name) for name in names}
    return {name: value for name, value in found.items() if value not in (None, "", [], ())}
