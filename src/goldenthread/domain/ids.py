"""Deterministic names, so that every write can be repeated safely."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = "sim:model-"
"""How the names of the simulated books begin that do the days of paper and live books."""
_NAMESPACE = UUID("6a5c9a52-1b1f-5f0e-9a63-60c8f2d7a001")


def signal_id(ds: dt.date, strategy_id: str, symbol: str) -> str:
    """The one name of a trade idea, equal across books; its first eight digits are ``ds``."""
    return f"{ds:%Y%m%d}-{uuid5(_NAMESPACE, f'{strategy_id}|{symbol}|{ds.isoformat()}').hex}"


def signal_ds(name: str) -> dt.date:
    """The decision date inside a signal id (also of a position, a trade or an order key).

    Raises:
        UsageError: ``name`` does not start with eight digits of a date.
    """
    try:
        return dt.datetime.strptime(name[:8], "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        msg = f"id {name!r} does not start with a date; an id looks like 20240131-9f8e…"
        raise UsageError(msg) from error


def model_book(book: str) -> str:
    """The name of the simulated book that does the days of a paper or live book."""
    return f"{MODEL}{book.partition(':')[2]}"


def order_key(signal: str, leg: str, attempt: int) -> str:
    """The client order id: signal, leg (``entry1 stop1 tp1 exit1`` …) and attempt from 1."""
    return f"{signal}-{leg}-{attempt}"


def split_order_key(key: str) -> tuple[str, str, int]:
    """Signal id, leg and attempt of an order key; ``order_key`` undone.

    Raises:
        UsageError: ``key`` has not the form of our order keys.
    """
    head, _, attempt = key.rpartition("-")
    signal, _, leg = head.rpartition("-")
    if not (signal and leg and attempt.isdigit()):
        msg = f"order key {key!r} is not ours; ours look like 20240131-9f8e…-entry1-1"
        raise UsageError(msg)
    return signal, leg, int(attempt)


def canonical(value: Any) -> Any:  # noqa: ANN401  # any JSON value in, any JSON value out
    """The same value in plain JSON types; equal numbers become equal strings (1.50 is 1.5)."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def digest(content: Mapping[str, Any] | list[Any]) -> str:
    """The sha256 of canonical JSON (sorted keys, no spaces); equal content, equal digest."""
    return text_digest(
        json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    )


def text_digest(text: str) -> str:
    """The sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    """What differs between two canonical configurations: each setting's value before and after.

    Settings are named by their path (``entry.valid_bars``, ``factors.rsi``), sorted; None where a
    side has none. Pairs in another order (factors, filters) differ as a whole (``factors``).
    """
    old, new = _flat("", before), _flat("", after)
    return {
        name: (old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def _flat(prefix: str, value: object) -> dict[str, object]:
    if isinstance(value, list) and value and all(_is_pair(item) for item in value):
        named = {f"{prefix}.{name}": text for name, text in value}
        return {prefix: [name for name, _ in value], **named}
    if isinstance(value, dict):
        parts = [_flat(f"{prefix}.{k}" if prefix else k, v) for k, v in value.items()]
        return {key: item for part in parts for key, item in part.items()}
    return {prefix: value}


def _is_pair(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2  # noqa: PLR2004  # a name and its value
