"""Looking back: a book's decisions made again from the warehouse alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from goldenthread.app.api.evaluation.past import read_past
from goldenthread.app.api.records import ALL_TIME
from goldenthread.app.pricing import Pricer
from goldenthread.domain.errors import UsageError
from goldenthread.research.replay.deciding import Again, Books
from goldenthread.research.replay.replaying import replay as decide_again
from goldenthread.research.replay.trial import Tried
from goldenthread.research.replay.trial import try_version as tried
from goldenthread.signals.engine import CompiledStrategy, Evaluator, compile_strategy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome
    from goldenthread.research.replay.deciding import Terms
    from goldenthread.research.replay.past import Past
    from goldenthread.research.replay.replaying import Replay


def replay(
    project: Project,
    book: str = "",
    strategy: str = "",
    span: Span = ALL_TIME,
    *,
    as_known_now: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Replay:
    """Every decision of a book on the dates made again, and whether it is what its fact says.

    Raises:
        UsageError: The book has no archived day among the dates, or no such strategy.
    """
    past = read_past(project, book, span)
    if strategy:
        _expect(past, strategy)
    return decide_again(past, as_known_now=as_known_now, strategy=strategy, progress=progress)


def try_version(
    project: Project, book: str, strategy: str, version: str, span: Span = ALL_TIME
) -> list[Tried]:
    """What a version would have decided and made on the dates, and what those in force did.

    ``version`` is the beginning of a version key of the strategy, or a strategy file; of a file
    the strategy need not be named. Every signal by itself, at the size the day's equity gives.

    Raises:
        UsageError: The book has no archived day among the dates, or no such strategy or version.
    """
    past = read_past(project, book, span)
    compiled = _version(project, past, strategy, version)
    name = strategy or compiled.strategy.strategy_id
    _expect(past, name)
    return list(tried(past, name, compiled, _Pricing(past).outcome))


def _expect(past: Past, strategy: str) -> None:
    known = sorted({version.id for version in past.strategies.versions})
    if strategy not in known:
        msg = f"{past.book} never had a strategy {strategy!r}; it had {', '.join(known) or 'none'}"
        raise UsageError(msg)


def _version(project: Project, past: Past, strategy: str, version: str) -> CompiledStrategy:
    """The version of a file, or the one whose key begins so."""
    if version.endswith(".toml"):
        return compile_strategy(project.read(Path(version)))
    versions = past.strategies.versions
    mine = {v.version_key: v for v in versions if strategy in {"", v.id}}
    found = [v for key, v in sorted(mine.items()) if key.startswith(version)]
    if len(found) != 1:
        known = ", ".join(f"{v.id} {key[:12]}" for key, v in sorted(mine.items())[:8]) or "none"
        msg = (
            f"--with-version got {version!r}, the beginning of {len(found)} version keys; give more"
            f" of one, or a strategy file (NAME.toml); there are: {known}"
        )
        raise UsageError(msg)
    compiled = Again(past).compiled(found[0])
    if isinstance(compiled, str):
        msg = f"version {found[0].version_key[:12]} of {found[0].id} cannot be asked: {compiled}"
        raise UsageError(msg)
    return compiled


class _Pricing:
    """Prices signals of any version by the bars of a past, under the policy of their day."""

    def __init__(self, past: Past) -> None:
        books = Books(past.bars, past.actions)
        self._bars, self._last = books.at(None), past.last
        self._evaluator = Evaluator(books.window, inputs=past.inputs)
        self._compiled: dict[str, CompiledStrategy] = {}
        self._pricers: dict[str, Pricer] = {}

    def outcome(self, signal: Signal, compiled: CompiledStrategy, terms: Terms) -> Outcome:
        """What the signal would have made, its own order sent alone."""
        self._compiled[signal.version_key] = compiled
        pricer = self._pricers.get(signal.policy_key)
        if pricer is None:
            known = self._compiled.__contains__
            pricer = Pricer(self._bars, terms.assets, terms.policy, self._leaves, known)
            self._pricers[signal.policy_key] = pricer
        return pricer.outcome(signal, self._last, planned=True)

    def _leaves(self, version_key: str, symbol: str, ds: dt.date, now: dt.datetime) -> bool | None:
        self._evaluator.at(ds, now)
        return self._evaluator.holds(self._compiled[version_key], "exit", symbol, ds)
