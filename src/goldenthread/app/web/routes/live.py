"""What a page is told while it is looked at: that there is something newer than it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anyio import current_time, sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from goldenthread.app.api.browsing.plain import plain
from goldenthread.app.api.browsing.standing import Standing, standing
from goldenthread.app.web.desk import AtDesk, Desk  # noqa: TC001  # FastAPI reads annotations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

router = APIRouter(include_in_schema=False)
_STEP_S = 0.5
_QUIET = 30
"""Steps without news after which a word is sent all the same: so a lost visitor is noticed."""


@router.get("/live")
async def live(request: Request, desk: AtDesk) -> StreamingResponse:
    """Where the book stands, as server-sent events: now, and after each change until one leaves.

    An event's id is the mark of ``standing``, its data the dates last run and last archived.
    """
    unheld = {"x-accel-buffering": "no"}  # a proxy must not wait for more
    return StreamingResponse(_events(request, desk), 200, unheld, "text/event-stream")


async def _events(request: Request, desk: Desk) -> AsyncIterator[str]:
    told, due, quiet = "", 0.0, 0
    while _goes_on(request):
        quiet += 1
        if current_time() >= due:
            now = await run_sync(standing, *desk)
            due = current_time() + now.again_s
            if now.mark != told:
                told, quiet = now.mark, 0
                yield _event(now)
        if quiet == _QUIET:
            quiet = 0
            yield ": still here\n\n"
        await sleep(_STEP_S)


def _goes_on(request: Request) -> bool:
    """Whether neither the dashboard nor the visitor's login has ended."""
    state, headers = request.app.state, request.headers
    shown = headers.get("cookie", ""), headers.get("authorization", "")
    return not state.is_closing() and state.access.admits(*shown)


def _event(now: Standing) -> str:
    dates = plain({"last_run": now.last_run, "archived": now.archived})
    return f"id: {now.mark}\ndata: {json.dumps(dates)}\n\n"
