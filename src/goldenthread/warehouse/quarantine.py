"""Rows that were refused: kept as they were, listed, and loaded after a fix; never deleted."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.warehouse.loading import LoopResult, RunStamp, load
from goldenthread.warehouse.rows.columns import Raw  # Quarantined names it

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from goldenthread.ports.hot_store import Document, HotStore
    from goldenthread.ports.warehouse import Warehouse
    from goldenthread.warehouse.guardian import Refused

_OPEN, _REPLAYED = "OPEN", "REPLAYED"


class Quarantined(NamedTuple):
    """One row in quarantine: why it was refused, and the row itself."""

    id: str
    ds: dt.date
    status: str
    model: str
    field: str
    value: str
    reason: str
    schema_version: str
    run_id: str
    row: Raw


def put(store: HotStore, refused: Iterable[Refused], stamp: RunStamp) -> int:
    """How many rows are new in quarantine; the same row refused again is there already."""
    count = 0
    for one in refused:
        text = json.dumps(_encoded(one.row), sort_keys=True, ensure_ascii=False)
        seal = hashlib.sha256(f"{stamp.book}|{one.table}|{text}".encode(errors="replace"))
        body = {
            "status": _OPEN,
            "ds": stamp.ds,
            "model": one.table,
            "field": one.field,
            "value": _printable(repr(one.value)),
            "reason": _printable(one.reason),
            "schema_version": one.schema_version,
            "run_id": stamp.run_id,
            "row": _printable(text),
        }
        name = f"{stamp.ds:%Y%m%d}-{seal.hexdigest()[:32]}"
        _, created = store.put_if_absent("quarantine", name, body)
        count += created
    return count


def ls(store: HotStore, *, replayed: bool = False) -> list[Quarantined]:
    """What is in quarantine, oldest first; ``replayed``: what has left it."""
    documents = store.query("quarantine", equal={"status": _REPLAYED if replayed else _OPEN})
    return [_read(document) for document in documents]


def replay(store: HotStore, warehouse: Warehouse, stamp: RunStamp) -> list[LoopResult]:
    """What became of every row in quarantine; those that are right now are loaded and leave it.

    Raises:
        ConflictError: A row contradicts one that is loaded already; rows of later tables wait.
    """
    waiting: dict[str, list[tuple[Document, Raw]]] = {}
    for document in store.query("quarantine", equal={"status": _OPEN}):
        one = _read(document)
        waiting.setdefault(one.model, []).append((document, one.row))
    results = []
    for table, entries in sorted(waiting.items()):
        result = load(warehouse, table, [row for _, row in entries], stamp)
        still = {id(refused.row) for refused in result.refused}
        for document, row in entries:
            if id(row) not in still:
                store.compare_and_set(document, {**document.body, "status": _REPLAYED})
        results.append(result)
    return results


def _read(document: Document) -> Quarantined:
    body = document.body
    return Quarantined(
        id=document.id,
        ds=dt.date.fromisoformat(str(body["ds"])),
        status=body["status"],
        model=body["model"],
        field=body["field"],
        value=body["value"],
        reason=body["reason"],
        schema_version=body["schema_version"],
        run_id=body["run_id"],
        row=_decoded(json.loads(body["row"])),
    )


def _encoded(value: Any) -> Any:  # noqa: ANN401, PLR0911  # any refused value in, JSON out: one answer a type
    if isinstance(value, dict):
        return {str(key): _encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    if isinstance(value, Decimal):
        return {"$numeric": str(value)}
    if isinstance(value, dt.datetime):
        return {"$at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$ds": value.isoformat()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    return {"$repr": repr(value)}


_DECODERS: dict[str, Callable[[str], Any]] = {
    "$numeric": Decimal,
    "$at": dt.datetime.fromisoformat,
    "$ds": dt.date.fromisoformat,
    "$float": float,
    "$repr": str,
}


def _decoded(value: Any) -> Any:  # noqa: ANN401  # JSON in, the values of a row out
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, text),) = value.items()
        if tag in _DECODERS:
            return _DECODERS[tag](text)
    return {key: _decoded(item) for key, item in value.items()}


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
