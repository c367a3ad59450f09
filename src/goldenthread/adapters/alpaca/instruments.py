"""Assets, daily bars and corporate actions on the wire."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from goldenthread.adapters.alpaca.symbols import asset_class_name, asset_class_of, canonical
from goldenthread.adapters.alpaca.values import (
    Json,
    amount,
    amount_or_none,
    instant,
    instant_text,
    text,
    uuid_of,
)
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.errors import DataError

if TYPE_CHECKING:
    from goldenthread.domain.bar import Bar

SOURCE = "alpaca"

_NEW_YORK = ZoneInfo("America/New_York")
_CENT = Decimal("0.01")
_COIN = Decimal("0.000000001")
_CRYPTO_MINIMUM = Decimal(10)


class WireBar(NamedTuple):
    """One bar as sent: ``at`` is the instant it begins, prices are the decimals of the text."""

    at: dt.datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def asset_json(asset: Asset) -> Json:
    """An asset as Alpaca shows it; crypto has its increments, equities have none."""
    crypto = asset.asset_class is AssetClass.CRYPTO
    row: Json = {
        "id": uuid_of(asset.symbol),
        "class": asset_class_name(asset.asset_class),
        "exchange": "CRYPTO" if crypto else "NASDAQ",
        "symbol": asset.symbol,
        "name": asset.name or asset.symbol,
        "status": "active",
        "tradable": True,
        "marginable": not crypto,
        "shortable": asset.shortable and not crypto,
        "easy_to_borrow": asset.shortable and not crypto,
        "fractionable": asset.fractionable,
        "maintenance_margin_requirement": 100 if crypto else 30,
        "attributes": [],
    }
    if crypto:
        row["min_order_size"] = text(asset.quantity_step)
        row["min_trade_increment"] = text(asset.quantity_step)
        row["price_increment"] = text(asset.price_tick)
    return row


def asset_from_json(row: Json) -> Asset | None:
    """An asset in the steps it is traded in; None when we cannot trade its class, or nobody can.

    Raises:
        DataError: A field we need is missing or not what it should be.
    """
    asset_class = asset_class_of(row.get("class", ""))
    if asset_class is None or row.get("status") != "active" or not row.get("tradable"):
        return None
    crypto = asset_class is AssetClass.CRYPTO
    step = amount_or_none(row.get("min_trade_increment"), "min_trade_increment")
    tick = amount_or_none(row.get("price_increment"), "price_increment")
    return Asset(
        symbol=canonical(row["symbol"], asset_class),
        asset_class=asset_class,
        name=row.get("name") or "",
        price_tick=(tick or _COIN) if crypto else _CENT,
        quantity_step=(step or _COIN) if crypto else Decimal(1),
        min_notional=_CRYPTO_MINIMUM if crypto else Decimal(0),
        shortable=bool(row.get("shortable")) and not crypto,
        fractionable=bool(row.get("fractionable")),
        source=SOURCE,
    )


def bar_json(bar: Bar, asset_class: AssetClass) -> Json:
    """A daily bar as Alpaca sends it, beginning at its session's midnight."""
    zone = dt.UTC if asset_class is AssetClass.CRYPTO else _NEW_YORK
    begins = dt.datetime.combine(bar.ds, dt.time(), zone)
    middle = (bar.open + bar.high + bar.low + bar.close) / 4
    return {
        "t": instant_text(begins),
        "o": float(bar.open),
        "h": float(bar.high),
        "l": float(bar.low),
        "c": float(bar.close),
        "v": float(bar.volume),
        "n": 1,
        "vw": float(middle),
    }


def bar_from_json(row: Json) -> WireBar:
    """One bar; ``ds_of`` tells the session it belongs to.

    Raises:
        DataError: A field is missing or not a number.
    """
    numbers = (amount(row.get(field), field) for field in ("o", "h", "l", "c", "v"))
    return WireBar(instant(row.get("t"), "t"), *numbers)


def ds_of(at: dt.datetime, asset_class: AssetClass) -> dt.date | None:
    """The session of a daily bar that begins at ``at``.

    Equities: its date in New York, where it begins at midnight. Crypto: its UTC date, but only
    if it begins at midnight UTC; None for the bars Alpaca cuts at midnight in Chicago, which are
    no UTC days.
    """
    if asset_class is AssetClass.EQUITY:
        return at.astimezone(_NEW_YORK).date()
    return at.date() if at.astimezone(dt.UTC).time() == dt.time() else None


def actions_json(actions: list[CorporateAction]) -> Json:
    """The content of ``corporate_actions``: lists by kind, in Alpaca's names."""
    content: dict[str, list[Json]] = {}
    for number, action in enumerate(actions):
        day = action.ex_ds.isoformat()
        row: Json = {"id": uuid_of(f"{action.symbol}|{action.ex_ds}|{number}"), "process_date": day}
        if action.kind is ActionKind.SPLIT:
            new, old = action.ratio.as_integer_ratio()
            row |= {"symbol": action.symbol, "ex_date": day, "new_rate": new, "old_rate": old}
            row |= {"cusip": "", "old_cusip": "", "new_cusip": ""}
            content.setdefault("forward_splits" if new > old else "reverse_splits", []).append(row)
        elif action.kind is ActionKind.DIVIDEND:
            row |= {"symbol": action.symbol, "ex_date": day, "rate": float(action.amount)}
            row |= {"special": False, "foreign": False, "cusip": ""}
            content.setdefault("cash_dividends", []).append(row)
        elif action.kind is ActionKind.SYMBOL_CHANGE:
            row |= {"old_symbol": action.symbol, "new_symbol": action.new_symbol}
            row |= {"old_cusip": "", "new_cusip": ""}
            content.setdefault("name_changes", []).append(row)
        else:
            row |= {"symbol": action.symbol, "cusip": ""}
            content.setdefault("worthless_removals", []).append(row)
    return dict(content)


def actions_from_json(content: Json, known_at: dt.datetime) -> list[CorporateAction]:
    """The splits, dividends, symbol changes and removals among the actions; others are left out.

    Raises:
        DataError: A field we need is missing or not what it should be.
    """
    found = []
    for kind, rows in content.items():
        for row in rows:
            try:
                fields = _action(kind, row)
            except (KeyError, ValueError, ZeroDivisionError) as error:
                msg = f"corporate action {row.get('id')!r} ({kind}): {error}; leave it out"
                raise DataError(msg) from error
            if fields is not None:
                found.append(CorporateAction(**fields, source=SOURCE, known_at=known_at))
    return sorted(found, key=lambda action: (action.symbol, action.ex_ds, action.kind))


def _action(kind: str, row: Json) -> Json | None:
    day = dt.date.fromisoformat(row.get("ex_date") or row["process_date"])
    if kind in {"forward_splits", "reverse_splits"}:
        ratio = amount(row["new_rate"], "new_rate") / amount(row["old_rate"], "old_rate")
        return {"symbol": row["symbol"], "kind": ActionKind.SPLIT, "ex_ds": day, "ratio": ratio}
    if kind == "cash_dividends":
        rate = amount(row["rate"], "rate")
        return {"symbol": row["symbol"], "kind": ActionKind.DIVIDEND, "ex_ds": day, "amount": rate}
    if kind == "name_changes":
        change = {"symbol": row["old_symbol"], "new_symbol": row["new_symbol"]}
        return {**change, "kind": ActionKind.SYMBOL_CHANGE, "ex_ds": day}
    if kind == "worthless_removals":
        return {"symbol": row["symbol"], "kind": ActionKind.DELISTING, "ex_ds": day}
    return None
