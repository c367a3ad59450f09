"""Where a fact and its decision made again part: the first column, with both values."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.warehouse.rows.signals import decided_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from goldenthread.domain.signal import Signal
    from goldenthread.domain.strategy import Strategy
    from goldenthread.research.replay.past import Fact

_LEVELS = (
    *("close", "order_type", "planned_entry", "planned_stop", "targets", "trail"),
    *("breakeven_after", "valid_bars", "max_bars"),
)
_SIZES = ("planned_quantity", "quantity")
_AT_THE_BROKER = "BROKER_REFUSED"
"""Said of a signal that every gate had let pass."""


class Difference(NamedTuple):
    """One column of a decision: what the fact says, and what was found again."""

    what: str
    archived: str
    again: str


def first_difference(fact: Fact, signal: Signal, strategy: Strategy) -> Difference | None:
    """The first thing in which a fact and the decision made again are not equal, if any.

    In the order in which one follows from the other: factors, filters with value, threshold and
    verdict, levels, priority, size, gates, reasons. Values are compared as the warehouse keeps
    them, all digits.
    """
    row = decided_row(signal, signal.ds)
    return next(_differences(fact, row, strategy, signal), None)


def _differences(
    fact: Fact, row: Mapping[str, Any], strategy: Strategy, signal: Signal
) -> Iterator[Difference]:
    names = {name: f"factor {name} ({text})" for name, text in strategy.factors.items()}
    yield from _named("factors", _by_name(fact), _by_name(row), ("value",), names)
    names = {name: f"filter {name} ({text})" for name, text in strategy.reject_unless.items()}
    yield from _verdicts("filters", _filters(fact), _filters(row), names)
    yield from _plain(fact, row, (*_LEVELS, "priority", *_SIZES))
    yield from _verdicts("gates", _gates(fact), _gates(row), {})
    reasons = [*fact["rejection_reasons"]]
    ours = [] if reasons == [_AT_THE_BROKER] else reasons
    if ours != [*signal.rejection_reasons]:
        yield Difference("rejection_reasons", _said(reasons), _said(signal.rejection_reasons))


def _plain(fact: Fact, row: Mapping[str, Any], names: Sequence[str]) -> Iterator[Difference]:
    for name in names:
        if fact[name] != row[name]:
            yield Difference(name, _said(fact[name]), _said(row[name]))


def _verdicts(
    kind: str, ours: Sequence[Any], theirs: Sequence[Any], names: Mapping[str, str]
) -> Iterator[Difference]:
    yield from _named(kind, ours, theirs, ("value", "threshold", "passed"), names)


def _named(
    kind: str,
    archived: Sequence[Any],
    again: Sequence[Any],
    columns: Sequence[str],
    names: Mapping[str, str],
) -> Iterator[Difference]:
    """The first difference in a list of named items: a name, else one of their columns."""
    for ours, theirs in zip_longest(archived, again):
        one, other = ((item or {}).get("name") for item in (ours, theirs))
        if one != other:
            yield Difference(kind, _said(one), _said(other))
            return
        for column in columns:
            if ours[column] != theirs[column]:
                name = names.get(str(one), str(one))
                what = name if columns == ("value",) else f"{name} {column}"
                yield Difference(what, _said(ours[column]), _said(theirs[column]))


def _by_name(row: Fact) -> list[Any]:
    """The factors by name: the live documents a fact was made from keep no order."""
    return sorted(row["factors"], key=lambda factor: factor["name"])


def _filters(row: Fact) -> list[Any]:
    return [verdict for verdict in row["verdicts"] if verdict["kind"] != "gate"]


def _gates(row: Fact) -> list[Any]:
    return [verdict for verdict in row["verdicts"] if verdict["kind"] == "gate"]


def _said(value: object) -> str:
    """A value as a person reads it, every digit kept."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return ", ".join(_said(item) for item in value) or "none"
    if isinstance(value, dict):
        return " ".join(_said(item) for item in value.values())
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
