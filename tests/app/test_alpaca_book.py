"""A book at Alpaca: met before anything is written, and live only when meant twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from adapters.broker.alpaca_wire import Fault, serving
from app.command import command, contents
from goldenthread.app.api.project import init_project
from goldenthread.app.clock import SystemClock
from goldenthread.app.settings import load_settings, resolved
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.broker.alpaca_wire import Wire

SETTINGS = """
[project]
book = "paper:PA1"
[broker]
engine = "alpaca"
[alpaca]
trading_url = "{url}"
timeout_s = 2
"""


@pytest.fixture(name="wire")
def _wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__KEY_ID", "K")
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__SECRET_KEY", "swordfish")
    with serving() as wire:
        wire.now = SystemClock().now()
        yield wire


@pytest.fixture(name="project")
def _project(wire: Wire, tmp_path: Path) -> Path:
    init_project(tmp_path, samples=False)
    (tmp_path / "goldenthread.toml").write_text(SETTINGS.format(url=wire.url))
    return tmp_path


def refused_alike(project: Path, *words: str) -> str:
    """What ``run`` says, refusing with exit 3 and nothing written; ``doctor`` says the same."""
    before = contents(project)
    answer = command("run", "--ds", "2024-01-03", "--project", str(project))
    assert (answer.code, answer.err.count("\n"), "Traceback" in answer.err) == (3, 1, False)
    assert contents(project) == before
    said = answer.err.removeprefix("goldenthread: ").strip()
    doctor = command("doctor", "--json", "--project", str(project))
    (finding,) = [row for row in doctor.document if row["check"] == "broker"]
    assert (finding["passed"], doctor.code) == (False, 3)
    for word in words:
        assert word in said
        assert word in finding["found"]
    assert "swordfish" not in said + doctor.out
    return said


def test_doctor_tells_whom_the_book_trades_with(wire: Wire, project: Path) -> None:
    doctor = command("doctor", "--json", "--project", str(project))
    (finding,) = [row for row in doctor.document if row["check"] == "broker"]
    assert finding == {
        "check": "broker",
        "passed": True,
        "found": "account PA1 at Alpaca, equity 1,000.00",
    }
    assert {path for _, path, _ in wire.asked} == {"/v2/account", "/v2/positions", "/v2/clock"}


def test_a_wrong_key_stops_before_anything_is_written(wire: Wire, project: Path) -> None:
    wire.key = "ANOTHER"
    refused_alike(project, "does not accept the key", "GOLDENTHREAD_ALPACA__KEY_ID")


def test_a_host_that_is_not_there_stops_before_anything_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__TRADING_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, _seconds: None)
    refused_alike(project, "cannot be reached at http://127.0.0.1:9", "check the network")


def test_a_host_that_fails_stops_before_anything_is_written(
    wire: Wire, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, _seconds: None)
    wire.faults.append(Fault("GET", "/v2/account", status=502, body="<html>Down</html>", times=99))
    refused_alike(project, "502: Down", "try again later")


@pytest.mark.parametrize(("minutes", "word"), [(-10, "ahead of"), (10, "behind")])
def test_a_clock_ten_minutes_off_stops_before_anything_is_written(
    wire: Wire, project: Path, minutes: int, word: str
) -> None:
    wire.now = SystemClock().now() + dt.timedelta(minutes=minutes)
    refused_alike(project, f"10.0 minutes {word} Alpaca's", "NTP")


def test_another_account_stops_before_anything_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_PROJECT__BOOK", "paper:PA0")
    refused_alike(project, "the keys open account PA1", "paper:PA1")


def test_without_a_key_the_variable_to_set_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOLDENTHREAD_ALPACA__SECRET_KEY")
    answer = command("run", "--ds", "2024-01-03", "--project", str(project))
    assert (answer.code, "GOLDENTHREAD_ALPACA__SECRET_KEY" in answer.err) == (2, True)


LIVE = ("run", "--ds", "2024-01-03", "--book", "live:PA1")


def test_a_live_book_needs_both_switches(
    wire: Wire, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*LIVE, "--project", str(project)]
    first = command(*words, "--live", "PA1")
    assert (first.code, "allow_live is false" in first.err) == (2, True)
    monkeypatch.setenv("GOLDENTHREAD_BROKER__ALLOW_LIVE", "true")
    second = command(*words)
    assert (second.code, "give --live PA1" in second.err) == (2, True)
    third = command(*words, "--live", "PA2")
    assert (third.code, "--live got PA2" in third.err) == (2, True)
    planned = command("plan", *LIVE[1:], "--project", str(project))
    assert (planned.code, "give --live PA1" in planned.err) == (2, True)
    assert wire.asked == []
    both = command(*words, "--live", "PA1")
    assert (both.code, "no bars" in both.err) == (2, True)  # past the switches
    assert wire.count("GET", "/v2/account") == 1


def test_a_paper_book_is_never_pointed_at_the_live_address(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__TRADING_URL", "https://api.alpaca.markets")
    answer = command("run", "--ds", "2024-01-03", "--project", str(project))
    assert (answer.code, "would trade a live account" in answer.err) == (2, True)


def test_a_simulated_book_trades_on_this_machine_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__TRADING_URL", "")
    answer = command("run", "--ds", "2024-01-03", "--book", "sim:x", "--project", str(project))
    assert (answer.code, "goldenthread exchange" in answer.err) == (2, True)


def test_a_paper_book_needs_the_engine(tmp_path: Path) -> None:
    init_project(tmp_path, samples=False)
    answer = command("status", "--book", "paper:PA1", "--project", str(tmp_path))
    assert (answer.code, "set it to 'alpaca'" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[alpaca]\nkey_id = "K"', "keys do not belong in a file"),
        ('[alpaca]\nsecret_key = "K"', "GOLDENTHREAD_ALPACA__SECRET_KEY"),
        ('[broker]\nlive_account = "PA1"', "on the command line only"),
        ('[alpaca]\ntrading_url = "localhost"', "an address like"),
        ('[broker]\nengine = "ibkr"', "'simulated' or 'alpaca'"),
    ],
)
def test_what_does_not_belong_in_the_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "goldenthread.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_settings(tmp_path, environ={})


def test_no_variable_names_the_live_account(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="on the command line only"):
        load_settings(tmp_path, environ={"GOLDENTHREAD_BROKER__LIVE_ACCOUNT": "PA1"})


def test_keys_come_from_either_variable_and_are_never_shown(tmp_path: Path) -> None:
    theirs = {"APCA_API_KEY_ID": "AK", "APCA_API_SECRET_KEY": "swordfish"}
    found = load_settings(tmp_path, environ=theirs)
    assert found.alpaca.key_id.get_secret_value() == "AK"
    ours = theirs | {"GOLDENTHREAD_ALPACA__KEY_ID": "GK"}
    assert load_settings(tmp_path, environ=ours).alpaca.key_id.get_secret_value() == "GK"
    shown = {row.name: row.value for row in resolved(found)}
    assert shown["alpaca.secret_key"] == "**********"
    assert "swordfish" not in repr(found) + str(found.model_dump())
