"""The body of a refused order: beside code and message, the figures Alpaca adds to some."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.alpaca.errors import Kind, refusal, refusal_json
from goldenthread.adapters.alpaca.symbols import joined
from goldenthread.adapters.alpaca.values import Json, text

if TYPE_CHECKING:
    from goldenthread.domain.errors import EngineRefusedError

_FIGURES = re.compile(r" \((?:cost basis|existing): (?P<first>[^,)]+)[^)]*\)$")
_DECIMAL = re.compile(r"\d+\.\d+")


class Standing(NamedTuple):
    """What the account could have offered to an order of ``symbol`` when it was refused."""

    symbol: str
    buying_power: Decimal
    held: Decimal
    promised: Decimal


def refused_order_json(error: EngineRefusedError, standing: Standing) -> tuple[int, Json]:
    """Status and body of a refusal, in the words and with the fields Alpaca was seen to send."""
    said = _DECIMAL.sub(lambda found: text(Decimal(found[0])), str(error))
    figures = _FIGURES.search(said)
    status, body = refusal_json(error.code, _FIGURES.sub("", said))
    kind = refusal(status, f'{{"code": {body["code"]}, "message": "{_plain(said)}"}}').kind
    first = figures["first"] if figures else ""
    if kind is Kind.FUNDS and first:
        added = {"buying_power": text(standing.buying_power), "cost_basis": text(Decimal(first))}
        return status, body | added
    if kind is Kind.QUANTITY_HELD:
        return status, body | _quantities(standing)
    if kind is Kind.WASH_TRADE:
        reason = "opposite side market/stop order exists"
        return status, body | {"existing_order_id": first, "reject_reason": reason}
    return status, body


def _quantities(standing: Standing) -> Json:
    held = abs(standing.held)
    return {
        "symbol": joined(standing.symbol),
        "existing_qty": text(held),
        "held_for_orders": text(standing.promised),
        "available": text(max(held - standing.promised, Decimal(0))),
    }


def _plain(message: str) -> str:
    return message.replace("\\", "").replace('"', "")
