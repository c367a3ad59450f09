"""Rows as the warehouse gives them, with everything but the point of a test filled in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl

DAY = dt.date(2024, 1, 2)
Row = dict[str, Any]


def trade_row(net: str, **changes: object) -> Row:
    """A long trade of 10 AAPL from 100, one dollar of fees, ten dollars risked."""
    row: Row = {
        "trade_id": "20240102-a",
        "strategy_id": "breakout",
        "version_key": "0123abcdef",
        "symbol": "AAPL",
        "asset_class": "EQUITY",
        "side": "long",
        "signal_ds": DAY,
        "entry_ds": DAY,
        "exit_ds": DAY + dt.timedelta(days=2),
        "traded_quantity": Decimal(10),
        "entry_price": Decimal(100),
        "exit_price": Decimal(101),
        "gross_pnl": Decimal(net) + 1,
        "fees": Decimal(1),
        "net_pnl": Decimal(net),
        "return_fraction": Decimal(net) / 1000,
        "r_multiple": Decimal(net) / 10,
        "mfe": Decimal("0.03"),
        "mae": Decimal("-0.01"),
        "borrow_fees": None,
        "dividends": None,
        "bars_held": 3,
        "exit_reason": "TARGET",
    }
    return {**row, **changes}


def trades(*rows: Row) -> pl.DataFrame:
    """Trade rows as a frame, money as NUMERIC."""
    money = (
        "traded_quantity",
        "entry_price",
        "exit_price",
        "gross_pnl",
        "fees",
        "net_pnl",
        "return_fraction",
        "r_multiple",
        "mfe",
        "mae",
        "borrow_fees",
        "dividends",
    )
    schema = {name: pl.Decimal(38, 9) for name in money}
    return pl.DataFrame(list(rows), schema_overrides=schema, infer_schema_length=None)


def verdict(name: str, kind: str, *, passed: bool, value: str | None = None) -> Row:
    """One verdict with the threshold 2."""
    return {
        "name": name,
        "kind": kind,
        "value": None if value is None else float(value),
        "threshold": 2.0,
        "passed": passed,
    }


def refused_row(reasons: dict[str, str], net: str | None, **changes: object) -> Row:
    """A signal refused by ``reasons`` (name to kind) that would have made ``net`` (None: open).

    Ten dollars were risked, and held for five days from the day after the decision.
    """
    ds = changes.get("signal_ds", DAY)
    entry = ds + dt.timedelta(days=1) if isinstance(ds, dt.date) else DAY
    row: Row = {
        "strategy_id": "breakout",
        "symbol": "AAPL",
        "signal_ds": DAY,
        "rejection_reason": next(iter(reasons)),
        "rejection_reasons": list(reasons),
        "verdicts": [
            verdict("ALWAYS_FINE", "filter", passed=True),
            *(verdict(name, kind, passed=False) for name, kind in reasons.items()),
        ],
        "outcome_status": "OPEN" if net is None else "RESOLVED",
        "priced_as": "PLANNED",
        "theoretical_entry_ds": entry,
        "theoretical_exit_ds": None if net is None else entry + dt.timedelta(days=4),
        "theoretical_net_pnl": None if net is None else Decimal(net),
        "theoretical_r_multiple": None if net is None else Decimal(net) / 10,
    }
    return {**row, **changes}


def refused(*rows: Row) -> pl.DataFrame:
    """Refused rows as a frame."""
    number = pl.Decimal(38, 9)
    fields: dict[str, pl.DataType] = {
        "name": pl.String(),
        "kind": pl.String(),
        "value": pl.Float64(),
        "threshold": pl.Float64(),
        "passed": pl.Boolean(),
    }
    schema: dict[str, pl.DataType] = {
        "strategy_id": pl.String(),
        "symbol": pl.String(),
        "signal_ds": pl.Date(),
        "rejection_reason": pl.String(),
        "rejection_reasons": pl.List(pl.String),
        "verdicts": pl.List(pl.Struct(fields)),
        "outcome_status": pl.String(),
        "priced_as": pl.String(),
        "theoretical_entry_ds": pl.Date(),
        "theoretical_exit_ds": pl.Date(),
        "theoretical_net_pnl": number,
        "theoretical_r_multiple": number,
    }
    return pl.DataFrame(list(rows), schema=schema)


def expired(*rows: tuple[str, str, str, str | None]) -> pl.DataFrame:
    """Ended rows from (status, end_reason, priced_as, net; None: open)."""
    return pl.DataFrame(
        {
            "status": [row[0] for row in rows],
            "end_reason": [row[1] for row in rows],
            "outcome_status": ["OPEN" if row[3] is None else "RESOLVED" for row in rows],
            "priced_as": [row[2] for row in rows],
            "theoretical_net_pnl": [None if row[3] is None else Decimal(row[3]) for row in rows],
            "theoretical_r_multiple": [None] * len(rows),
        },
        schema_overrides={
            "theoretical_net_pnl": pl.Decimal(38, 9),
            "theoretical_r_multiple": pl.Decimal(38, 9),
        },
    )


def equity(*values: float, start: dt.date = DAY, step: int = 1) -> pl.DataFrame:
    """An equity curve with a point every ``step`` days and half of it exposed."""
    days = [start + dt.timedelta(days=step * n) for n in range(len(values))]
    money = pl.Decimal(38, 9)
    return pl.DataFrame(
        {"ds": days, "equity": values, "gross_exposure": [v / 2 for v in values]},
        schema={"ds": pl.Date, "equity": pl.Float64, "gross_exposure": pl.Float64},
    ).with_columns(pl.col("equity", "gross_exposure").cast(money))
