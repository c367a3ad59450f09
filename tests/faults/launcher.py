"""The real command line in processes of its own, started in milliseconds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faults.clocks import WrongClock
    from faults.wires import Tripwire

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"

_SETTINGS = {
    "RUN__LEASE_TTL_S": "0.05",
    "WAREHOUSE__LOCK_TIMEOUT_S": "0.2",
    "HOT_STORE__SYNCHRONOUS": "NORMAL",
}
"""A killed run's lease must not hold up its restart; a kill, unlike a power cut, needs no sync."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: by itself with ``code``, by ``signal``, or ``stopped``, not ended."""

    code: int | None
    signal: int | None
    stopped: bool
    out: str
    err: str

    @property
    def result(self) -> Any:  # noqa: ANN401  any JSON
        """What the command printed with ``--json``."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Started:
    """A command at work."""

    pid: int
    launcher: Launcher
    out: Path
    err: Path

    def wait(self) -> Ended:
        """How it ended, or that it stands still."""
        found = self.launcher.ask({"wait": self.pid})
        texts = (self.out.read_text(), self.err.read_text())
        return Ended(found["code"], found["signal"], found["stopped"] is not None, *texts)

    def go_on(self) -> None:
        """Let it go on after it stood still."""
        os.kill(self.pid, signal.SIGCONT)


class Launcher:
    """Starts ``goldenthread`` command lines through the fork server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0
        path = os.pathsep.join((str(SOURCE), str(TESTS)))
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The server's answer to one request."""
        if self._server.stdin is None or self._server.stdout is None:
            message = "the fork server was started without its pipes"
            raise RuntimeError(message)
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer

    def start(
        self,
        folder: Path,
        *argv: str,
        wire: Tripwire | None = None,
        clock: WrongClock | None = None,
        kill_after: float | None = None,
        largest_file: int | None = None,
        **env: str,
    ) -> Started:
        """A command at work in ``folder``; ``env`` names settings, ``RUN__LEASE_TTL_S="60"``.

        No file can grow beyond ``largest_file`` bytes, as on a disk that is full.
        """
        self._started += 1
        out, err = (self._folder / f"{self._started}.{name}" for name in ("out", "err"))
        settings = {**_SETTINGS, **env}
        request: dict[str, Any] = {
            "folder": str(folder),
            "argv": argv,
            "env": {f"GOLDENTHREAD_{name}": value for name, value in settings.items()},
            "out": str(out),
            "err": str(err),
        }
        if wire is not None:
            trip = asdict(wire)
            request["wire"] = {name: trip[name] for name in ("at", "act", "log")}
        if clock is not None:
            request["clock"] = asdict(clock)
        limits = {"kill_after": kill_after, "largest_file": largest_file}
        request |= {name: limit for name, limit in limits.items() if limit is not None}
        return Started(self.ask(request)["pid"], self, out, err)

    def run(self, folder: Path, *argv: str, **more: Any) -> Ended:  # noqa: ANN401  as for start
        """How a command ended, or that it stands still."""
        return self.start(folder, *argv, **more).wait()

    def close(self) -> None:
        """End the server."""
        if self._server.stdin is not None and self._server.stdout is not None:
            self._server.stdin.close()
            self._server.stdout.close()
        self._server.wait(timeout=10)
