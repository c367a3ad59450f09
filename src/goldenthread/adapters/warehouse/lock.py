"""The right to write to one file: an operating-system lock that a dying process gives back."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import time
from typing import TYPE_CHECKING

from goldenthread.domain.errors import EngineBusyError, EngineError

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE_S = 0.05


class WriterLock:
    """A lock file naming its holder; the lock itself is the kernel's and cannot be left behind."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Hold the lock; holding it already is fine.

        Raises:
            EngineBusyError: Another process held it for the whole waiting time.
            EngineError: The lock file cannot be made.
        """
        if self._descriptor is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            msg = (
                f"the warehouse cannot be used: {error}; the folder must be one this user can "
                f"write, see `goldenthread show-config` for its path"
            )
            raise EngineError(msg) from error
        deadline = time.monotonic() + self._timeout_s
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise EngineBusyError(self._busy())
            time.sleep(_PAUSE_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; not holding it is fine."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _busy(self) -> str:
        pid = self._path.read_text().strip() or "unknown"
        since = dt.datetime.fromtimestamp(self._path.stat().st_mtime, dt.UTC)
        return (
            f"process {pid} has been writing {self._path.with_suffix('').name} since "
            f"{since:%Y-%m-%dT%H:%M:%SZ} and did not finish within {self._timeout_s:g} s; "
            f"wait for it or stop it, then run the same command again"
        )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
