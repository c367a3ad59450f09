"""One write of the book, and the lines it is told in."""

from __future__ import annotations

from typing import Any

from goldenthread.app.journal.lines import Line, lines
from goldenthread.ports.hot_store import Create, Delete, Document, Replace

OURS = {"signal_id": "20240102-ab", "strategy_id": "breakout", "symbol": "AAPL"}
FILL = {
    "execution_id": "x1",
    "order_key": "20240102-ab-entry1-1",
    "side": "buy",
    "quantity": "10",
    "price": "100.5",
    "fee": "0",
    "filled_at": "2024-01-03T14:30:00Z",
}


def position(**fields: object) -> dict[str, Any]:
    own = {"position_id": "20240102-ab", "strategy_id": "breakout", "symbol": "AAPL"}
    rest = {"side": "long", "quantity": "10", "stop": "95", "stop_source": "STOP", "fills": []}
    return {**own, **rest, "status": "PENDING", **fields}


def replaced(before: dict[str, Any], after: dict[str, Any]) -> list[Line]:
    document = Document("live_positions", "20240102-ab", before, 1)
    return list(lines(Replace(document, after)))


def test_a_refused_signal_is_one_line_with_every_reason() -> None:
    body = {**OURS, "status": "REJECTED", "side": "long", "quantity": "0", "end_reason": ""}
    (said,) = lines(
        Create("rejected_signals", "20240102-ab", {**body, "rejection_reasons": ["A", "B"]})
    )
    assert (said.level, said.event) == ("info", "signal_rejected")
    assert said.about == {**OURS, "side": "long", "quantity": "0", "rejection_reasons": ["A", "B"]}


def test_an_order_refused_by_the_broker_is_a_warning_with_its_symbol_and_price() -> None:
    request = {"symbol": "AAPL", "side": "buy", "type": "limit", "quantity": "10"}
    body = {
        "signal_id": "20240102-ab",
        "order_key": "20240102-ab-entry1-1",
        "request": {**request, "limit_price": "99.5", "stop_price": None},
        "status": "REFUSED",
        "refusal": "insufficient buying power",
    }
    document = Document("order_intents", "20240102-ab-entry1-1", {**body, "status": "PENDING"}, 1)
    (said,) = lines(Replace(document, body))
    assert (said.level, said.event) == ("warning", "order_refused")
    assert said.about == {
        "signal_id": "20240102-ab",
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "quantity": "10",
        "limit_price": "99.5",
        "order_key": "20240102-ab-entry1-1",
        "refusal": "insufficient buying power",
    }


def test_a_position_tells_each_execution_once_and_where_its_stop_moved() -> None:
    opened = position(status="OPEN", fills=[FILL])
    assert [line.event for line in replaced(position(), opened)] == ["position_open", "execution"]
    trailed = position(status="OPEN", fills=[FILL], stop="97.5", stop_source="TRAIL")
    (moved,) = replaced(opened, trailed)
    assert moved == ("info", "stop_moved", {**OURS, "stop": "97.5", "before": "95", "by": "TRAIL"})


def test_a_days_bookkeeping_and_what_is_no_record_of_a_signal_say_nothing() -> None:
    assert replaced(position(bars_held=1), position(bars_held=2)) == []
    body = {"ds": "2024-01-02", "status": "SNAPSHOT"}
    assert list(lines(Create("job_metadata", "snapshot-2024-01-02", body))) == []
    held = Document("live_positions", "20240102-ab", position(), 1)
    assert list(lines(Delete(held))) == []
