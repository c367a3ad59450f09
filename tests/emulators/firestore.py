"""Google's Firestore emulator, started once for the tests of one worker.

Tests are kept apart by project ids: data of one project are invisible to another. Nothing here
can reach a real project: every place made names an emulator.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from goldenthread.adapters.hot_store.firestore import FirestorePlace

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 60
_JAR = Path("platform", "cloud-firestore-emulator", "cloud-firestore-emulator.jar")


def missing() -> str:
    """What keeps the emulator from being started; empty when nothing does."""
    for program in ("gcloud", "java"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    sdk = Path(shutil.which("gcloud") or "").resolve().parents[1]
    return "" if (sdk / _JAR).exists() else f"gcloud has no Firestore emulator ({sdk / _JAR})"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of an emulator that ends with the block; it logs into ``folder``."""
    host = f"127.0.0.1:{_free_port()}"
    with (folder / "firestore.log").open("wb") as log:
        process = subprocess.Popen(
            ["gcloud", "emulators", "firestore", "start", f"--host-port={host}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "CLOUDSDK_CONFIG": str(folder / "gcloud")},
        )
    try:
        _wait_for(host, process, folder / "firestore.log")
        yield host
    finally:
        _stop(host, process)


def new_place(host: str) -> FirestorePlace:
    """An empty database nobody else uses."""
    return FirestorePlace(f"test-{uuid4().hex[:12]}", emulator_host=host)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://{host}/", timeout=1) as answer:
            if answer.read().strip() == b"Ok":
                return
        time.sleep(0.05)
    message = f"the Firestore emulator did not start: {log.read_text()[-2000:]}"
    raise RuntimeError(message)


def _stop(host: str, process: subprocess.Popen[bytes]) -> None:
    request = urllib.request.Request(f"http://{host}/shutdown", method="POST")
    with suppress(OSError), urllib.request.urlopen(request, timeout=5):  # noqa: S310  # ours
        pass
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:  # gcloud, bash and java are one group, ours alone
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
