"""Activities on the wire: executions (FILL), the fees that follow (CFEE, FEE), dividends (DIV)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.alpaca.symbols import canonical, class_of, joined
from goldenthread.adapters.alpaca.values import (
    Json,
    amount,
    amount_or_none,
    instant,
    instant_text,
    session_of,
    text,
)
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError
from goldenthread.domain.order import Fill, OrderReport, OrderSide
from goldenthread.rules.calendar import session_open

if TYPE_CHECKING:
    from goldenthread.domain.account import Payment

FLAGS = "goldenthread_flags"
"""A field our exchange adds to an execution: how the bar executed it. Alpaca does not tell."""

_AT_OPEN = {AssetClass.EQUITY: dt.timedelta(minutes=1), AssetClass.CRYPTO: dt.timedelta(minutes=65)}
"""How long after a session's open an execution counts as made at it: the opening auction, and
for crypto the time in which a run may send."""

_DAY = dt.timedelta(days=1)
_LAST_NANOSECOND = "T23:59:59.999999999Z"


class Charge(NamedTuple):
    """One fee as posted: ``coin`` of ``symbol`` for crypto buys, else ``quote`` in dollars.

    ``kind`` is CFEE or FEE; ``sub_type`` (REG, TAF, CAT) only of the latter. Alpaca does not say
    which execution a fee belongs to.
    """

    activity_id: str
    kind: str
    sub_type: str
    symbol: str
    coin: Decimal
    quote: Decimal
    ds: dt.date
    created_at: dt.datetime


def fill_json(fill: Fill, report: OrderReport, filled_before: Decimal) -> Json:
    """A FILL activity; ``filled_before`` is what the order had executed before.

    A crypto execution at the very end of its day is written as that day's last nanosecond.
    """
    filled = filled_before + fill.quantity
    left = max(report.quantity - filled, Decimal(0))
    return {
        "activity_type": "FILL",
        "id": f"{_stamp(fill.filled_at)}::{fill.execution_id}",
        "order_id": fill.broker_order_id,
        "order_status": "partially_filled" if left else "filled",
        "symbol": joined(fill.symbol),
        "side": fill.side.value,
        "qty": text(fill.quantity),
        "price": text(fill.price),
        "cum_qty": text(filled),
        "leaves_qty": text(left),
        "transaction_time": _executed_at(fill),
        "type": "partial_fill" if left else "fill",
        FLAGS: list(fill.flags),
    }


def fill_from_json(row: Json, fill_no: int) -> Fill:
    """One execution, its fees not known yet; its session follows from its instant.

    Raises:
        DataError: A field we need is missing or not what it should be.
    """
    try:
        symbol = canonical(row["symbol"])
        asset_class = class_of(symbol)
        at = row["transaction_time"]
        ds = session_of(at, asset_class, "transaction_time")
        filled_at = instant(at, "transaction_time")
        return Fill(
            execution_id=row["id"].rpartition("::")[2],
            broker_order_id=row["order_id"],
            fill_no=fill_no,
            symbol=symbol,
            side=OrderSide.BUY if row["side"] == "buy" else OrderSide.SELL,
            quantity=amount(row["qty"], "qty"),
            price=amount(row["price"], "price"),
            ds=ds,
            filled_at=filled_at,
            flags=tuple(row[FLAGS]) if FLAGS in row else _flags(asset_class, ds, filled_at),
        )
    except KeyError as error:
        msg = f"execution {row.get('id')!r} has no {error}; Alpaca's answer cannot be used"
        raise DataError(msg) from error


def charges_json(fill: Fill, posted_at: dt.datetime) -> list[Json]:
    """The fee activities of one execution; empty when it cost nothing."""
    crypto = class_of(fill.symbol) is AssetClass.CRYPTO
    row = {
        "activity_type": "CFEE" if crypto else "FEE",
        "activity_sub_type": "CFEE" if crypto else "REG",
        "id": f"{_stamp(posted_at)}::{fill.execution_id}-fee",
        "date": fill.ds.isoformat(),
        "created_at": instant_text(posted_at),
        "status": "executed",
        "currency": "USD",
    }
    if fill.fee_quantity:
        coin = {
            "symbol": joined(fill.symbol),
            "qty": text(-fill.fee_quantity),
            "price": text(fill.price),
            "net_amount": "0",
            "description": "Coin Pair Transaction Fee (Non USD)",
        }
        return [row | coin]
    if not fill.fee:
        return []
    words = "Coin Pair Transaction Fee (USD)" if crypto else "Regulatory fees"
    return [row | {"net_amount": text(-fill.fee), "description": words}]


def dividend_json(payment: Payment, posted_at: dt.datetime) -> Json:
    """A DIV activity; a short's is negative."""
    return {
        "activity_type": "DIV",
        "activity_sub_type": "CDIV",
        "id": f"{_stamp(posted_at)}::{payment.symbol}-{payment.ds.isoformat()}-dividend",
        "date": payment.ds.isoformat(),
        "created_at": instant_text(posted_at),
        "status": "executed",
        "currency": "USD",
        "symbol": joined(payment.symbol),
        "net_amount": text(payment.amount),
        "description": "Cash dividend",
    }


def charge_from_json(row: Json) -> Charge:
    """One posted fee, as positive amounts; a credit is negative.

    Raises:
        DataError: A field we need is missing or not what it should be.
    """
    try:
        posted = row.get("created_at") or f"{row['date']}T00:00:00Z"
        return Charge(
            activity_id=row["id"],
            kind=row["activity_type"],
            sub_type=row.get("activity_sub_type") or "",
            symbol=canonical(row["symbol"]) if row.get("symbol") else "",
            coin=-(amount_or_none(row.get("qty"), "qty") or Decimal(0)),
            quote=-(amount_or_none(row.get("net_amount"), "net_amount") or Decimal(0)),
            ds=dt.date.fromisoformat(row["date"]),
            created_at=instant(posted, "created_at"),
        )
    except (KeyError, ValueError) as error:
        msg = f"fee {row.get('id')!r}: {error}; Alpaca's answer cannot be used"
        raise DataError(msg) from error


def _executed_at(fill: Fill) -> str:
    midnight = dt.datetime.combine(fill.ds + _DAY, dt.time(), dt.UTC)
    if class_of(fill.symbol) is AssetClass.CRYPTO and fill.filled_at == midnight:
        return f"{fill.ds.isoformat()}{_LAST_NANOSECOND}"
    return instant_text(fill.filled_at)


def _flags(asset_class: AssetClass, ds: dt.date, at: dt.datetime) -> tuple[str, ...]:
    late = at - session_open(asset_class, ds)
    return ("AT_OPEN",) if dt.timedelta() <= late <= _AT_OPEN[asset_class] else ()


def _stamp(at: dt.datetime) -> str:
    return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"
