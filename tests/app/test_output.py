"""Tables in a terminal: whole words on 80 columns, and no colour where none is wanted."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from app.command import PROGRAM, Terminal
from goldenthread.app.cli.output import emit
from goldenthread.app.cli.progress import bar, working

_LOOKS = re.compile(r"\x1b\[[\d;]*m")
"""What changes how letters look: colours, and bold and italic with them."""

WIDE = [
    {
        "strategy_id": "follow_the_leader",
        "refused_net_pnl": "-3170.390196",
        "profit_factor": 0.754661,
        "invalidated": 0,
        "last_signal": "20110309-7c55db5107055d7380e51eebb93a88a5",
        "note": "held by trend_rider (20110308-9dc7e506); not triggered",
    }
]


def shown(monkeypatch: pytest.MonkeyPatch, rows: object, columns: int) -> list[str]:
    """The lines a terminal of that width gets."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    emit(rows, as_json=False, title="strategies")
    assert not _LOOKS.search(screen.getvalue())
    return re.sub(r"\x1b\[\d*m", "", screen.getvalue()).splitlines()


def test_a_table_too_wide_for_the_terminal_stacks_its_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shown(monkeypatch, WIDE, 80) == [
        "strategies",
        "strategy_id        refused_net_pnl  profit_factor  invalidated",
        "  last_signal        note",
        "-" * 80,
        "follow_the_leader  -3,170.39        0.754661       0",
        "  20110309-7c55db51  held by trend_rider (20110308-9dc7e506); not triggered",
    ]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_no_word_is_broken_and_no_line_too_long(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = shown(monkeypatch, WIDE, columns)
    assert max(map(len, lines)) <= columns
    words = " ".join(lines).split()
    for whole in ("follow_the_leader", "refused_net_pnl", "20110309-7c55db51", "triggered"):
        assert whole in words


def test_prose_folds_between_words_and_leaves_names_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, [{"rule": "entry_past_target", "says": "word " * 30}], 60)
    assert any("entry_past_target" in line for line in lines)
    assert all("word" in line or "wor" not in line for line in lines)
    assert lines[0].strip() == "strategies"


def test_money_is_told_in_cents_and_numbers_stand_right(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"symbol": "AAPL", "net_pnl": "1234567.891", "quantity": "0.000000001", "fees": "0"},
        {"symbol": "IBM", "net_pnl": None, "quantity": "12", "fees": "2.005"},
    ]
    cells = [
        [cell.strip("│ ").rstrip() for cell in line.split("│")[1:-1]]
        for line in shown(monkeypatch, rows, 100)
        if line.startswith("│")
    ]
    assert cells == [
        ["AAPL", "1,234,567.89", "0.000000001", "0.00"],
        ["IBM", "-", "12", "2.00"],
    ]
    first, second = (line for line in shown(monkeypatch, rows, 100) if line.startswith("│"))
    assert first.index("1,234,567.89") + len("1,234,567.89") == second.index("-") + 1


def test_progress_says_how_many_a_second_and_the_time_left_on_stderr_of_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("COLUMNS", "80"), ("NO_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    screen = Terminal()
    for stream in (sys.stderr, screen):
        monkeypatch.setattr(sys, "stderr", stream)
        with bar("sweeping") as advance:
            for done in range(4):
                advance(done, 3)
    assert capsys.readouterr() == ("", "")
    told = screen.getvalue()
    assert re.search(r"sweeping .* 3/3 [\d,]+\.\d/s 0:00:00 left 0:00:00", told)
    assert not _LOOKS.search(told)


def test_work_nobody_can_count_shows_that_it_goes_on_and_then_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with working("pricing"):
        shown = screen.getvalue()
    assert "pricing" in shown
    assert screen.getvalue().endswith("\x1b[2K")  # its line is wiped


@pytest.mark.parametrize("wish", ["1", ""])
def test_no_escape_code_reaches_a_real_terminal_that_wants_no_colour(
    wish: str,
) -> None:
    ours, theirs = os.openpty()
    call = [sys.executable, "-c", PROGRAM, "rules"]
    screen = {"NO_COLOR": wish, "COLUMNS": "80", "TERM": "xterm"}
    with subprocess.Popen(call, stdout=theirs, stderr=theirs, env={**os.environ, **screen}) as run:
        os.close(theirs)
        said = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    assert run.returncode == 0
    assert "stop" in said
    assert ("\x1b" in said) == (wish == "")  # an empty NO_COLOR wishes nothing


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side has gone
        return b""
