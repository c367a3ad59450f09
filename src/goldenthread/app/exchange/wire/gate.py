"""What stands before every request: its keys, the rate limit, and the faults a test ordered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, Response

from goldenthread.app.exchange.faults import Request
from goldenthread.app.listening.limits import RateLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from goldenthread.app.exchange.faults import Fault, Faults
    from goldenthread.app.exchange.terms import ExchangeTerms
    from goldenthread.domain.clock import Clock

_OPEN_TO_ALL = "/v1beta3/crypto/"
_UNAUTHORISED, _FORBIDDEN, _TOO_MANY = 401, 403, 429
_WORDS = {
    429: "too many requests.",
    500: "internal server error occurred",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timeout",
}


class Gate:
    """An ASGI application around another; the stream passes, it has a login of its own."""

    def __init__(self, app: ASGIApp, terms: ExchangeTerms, faults: Faults, clock: Clock) -> None:
        self._app = app
        self._terms = terms
        self._faults = faults
        self._limit = RateLimit(terms.requests_per_minute, clock)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or let it through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        query = scope["query_string"].decode()
        self._faults.requests.append(Request(method, path, query, self._clock.now()))
        passes, headers = self._limit.take()
        send = _with_headers(send, headers)
        refusal = self._refusal(scope, passes=passes)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        fault = self._faults.hit(method, path)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._strike(fault, scope, receive, send)

    def _refusal(self, scope: Scope, *, passes: bool) -> Response | None:
        if not scope["path"].startswith(_OPEN_TO_ALL):
            status = self._key_status(dict(scope["headers"]))
            if status:
                words = "unauthorized" if status == _UNAUTHORISED else "forbidden."
                return JSONResponse({"message": words}, status)
        return None if passes else _json_fault(_TOO_MANY)

    def _key_status(self, headers: Mapping[bytes, bytes]) -> int:
        key, secret = headers.get(b"apca-api-key-id"), headers.get(b"apca-api-secret-key")
        if not key or not secret:
            return _UNAUTHORISED
        right = (self._terms.key_id.encode(), self._terms.secret_key.encode())
        return 0 if (key, secret) == right else _FORBIDDEN

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind in {"accept_then", "hang"}:
            await self._app(scope, receive, _swallow)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        answer: Response = _json_fault(fault.status)
        if fault.kind == "html":
            page = f"<html><body><h1>{fault.status} Bad Gateway</h1></body></html>"
            answer = HTMLResponse(page, fault.status)
        await answer(scope, receive, send)


def _json_fault(status: int) -> JSONResponse:
    message = _WORDS.get(status, "injected by the exchange's admin")
    return JSONResponse({"code": status * 100_000, "message": message}, status)


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    if not headers:
        return send
    added = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sending


async def _swallow(_message: Message) -> None:
    """The answer of a request that was done, and is never heard of."""
