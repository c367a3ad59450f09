"""Two sides set against each other, trade by trade: books, saved backtests, versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldenthread.app.api.evaluation.sides.books import book_side
from goldenthread.app.api.evaluation.sides.folders import folder_side
from goldenthread.app.api.evaluation.sides.versions import version_side
from goldenthread.domain.errors import UsageError
from goldenthread.reports.divergence.told import course_told, told
from goldenthread.reports.divergence.totals import diverge

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.app.api.evaluation.sides.contender import Contender, Entrant, Idea, Span
    from goldenthread.app.api.project import Project
    from goldenthread.reports.divergence.course import Taken
    from goldenthread.reports.divergence.totals import Divergence

_BOOK = re.compile(r"(sim|paper|live):.+")
_SHOWN = 10
"""How many signals the text tells of one by one."""


@dataclass(frozen=True)
class Comparison:
    """Two sides over the signals of a span, and why their money differs.

    ``divergence`` has every signal that made money on a side, both sides of it, with exact
    amounts; ``ideas`` says strategy, symbol and date of each. Amounts are B less A.
    """

    a: str
    b: str
    first: dt.date
    last: dt.date
    ideas: dict[str, Idea]
    divergence: Divergence

    def as_text(self) -> str:
        """The comparison for people, 80 columns."""
        names = {key: f"{idea.strategy_id} {idea.symbol}" for key, idea in self.ideas.items()}
        text = told(self.divergence, (self.a, self.b), names, _SHOWN)
        return f"signals of {self.first} to {self.last}\n\n{text}"

    def as_dict(self) -> dict[str, object]:
        """The comparison for programs, every signal that differs in it."""
        found = self.divergence
        sides = zip((self.a, self.b), found.trades, found.net, strict=True)
        every = found.furthest(len(found.pairs))
        return {
            "first": self.first,
            "last": self.last,
            "sides": [{"side": n, "trades": t, "net_pnl": net} for n, t, net in sides],
            "difference": found.difference,
            "causes": [bucket._asdict() for bucket in found.buckets],
            "signals": [
                {
                    **self.ideas[pair.signal_id]._asdict(),
                    "a": course_told(pair.a),
                    "b": course_told(pair.b),
                    "difference": pair.difference,
                    "causes": dict(pair.parts),
                }
                for pair in every
            ],
        }

    def __repr__(self) -> str:
        """The text, for notebooks and prompts."""
        return self.as_text()


def compare(
    project: Project, a: str, b: str, span: tuple[dt.date | None, dt.date | None] = (None, None)
) -> Comparison:
    """What made ``b`` earn other money than ``a`` of the same signals, trade by trade.

    A side is a book (``sim:main``), the folder of a saved backtest, or a version of a strategy
    (``breakout@3fa2``, ``breakout@file``), which is run by itself on the project's bars. Without
    dates all signals count that were decided on dates both sides have. With a version only its
    strategy counts.

    Raises:
        UsageError: A side is none of these, or they have no date or no strategy in common.
    """
    sides = _entrant(project, a), _entrant(project, b)
    dates, only = _common_dates(sides, span), _common_strategy(sides)
    one, other = (side.read(dates) for side in sides)
    ideas = {
        idea for side in (one, other) for idea in side.trades if only in {"", idea.strategy_id}
    }
    found = diverge(_taken(one, ideas), _taken(other, ideas))
    return Comparison(a, b, *dates, {idea.signal_id: idea for idea in ideas}, found)


def _entrant(project: Project, name: str) -> Entrant:
    if _BOOK.fullmatch(name):
        return book_side(project, name)
    for folder in (Path(name), project.root / name):
        if folder.is_dir():
            return folder_side(folder, name)
    if "@" in name:
        return version_side(project, name)
    msg = (
        f"compare got {name!r}; a side is a book (sim:main), the folder of a saved backtest"
        " (runs/all), or a version of a strategy (breakout@3fa2, or breakout@file)"
    )
    raise UsageError(msg)


def _common_dates(
    sides: tuple[Entrant, Entrant], span: tuple[dt.date | None, dt.date | None]
) -> Span:
    """The dates both sides decided on, within those asked for."""
    first = max(side.span[0] for side in sides)
    last = min(side.span[1] for side in sides)
    asked = max(first, span[0] or first), min(last, span[1] or last)
    if asked[0] > asked[1]:
        of = "; ".join(f"{side.name} decided {side.span[0]} to {side.span[1]}" for side in sides)
        msg = f"no date to compare: {of}; choose sides or --from and --to that have dates in common"
        raise UsageError(msg)
    return asked


def _common_strategy(sides: tuple[Entrant, Entrant]) -> str:
    """The strategy a version holds the comparison to; empty when neither is a version."""
    named = sorted({side.strategy_id for side in sides} - {""})
    if len(named) > 1:
        msg = (
            f"{sides[0].name} and {sides[1].name} are of two strategies, whose signals have"
            " nothing in common; compare versions of one"
        )
        raise UsageError(msg)
    return named[0] if named else ""


def _taken(side: Contender, ideas: set[Idea]) -> dict[str, Taken]:
    return {idea.signal_id: side.trades.get(idea) or side.why_not(idea) for idea in ideas}
