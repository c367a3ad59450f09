"""Every table of the star schema as a value, derived from its row model."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime
from typing_extensions import is_typeddict

from goldenthread.ports.warehouse import Column, ColumnType, Table
from goldenthread.warehouse.rows.columns import JsonText, Operational, Row
from goldenthread.warehouse.rows.dimensions import AssetRow, DateRow, PolicyRow, StrategyRow
from goldenthread.warehouse.rows.journal import AuditRow, JobRunRow
from goldenthread.warehouse.rows.market import ActionRow, BarRow
from goldenthread.warehouse.rows.orders import AccountRow, FillRow, OrderRow, PositionRow
from goldenthread.warehouse.rows.signals import (
    ExpiredSignalRow,
    Priced,
    RejectedSignalRow,
    TradeRow,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_SCALARS: dict[Any, ColumnType] = {
    str: "STRING",
    int: "INT64",
    float: "FLOAT64",
    Decimal: "NUMERIC",
    bool: "BOOL",
    dt.date: "DATE",
    AwareDatetime: "TIMESTAMP",
}
_LOADING = ("revision", "run_id", "loaded_at")
_OUTCOME = tuple(
    name
    for name in Priced.model_fields
    if name.startswith("theoretical_") or name in {"outcome_status", "priced_as"}
)
_VERSIONED = ("valid_to", *_LOADING)


def _type_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, bool, tuple[Any, ...]]:  # noqa: ANN401  # a type annotation is any object
    """The bare type behind Annotated and ``| None``, whether null is allowed, and all marks."""
    nullable = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *marks = get_args(annotation)
            metadata += tuple(marks)
        elif type(None) in get_args(annotation):
            nullable = True
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        else:
            return annotation, nullable, metadata


def _column(name: str, annotation: Any, field: FieldInfo | None = None) -> Column:  # noqa: ANN401  # a type annotation is any object
    bare, nullable, marks = _type_of(annotation, tuple(field.metadata) if field else ())
    fields: tuple[Column, ...] = ()
    if get_origin(bare) is list:
        item, _, _ = _type_of(get_args(bare)[0])
        kind: ColumnType = "STRUCTS" if is_typeddict(item) else "STRINGS"
        if kind == "STRUCTS":
            hints = get_type_hints(item, include_extras=True)
            hints.pop("__pydantic_config__", None)
            fields = tuple(_column(key, hint) for key, hint in hints.items())
    else:
        kind = "JSON" if any(isinstance(m, JsonText) for m in marks) else _SCALARS[bare]
    decided = not any(isinstance(m, Operational) for m in marks)
    return Column(name, kind, nullable, decided, (field and field.description) or "", fields)


@cache
def columns_of(model: type[Row]) -> tuple[Column, ...]:
    """The columns of a row model: what is decided in the model's order, then the rest."""
    columns = [_column(name, f.annotation, f) for name, f in model.model_fields.items()]
    return tuple(sorted(columns, key=lambda column: not column.decided))


@cache
def schema_version(model: type[Row]) -> str:
    """Twelve hex digits that change with any column of the model."""
    said = [
        (c.name, c.type, c.nullable, [(f.name, f.type) for f in c.fields])
        for c in columns_of(model)
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


def _table(model: type[Row], name: str, grain: str, **more: Any) -> Table:  # noqa: ANN401  # the optional fields of Table
    description = (model.__doc__ or "").strip()
    return Table(name, description, grain, columns_of(model), **more)


MODELS: dict[str, type[Row]] = {
    "fact_trades": TradeRow,
    "fact_rejected_signals": RejectedSignalRow,
    "fact_signals_expired": ExpiredSignalRow,
    "fact_orders": OrderRow,
    "fact_fills": FillRow,
    "snapshot_accounts": AccountRow,
    "snapshot_positions": PositionRow,
    "dim_strategies": StrategyRow,
    "dim_policies": PolicyRow,
    "dim_assets": AssetRow,
    "dim_dates": DateRow,
    "fact_bars": BarRow,
    "fact_corporate_actions": ActionRow,
    "job_runs": JobRunRow,
    "audit_log": AuditRow,
}
"""The row model of every table."""

_DECLARED: dict[str, dict[str, Any]] = {
    "fact_trades": {
        "grain": "one closed trade",
        "key": ("book", "trade_id"),
        "partition": "ds",
        "cluster": ("strategy_id", "symbol"),
        "mutable": (
            "fees",
            "net_pnl",
            "return_fraction",
            "r_multiple",
            "is_final",
            *_LOADING,
        ),
    },
    "fact_rejected_signals": {
        "grain": "one refused signal, priced, revised until resolved",
        "key": ("book", "signal_id"),
        "partition": "ds",
        "cluster": ("strategy_id", "rejection_reason"),
        "mutable": (*_OUTCOME, *_LOADING),
    },
    "fact_signals_expired": {
        "grain": "one signal at the moment it expired or was invalidated",
        "key": ("book", "signal_id"),
        "partition": "ds",
        "cluster": ("strategy_id",),
        "mutable": (*_OUTCOME, *_LOADING),
    },
    "fact_orders": {
        "grain": "one order: request, answer, status",
        "key": ("book", "order_key"),
        "partition": "ds",
        "cluster": ("symbol",),
        "mutable": (
            "limit_price",
            "stop_price",
            "status",
            "broker_status",
            "filled_quantity",
            "average_price",
            "refusal_code",
            "refusal",
            "broker_order_id",
            "submitted_at",
            *_LOADING,
        ),
    },
    "fact_fills": {
        "grain": "one execution",
        "key": ("book", "order_key", "fill_no"),
        "partition": "ds",
        "cluster": ("symbol",),
        "mutable": ("fee", "fee_quantity", *_LOADING),
    },
    "snapshot_accounts": {
        "grain": "the account after one day",
        "key": ("book", "ds"),
        "partition": "ds",
    },
    "snapshot_positions": {
        "grain": "one open position after one day",
        "key": ("book", "ds", "position_id"),
        "partition": "ds",
        "cluster": ("symbol",),
    },
    "dim_strategies": {
        "grain": "one version of a strategy (SCD type 2)",
        "key": ("book", "strategy_id", "valid_from"),
        "mutable": _VERSIONED,
    },
    "dim_policies": {
        "grain": "one version of the policy (SCD type 2)",
        "key": ("book", "policy_id", "valid_from"),
        "mutable": _VERSIONED,
    },
    "dim_assets": {
        "grain": "one version of an asset (SCD type 2)",
        "key": ("book", "symbol", "valid_from"),
        "mutable": _VERSIONED,
    },
    "dim_dates": {"grain": "one date", "key": ("ds",)},
    "fact_bars": {
        "grain": "one revision of one raw daily bar",
        "key": ("symbol", "ds", "source", "known_at"),
        "partition": "ds",
        "granularity": "MONTH",
        "cluster": ("symbol",),
        "mutable": ("state", *_LOADING),
    },
    "fact_corporate_actions": {
        "grain": "one revision of one corporate action",
        "key": ("symbol", "ds", "source", "known_at", "kind"),
        "partition": "ds",
        "granularity": "MONTH",
        "cluster": ("symbol",),
    },
    "job_runs": {"grain": "one run", "key": ("run_id",), "partition": "ds"},
    "audit_log": {"grain": "one act", "key": ("id",), "partition": "ds"},
}

TABLES: dict[str, Table] = {
    name: _table(model, name, **_DECLARED[name]) for name, model in MODELS.items()
}
"""Every table, by name."""

UNDIGESTED = frozenset({"job_runs", "audit_log"})
"""Tables that tell what was done, not what was decided."""
