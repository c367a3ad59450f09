"""Who has shown the token: a login for browsers, a header for programs."""

from __future__ import annotations

import datetime as dt
import secrets
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from goldenthread.app.listening.limits import RateLimit

if TYPE_CHECKING:
    from goldenthread.domain.clock import Clock

COOKIE = "goldenthread"
WRONG_A_MINUTE = 5
LASTS = dt.timedelta(hours=12)
"""How long a login is good for."""
_MOST = 100


class Access:
    """The logins of one dashboard; they are forgotten when it stops.

    A browser holds a random key, never the token. After five wrong tokens none is looked at
    until the next minute.
    """

    def __init__(self, token: str, clock: Clock) -> None:
        self._token = token.encode()
        self._clock = clock
        self._wrong = RateLimit(WRONG_A_MINUTE, clock)
        self._ends: dict[str, dt.datetime] = {}

    @property
    def is_asked(self) -> bool:
        """Whether there is a token to show."""
        return bool(self._token)

    @property
    def is_closed(self) -> bool:
        """Whether no token is looked at in this minute any more."""
        return self._wrong.is_spent()

    def admits(self, cookies: str, authorization: str) -> bool:
        """Whether one of a request's headers lets it in."""
        if not self.is_asked:
            return True
        kind, _, shown = authorization.partition(" ")
        if kind.lower() == "bearer":
            return self._is_right(shown)
        key = key_in(cookies).encode()
        return any(compare_digest(known.encode(), key) for known in self._open())

    def login(self, shown: str) -> str | None:
        """The key of a new login; None when the token is another, or none is looked at."""
        if not self._is_right(shown):
            return None
        key = secrets.token_urlsafe(32)
        newest = list(self._open().items())[1 - _MOST :]
        self._ends = {**dict(newest), key: self._clock.now() + LASTS}
        return key

    def _is_right(self, shown: str) -> bool:
        if not self.is_asked or self.is_closed:
            return False
        right = compare_digest(shown.strip().encode(), self._token)
        if not right:
            self._wrong.take()
        return right

    def logout(self, cookies: str) -> None:
        """Forget the login of a browser."""
        self._ends.pop(key_in(cookies), None)

    def _open(self) -> dict[str, dt.datetime]:
        now = self._clock.now()
        return {key: end for key, end in self._ends.items() if end > now}


def key_in(cookies: str) -> str:
    """The key of a browser's login among its cookies; empty when there is none."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
