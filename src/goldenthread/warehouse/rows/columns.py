"""The types a column can have, and the crossing of money from records to NUMERIC."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Raw = dict[str, Any]
"""A row before it is checked: column name to value."""

_SCALE = Decimal("0.000000001")
_LIMIT = Decimal(10) ** 29
_EXACT = Context(prec=80)
_INT64 = 2**63

LEAST_DS = dt.date(1900, 1, 1)
LAST_DS = dt.date(9999, 12, 31)


@dataclass(frozen=True)
class Operational:
    """Marks a column that does not follow from bars, strategies and policy: not in the digest."""


OPERATIONAL = Operational()


@dataclass(frozen=True)
class JsonText:
    """Marks a text column as JSON."""


JSON_TEXT = JsonText()


def fits_numeric(value: Decimal) -> Decimal:
    """The value at nine decimals, when NUMERIC holds it exactly: 29 digits before the point.

    Raises:
        ValueError: It does not.
    """
    if abs(value) < _LIMIT:
        exact = _EXACT.quantize(value, _SCALE)
        if exact == value:
            return exact
    msg = "NUMERIC holds 29 digits before the point and 9 after it"
    raise ValueError(msg)


def is_json(text: str) -> str:
    """The text, when it is JSON.

    Raises:
        ValueError: It is not.
    """
    json.loads(text)
    return text


Text = str
Name = Annotated[str, Field(min_length=1)]
Whole = Annotated[int, Field(ge=-_INT64, lt=_INT64)]
Float = float
Numeric = Annotated[Decimal, AfterValidator(fits_numeric)]
Json = Annotated[str, AfterValidator(is_json), JSON_TEXT]
Day = Annotated[dt.date, Field(ge=LEAST_DS, le=LAST_DS)]
Instant = AwareDatetime

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Row(BaseModel):
    """One row: strict types, no other columns, finite numbers."""

    model_config = STRICT


class Loaded(Row):
    """What every loaded row carries about its loading."""

    run_id: Annotated[Name, OPERATIONAL] = Field(description="The run that wrote the row last.")
    loaded_at: Annotated[Instant, OPERATIONAL] = Field(description="When it was written (wall).")


def numeric(value: Decimal) -> Decimal:
    """The value at nine decimals, half to even; what NUMERIC cannot hold comes back unchanged.

    The one place where a record's money becomes a column's; the guardian refuses the rest.
    """
    try:
        return value.quantize(_SCALE, ROUND_HALF_EVEN, _EXACT)
    except InvalidOperation:
        return value


def numeric_or_null(value: Decimal | None) -> Decimal | None:
    """``numeric``, null staying null."""
    return None if value is None else numeric(value)
