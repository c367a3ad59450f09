"""The command ``backtest``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, To, date_of, number_of
from goldenthread.app.cli.output import emit, say
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.research.per_strategy import Bet
    from goldenthread.research.backtest.per_strategy import PerStrategy
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
    per_strategy: Annotated[
        bool, typer.Option("--per-strategy", help="Each by itself, as a sweep tries it.")
    ] = False,
    capital: Annotated[str, typer.Option("--capital", help="Start capital of each.")] = "",
    fraction: Annotated[str, typer.Option("--fraction", help="Of it, a signal.")] = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """What strategies would have done on your bars with one account; equal to simulate, faster.

    With --per-strategy each is by itself: a signal takes --fraction (0.1) of --capital (100000),
    cash is not shared and the account's gates are not asked. The fastest, and what a sweep does.

    Example: goldenthread backtest --all --from 2012-09-04 --to 2018-12-31 --out runs/all

    Example: goldenthread backtest --all --per-strategy --fraction 0.2
    """
    from goldenthread.app.api.evaluation.told import told_line_of
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.backtests import Asked
    from goldenthread.app.api.research.backtests import backtest as together
    from goldenthread.app.api.research.per_strategy import per_strategy as apart
    from goldenthread.app.api.research.worlds import World
    from goldenthread.app.cli.progress import bar
    from goldenthread.research.backtest.per_strategy import PerStrategy

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
    bet = _bet(capital, fraction, per_strategy=per_strategy)
    world = World.of_project(opened)
    with bar("deciding") as advance:
        found = apart(world, asked, bet, advance) if bet else together(world, asked, advance)
    kept = {"folder": None if out is None else found.save(out), "notes": list(found.notes)}
    line = {} if isinstance(found, PerStrategy) else {"told": told_line_of(world, found)}
    emit({**_told(found), **kept, **(line if as_json else {})}, as_json=as_json, title="backtest")
    for words in () if as_json else line.values():
        say(f"{words}.")


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not (name and mark and value):
        msg = f"--param got {text!r}; write NAME=VALUE, --param rsi_max=65 for example"
        raise UsageError(msg)
    return name, value


def _bet(capital: str, fraction: str, *, per_strategy: bool) -> Bet | None:
    """What a signal takes in per-strategy mode; None on one account."""
    from goldenthread.app.api.research.per_strategy import Bet

    given = {"capital": capital, "fraction": fraction}
    amounts = {name: number_of(text, f"--{name}") for name, text in given.items() if text}
    if amounts and not per_strategy:
        msg = (
            "--capital and --fraction are those of --per-strategy; add it, or set the account's"
            " cash in [sim] start_cash and the size in the strategy's [size]"
        )
        raise UsageError(msg)
    return Bet(**amounts) if per_strategy else None


def _told(found: Backtest | PerStrategy) -> dict[str, Any]:
    from goldenthread.research.backtest.per_strategy import PerStrategy

    rows = found.metrics.select("strategy_id", *_FIGURES).to_dicts()
    if isinstance(found, PerStrategy):
        return {
            **{name: found.config[name] for name in ("first", "last", "capital", "fraction")},
            "mode": found.mode,
            "strategies": rows,
        }
    account = {name: value for name, value in rows[0].items() if name != "strategy_id"}
    return {
        "first": found.setup.first,
        "last": found.setup.last,
        "start_equity": Decimal(found.setup.account.start_cash),
        "equity": found.outcome.snapshots[-1].equity,
        "signals": found.signals,
        **account,
        "benchmarks": found.benchmarks.drop("asset_class", "returns", "periods").to_dicts(),
    }


_FIGURES = (
    *("trades", "win_rate", "profit_factor", "expectancy", "total_return", "annual_return"),
    *("sharpe", "sortino", "max_drawdown", "calmar", "exposure", "average_hold", "costs"),
)
