"""What machines watch: numbers in Prometheus' text format, and whether the book is well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import Response

from goldenthread import __version__
from goldenthread.app.api.browsing.vitals import vitals
from goldenthread.app.clock import SystemClock
from goldenthread.app.web.desk import AtDesk  # noqa: TC001  # FastAPI reads annotations
from goldenthread.app.web.paper import JSON

if TYPE_CHECKING:
    from goldenthread.app.api.browsing.vitals import Vitals

router = APIRouter(include_in_schema=False)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_HELP = {
    "up": "1 where the book could be read.",
    "ok": "1 where every check of the page Health is in order.",
    "last_success_timestamp_seconds": "When a run last ended with its archive.",
    "lag_sessions": "Sessions up to the last bar that have not been run.",
    "open_positions": "Positions held.",
    "waiting_signals": "Signals whose order has not filled yet.",
    "quarantine_rows": "Refused rows that wait.",
    "query_bytes_today": "Bytes that guarded queries read since midnight UTC.",
    "alarms": "Checks of the page Health that are not in order.",
    "lease_held": "1 while a run is at work.",
    "lease_expires_timestamp_seconds": "When another run may take over, unless that one goes on.",
}


@router.get("/healthz")
def healthz(desk: AtDesk) -> JSON:
    """The vital signs: 200 where all is well, else 503."""
    found = vitals(*desk, SystemClock().now())
    return JSON(found._asdict(), 200 if found.ok else 503)


@router.get("/metrics")
def metrics(desk: AtDesk) -> Response:
    """The same as gauges; what is not known is left out."""
    return Response(exposition(vitals(*desk, SystemClock().now())), media_type=_TEXT)


def exposition(found: Vitals) -> str:
    """The vital signs in the text format of Prometheus, each with its meaning above it.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    ended, until = found.last_success_at, found.lease_until
    values = {
        "up": 1,
        "ok": int(found.ok),
        "last_success_timestamp_seconds": None if ended is None else ended.timestamp(),
        "lag_sessions": found.lag_sessions,
        "open_positions": found.open_positions,
        "waiting_signals": found.waiting_signals,
        "quarantine_rows": found.quarantine,
        "query_bytes_today": found.bytes_today,
        "alarms": len(found.alarms),
        "lease_held": int(until is not None),
        "lease_expires_timestamp_seconds": None if until is None else until.timestamp(),
    }
    labels = f'book={json.dumps(found.book)},version="{__version__}"'  # a book's name is ASCII
    return "".join(
        f"# HELP goldenthread_{name} {_HELP[name]}\n"
        f"# TYPE goldenthread_{name} gauge\n"
        f"goldenthread_{name}{{{labels}}} {value}\n"
        for name, value in values.items()
        if value is not None
    )
