"""Strategies as a book has them: what each made, its versions, and what changed between them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.records import begun_book, facts
from goldenthread.app.api.strategies import diff_strategy
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.app.versions import strategy_versions
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import changed_settings
from goldenthread.reports.figures.breakdowns import by_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.domain.strategy import Version

_SUMMARY = """
SELECT * FROM summary_strategy_performance
WHERE book = @book AND @first <= @last
ORDER BY strategy_id
"""
_TRADES = """
SELECT strategy_id, version_key, exit_ds, gross_pnl, fees, dividends, net_pnl, r_multiple, bars_held
FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last AND strategy_id = @strategy_id
ORDER BY ds
"""


def strategy_rows(project: Project, book: str) -> dict[str, Any]:
    """A row a strategy the book has had: how it stands, and its whole life in figures.

    ``versions`` counts them, ``since`` is when the last one began; ``status`` is ``gone`` where
    none is in force. The figures are those of ``summary_strategy_performance``, None before
    anything ended.
    """
    book = begun_book(project, book)
    summary = facts(project, book, _SUMMARY)
    figures = {row["strategy_id"]: row for row in summary.to_dicts()}
    rows = []
    for name, versions in _by_strategy(project, book).items():
        head = {
            "strategy_id": name,
            "status": _status(versions[-1]),
            "versions": len(versions),
            "since": versions[-1].valid_from,
        }
        rows.append({**head, **dict.fromkeys(summary.columns), **figures.get(name, {}), **head})
    return {"book": book, "strategies": rows}


def strategy_story(project: Project, book: str, name: str) -> dict[str, Any]:
    """One strategy: its versions with what each changed and made, and how its file differs.

    ``versions`` are the newest first; ``changed`` has a row a setting (``setting before after``)
    against the version before, ``trades`` and ``net_pnl`` are those closed under it. ``file`` has
    a row a setting that the file changes (``setting in_force file``); ``unread`` says why there
    is no telling, else it is empty.

    Raises:
        UsageError: The book has never had the strategy.
    """
    book = begun_book(project, book)
    known = _by_strategy(project, book)
    if name not in known:
        msg = f"no strategy {name!r} in {book}; it has had: {', '.join(known) or 'none'}"
        raise UsageError(msg)
    made = by_version(facts(project, book, _TRADES, strategy_id=name)).to_dicts()
    figures = {row["version_key"]: row for row in made}
    versions = known[name]
    changed = [
        _changed(json.loads(old.config), json.loads(new.config)) for old, new in pairwise(versions)
    ]
    rows = [
        {
            "version": version.version_key[:12],
            "valid_from": version.valid_from,
            "valid_to": version.valid_to,
            "git_hash": version.git_hash,
            "trades": figures.get(version.version_key, {}).get("trades", 0),
            "net_pnl": figures.get(version.version_key, {}).get("net_pnl"),
            "changed": rows,
        }
        for version, rows in zip(versions, [[], *changed], strict=True)
    ]
    differing, unread = _beside_file(project, book, name)
    return {
        "book": book,
        "strategy_id": name,
        "status": _status(versions[-1]),
        "versions": rows[::-1],
        "config": json.loads(versions[-1].config),
        "file": differing,
        "unread": unread,
    }


def names(project: Project, book: str) -> list[str]:
    """Every strategy the book has had, by name."""
    return list(_by_strategy(project, book))


def _by_strategy(project: Project, book: str) -> dict[str, list[Version]]:
    """The versions of each strategy, oldest first, by its name."""
    found: dict[str, list[Version]] = {}
    store = read_hot_store(project.settings, project.root, book)
    for version in sorted(strategy_versions(store), key=lambda each: (each.id, each.valid_from)):
        found.setdefault(version.id, []).append(version)
    return found


def _status(newest: Version) -> str:
    return "gone" if newest.valid_to else str(json.loads(newest.config)["status"])


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, object]]:
    return [
        {"setting": setting, "before": old, "after": new}
        for setting, (old, new) in changed_settings(before, after).items()
    ]


def _beside_file(project: Project, book: str, name: str) -> tuple[Sequence[dict[str, object]], str]:
    """What the file changes against the version in force; else why that cannot be told."""
    try:
        return diff_strategy(project, book, name), ""
    except UsageError as error:  # some file of the folder is not right: that is for its author
        return [], str(error)
