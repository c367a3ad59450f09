"""The address that hears of runs: begun, ended well, failed; whatever it does, a run is a run."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from app.command import command
from goldenthread.app.engines import heartbeat as under_test
from goldenthread.app.engines.heartbeat import heartbeat
from goldenthread.app.settings import load_settings
from goldenthread.domain.errors import LeaseHeldError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldenthread.app.settings import Settings

VARIABLE = "GOLDENTHREAD_RUN__HEARTBEAT_URL"


class _Monitor(BaseHTTPRequestHandler):
    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def monitor() -> Iterator[tuple[str, list[str]]]:
    """The address of a monitor of one's own, and what it heard."""
    heard: list[str] = []
    handler = type("Handler", (_Monitor,), {"heard": heard})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", heard
        finally:
            server.shutdown()


def told(url: str, tmp_path: Path) -> Settings:
    return load_settings(tmp_path, environ={VARIABLE: url})


def test_a_run_is_heard_of_when_it_begins_and_when_it_ends(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monitor() as (url, heard):
        monkeypatch.setenv(VARIABLE, f"{url}/ping/1f6e?create=1")
        assert command("run", "--project", str(fresh)).code == 0
        assert heard == ["/ping/1f6e/start?create=1", "/ping/1f6e?create=1"]
        heard.clear()
        answer = command("run", "--ds", "2012-01-03", "--project", str(fresh))
    assert (answer.code, "is before" in answer.err) == (2, True)  # a book only goes forward
    assert heard == ["/ping/1f6e/start?create=1", "/ping/1f6e/fail?create=1"]
    assert "1f6e" not in answer.out + answer.err


def test_an_interrupt_is_a_failure_and_a_second_scheduler_is_silent(tmp_path: Path) -> None:
    with monitor() as (url, heard):
        with pytest.raises(KeyboardInterrupt), heartbeat(told(url, tmp_path)):
            raise KeyboardInterrupt
        message = "held"
        with pytest.raises(LeaseHeldError), heartbeat(told(f"{url}/", tmp_path)):
            raise LeaseHeldError(message)
    assert heard == ["/start", "/fail", "/start"]


def test_an_address_where_nobody_answers_holds_a_run_up_for_its_patience_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes the call and says nothing
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for url in (silent_url, "http://127.0.0.1:9", "http://127.0.0.1:x/", "http://[::1"):
            begun = time.monotonic()
            with heartbeat(told(url, tmp_path)):
                pass
            assert time.monotonic() - begun < 2


def test_without_an_address_nobody_is_called(tmp_path: Path) -> None:
    threads = threading.active_count()
    with heartbeat(load_settings(tmp_path, environ={})):
        assert threading.active_count() == threads


def test_what_is_no_address_of_the_web_is_refused_and_not_shown(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="begins with https:// or http://") as caught,
        heartbeat(told("file:///etc/secret-canary", tmp_path)),
    ):
        pass
    assert "canary" not in str(caught.value)


def test_it_is_a_secret_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "goldenthread.toml").write_text('[run]\nheartbeat_url = "https://x/canary"\n')
    with pytest.raises(UsageError, match="keys do not belong in a file") as caught:
        load_settings(tmp_path, environ={})
    assert VARIABLE in str(caught.value)
    assert "canary" not in str(caught.value)
