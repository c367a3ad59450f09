"""The command ``backtest``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, To, date_of
from goldenthread.app.cli.output import emit
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.research.backtest.result import Backtest


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(backtest)


def backtest(  # noqa: PLR0913  # one flag each
    strategies: Annotated[
        list[Path] | None, typer.Argument(help="Strategies, ids or files, together on one account.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every strategy of the project.")] = False,
    first: From = "",
    until: To = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", help="A parameter's value: rsi_max=65.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new folder for everything it found.")
    ] = None,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """What strategies would have done on your bars with one account; equal to simulate, faster.

    Example: goldenthread backtest --all --from 2012-09-04 --to 2018-12-31 --out runs/all
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.backtests import Asked, backtest_project
    from goldenthread.app.cli.progress import bar

    opened = Project.open(project)
    if every and strategies:
        msg = "strategy files and --all were both given; use one of them"
        raise UsageError(msg)
    asked = Asked(
        files=opened.strategy_files() if every else strategies or [],
        params=dict(_pair(text) for text in param or []),
        span=(
            date_of(first, "--from") if first else None,
            date_of(until, "--to") if until else None,
        ),
    )
    with bar("deciding", quiet=as_json) as advance:
        found = backtest_project(opened, asked, advance)
    folder = None if out is None else found.save(out)
    emit(_told(found, folder), as_json=as_json, title="backtest")


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not (name and mark and value):
        msg = f"--param got {text!r}; write NAME=VALUE, --param rsi_max=65 for example"
        raise UsageError(msg)
    return name, value


def _told(found: Backtest, folder: Path | None) -> dict[str, Any]:
    figures = found.metrics.row(0, named=True)
    return {
        "first": found.setup.first,
        "last": found.setup.last,
        "start_equity": Decimal(found.setup.account.start_cash),
        "equity": found.outcome.snapshots[-1].equity,
        "signals": found.signals,
        **{name: figures[name] for name in _FIGURES},
        "folder": folder,
        "notes": list(found.notes),
    }


_FIGURES = (
    *("trades", "win_rate", "profit_factor", "expectancy", "total_return", "annual_return"),
    *("sharpe", "sortino", "max_drawdown", "calmar", "exposure", "average_hold", "costs"),
)
