"""What operators ask for, in two steps: a page that says what an act does, and its POST."""

from __future__ import annotations

import getpass
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from goldenthread.app.api.browsing.controls import controls
from goldenthread.app.api.records import begun_book
from goldenthread.app.web.acts import ACTS, Wish, act_of, carry_out, wants_typing
from goldenthread.app.web.answers.controls import Controls
from goldenthread.app.web.desk import AtDesk, Desk
from goldenthread.app.web.forms import fields
from goldenthread.app.web.paper import JSON, paper
from goldenthread.app.web.views import controls as drawn
from goldenthread.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter()
_PLACE = "/controls"


@router.get(_PLACE, include_in_schema=False)
def controls_page(
    request: Request,
    desk: AtDesk,
    act: Annotated[str, Query()] = "",
    subject: Annotated[str, Query()] = "",
) -> Response:
    """What stands and what may be asked for; with an act, the form that confirms it."""
    if act:
        return _confirmation(request, begun_book(*desk), Wish(act, subject))
    shown = controls(*desk)
    parts = {"title": "Controls", "offered": ACTS, **drawn.controls(shown)}
    return paper(request, "controls.html", {**shown, **parts})


@router.post(_PLACE, include_in_schema=False)
async def control(request: Request, desk: AtDesk) -> Response:
    """Have what was confirmed stand, and back to what stands."""
    sent = await fields(request)
    here = Desk(desk.project, await run_in_threadpool(begun_book, *desk))
    wish = Wish(**{name: sent.get(name, "") for name in ("act", "subject", "reason", "typed")})
    if not request.app.state.forms.is_ours(request, _what(here.book, wish), sent.get("seal", "")):
        raise HTTPException(403, "This form was not written here, or too long ago: begin again.")
    host = request.client.host if request.client else "unknown"
    signed = replace(wish, by=f"{getpass.getuser()} (dashboard, {host})")
    try:
        await run_in_threadpool(carry_out, here, signed)
    except ConflictError as error:  # somebody else acted at the same moment
        raise HTTPException(409, str(error)) from error
    return RedirectResponse(_PLACE, 303)


@router.get(f"/api{_PLACE}", response_model=Controls)
def controls_data(desk: AtDesk) -> JSON:
    """What operators stopped, what they may stop, and their newest 50 acts."""
    return JSON(controls(*desk))


def _confirmation(request: Request, book: str, wish: Wish) -> Response:
    act = act_of(wish)
    shown: Mapping[str, object] = {
        "title": f"{act.button} {wish.subject}".strip(),
        "seen": "",  # it follows no run: a form is read, sent or left
        "book": book,
        "act": act,
        "wish": wish,
        "typing": wants_typing(act, book),
        "seal": request.app.state.forms.seal(request, _what(book, wish)),
    }
    return paper(request, "confirm.html", shown)


def _what(book: str, wish: Wish) -> str:
    return f"{book}\n{wish.act}\n{wish.subject}"
