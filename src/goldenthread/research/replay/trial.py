"""What another version of a strategy would have decided on the days of a book, and made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.trade import OutcomeStatus
from goldenthread.research.replay.deciding import Again, signal_of
from goldenthread.research.shadow import NOT_TRIGGERED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome
    from goldenthread.research.replay.deciding import Terms
    from goldenthread.research.replay.past import Past
    from goldenthread.signals.engine import CompiledStrategy


Ended = tuple["Signal", "Outcome | None"]
"""A signal and what it would have made; None where a filter refused it."""


class Tried(NamedTuple):
    """What one side decided on the days, every signal alone, without the account's gates.

    ``refused`` counts what its filters stopped (``by_filter``: each by the first that failed);
    the rest was priced: ``trades`` that ended, ``not_triggered``, still ``open``, and
    ``unpriceable``. Money, win rate and R multiple are those of the trades; null without any.
    """

    version: str
    candidates: int
    refused: int
    by_filter: Mapping[str, int]
    trades: int
    not_triggered: int
    open: int
    unpriceable: int
    net_pnl: Decimal | None
    win_rate: float | None
    average_r: float | None


def try_version(
    past: Past,
    name: str,
    compiled: CompiledStrategy,
    price: Callable[[Signal, CompiledStrategy, Terms], Outcome],
) -> tuple[Tried, Tried]:
    """A version of the strategy ``name`` on every day, beside the versions that were in force.

    Both see the bars known then and are sized from the day's equity.

    Args:
        past: What the warehouse says.
        name: The strategy's id.
        compiled: The version to try.
        price: What a signal of a version would have made under the policy of its day.
    """
    again = Again(past)
    theirs: list[Ended] = []
    ours: list[Ended] = []
    for day in past.days:
        terms = again.terms(day.now)
        in_force = terms.strategies.get(name)
        for side, one in ((theirs, compiled), (ours, in_force)):
            if one is None:
                continue
            for candidate in again.candidates(day, terms, [one]).values():
                signal = signal_of(candidate, day, terms, None)
                side.append(
                    (signal, None if signal.rejection_reasons else price(signal, one, terms))
                )
    return _tried(compiled.strategy.version_key[:12], theirs), _tried("in force", ours)


def _tried(version: str, signals: Sequence[Ended]) -> Tried:
    outcomes = [outcome for _, outcome in signals if outcome is not None]
    refused = [s.rejection_reason or "" for s, outcome in signals if outcome is None]
    ended = [o for o in outcomes if o.net_pnl is not None]
    results = [o.net_pnl for o in ended if o.net_pnl is not None]
    multiples = [float(o.r_multiple) for o in ended if o.r_multiple is not None]
    by_status = Counter(outcome.status for outcome in outcomes)
    return Tried(
        version=version,
        candidates=len(signals),
        refused=len(refused),
        by_filter=dict(sorted(Counter(refused).items())),
        trades=len(ended),
        not_triggered=sum(outcome.note == NOT_TRIGGERED for outcome in outcomes),
        open=by_status[OutcomeStatus.OPEN],
        unpriceable=by_status[OutcomeStatus.UNPRICEABLE],
        net_pnl=sum(results, Decimal(0)) if results else None,
        win_rate=sum(r > 0 for r in results) / len(results) if results else None,
        average_r=sum(multiples) / len(multiples) if multiples else None,
    )
