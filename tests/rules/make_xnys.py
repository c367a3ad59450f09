"""Prints ``rules/xnys.csv``: every weekday closure and early close in New York.

To renew it: ``python tests/rules/make_xnys.py > src/goldenthread/rules/xnys.csv``.
"""

from __future__ import annotations

import datetime as dt
import sys

import exchange_calendars

FIRST = dt.date(1971, 1, 1)
LAST = dt.date(2060, 12, 31)
"""The rules of exchange_calendars know every holiday from 1971 on; future years follow them."""

SATURDAY = 5
USUAL_CLOSE = dt.time(16)


def schedule() -> dict[dt.date, tuple[dt.datetime, dt.datetime]]:
    """Open and close of every session, as exchange_calendars knows them."""
    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)
    frame = calendar.schedule
    return {
        session.date(): (opened.to_pydatetime(), closed.to_pydatetime())
        for session, opened, closed in zip(frame.index, frame["open"], frame["close"], strict=True)
    }


def table() -> str:
    """The CSV text: ``ds`` and the New York time of an early close, empty when closed all day."""
    times = schedule()
    new_york = exchange_calendars.get_calendar("XNYS").tz
    rows = []
    for n in range((LAST - FIRST).days + 1):
        ds = FIRST + dt.timedelta(days=n)
        closed = times[ds][1].astimezone(new_york).time() if ds in times else None
        if closed is None and ds.weekday() < SATURDAY:
            rows.append(f"{ds},")
        elif closed not in (None, USUAL_CLOSE):
            rows.append(f"{ds},{closed:%H:%M}")
    return "\n".join(["ds,close", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
