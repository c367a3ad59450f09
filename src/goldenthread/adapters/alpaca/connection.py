"""Requests to Alpaca through ``alpaca-py``: paced, with a timeout, and every failure told apart."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from typing_extensions import override

from goldenthread.adapters.alpaca.errors import Kind, Refusal, refusal
from goldenthread.adapters.alpaca.sdk import APIError
from goldenthread.adapters.alpaca.throttle import PER_MINUTE, Throttle
from goldenthread.domain.errors import (
    EngineBusyError,
    EngineError,
    EngineRefusedError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from goldenthread.adapters.alpaca.sdk import RESTClient
    from goldenthread.domain.clock import Clock

_ATTEMPTS = 4
_PAUSE_S = 1.0
_REFUSED = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)

_Client = TypeVar("_Client", bound="RESTClient")


@dataclass(frozen=True)
class Access:
    """Where Alpaca is and who we are; ``url`` None is Alpaca's own address."""

    key_id: str = field(repr=False)
    secret_key: SecretStr
    url: str | None = None
    timeout_s: float = 15.0
    per_minute: int = PER_MINUTE


class AlpacaRefusedError(EngineRefusedError):
    """Alpaca understood and said no; ``kind`` tells what that means."""

    def __init__(self, answer: Refusal) -> None:
        super().__init__(answer.message, answer.code)
        self.kind = answer.kind


class Connection:
    """One account's requests, all through one token bucket.

    The SDK's own retries are off: it would send an order again after a 504. What only reads is
    asked up to four times; what changes something is sent again only after a 429, which Alpaca
    answers without looking at the order.
    """

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._throttle = Throttle(clock, access.per_minute)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._throttle.requests

    def adopt(self, client: _Client) -> _Client:
        """The SDK's client, made to send through this connection and never twice by itself."""
        client._retry = 0  # noqa: SLF001  # the SDK offers no other way
        client._session = _PacedSession(self._throttle, self._access.timeout_s)  # noqa: SLF001  # nor here
        return client

    def read(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401  # any JSON answer
        """The answer to a question that changes nothing.

        Raises:
            AlpacaRefusedError: Alpaca said no.
            EngineBusyError: No answer after four attempts.
            EngineError: The keys are not accepted.
        """
        return self._call(ask, changes=False)

    def change(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401  # any JSON answer
        """The answer to a request that changes something.

        Raises:
            AlpacaRefusedError: Alpaca said no; nothing changed.
            EngineBusyError: It was never sent, or turned away by the rate limit.
            UnknownOutcomeError: It was sent, and nobody knows what became of it.
            EngineError: The keys are not accepted.
        """
        return self._call(ask, changes=True)

    def _call(self, ask: Callable[[], Any], *, changes: bool) -> Any:  # noqa: ANN401  # any JSON answer
        failure: EngineError = EngineBusyError("not asked")
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._clock.sleep(_PAUSE_S * 2 ** (attempt - 1))
            try:
                return ask()
            except APIError as error:
                failure = self._judged(error, changes=changes)
            except requests.exceptions.RequestException as error:
                failure = self._lost(error, changes=changes)
            if not isinstance(failure, EngineBusyError):
                break
        raise failure

    def _judged(self, error: APIError, *, changes: bool) -> EngineError:
        answer = refusal(error.status_code or 0, str(error))
        if answer.kind is Kind.AUTH:
            msg = (
                f"Alpaca at {self._place} does not accept the key {self._shown_key}"
                f" ({answer.status}: {answer.message or 'no reason given'}); set"
                " GOLDENTHREAD_ALPACA__KEY_ID and GOLDENTHREAD_ALPACA__SECRET_KEY, and mind that"
                " paper and live accounts have different keys"
            )
            return EngineError(msg)
        if answer.kind is Kind.RATE_LIMIT:
            msg = f"Alpaca turns requests away ({answer.status}); try again in a minute"
            return EngineBusyError(msg)
        if answer.kind is not Kind.UNKNOWN_OUTCOME:
            return AlpacaRefusedError(answer)
        words = f"Alpaca answered {answer.status}: {answer.message or 'nothing'}"
        return _unanswered(words, changes=changes)

    def _lost(self, error: Exception, *, changes: bool) -> EngineError:
        """What a broken connection means: one that never was took nothing with it."""
        if _never_sent(error):
            msg = f"Alpaca cannot be reached at {self._place}; check the network and the address"
            return EngineBusyError(msg)
        return _unanswered(f"no answer from {self._place} ({_name(error)})", changes=changes)

    @property
    def _place(self) -> str:
        return self._access.url or "its own address"

    @property
    def _shown_key(self) -> str:
        return f"{self._access.key_id[:4]}…"


def expect_clock(ours: dt.datetime, theirs: dt.datetime, most: dt.timedelta) -> None:
    """Nothing, when both clocks agree.

    Raises:
        EngineError: They differ by more than ``most``: every deadline would be wrong.
    """
    apart = ours - theirs
    if abs(apart) > most:
        minutes = abs(apart).total_seconds() / 60
        word = "ahead of" if apart > dt.timedelta() else "behind"
        msg = (
            f"this machine's clock is {minutes:.1f} minutes {word} Alpaca's ({theirs:%H:%M:%S}"
            " UTC); set it by NTP before trading"
        )
        raise EngineError(msg)


class _PacedSession(requests.Session):
    """A session that waits for its turn, and for no answer longer than the timeout."""

    def __init__(self, throttle: Throttle, timeout_s: float) -> None:
        super().__init__()
        self._throttle = throttle
        self._timeout = (min(3.05, timeout_s), timeout_s)

    @override
    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]  # the SDK names every option
        self._throttle.take()
        answer = super().request(method, url, timeout=self._timeout, **options)
        self._throttle.obey(answer.headers)
        return answer


def _unanswered(words: str, *, changes: bool) -> EngineError:
    if changes:
        return UnknownOutcomeError(f"{words}; whether it took effect must be asked")
    return EngineBusyError(f"{words}; try again later")


def _never_sent(error: BaseException) -> bool:
    """Whether no connection was made, so that nothing can have arrived."""
    if isinstance(error, _REFUSED):
        return True
    causes = [error, *error.args, *(getattr(arg, "reason", None) for arg in error.args)]
    return any(
        type(cause).__name__ in {"NewConnectionError", "NameResolutionError"} for cause in causes
    )


def _name(error: Exception) -> str:
    return type(error).__name__
