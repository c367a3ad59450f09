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
    """The exit a bar made when stop and target both rest: what the open meets, else the stop.

    What is met by the open came first for certain; an open past both (a stop raised above the
    target) is stopped. A bar that touches both later is ambiguous and counts as stopped.
    """
    if target and (stop is None or (target.at_open and not stop.at_open)):
        return FirstExit(target, is_stop=False, ambiguous=False)
    unsure = target is not None and stop is not None and not stop.at_open
    return stop and FirstExit(stop, is_stop=True, ambiguous=unsure)


def bar_after_entry(bar: Bar, entry: Touch) -> Bar:
    """The entry's bar as its exits see it: it opens with the entry when that came after the open.

    A stop entry at 105 on a bar that opened at 100, protected at 102, can only be stopped at
    102: the open below the stop was before the position.
    """
    return bar if entry.at_open else bar._replace(open=entry.price)
