"""What a run did, in counts and sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


@dataclass(frozen=True)
class DayReport:
    """What a run did; ``changed`` is False when the date was done before.

    ``model`` sets a paper or live day beside the same day in a simulated book, in one line.
    """

    book: str
    ds: dt.date
    changed: bool
    decided: int = 0
    accepted: int = 0
    sent: int = 0
    archived: bool = False
    frozen: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    model: str = ""
