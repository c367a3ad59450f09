"""What every notifier must do: a person hears of it, or nobody is disturbed."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from goldenthread.ports.notifier import Notifier

# Apprise's mail service warns of a module of Python's own as it loads
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

_Heard = list[tuple[str, str, str]]
_LEVELS = {"failure": "error"}  # Apprise's word for it


@dataclass(frozen=True)
class Place:
    """A notifier whose notices arrive, and one whose notices cannot."""

    notifier: Notifier
    heard: Callable[[], _Heard]
    in_vain: Notifier


class _Sink(BaseHTTPRequestHandler):
    got: _Heard

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.append((told["type"], told["title"], told["message"]))
        self.send_response(200)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def _log(folder: Path) -> Iterator[Place]:
    path = folder / "logs" / "notices.jsonl"
    in_the_way = folder / "a file"
    in_the_way.touch()

    def heard() -> _Heard:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        told = [row for row in rows if row["event"] == "notice"]
        return [(row["level"], row["title"], row["text"]) for row in told]

    clock = SystemClock()
    yield Place(LogNotifier(path, clock), heard, LogNotifier(in_the_way / "notices.jsonl", clock))


@contextmanager
def _apprise(folder: Path) -> Iterator[Place]:
    """Apprise's own web hook, to a server of this machine; the other port is closed."""
    pytest.importorskip("apprise", reason="needs the extra notify")
    from goldenthread.adapters.notifier.apprise import (  # noqa: PLC0415  # needs the extra
        AppriseNotifier,
    )

    got: _Heard = []
    clock = SystemClock()
    log = LogNotifier(folder / "notices.jsonl", clock)
    handler = type("Sink", (_Sink,), {"got": got})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"json://127.0.0.1:{server.server_port}/"
        yield Place(
            AppriseNotifier([url], log, clock),
            lambda: [(_LEVELS.get(kind, kind), title, text) for kind, title, text in got],
            AppriseNotifier([f"json://127.0.0.1:{_closed_port()}/"], log, clock),
        )
        server.shutdown()


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "log": _log,
    "apprise": _apprise,
}


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ENGINES[request.param](tmp_path) as made:
        yield made


def test_a_notice_arrives_with_its_level_title_and_text(place: Place) -> None:
    place.notifier.notify("warning", "sim:main 2026-01-02", "BTC/USD frozen")
    assert place.heard() == [("warning", "sim:main 2026-01-02", "BTC/USD frozen")]


def test_notices_arrive_in_the_order_they_were_given(place: Place) -> None:
    place.notifier.notify("info", "first", "text")
    place.notifier.notify("error", "second", "text")
    assert [(level, title) for level, title, _ in place.heard()] == [
        ("info", "first"),
        ("error", "second"),
    ]


def test_text_of_several_lines_and_any_alphabet_arrives_whole(place: Place) -> None:
    place.notifier.notify("info", "Größe", "2 signals\n1 trade <AAPL> & 東京")
    assert place.heard() == [("info", "Größe", "2 signals\n1 trade <AAPL> & 東京")]


def test_a_notice_that_cannot_be_delivered_disturbs_nobody(place: Place) -> None:
    place.in_vain.notify("error", "run failed", "text")
    place.notifier.notify("info", "run done", "text")
    assert [title for _, title, _ in place.heard()] == ["run done"]


def test_a_line_of_the_log_is_no_notice_and_disturbs_nobody(place: Place) -> None:
    place.in_vain.log("error", "run_failed", {"run_id": "sim:main/2026-01-02"})
    place.notifier.log("info", "run_started", {"run_id": "sim:main/2026-01-02"})
    place.notifier.notify("info", "run done", "text", {"run_id": "sim:main/2026-01-02"})
    assert place.heard() == [("info", "run done", "text")]


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
