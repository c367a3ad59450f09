"""What stands before every request: the token, and the headers that bind a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from goldenthread.app.web.access import Access

OPEN_TO_ALL = ("/login", "/static/")
"""What is shown without a token: the form that asks for it, and how it looks."""

FOR_PROGRAMS = ("/api/", "/live", "/metrics", "/healthz")
"""What programs ask for: no form helps them, and what goes wrong is said in JSON."""

BINDING = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none at all, a form's Origin would be null
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""No script in a page, nothing from elsewhere, no frame around it."""


class Gate:
    """An ASGI application around another: who may pass, and what a browser may do with it."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or let it through."""
        if scope["type"] == "http":
            app = self._refusal(scope) or self._app
            await app(scope, receive, _bound(send, scope["path"]))

    def _refusal(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        shown = headers.get("cookie", ""), headers.get("authorization", "")
        if path.startswith(OPEN_TO_ALL) or self._access.admits(*shown):
            return None
        if path.startswith(FOR_PROGRAMS):
            words = "show the token: Authorization: Bearer TOKEN"
            return JSONResponse({"error": words}, 401, {"www-authenticate": "Bearer"})
        return RedirectResponse("/login", 303)


def _bound(send: Send, path: str) -> Send:
    kept = "max-age=3600" if path.startswith("/static/") else "no-store"
    added = [(k.encode(), v.encode()) for k, v in {**BINDING, "cache-control": kept}.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sending
