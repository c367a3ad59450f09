"""The BigQuery emulator as a process, and warehouses in datasets of their own on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.bigquery_guard import BigQueryGuard
from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms, connect
from goldenthread.adapters.warehouse.bigquery.warehouse import BigQueryWarehouse
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.cloud.bigquery import Client

    from goldenthread.ports.warehouse import Warehouse

INSTALLED = Path(__file__).parents[2] / ".emulator" / "bigquery"
MISSING = "no BigQuery emulator; `make emulators` installs it (Python 3.13 or newer is needed)"
_START_S = 60
_BUDGET = 1_000_000_000


@dataclass(frozen=True)
class OpenedDataset:
    """A new dataset as a warehouse, the client it asks with, and the guard in between."""

    warehouse: BigQueryWarehouse
    client: Client
    guard: BigQueryGuard
    terms: BigQueryTerms


class BigQueryEmulator:
    """A running emulator; each ``dataset`` is new, and its client guarded."""

    def __init__(self, url: str) -> None:
        self.url = url

    def terms(self, max_query_bytes: int = _BUDGET) -> BigQueryTerms:
        """Terms of a dataset nobody has used."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        return BigQueryTerms("test", name, "US", max_query_bytes, self.url, timeout_s=20)

    @contextmanager
    def dataset(
        self,
        prepare: Callable[[Warehouse], object] | None = None,
        terms: BigQueryTerms | None = None,
    ) -> Iterator[OpenedDataset]:
        """A warehouse in a dataset of its own."""
        used = terms or self.terms()
        client, raw = connect.__wrapped__(used), connect.__wrapped__(used)
        guard = BigQueryGuard(raw)
        client._http.mount(self.url, guard)
        made = BigQueryWarehouse(client, used, SystemClock(), prepare=prepare)
        yield OpenedDataset(made, raw, guard, used)
        made.close()
        raw.close()  # type: ignore[no-untyped-call]  # typed in part


@contextmanager
def running(folder: Path) -> Iterator[BigQueryEmulator]:
    """The installed emulator, started on free ports and stopped afterwards."""
    rest, grpc = _free_port(), _free_port()
    command = [
        *(str(INSTALLED / "bin" / "local-bigquery"), "serve", "--host", "127.0.0.1"),
        *("--port", str(rest), "--grpc-port", str(grpc)),
        *("--project", "test", "--data-dir", str(folder / "data")),
    ]
    environment = {**os.environ, "HOME": str(INSTALLED / "home")}
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        url = f"http://127.0.0.1:{rest}"
        _await(url, process)
        yield BigQueryEmulator(url)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    address = f"{url}/bigquery/v2/projects/test/datasets"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # our own server
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    msg = f"the BigQuery emulator did not start within {_START_S} s"
    raise RuntimeError(msg)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
