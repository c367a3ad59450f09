"""The command line as tests call it: inside this process, or as a process of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from typing_extensions import override

from goldenthread.app.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROGRAM = "from goldenthread.app.cli.main import main; main()"
SUMMER = (dt.date(2012, 5, 15), dt.date(2012, 8, 31))
"""Dates of the demo's bars in which every outcome occurs."""
_PASSING = (".lock", "-wal", "-shm")
"""Files that say nothing about what was kept: locks, and SQLite's journals."""


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401  # any JSON value
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that says it is one."""

    @override
    def isatty(self) -> bool:
        return True


def command(*words: str, columns: int = 0) -> Answer:
    """The program's answer, given inside this process.

    With ``columns`` to a terminal that wide which wants no colour, else into pipes.
    """
    kind = Terminal if columns else io.StringIO
    out, err = kind(), kind()
    screen = {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"} if columns else {}
    with (
        patch.dict(os.environ, screen),
        patch.object(sys, "argv", ["goldenthread", *words]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def process(
    *words: str,
    before: Sequence[str] = (),
    limit: str = "",
    variables: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of a process of its own, started by the words ``before`` it.

    ``limit`` is a shell command that binds the process, ``ulimit -f 64`` for example;
    ``variables`` are added to its environment.
    """
    call = [*before, sys.executable, "-c", PROGRAM, *words]
    if limit:
        call = ["bash", "-c", f'{limit}; exec "$@"', "limited", *call]
    done = subprocess.run(
        call,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **(variables or {})},
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def contents(folder: Path) -> dict[str, str]:
    """What stands in every file below the folder, by path, as a digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(_PASSING)
    }
