"""``goldenthread serve`` as a process of its own: started, asked, ended by Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests

from app.command import PROGRAM, command

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "GOLDENTHREAD_SERVE__TOKEN"
WORD = "a-token-of-24-characters"


def test_it_says_where_it_listens_answers_and_ends_quietly_on_ctrl_c(summer: Path) -> None:
    words = ["serve", "--port", "0", "--project", str(summer), "--json"]
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    try:
        said = json.loads(started.stdout.readline())
        assert said["url"].startswith("http://127.0.0.1:")
        assert said["asks"] == "nothing"
        assert _answered(said["url"] + "api/today")["book"] == "sim:main"
        with requests.get(said["url"] + "live", stream=True, timeout=30) as told:
            lines = told.iter_lines()  # who listens does not hold it up, nor makes it say more
            assert next(lines)
            started.send_signal(signal.SIGINT)
            _, errors = started.communicate(timeout=120)
    finally:
        started.kill()
    assert (started.returncode, errors) == (0, "dashboard: closed\n")


def _answered(url: str) -> dict[str, object]:
    """The JSON of an address, asked again while the port does not answer yet."""
    for _ in range(100):
        try:
            found: dict[str, object] = requests.get(url, timeout=10).json()
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return found
    return {}


def test_it_does_not_start_for_everybody_without_a_token(
    summer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    open_door = ("serve", "--host", "0.0.0.0", "--project", str(summer))  # noqa: S104  # refused
    answer = command(*open_door)
    assert (answer.code, answer.out) == (2, "")
    assert "no token is set; set GOLDENTHREAD_SERVE__TOKEN" in answer.err
    monkeypatch.setenv(VARIABLE, WORD)
    answer = command(*open_door)
    assert (answer.code, "--name desk.example" in answer.err) == (2, True)


def test_a_token_stands_in_no_file_and_is_never_shown(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, WORD)
    shown = command("show-config", "--project", str(fresh))
    assert ("serve.token" in shown.out, WORD in shown.out) == (True, False)
    file = fresh / "goldenthread.toml"
    file.write_text(f'{file.read_text()}token = "{WORD}"\n')
    answer = command("serve", "--project", str(fresh))
    assert (answer.code, VARIABLE in answer.err, WORD in answer.err) == (2, True, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--book", "nonsense"), "book 'nonsense' is not sim:<name>"),
        (("--port", "70000"), "choose another port with --port"),
        (("--host", "192.0.2.1"), "no token is set"),
    ],
)
def test_what_cannot_be_is_said(summer: Path, words: tuple[str, ...], said: str) -> None:
    answer = command("serve", *words, "--project", str(summer))
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_a_port_that_is_taken_is_said(summer: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = command("serve", "--port", port, "--project", str(summer))
    assert (answer.code, f"cannot listen on 127.0.0.1:{port}" in answer.err) == (2, True)
