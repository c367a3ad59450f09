"""The dashboard as one application: pages, their JSON under /api, and its words in failure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from goldenthread import __version__
from goldenthread.app.clock import SystemClock
from goldenthread.app.listening.visitors import Visitors
from goldenthread.app.web.access import Access
from goldenthread.app.web.answers.refused import REFUSALS
from goldenthread.app.web.forms import Forms
from goldenthread.app.web.gate import FOR_PROGRAMS, Gate
from goldenthread.app.web.paper import JSON, paper
from goldenthread.app.web.routes import (
    controls,
    doors,
    live,
    machines,
    shadow,
    signals,
    strategies,
    today,
    trades,
    upkeep,
)
from goldenthread.domain.errors import GoldenthreadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from goldenthread.app.web.terms import ServeTerms
    from goldenthread.domain.clock import Clock

_LOST = {
    404: "There is no such page; those there are stand above.",
    405: "This address takes no such request.",
}


def dashboard(
    terms: ServeTerms, clock: Clock | None = None, is_closing: Callable[[], bool] = bool
) -> ASGIApp:
    """The application behind its gates.

    Args:
        terms: Its project and book, and whom it answers.
        clock: The wall's, for logins and forms.
        is_closing: Whether what is told live must end; by default it never must.
    """
    clock = clock or SystemClock()
    app = routes(terms, Access(terms.token, clock), Forms(clock), is_closing)
    return Visitors(Gate(app, app.state.access), terms.known_as)


def routes(
    terms: ServeTerms, access: Access, forms: Forms, is_closing: Callable[[], bool] = bool
) -> FastAPI:
    """The application without its gates."""
    app = FastAPI(
        title="Goldenthread",
        version=__version__,
        summary="What a book did and why. Exact numbers are texts, fractions are never percent.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        exception_handlers={
            GoldenthreadError: _told,
            OSError: _disk,
            RequestValidationError: _asked_wrongly,
            HTTPException: _lost,
            Exception: _broken,
        },
    )
    app.state.terms, app.state.is_closing = terms, is_closing
    app.state.access, app.state.forms, app.state.remembered = access, forms, {}
    pages = (today, signals, trades, strategies, shadow, upkeep, controls)
    for part in (*pages, live, machines, doors):
        app.include_router(part.router, responses=REFUSALS)
    return app


def _answer(request: Request, status: int, words: str) -> Response:
    if request.url.path.startswith(FOR_PROGRAMS):
        return JSON({"error": words}, status)
    title = HTTPStatus(status).phrase
    return paper(request, "message.html", {"title": title, "words": words}, status)


async def _told(request: Request, error: Exception) -> Response:
    """What a person must change is a bad request; an engine that fails is out of service."""
    return _answer(request, 400 if isinstance(error, UsageError) else 503, str(error))


async def _disk(request: Request, error: Exception) -> Response:
    return _answer(request, 503, f"{error}; check disk space and permissions, then load it again")


async def _asked_wrongly(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    words = [f"{each['loc'][-1]}: got {each['input']!r}; {each['msg']}" for each in found]
    return _answer(request, 400, "\n".join(words))


async def _lost(request: Request, error: Exception) -> Response:
    status, said = 404, ""
    if isinstance(error, HTTPException):
        status, said = error.status_code, error.detail
    return _answer(request, status, _LOST.get(status, said))


async def _broken(request: Request, error: Exception) -> Response:
    name = type(error).__name__
    return _answer(request, 500, f"internal error: {name}: {error}; please report it")
