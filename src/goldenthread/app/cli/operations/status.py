"""The command ``status``: the morning page in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.cli.options import HERE, Book, Json, ProjectDir
from goldenthread.app.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

_SHOWN = {
    "alarms": ("check", "found"),
    "opened": ("symbol", "strategy_id", "side", "quantity", "entry", "entry_ds"),
    "closed": ("symbol", "strategy_id", "exit_reason", "exit_ds", "net_pnl", "r_multiple"),
    "waiting": ("signal_id", "strategy_id", "symbol", "side"),
    "exits": ("symbol", "strategy_id", "reason", "since", "quantity"),
    "orders": ("symbol", "leg", "side", "type", "quantity", "price", "status"),
    "requests": ("action", "subject", "reason", "actor", "asked_at"),
}
"""The tables below the first one and their columns; those without rows are left out."""
_TITLES = {"exits": "exits due", "requests": "asked for by an operator"}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(status)


def status(book: Book = "", project: ProjectDir = HERE, as_json: Json = False) -> None:
    """The morning page: what ran, what moved since the run before, what waits, alarms.

    With --json everything the page Today of the dashboard has, and how the book stands. Where the
    warehouse cannot be read it tells what the live state says, and why as unread.

    Example: goldenthread status
    """
    from goldenthread.app.api.browsing.today import today
    from goldenthread.app.api.days import status as book_status
    from goldenthread.app.api.project import Project
    from goldenthread.domain.errors import EngineError, UsageError

    opened = Project.open(project)
    try:
        shown = today(opened, book)
    except (EngineError, UsageError) as error:  # it cannot be read, or is of an older version
        live = {**book_status(opened, book), "unread": str(error)}
        emit(live, as_json=as_json, title="status")
        if isinstance(error, EngineError):
            raise
        return
    if as_json:
        stands = shown.pop("stands")
        emit({**stands, **shown}, as_json=True)
        return
    emit(_summary(shown), as_json=False, title=f"status of {shown['book']}")
    for name, columns in _SHOWN.items():
        if shown[name]:
            rows = [{column: row[column] for column in columns} for row in shown[name]]
            emit(rows, as_json=False, title=_TITLES.get(name, name))


def _summary(shown: Mapping[str, Any]) -> dict[str, object]:
    """The page in a few lines; what there is nothing of is left out."""
    stands = shown["stands"]
    told = {
        "last run": _ran(shown),
        "behind": _behind(shown),
        "at work now": _at_work(shown["lease"]),
        "equity": _equity(shown),
        "held": _counted(stands["open_positions"], "position"),
        "decided": _decided(shown["decided"]),
        "waits": _waits(shown),
        "model": stands["model"],
        "next": shown["next"],
    }
    return {name: words for name, words in told.items() if words}


def _ran(shown: Mapping[str, Any]) -> str:
    if shown["ds"] is None:
        return "none yet"
    run, late = shown["run"], shown["missed"]
    ended = "not archived"
    if run is not None:
        at = f"{run['finished_at']:%Y-%m-%d %H:%M} UTC"
        ended = f"{run['status'].lower()} at {at} in {run['duration_s']:.1f} s"
    caught_up = f"; {_counted(len(late), 'date')} before it caught up late" if late else ""
    return f"{shown['ds']}, {ended}{caught_up}"


def _at_work(lease: Mapping[str, Any] | None) -> str:
    return f"{lease['owner']}, its lease until {lease['until']:%H:%M:%S} UTC" if lease else ""


def _behind(shown: Mapping[str, Any]) -> str:
    if not shown["behind"]:
        return ""
    last = shown["stands"]["last_bar"]
    return f"{_counted(shown['behind'], 'session')} not run, the last bar is of {last}"


def _equity(shown: Mapping[str, Any]) -> str:
    account, last = shown["account"], shown["stands"]["equity"]
    if account is None:
        return "" if last is None else f"{last:,.2f}, not archived yet"
    since = "since it began" if shown["before"] is None else f"since {shown['before']}"
    moved, drawdown = account["day_pnl"], float(account["drawdown"])
    return f"{account['equity']:,.2f}, {moved:+,.2f} {since}; drawdown {drawdown:.2%}"


def _decided(rows: list[dict[str, Any]]) -> str:
    outcomes = [row["outcome"] for row in rows]
    told = (f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
    return f"{_counted(len(rows), 'signal')}: {', '.join(told)}" if rows else ""


def _waits(shown: Mapping[str, Any]) -> str:
    counts = {
        "signal": len(shown["waiting"]),
        "order": len(shown["orders"]),
        "due exit": len(shown["exits"]),
        "outcome to be priced": shown["open_shadows"],
    }
    return ", ".join(_counted(count, noun) for noun, count in counts.items() if count)


def _counted(count: int, noun: str) -> str:
    if not count:
        return ""
    first, _, rest = noun.partition(" to ")
    plural = first if count == 1 else f"{first}s"
    return f"{count:,} {plural}{' to ' + rest if rest else ''}"
