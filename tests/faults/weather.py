"""Bad weather between a client and an exchange, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import Response
from requests.adapters import HTTPAdapter

from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from requests import PreparedRequest

_WORDS = {429: "too many requests.", 503: "service unavailable"}
_RETRY_AFTER_S = 7


@dataclass
class Weather:
    """What becomes of each request to ``url``; the exchange itself is sound.

    With ``share`` so many answers are 429, about half of them with the seconds to wait. From the
    ``storm_at``-th request that changes something on, every answer is 503 for ``storm_s``, and a
    lot decides whether the change was made before. ``wrong`` names what a client must not do.
    """

    chance: random.Random
    url: str = ""
    share: float = 0.0
    storm_at: int | None = None
    storm_s: float = 600.0
    at: dt.datetime = field(default_factory=SystemClock().now)
    sent: int = 0
    changes: int = 0
    struck: int = 0
    minutes: Counter[dt.datetime] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    unsure: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    _quiet_until: dt.datetime | None = None
    _storm_until: dt.datetime | None = None

    @contextmanager
    def over(self, url: str) -> Iterator[None]:
        """Every request of this process to the exchange meets it, and its clock is everybody's."""
        self.url, send = url, HTTPAdapter.send

        def through(adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **more: Any) -> Any:  # noqa: ANN401  passed on as they are
            if not str(request.url).startswith(f"{url}/"):
                return send(adapter, request, *args, **more)
            return self.meet(request, lambda: send(adapter, request, *args, **more))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", through)
            patch.setattr(SystemClock, "now", lambda _: self.at)
            patch.setattr(SystemClock, "sleep", lambda _, seconds: self.pass_s(seconds))
            yield

    def pass_s(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.at += dt.timedelta(seconds=seconds)

    def meet(self, request: PreparedRequest, pass_on: Callable[[], Response]) -> Response:
        """The answer to one request; ``pass_on`` gives the exchange's."""
        key, changes = _key(request), request.method != "GET"
        self.changes += changes
        self._note(request)
        status = self._status()
        reply = None
        if not status or (changes and status == 503 and self.chance.random() < 0.5):
            self.taken[key] += bool(changes and key)
            reply = pass_on()
        if status == 503 and changes and key:
            self.unsure.add(key)
        if not status and not changes:
            self.unsure.discard(key)
        if reply is not None and reply.status_code == 429:
            self.wrong.append(f"more requests than are allowed: {request.method} {request.url}")
        return reply if reply is not None and not status else self._refused(request, status)

    def _note(self, request: PreparedRequest) -> None:
        """Count the request, and see whether it may be sent now."""
        self.sent += 1
        self.minutes[self.at.replace(second=0, microsecond=0)] += 1
        what = f"{request.method} {request.url}"
        if self._quiet_until is not None and self.at < self._quiet_until:
            self.wrong.append(f"sent before Retry-After had ended: {what}")
        if request.method != "GET" and _key(request) in self.unsure:
            self.wrong.append(f"sent again and not asked for: {what} {_key(request)}")

    def _status(self) -> int:
        """With which the request is refused; 0 lets it through."""
        if self.changes == self.storm_at and self._storm_until is None:
            self._storm_until = self.at + dt.timedelta(seconds=self.storm_s)
        storms = self._storm_until is not None and self.at < self._storm_until
        status = 503 if storms else 429 if self.chance.random() < self.share else 0
        self.struck += status > 0
        return status

    def _refused(self, request: PreparedRequest, status: int) -> Response:
        refused = answer(request, status, {"code": status * 100_000, "message": _WORDS[status]})
        if status == 429 and self.chance.random() < 0.5:
            refused.headers["Retry-After"] = str(_RETRY_AFTER_S)
            self._quiet_until = self.at + dt.timedelta(seconds=_RETRY_AFTER_S)
        return refused


def answer(request: PreparedRequest, status: int, body: object) -> Response:
    """An answer that the exchange never gave."""
    made = Response()
    made.status_code, made.request, made.url = status, request, str(request.url)
    made._content = json.dumps(body).encode()
    return made


def _key(request: PreparedRequest) -> str:
    """The client_order_id that a request sends or asks for; empty for any other."""
    sent = request.body if isinstance(request.body, str | bytes) else "{}"
    body = json.loads(sent)
    asked = parse_qs(urlsplit(str(request.url)).query)
    return str(body.get("client_order_id") or asked.get("client_order_id", [""])[0])
