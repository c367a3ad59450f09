"""A process with everything imported that forks one child for every command line it is given.

Started as a program; speaks JSON lines. A pool of threads does not survive a fork, so nothing
here computes with polars, pyarrow or DuckDB before it: each child starts pools of its own.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, NoReturn

import goldenthread
from faults.clocks import WrongClock, wear
from faults.wires import Tripwire, install

Request = dict[str, Any]
_PATIENCE_S = 60
"""After that long a child is ended by SIGALRM: a hanging test says so instead of hanging."""


def warm() -> None:
    """Import what a run may import and fill the caches that need no thread."""
    for name in ("talib", "sqlglot.dialects.bigquery", "sqlglot.dialects.duckdb"):
        import_module(name)
    for module in walk_packages(goldenthread.__path__, "goldenthread."):
        import_module(module.name)
    tables = import_module("goldenthread.warehouse.tables").TABLES
    for table in tables:
        import_module("goldenthread.warehouse.guardian").guardian_of(table)
    import_module("goldenthread.signals.engine").engine_digest()
    gc.freeze()


def serve() -> NoReturn:
    """Answer one line with one line until the client goes away."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = wait(request["wait"]) if "wait" in request else {"pid": start(request)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    os._exit(0)  # nothing to tidy up, and libraries complain of threads they never had


def start(request: Request) -> int:
    """The process id of a child that runs the command line; it may have a time to live."""
    pid = os.fork()
    if pid == 0:
        child(request)
    if "kill_after" in request:
        time.sleep(request["kill_after"])
        os.kill(pid, signal.SIGKILL)
    return pid


def wait(pid: int) -> dict[str, int | None]:
    """How the child ended, or that it stands still."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    return {
        "stopped": os.WSTOPSIG(status) if os.WIFSTOPPED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    }


def child(request: Request) -> NoReturn:
    """Run one command line as a program of its own."""
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    err = os.open(request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(err, 2)
    code = 70
    signal.alarm(_PATIENCE_S)
    try:
        os.chdir(request["folder"])
        os.environ.update(request["env"])
        if "largest_file" in request:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], hard))
        if "wire" in request:
            install(Tripwire(**request["wire"]))
        if "clock" in request:
            wear(WrongClock(**request["clock"]))
        sys.argv = ["goldenthread", *request["argv"]]
        from goldenthread.app.cli.main import main  # noqa: PLC0415  imported long ago

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  a child must never return into the server's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    warm()
    serve()
