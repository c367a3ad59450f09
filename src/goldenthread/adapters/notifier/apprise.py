"""Notices to wherever Apprise reaches: e-mail, Slack, Telegram, a telephone, a web hook."""

from __future__ import annotations

import datetime as dt
import logging
from threading import Thread
from typing import TYPE_CHECKING

from apprise import Apprise, NotifyType
from typing_extensions import override

from goldenthread.domain.errors import UsageError
from goldenthread.ports.notifier import NOTHING, Facts, Level, Notifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.clock import Clock

PATIENCE_S = 5.0
"""How long all notices of ten minutes may hold up a run together."""

_WINDOW = dt.timedelta(minutes=10)
_KINDS: dict[Level, NotifyType] = {
    "info": NotifyType.INFO,
    "warning": NotifyType.WARNING,
    "error": NotifyType.FAILURE,
}

# what Apprise has to say names addresses, and with them passwords: to no one's log
logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False


class AppriseNotifier(Notifier):
    """Writes each notice to the log and sends it to every address, within limits.

    What was not delivered is noted in the log; it is not sent again.

    Args:
        urls: The addresses in Apprise's form; they may hold passwords and are never shown.
        log: Gets every notice first.
        clock: Measures the patience.

    Raises:
        UsageError: There is no address, or one that Apprise does not know.
    """

    def __init__(self, urls: Sequence[str], log: Notifier, clock: Clock) -> None:
        if not urls:
            msg = "[notifier] urls is empty; the engine apprise needs one address or more"
            raise UsageError(msg)
        self._services = [_service(number, url) for number, url in enumerate(urls, 1)]
        self._log = log
        self._clock = clock
        self._since = clock.now()
        self._spent = dt.timedelta()

    @override
    def notify(self, level: Level, title: str, text: str, about: Facts = NOTHING) -> None:
        self._log.notify(level, title, text, about)
        begun = self._clock.now()
        if begun - self._since > _WINDOW:
            self._since, self._spent = begun, dt.timedelta()
        reached = self._send(level, title, text)
        self._spent += self._clock.now() - begun
        missed = [n for n in range(1, len(self._services) + 1) if n not in reached]
        if missed:
            which = ", ".join(map(str, missed))
            words = f"{title}: not confirmed by address {which} of [notifier] urls"
            self._log.notify("warning", "notice not delivered", words, about)

    @override
    def log(self, level: Level, event: str, about: Facts) -> None:
        self._log.log(level, event, about)

    def _send(self, level: Level, title: str, text: str) -> list[int]:
        """The numbers of the addresses that confirmed it in time; all are tried at once."""
        reached: list[int] = []

        def send(number: int, service: Apprise) -> None:
            if service.notify(body=text or title, title=title, notify_type=_KINDS[level]):
                reached.append(number)

        ends = self._clock.now() + dt.timedelta(seconds=PATIENCE_S) - self._spent
        if ends <= self._clock.now():
            return reached
        threads = [
            # a daemon: one that hangs holds up neither the run nor the end of the process
            Thread(target=send, args=numbered, daemon=True)
            for numbered in enumerate(self._services, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max((ends - self._clock.now()).total_seconds(), 0))
        return [*reached]


def _service(number: int, url: str) -> Apprise:
    service = Apprise()
    if not service.add(url):
        scheme, known, _ = url.partition("://")
        words = f"{scheme}://…" if known else "it has no ://"
        msg = (
            f"[notifier] urls: address {number} ({words}) is none Apprise knows; see"
            " https://appriseit.com/services for its form"
        )
        raise UsageError(msg)
    return service
