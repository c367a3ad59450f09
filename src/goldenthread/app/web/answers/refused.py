"""The answer to what cannot be answered."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Refused(BaseModel, extra="forbid"):
    """What was asked wrongly, or which engine fails, in the words of the command line."""

    error: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Refused, "description": "Asked wrongly; `error` says what is allowed."},
    503: {"model": Refused, "description": "An engine or a disk fails; `error` says which."},
}
"""What any address may answer in place of what it is for."""
