"""The login, the way out, how pages look and what keeps them new."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from goldenthread.app.web.access import COOKIE, LASTS
from goldenthread.app.web.forms import fields
from goldenthread.app.web.paper import paper
from goldenthread.reports.style import STYLE

router = APIRouter(include_in_schema=False)
_CLOSED = "Too many wrong tokens: none is looked at until the next minute."
_WRONG = "That is not the token."


@router.get("/login")
def login_form(request: Request) -> Response:
    """The form that asks for the token."""
    return _form(request, "")


@router.post("/login")
async def login(request: Request) -> Response:
    """Into the dashboard with a cookie of its own, or the form again."""
    access = request.app.state.access
    key = access.login((await fields(request)).get("token", ""))
    if key is None:
        closed = access.is_closed
        words = _CLOSED if closed else _WRONG
        return _form(request, words, 429 if closed else 403)
    answer = RedirectResponse("/", 303)
    seconds = int(LASTS.total_seconds())
    answer.set_cookie(COOKIE, key, max_age=seconds, secure=True, httponly=True, samesite="strict")
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Out of the dashboard."""
    request.app.state.access.logout(request.headers.get("cookie", ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/static/style.css")
def style() -> Response:
    """The style of the reports, and what pages with a navigation need beside it."""
    return Response(STYLE + _file("dashboard.css"), media_type="text/css")


@router.get("/static/live.js")
def script() -> Response:
    """The one script there is: it keeps a page as it would be if it were loaded now."""
    return Response(_file("live.js"), media_type="text/javascript")


@router.get("/static/icon.svg")
def icon() -> Response:
    """The picture in a browser's tab."""
    return Response(_file("icon.svg"), media_type="image/svg+xml")


def _form(request: Request, words: str, status: int = 200) -> Response:
    shown = {"title": "Goldenthread", "pages": {}, "words": words}
    return paper(request, "login.html", shown, status)


@cache
def _file(name: str) -> str:
    return (files("goldenthread.app.web") / "static" / name).read_text(encoding="utf-8")
