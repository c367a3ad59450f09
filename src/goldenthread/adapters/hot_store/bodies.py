"""The closed set of values a document may hold, the same in every hot store engine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import NoneType
from typing import Any

from goldenthread.domain.errors import DataError
from goldenthread.ports.hot_store import (
    INDEXED,
    MAX_COMMIT_BYTES,
    MAX_OPERATIONS,
    Body,
    Create,
    Document,
    Operation,
)

MAX_BODY_BYTES = 900_000
"""The largest body as JSON; Firestore ends at 1 MiB a document."""

MAX_DOCUMENT_BYTES = 1_000_000
"""The same as Firestore counts it: a number in a list is two bytes of JSON, and eight there."""

MAX_ID_BYTES = 1500
MAX_QUERIED_BYTES = 1500
"""The largest text of a queried field; Firestore's indexes see no more of it."""

MAX_DEPTH = 20
_MAX_INT = 2**63
_MAX_DIGITS = 100

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def checked_id(name: str) -> str:
    """The id as it is.

    Raises:
        DataError: It cannot name a document in every engine.
    """
    reserved = name in {".", ".."} or (name.startswith("__") and name.endswith("__"))
    size = len(name.encode(errors="replace"))
    if reserved or "/" in name or not 1 <= size <= MAX_ID_BYTES:
        msg = (
            f"document id {name[:80]!r} is not allowed; an id has 1 to {MAX_ID_BYTES} bytes,"
            " no '/', and is not '.', '..' or '__…__'; write BTC-USD for BTC/USD"
        )
        raise DataError(msg)
    return name


def stored(body: Mapping[str, Any]) -> tuple[Body, str]:
    """The body in plain JSON types, and as JSON text; equal bodies have equal texts.

    Decimals become canonical strings, instants ISO in UTC with microseconds, dates ISO.

    Raises:
        DataError: A value is outside the closed set, or the text exceeds MAX_BODY_BYTES.
    """
    try:
        plain = _mapping(body, 1)
        text = _encode(plain)
        size = len(text.encode())
    except _RefusedError as error:
        msg = f"field {'.'.join(error.path)!r}: {error}"
        raise DataError(msg) from error
    except UnicodeEncodeError as error:
        msg = f"text with a half character (surrogate) is not allowed: {error.object[:60]!r}"
        raise DataError(msg) from error
    if size > MAX_BODY_BYTES:
        msg = f"a body of {size} bytes is too large; at most {MAX_BODY_BYTES}: divide the document"
        raise DataError(msg)
    if size > MAX_DOCUMENT_BYTES // 4 and (heavy := _weight(plain)) > MAX_DOCUMENT_BYTES:
        msg = f"a body of {heavy} bytes stored is too large; at most {MAX_DOCUMENT_BYTES}"
        raise DataError(msg)
    for field in INDEXED:
        _check_queried(field, plain.get(field))
    return plain, text


def ordered(plain: Any) -> Any:  # noqa: ANN401  # any plain value
    """The value with the fields of every mapping in alphabetical order, as ``stored`` has them."""
    if isinstance(plain, dict):
        return {key: ordered(plain[key]) for key in sorted(plain)}
    return [ordered(item) for item in plain] if isinstance(plain, list) else plain


def expiry(delete_at: dt.datetime | None) -> dt.datetime | None:
    """The instant in UTC, or None for a document that stays.

    Raises:
        DataError: The instant is naive.
    """
    if delete_at is None:
        return None
    if delete_at.tzinfo is None:
        msg = f"delete_at {delete_at} has no time zone; use UTC"
        raise DataError(msg)
    return delete_at.astimezone(dt.UTC)


def check_operations(operations: Sequence[Operation]) -> None:
    """Refuse what no engine may commit: too many operations, or one document twice.

    Raises:
        DataError: Says which.
    """
    if len(operations) > MAX_OPERATIONS:
        msg = f"{len(operations)} operations in one commit; at most {MAX_OPERATIONS}: divide it"
        raise DataError(msg)
    seen: set[tuple[str, str]] = set()
    for operation in operations:
        target: Create | Document = (
            operation if isinstance(operation, Create) else operation.document
        )
        if (target.collection, target.id) in seen:
            msg = f"{target.collection}/{target.id} occurs twice in one commit; join the two"
            raise DataError(msg)
        seen.add((target.collection, target.id))


def check_weight(texts: Iterable[str]) -> None:
    """Refuse bodies that are together too large for one commit.

    Firestore ends at 10 MiB a request, its emulator at 4, and a number is twice its text there.

    Raises:
        DataError: Says how large they are.
    """
    size = sum(len(text.encode()) for text in texts)
    if size > MAX_COMMIT_BYTES:
        msg = f"a commit of {size} bytes is too large; at most {MAX_COMMIT_BYTES}: divide it"
        raise DataError(msg)


def check_equal(equal: Mapping[str, str] | None) -> None:
    """Refuse an equality filter by a field that is not queried.

    Raises:
        DataError: Says which field, and what is allowed.
    """
    allowed = [field for field in INDEXED if field != "ds"]
    if unknown := sorted(set(equal or ()) - set(allowed)):
        msg = f"cannot query by {', '.join(unknown)}; allowed: {', '.join(allowed)}"
        raise DataError(msg)


def _check_queried(field: str, value: object) -> None:
    if not isinstance(value, str | None):
        msg = f"field {field!r} is queried and must be text, got {value!r}"
        raise DataError(msg)
    if value is not None and len(value.encode()) > MAX_QUERIED_BYTES:
        msg = f"field {field!r} is queried and has at most {MAX_QUERIED_BYTES} bytes"
        raise DataError(msg)


def _weight(plain: Any) -> int:  # noqa: ANN401  # any plain value
    """The bytes Firestore counts for a value."""
    if isinstance(plain, dict):
        return sum(len(key.encode()) + 1 + _weight(item) for key, item in plain.items())
    if isinstance(plain, list):
        return sum(map(_weight, plain))
    if isinstance(plain, str):
        return len(plain.encode()) + 1
    return 1 if plain is None or isinstance(plain, bool) else 8


class _RefusedError(Exception):
    """Why a value is refused; ``path`` grows while the walk unwinds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str] = []


def _other(value: Any, depth: int) -> Any:  # noqa: ANN401  # any value of the closed set
    """A value whose own type is none of the set: its nearest ancestor there decides."""
    convert = next((c for kind, c in _BY_TYPE.items() if isinstance(value, kind)), _refuse)
    return convert(value, depth)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    _check_depth(depth)
    plain: dict[str, Any] = {}
    for key, item in value.items():
        try:
            # most items are texts that need no look: this path is hot
            name = key if type(key) is str and key[:1] > "_" else _key(key)
            kind = type(item)
            plain[name] = (
                item if kind in _AS_THEY_ARE else _BY_TYPE.get(kind, _other)(item, depth + 1)
            )
        except _RefusedError as error:
            error.path.insert(0, str(key))
            raise
    return plain


def _key(key: object) -> str:
    if not isinstance(key, str) or not key or (key[:2] == "__" == key[-2:]):
        msg = "is not allowed as a key; keys are texts, not empty, not '__…__'"
        raise _RefusedError(msg)
    return str.__str__(key)


def _list(value: Sequence[Any], depth: int) -> list[Any]:
    _check_depth(depth)
    if any(issubclass(kind, list | tuple) for kind in set(map(type, value))):
        msg = "a list directly in a list is not allowed; put a mapping between them"
        raise _RefusedError(msg)
    return [_BY_TYPE.get(type(item), _other)(item, depth + 1) for item in value]


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        msg = f"nested deeper than {MAX_DEPTH} levels"
        raise _RefusedError(msg)


def _integer(value: int, _: int) -> int:
    if not -_MAX_INT <= value < _MAX_INT:
        msg = f"{value} does not fit 64 bits; store it as Decimal or text"
        raise _RefusedError(msg)
    return int(value)


def _decimal(value: Decimal, _: int) -> str:
    if not value.is_finite() or (value and abs(value.adjusted()) > _MAX_DIGITS):
        msg = f"{value} is no amount; store a finite Decimal, or None for unknown"
        raise _RefusedError(msg)
    if not value:
        return "0"
    text = format(value, "f")  # not normalize(): that rounds to the context's precision
    return text.rstrip("0").rstrip(".") if "." in text else text


def _datetime(value: dt.datetime, _: int) -> str:
    if value.tzinfo is None:
        msg = f"instant {value} has no time zone; use UTC"
        raise _RefusedError(msg)
    try:
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    except OverflowError as error:
        msg = f"instant {value} is outside the years 1 to 9999 in UTC"
        raise _RefusedError(msg) from error


def _refuse(value: object, _: int) -> Any:  # noqa: ANN401  # never returns
    kind = type(value).__name__
    hint = "; use Decimal" if isinstance(value, float) else ""
    msg = f"{kind} {str(value)[:60]} is not allowed{hint} (allowed: {_ALLOWED})"
    raise _RefusedError(msg)


_ALLOWED = "None, bool, 64-bit int, str, Decimal, aware datetime, date, mapping, list"
_AS_THEY_ARE = frozenset({str, bool, NoneType})
_BY_TYPE: dict[type, Callable[[Any, int], Any]] = {
    # subclasses take the first that fits: bool before int, datetime before date
    str: lambda value, _: str.__str__(value),
    NoneType: lambda value, _: value,
    bool: lambda value, _: value,
    Decimal: _decimal,
    int: _integer,
    dict: _mapping,
    list: _list,
    tuple: _list,
    dt.datetime: _datetime,
    dt.date: lambda value, _: value.isoformat(),
    Mapping: _mapping,
}
