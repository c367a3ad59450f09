"""What a form that changes something must show: that this dashboard wrote it, for this person."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from goldenthread.app.web.access import key_in

if TYPE_CHECKING:
    from starlette.requests import Request

    from goldenthread.domain.clock import Clock

LASTS = dt.timedelta(hours=1)
"""How long a form may lie before it is sent."""
_LONGEST = 4_096


class Forms:
    """The seals of one dashboard's forms, good until it stops.

    No other site can read a form of ours, so none knows its seal; one login's is no other's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def seal(self, request: Request, what: str) -> str:
        """What the form holds hidden: until when it is good, and the proof that we wrote it."""
        until = str(int((self._clock.now() + LASTS).timestamp()))
        return f"{until}.{self._proof(request, what, until)}"

    def is_ours(self, request: Request, what: str, seal: str) -> bool:
        """Whether a browser sends, from a page of ours, a form that we wrote for it, in time."""
        until, _, proof = seal.partition(".")
        right = self._proof(request, what, until)
        if not hmac.compare_digest(right.encode(), proof.encode(errors="replace")):
            return False
        is_here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        named = "origin" in request.headers  # whose name it is was looked at before
        return named and is_here and int(until) > self._clock.now().timestamp()

    def _proof(self, request: Request, what: str, until: str) -> str:
        text = f"{key_in(request.headers.get('cookie', ''))}\n{what}\n{until}"
        return hmac.new(self._key, text.encode(errors="replace"), "sha256").hexdigest()


async def fields(request: Request) -> dict[str, str]:
    """The fields of a small form by name; none when the form is not small."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            return {}
    found = parse_qs(body.decode("latin-1"), keep_blank_values=True)
    return {name: values[0].strip() for name, values in found.items()}
