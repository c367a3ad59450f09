"""The items of repeated columns."""

from __future__ import annotations

from typing_extensions import TypedDict

from goldenthread.warehouse.rows.columns import STRICT, Float, Name, Numeric


class Factor(TypedDict):
    """One factor as the strategy saw it; null when it could not be computed."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic reads it from the class
    name: Name
    value: Float | None


class VerdictField(TypedDict):
    """What one filter, term of a filter, or gate said."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic reads it from the class
    name: Name
    kind: Name
    value: Float | None
    threshold: Float | None
    passed: bool


class TargetField(TypedDict):
    """One profit target: its price, and the fraction it sells."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic reads it from the class
    price: Numeric
    sell: Numeric
