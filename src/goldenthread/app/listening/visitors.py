"""Who may speak to a listener: who calls it by its name, no page of a web site in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from goldenthread.app.listening.sockets import HOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = (HOST, "localhost")
"""What this machine calls itself."""


class Visitors:
    """An ASGI application around another; it lets in requests that were meant for it.

    A web site may send its visitors' browsers here, by a name of its own that it points to
    127.0.0.1 (then Host is that name) or across sites (then Origin is the site).

    Args:
        app: The application inside.
        names: What the listener may be called, in Host and in Origin.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = LOCAL) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or let it through."""
        headers = scope["headers"]
        hosts = [f"//{value.decode('latin-1')}" for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if hosts and all(_host(url) in self._names for url in [*hosts, *origins]):
            await self._app(scope, receive, send)
        else:
            names = " and ".join(sorted(self._names))
            words = f"only programs that mean this listener are answered, under the names {names}"
            await JSONResponse({"message": words}, 403)(scope, receive, send)


def _host(url: str) -> str:
    """The host an address names; empty when it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
