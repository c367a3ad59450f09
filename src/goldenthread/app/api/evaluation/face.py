"""A project that answers questions about its books: what ``goldenthread.open`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.api.evaluation import replay, shadow
from goldenthread.app.api.evaluation.compare import Comparison, compare
from goldenthread.app.api.evaluation.curves import threshold_curve
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import ALL_TIME

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from goldenthread.app.api.records import Span
    from goldenthread.reports.attribution.refusals import By
    from goldenthread.research.replay.replaying import Replay


class OpenProject(Project):
    """A project with its questions as methods; most give a frame.

    ``span`` is the first and last date of decision, all of history where it is left out; ``book``
    the one of the settings.
    """

    def filters(
        self, strategy: str = "", by: By = "filter", span: Span = ALL_TIME, book: str = ""
    ) -> pl.DataFrame:
        """What each filter, gate and the broker refused, and what that would have made.

        Raises:
            UsageError: The book holds no refused signal of the strategy.
        """
        return shadow.filters(self, book, strategy, span, by)

    def curve(
        self, name: str, strategy: str = "", span: Span = ALL_TIME, book: str = ""
    ) -> pl.DataFrame:
        """What a strategy would have made at each threshold of a filter: ``whatif.curves.CURVE``.

        ``name`` is the filter, or ``NAME[n]`` a term of one that joins several with and, or.

        Raises:
            UsageError: No such filter, several strategies have it, or it has no number to turn.
        """
        return threshold_curve(self, name, strategy, book, span).points

    def replay(
        self,
        strategy: str = "",
        span: Span = ALL_TIME,
        book: str = "",
        *,
        as_known_now: bool = False,
    ) -> Replay:
        """Every archived decision made again from the warehouse alone: equal, or why not.

        Raises:
            UsageError: The book has no archived day among the dates, or no such strategy.
        """
        return replay.replay(self, book, strategy, span, as_known_now=as_known_now)

    def compare(
        self, a: str, b: str, span: tuple[dt.date | None, dt.date | None] = (None, None)
    ) -> Comparison:
        """What made ``b`` earn other money than ``a`` of the same signals, see ``compare``.

        A side is a book, the folder of a saved backtest, or a version: ``breakout@3fa2``.

        Raises:
            UsageError: A side is none of these, or they have no date or strategy in common.
        """
        return compare(self, a, b, span)
