"""New York's sessions as ``/v2/calendar`` shows them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import next_session, session_close, session_open, sessions

if TYPE_CHECKING:
    from goldenthread.adapters.alpaca.values import Json

_NEW_YORK = ZoneInfo("America/New_York")
_AFTER_HOURS = dt.timedelta(hours=4)


def calendar_rows(first: dt.date, last: dt.date) -> list[Json]:
    """New York's sessions between two dates; an early close ends the late session early, too."""
    rows = []
    for ds in sessions(AssetClass.EQUITY, first, last):
        opens = session_open(AssetClass.EQUITY, ds).astimezone(_NEW_YORK)
        closes = session_close(AssetClass.EQUITY, ds).astimezone(_NEW_YORK)
        late = closes + _AFTER_HOURS
        rows.append(
            {
                "date": ds.isoformat(),
                "open": f"{opens:%H:%M}",
                "close": f"{closes:%H:%M}",
                "session_open": "0400",
                "session_close": f"{late:%H%M}",
                "settlement_date": next_session(AssetClass.EQUITY, ds).isoformat(),
            }
        )
    return rows
