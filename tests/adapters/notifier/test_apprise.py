"""Notices reach a real HTTP server; where none answers, the run hardly waits."""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import UsageError

pytest.importorskip("apprise", reason="needs the extra notify")

from goldenthread.adapters.notifier import apprise
from goldenthread.adapters.notifier.apprise import AppriseNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldenthread.ports.notifier import Notifier

# Apprise's mail service warns of a module of Python's own as it loads
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CLOCK = SystemClock()


class Sink(ThreadingHTTPServer):
    """Keeps what it is sent; answers 500 while ``broken``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[dict[str, str]] = []
        self.broken = False
        self.url = f"json://127.0.0.1:{self.server_port}/notices"


class Receiver(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.got.append(json.loads(self.rfile.read(length)))
        self.send_response(500 if self.server.broken else 200)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes calls and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"json://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return f"json://127.0.0.1:{port}/"


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "notices.jsonl"


def notifier(log_file: Path, *urls: str) -> Notifier:
    return AppriseNotifier(urls, LogNotifier(log_file, CLOCK), CLOCK)


def titles(log_file: Path) -> list[str]:
    return [json.loads(line)["title"] for line in log_file.read_text().splitlines()]


def test_a_notice_is_delivered_and_logged(sink: Sink, log_file: Path) -> None:
    told = notifier(log_file, sink.url)
    told.notify("warning", "sim:main 2026-01-02", "BTC/USD frozen: größer als <erwartet>")
    told.notify("error", "run failed", "")
    told.notify("info", "run done", "2 signals\n1 trade")
    assert [(got["type"], got["title"]) for got in sink.got] == [
        ("warning", "sim:main 2026-01-02"),
        ("failure", "run failed"),
        ("info", "run done"),
    ]
    assert sink.got[0]["message"] == "BTC/USD frozen: größer als <erwartet>"
    assert sink.got[1]["message"] == "run failed"
    assert titles(log_file) == ["sim:main 2026-01-02", "run failed", "run done"]


def test_every_address_gets_it_and_one_that_fails_is_named_by_its_number(
    sink: Sink, closed: str, log_file: Path
) -> None:
    notifier(log_file, closed, sink.url).notify("info", "run done", "text")
    assert [got["title"] for got in sink.got] == ["run done"]
    last = json.loads(log_file.read_text().splitlines()[-1])
    assert last["title"] == "notice not delivered"
    assert last["text"] == "run done: not confirmed by address 1 of [notifier] urls"


def test_a_server_that_answers_with_an_error_disturbs_nobody(sink: Sink, log_file: Path) -> None:
    sink.broken = True
    told = notifier(log_file, sink.url)
    told.notify("info", "first", "text")
    sink.broken = False
    told.notify("info", "second", "text")
    assert titles(log_file) == ["first", "notice not delivered", "second"]


def test_twenty_notices_to_a_server_that_hangs_cost_a_few_seconds_in_all(
    hanging: str, closed: str, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise, "PATIENCE_S", 1.0)
    told = notifier(log_file, hanging, closed)
    begun = time.monotonic()
    for number in range(20):
        told.notify("warning", f"notice {number}", "text")
    assert time.monotonic() - begun < 3
    assert titles(log_file).count("notice not delivered") == 20
    assert titles(log_file)[-2] == "notice 19"


def test_after_ten_minutes_there_is_patience_again(sink: Sink, log_file: Path) -> None:
    class Later(SystemClock):
        hours = 0

        @override
        def now(self) -> dt.datetime:
            return super().now() + dt.timedelta(hours=self.hours)

    clock = Later()
    told = AppriseNotifier([sink.url], LogNotifier(log_file, CLOCK), clock)
    told._spent = dt.timedelta(seconds=6)
    told.notify("info", "in vain", "text")
    assert sink.got == []
    clock.hours = 1
    told.notify("info", "heard", "text")
    assert [got["title"] for got in sink.got] == ["heard"]


@pytest.mark.slow
def test_a_process_ends_though_a_server_hangs(hanging: str, log_file: Path) -> None:
    code = f"""
from pathlib import Path
from goldenthread.adapters.notifier import apprise
from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.app.clock import SystemClock
apprise.PATIENCE_S = 0.5
log = LogNotifier(Path({str(log_file)!r}), SystemClock())
told = apprise.AppriseNotifier([{hanging!r}], log, SystemClock())
for n in range(5):
    told.notify("error", str(n), "text")
print("run done", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "run done\n"
    begun = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert time.monotonic() - begun < 8  # Apprise itself gives up after 4 s


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ([], "urls is empty"),
        (["json://127.0.0.1", "nosuch://me:swordfish@host"], "address 2 (nosuch://…) is none"),
        (["swordfish"], "address 1 (it has no ://) is none Apprise knows"),
    ],
)
def test_a_wrong_address_is_refused_without_showing_it(
    urls: list[str], words: str, log_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        notifier(log_file, *urls)
    assert words in str(caught.value)
    assert "swordfish" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
