"""The command ``shadow``: what was refused, and whether refusing paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from goldenthread.app.cli.evaluation.curve import STAKES, show_curve
from goldenthread.app.cli.options import HERE, Book, From, Json, Last, ProjectDir, To, span_of
from goldenthread.app.cli.output import emit, say
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.reports.attribution.refusals import By


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(shadow)


def shadow(  # noqa: PLR0913  # one flag each
    strategy: Annotated[str, typer.Argument(help="One strategy's refusals only.")] = "",
    by: Annotated[str, typer.Option("--by", help="A row a filter, symbol or month.")] = "filter",
    curve: Annotated[
        str, typer.Option("--curve", help="P&L against the threshold of a filter or NAME[n].")
    ] = "",
    first: From = "",
    until: To = "",
    last: Last = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """What each filter and gate refused, what that would have made, and whether it paid.

    alone counts signals nothing else refused: the only ones it decided. Plus is what refusing cost.
    without it is what the strategy would have made more without the filter, with all the others.

    Example: goldenthread shadow golden_cross --by symbol

    Example: goldenthread shadow channel_breakout --curve VOLUME_TOO_LOW
    """
    from goldenthread.app.api.evaluation.curves import threshold_curve
    from goldenthread.app.api.evaluation.shadow import filters
    from goldenthread.app.api.evaluation.theory import theory_error
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import working

    span, opened = span_of(first, until, last, project, book), Project.open(project)
    if curve:
        with working("pricing"):
            drawn = threshold_curve(opened, curve, strategy, book, span)
        show_curve(drawn, as_json=as_json)
        return
    with working("pricing"):
        found = filters(opened, book, strategy, span, _by(by))
        error = theory_error(opened, book, strategy, span).as_dict()
    if as_json:
        emit({"refused": found, "theory": error}, as_json=True)
        return
    for rows in found.partition_by("kind", "strategy_id", maintain_order=True):
        owner = rows["strategy_id"][0] or _OWNERS[rows["kind"][0]]
        emit([_row(row) for row in rows.to_dicts()], as_json=False, title=owner)
    if found.is_empty():
        emit([], as_json=False, title="refused signals")
    elif by == "filter":
        say(f"without it: {STAKES}.")
    _tell(error)


def _tell(error: Mapping[str, Any]) -> None:
    """Theory's own error, on the trades that were made."""
    from goldenthread.reports.notation import signed_money

    if not error["trades"]:
        return
    made, said = signed_money(error["net_pnl"]), signed_money(error["theoretical_net_pnl"])
    title = f"theory's own error: {error['trades']} trades made {made}, in theory {said}"
    rows = [
        {"cause": c["cause"], "trades": c["signals"], "money": signed_money(c["amount"], 2)}
        for c in error["causes"]
        if c["signals"]
    ]
    emit(rows or f"{title}: none differs by half a cent", as_json=False, title=title)
    for why, number in error["not_compared"].items():
        emit(f"{number} not compared: {why}", as_json=False)


_OWNERS = {"gate": "the account's gates", "broker": "the broker"}


def _by(text: str) -> By:
    from goldenthread.reports.attribution.refusals import By

    allowed: tuple[By, ...] = get_args(By)
    for known in allowed:
        if text == known:
            return known
    msg = f"--by got {text!r}; allowed: {', '.join(allowed)}"
    raise UsageError(msg)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a person reads it, in whole dollars."""
    from goldenthread.reports.notation import number, percent, signed_money

    unknown = ("alone_open", "alone_unpriceable", "alone_untriggered")
    told: dict[str, Any] = {
        "refused by": row["name"],
        **({"symbol": row["symbol"]} if "symbol" in row else {}),
        **({"month": f"{row['month']:%Y-%m}"} if "month" in row else {}),
        "signals": row["refused"],
        "alone": row["alone"],
        "alone made": signed_money(row["alone_net_pnl"]),
        "right": percent(row["alone_hit_rate"], 0),
        "R": number(row["alone_average_r"]),
        "unknown": sum(row[name] for name in unknown),
        "all made": signed_money(row["net_pnl"]),
    }
    if row["kind"] == "filter" and "leave_one_out" in row:
        told["without it"] = signed_money(row["leave_one_out"])
    if "verdict" not in row:
        return told
    bounds = (signed_money(row["alone_low"]), signed_money(row["alone_high"]))
    interval = None if row["alone_low"] is None else " to ".join(bounds)
    return {**told, "interval": interval, "verdict": row["verdict"]}
