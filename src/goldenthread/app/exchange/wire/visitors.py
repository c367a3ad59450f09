"""Who may speak to the exchange: programs of this machine, no page of a web site in its browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from goldenthread.app.exchange.terms import HOST

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = frozenset({HOST, "localhost"})
_WORDS = f"only programs of this machine are answered, under the names {HOST} and localhost"


class Visitors:
    """An ASGI application around another; it lets in requests that were meant for this machine.

    A web site may send its visitors' browsers here, by a name of its own that it points to
    127.0.0.1 (then Host is that name) or across sites (then Origin is the site).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or let it through."""
        headers = scope["headers"]
        hosts = [f"//{value.decode('latin-1')}" for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if hosts and all(_host(url) in _NAMES for url in [*hosts, *origins]):
            await self._app(scope, receive, send)
        else:
            await JSONResponse({"message": _WORDS}, 403)(scope, receive, send)


def _host(url: str) -> str:
    """The host an address names; empty when it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
