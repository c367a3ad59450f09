"""What is wanted of a long list: which rows, and after which one a page begins."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from goldenthread.app.api.records import ALL_TIME

PAGE = 50
"""Rows of one page."""

NEWEST = "~"
"""Stands after every id there is: where the first page begins."""

Result = Literal["", "traded", "open", "waiting", "rejected", "expired", "invalidated"]


def _typed(given: object) -> object:
    """What is given, when a text looks like a date: a number of seconds is none."""
    if isinstance(given, str) and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        msg = "a date looks like 2024-01-31"
        raise ValueError(msg)
    return given


_Date = Annotated[
    dt.date,
    BeforeValidator(_typed),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"const": ""}]}),
]


class Wanted(BaseModel):
    """Which rows of a list, the newest first; an empty filter takes all of them.

    ``after`` is the ``older`` of the page before. A form sends its empty fields too: they count
    as not said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    strategy: str = Field(default="", max_length=100, description="A strategy_id.")
    symbol: str = Field(default="", max_length=40, description="A symbol, BTC/USD for example.")
    first: _Date = Field(default=ALL_TIME[0], alias="from", description="First date.")
    last: _Date = Field(default=ALL_TIME[1], alias="to", description="Last date.")
    after: str = Field(default=NEWEST, max_length=80, description="`older` of the page before.")

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: Any) -> Any:  # noqa: ANN401  # what pydantic gives
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value != ""}

    def named(self) -> dict[str, str]:
        """The filters as they are typed, those left open not among them."""
        typed = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {name: str(value) for name, value in typed.items() if name != "after"}


class WantedTrades(Wanted):
    """Which trades, by the date of their exit."""

    @field_validator("after")
    @classmethod
    def _mark(cls, after: str) -> str:
        if after != NEWEST:
            dt.date.fromisoformat(after.partition("_")[0])
        return after


class WantedSignals(Wanted):
    """Which signals, by the date of their decision."""

    outcome: Result = Field(default="", description="What became of it.")
