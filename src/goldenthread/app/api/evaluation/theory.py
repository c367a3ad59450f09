"""How far theory is from what was really traded: executed signals priced like refused ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldenthread.app.api.desks import open_pricer
from goldenthread.app.api.records import ALL_TIME, begun_book, facts
from goldenthread.app.book import read_book
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.errors import UsageError
from goldenthread.reports.divergence.rows import traded
from goldenthread.reports.divergence.theory import theoretical
from goldenthread.reports.divergence.totals import diverge
from goldenthread.warehouse.rows.signals import traded_signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.reports.divergence.totals import Divergence

_TRADES = """
SELECT * FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last
"""
_OF_STRATEGY = "  AND strategy_id = @strategy_id\n"


@dataclass(frozen=True)
class TheoryError:
    """Closed trades beside what the rules alone say they would have made.

    In ``divergence`` A is the theory and B the trades. ``silent`` counts the trades theory has
    nothing to say about, by the reason.
    """

    divergence: Divergence
    silent: Mapping[str, int]

    def as_dict(self) -> dict[str, object]:
        """The error by cause: amounts are trades less theory and sum to ``difference``."""
        theory, made = self.divergence.net
        return {
            "trades": self.divergence.trades[1],
            "net_pnl": made,
            "theoretical_net_pnl": theory,
            "difference": self.divergence.difference,
            "not_compared": dict(self.silent),
            "causes": [bucket._asdict() for bucket in self.divergence.buckets],
        }


def theory_error(
    project: Project, book: str, strategy: str = "", span: Span = ALL_TIME
) -> TheoryError:
    """What the executed signals decided in the span made beside what theory says, by cause.

    The same rules, bars and pricing as for what was refused: its error is theirs.
    """
    book = begun_book(project, book)
    sql = f"{_TRADES}{_OF_STRATEGY if strategy else ''}ORDER BY trade_id"
    rows = facts(project, book, sql, span, strategy_id=strategy).to_dicts()
    if not rows:
        return TheoryError(diverge({}, {}), {})
    state = read_book(read_hot_store(project.settings, project.root, book))
    newest = max(row["exit_ds"] for row in rows)
    upto = (state and state.last_ds) or newest
    try:
        pricer = open_pricer(project, book, upto)
    except UsageError as error:  # as without bars of one symbol: the facts still speak
        return TheoryError(diverge({}, {}), {str(error): len(rows)})
    silent = {row["trade_id"]: pricer.silence(row) for row in rows}
    told = [row for row in rows if not silent[row["trade_id"]]]
    theory = {
        row["trade_id"]: theoretical(row, pricer.outcome(traded_signal(row), upto, planned=True))
        for row in told
    }
    reasons = Counter(words for words in silent.values() if words)
    return TheoryError(
        diverge(theory, {row["trade_id"]: traded(row, ()) for row in told}),
        dict(sorted(reasons.items())),
    )
