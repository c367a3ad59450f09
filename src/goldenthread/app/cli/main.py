"""The command ``goldenthread``: verbs in groups, exit codes by what to do next."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from goldenthread import __version__
from goldenthread.app.cli import account, check, data, day, start, strategy, warehouse
from goldenthread.app.cli.evaluation import compare, replay, shadow
from goldenthread.app.cli.listeners import exchange, serve
from goldenthread.app.cli.operations import backup, operator, status
from goldenthread.app.cli.research import backtest, sweep
from goldenthread.domain.errors import GoldenthreadError

INTERRUPTED = 130
ENGINE_FAILURE = 3
_GO_ON = "goldenthread: interrupted; run the same command again, it goes on where it stopped"

app = typer.Typer(
    name="goldenthread",
    help="Every signal followed to its end, traded or not.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data.app, name="data", help="Bars: import and list them.")
app.add_typer(strategy.app, name="strategy", help="Strategies: write, check, compare, sync.")
app.add_typer(warehouse.app, name="warehouse", help="The star schema: query, digest, cost.")
app.add_typer(warehouse.quarantine, name="quarantine", help="Rows that were refused.")
app.add_typer(check.app, name="check", help="Proofs about your own data and ledgers.")
_DAYS = (start, day, backtest, sweep, account, shadow, replay, compare)
for module in (*_DAYS, status, operator, backup, exchange, serve):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"goldenthread {__version__}")
        raise typer.Exit


@app.callback()
def program(
    *,
    version: Annotated[  # its callback acts on it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Every signal followed to its end, traded or not."""


def main() -> None:
    """Run the command line; a message and an exit code instead of a traceback."""
    try:
        app(prog_name="goldenthread")
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # Typer meets Ctrl-C first and leaves without a word
            typer.echo(_GO_ON, err=True)
        raise
    except KeyboardInterrupt:
        typer.echo(_GO_ON, err=True)
        sys.exit(INTERRUPTED)
    except GoldenthreadError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(f"{error}; check disk space and permissions, then run it again", ENGINE_FAILURE)
    except Exception as error:  # noqa: BLE001  # a traceback is never the answer
        _fail(f"internal error: {type(error).__name__}: {error}; please report it", ENGINE_FAILURE)


def _fail(message: str, code: int) -> None:
    typer.echo(f"goldenthread: {message}", err=True)
    sys.exit(code)
