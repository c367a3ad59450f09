"""The address that hears of every run, so that somebody notices when none comes."""

from __future__ import annotations

import http.client
import urllib.request
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from goldenthread.domain.errors import LeaseHeldError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldenthread.app.settings import Settings

PATIENCE_S = 5
"""How long a run waits for the address, each time."""


@contextmanager
def heartbeat(settings: Settings) -> Iterator[None]:
    """Tell the address of the settings that a run begins, and then how it ended.

    ``/start`` and ``/fail`` are put behind its path, success is the path itself, as
    healthchecks.io and its like have it. A run that finds another one at work ends in silence:
    the other one tells. An address that does not answer changes nothing, and is never shown.

    Raises:
        UsageError: It is no address of the web.
    """
    url = settings.run.heartbeat_url.get_secret_value()
    if url and not url.startswith(("https://", "http://")):
        msg = (
            "variable GOLDENTHREAD_RUN__HEARTBEAT_URL: got what is not shown here; allowed: an"
            " address that begins with https:// or http://"
        )
        raise UsageError(msg)
    _ping(url, "/start")
    try:
        yield
    except LeaseHeldError:
        raise
    except BaseException:  # an interrupt, too: the run did not end well
        _ping(url, "/fail")
        raise
    _ping(url, "")


def _ping(url: str, word: str) -> None:
    if not url:
        return
    # a daemon: a name that does not resolve holds up neither the run nor the end of the process
    thread = Thread(target=_get, args=(url, word), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)


def _get(url: str, word: str) -> None:
    # whatever is wrong with it: a heartbeat that is missed is the alarm
    with suppress(OSError, ValueError, http.client.HTTPException):
        parts = urlsplit(url)
        there = parts._replace(path=parts.path.rstrip("/") + word).geturl()
        urllib.request.urlopen(there, timeout=PATIENCE_S).close()  # noqa: S310  # checked above
