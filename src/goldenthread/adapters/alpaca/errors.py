"""Alpaca's refusals: status, code and message, read by the clients and written by our exchange."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from goldenthread.adapters.alpaca.values import Json

_TEMPORARY = frozenset({408, 425})
_UNAUTHORISED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_TOO_MANY = 429
_SERVER = 500


class Kind(StrEnum):
    """What a refusal means for us."""

    DUPLICATE = "DUPLICATE"  # the client order id is known: look the order up
    NOT_FOUND = "NOT_FOUND"
    AUTH = "AUTH"
    RATE_LIMIT = "RATE_LIMIT"
    FUNDS = "FUNDS"
    QUANTITY_HELD = "QUANTITY_HELD"
    WASH_TRADE = "WASH_TRADE"
    NOT_SHORTABLE = "NOT_SHORTABLE"
    MARKET_CLOSED = "MARKET_CLOSED"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    NOT_CANCELABLE = "NOT_CANCELABLE"  # read the order again: it is final already
    NOT_REPLACEABLE = "NOT_REPLACEABLE"
    REFUSED = "REFUSED"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"  # nothing is known: ask


class Row(NamedTuple):
    """One line of the table: which answers are of the kind; ``message`` is a pattern."""

    kind: Kind
    status: int
    code: str
    message: str


TABLE = (
    Row(Kind.DUPLICATE, 422, "40010001", r"client_order_id must be unique"),
    Row(Kind.FUNDS, 403, "40310000", r"insufficient buying power"),
    Row(Kind.FUNDS, 403, "40310000", r"insufficient balance for USD"),
    Row(Kind.QUANTITY_HELD, 403, "40310000", r"insufficient qty available"),
    Row(Kind.NOT_SHORTABLE, 403, "40310000", r"insufficient balance for"),
    Row(Kind.NOT_SHORTABLE, 403, "40310000", r"cannot be sold short|not shortable"),
    Row(Kind.NOT_SHORTABLE, 422, "42210000", r"cannot be sold short|not shortable"),
    Row(Kind.WASH_TRADE, 403, "40310000", r"potential wash trade"),
    Row(Kind.WASH_TRADE, 422, "42210000", r"potential wash trade"),
    Row(Kind.BELOW_MINIMUM, 403, "40310000", r"cost basis must be >="),
    Row(Kind.MARKET_CLOSED, 403, "40310000", r"market is (closed|not open)"),
    Row(Kind.MARKET_CLOSED, 422, "42210000", r"market is (closed|not open)"),
    Row(Kind.NOT_REPLACEABLE, 422, "42210000", r"cannot replace"),
    Row(Kind.NOT_CANCELABLE, 422, "42210000", r"order is already in|not cancelable"),
    Row(Kind.NOT_CANCELABLE, 422, "42210000", r"pending cancel"),
    Row(Kind.NOT_FOUND, 404, "40410000", r""),
)
"""The first row whose status, code and message fit tells the kind."""


@dataclass(frozen=True)
class Refusal:
    """One answer that is not a success; ``code`` is empty and ``message`` raw when not JSON."""

    status: int
    code: str
    message: str
    kind: Kind


def refusal(status: int, body: str) -> Refusal:
    """What Alpaca's answer means, by status, code and message."""
    code, message = _read(body)
    return Refusal(status, code, message, _kind(status, code, message))


def refusal_json(code: str, message: str) -> tuple[int, Json]:
    """Status and body with which Alpaca would refuse; the code's first digits are the status.

    The one exception is 40010001, malformed input, which is answered with 422.
    """
    status = int(code[:3]) if code[:3].isdigit() else _UNPROCESSABLE
    if status not in {_FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE, _UNAUTHORISED, _TOO_MANY}:
        status = _UNPROCESSABLE
    return status, {"code": int(code) if code.isdigit() else 0, "message": message}


def _read(body: str) -> tuple[str, str]:
    try:
        content = json.loads(body)
    except ValueError:
        return "", " ".join(re.sub(r"<[^>]*>", " ", body).split())[:200]
    if not isinstance(content, dict):
        return "", str(content)[:200]
    return str(content.get("code") or ""), str(content.get("message") or "")


def _kind(status: int, code: str, message: str) -> Kind:
    for row in TABLE:
        if (row.status, row.code) == (status, code) and re.search(row.message, message):
            return row.kind
    if status == _TOO_MANY:
        return Kind.RATE_LIMIT
    if status >= _SERVER or status in _TEMPORARY:
        return Kind.UNKNOWN_OUTCOME
    if status == _UNAUTHORISED or (status == _FORBIDDEN and not code):
        return Kind.AUTH
    return Kind.NOT_FOUND if status == _NOT_FOUND else Kind.REFUSED
