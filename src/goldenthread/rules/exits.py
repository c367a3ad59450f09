"""Which exit of a bar comes first, and what of the entry's own bar the exits may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from goldenthread.rules.fills import Touch

if TYPE_CHECKING:
    from goldenthread.domain.bar import Bar


class FirstExit(NamedTuple):
    """The exit that happened: which one, and whether the bar also held the other one."""

    touch: Touch
    is_stop: bool
    ambiguous: bool


def first_exit(stop: Touch | None, target: Touch | None) -> FirstExit | None:
    """The exit a bar made when stop and target both rest: the stop first, unless at the open.

    A target met by the open itself came first for certain; any other bar that touches both is
    ambiguous and counts as stopped.
    """
    if target and (stop is None or target.at_open):
        return FirstExit(target, is_stop=False, ambiguous=False)
    return stop and FirstExit(stop, is_stop=True, ambiguous=target is not None)


def bar_after_entry(bar: Bar, entry: Touch) -> Bar:
    """The entry's bar as its exits see it: it opens with the entry when that came after the open.

    A stop entry at 105 on a bar that opened at 100, protected at 102, can only be stopped at
    102: the open below the stop was before the position.
    """
    return bar if entry.at_open else bar._replace(open=entry.price)
