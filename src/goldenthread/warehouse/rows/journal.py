"""What ran, and what people and patches changed, as rows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from goldenthread.warehouse.rows.columns import (
    OPERATIONAL,
    Day,
    Float,
    Instant,
    Json,
    Loaded,
    Name,
    Text,
    Whole,
)


class JobRunRow(Loaded):
    """One run of the daily flow."""

    book: Name = Field(description="The account and engine, for example sim:main.")
    ds: Day = Field(description="The business date of the run.")
    job: Name = Field(description="run, simulate, strategy sync …")
    status: Annotated[Name, OPERATIONAL] = Field(description="DONE or FAILED.")
    started_at: Annotated[Instant, OPERATIONAL] = Field(description="Wall clock.")
    finished_at: Annotated[Instant, OPERATIONAL] = Field(description="Wall clock.")
    duration_s: Annotated[Float, OPERATIONAL] = Field(description="Seconds.")
    offered: Annotated[Whole, OPERATIONAL] = Field(description="Rows offered to the warehouse.")
    inserted: Annotated[Whole, OPERATIONAL] = Field(description="Rows inserted.")
    updated: Annotated[Whole, OPERATIONAL] = Field(description="Rows updated.")
    unchanged: Annotated[Whole, OPERATIONAL] = Field(description="Rows already there.")
    refused: Annotated[Whole, OPERATIONAL] = Field(description="Rows put into quarantine.")
    git_hash: Annotated[Text, OPERATIONAL] = Field(description="The checkout that ran.")
    engine_digest: Annotated[Text, OPERATIONAL] = Field(description="The code that ran.")
    detail: Annotated[Json, OPERATIONAL] = Field(description="What else the run reports.")


class AuditRow(Loaded):
    """One act of an operator, of a configuration change or of a patch."""

    id: Name = Field(description="Deterministic where the act is, so that it is logged once.")
    book: Name = Field(description="The account and engine, for example sim:main.")
    ds: Day = Field(description="The business date of the act.")
    acted_at: Annotated[Instant, OPERATIONAL] = Field(description="When it was done (wall).")
    actor: Name = Field(description="A person, or the step of a run.")
    action: Name = Field(description="HALT, PAUSE, FREEZE, PATCH_PRICES, PATCH_FEES …")
    subject: Name = Field(description="What it was done to: a table and id, a file, a symbol.")
    detail: Json = Field(description="The old image of a patch, or the words of a person.")
