"""Which permutations a sweep tries: axes from text, their product, or a random sample of it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import canonical, digest
from goldenthread.signals.expressions import names, nearest, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from goldenthread.domain.strategy import Strategy

SETTINGS = ("entry.valid_bars", "exit.breakeven_after", "exit.max_bars", "size.cooldown_bars")
"""Whole numbers of a strategy file that a sweep may vary besides its parameters."""

MOST = 10_000_000
"""The most permutations one sweep takes."""

_FORM = "write name=first:last:step or name=value,value, e.g. rsi_max=20:40:5"

Values = tuple[Decimal, ...]


@dataclass(frozen=True)
class Axis:
    """One parameter or setting and the values it takes, ascending as they were written."""

    name: str
    values: Values


@dataclass(frozen=True)
class Grid:
    """The permutations of a sweep: a row of values, one an axis, for each."""

    axes: tuple[str, ...]
    rows: tuple[Values, ...]

    def values(self, row: int) -> dict[str, Decimal]:
        """The values of one permutation by name."""
        return dict(zip(self.axes, self.rows[row], strict=True))


def axis_of(text: str) -> Axis:
    """The axis written as ``name=a:b:step`` (both ends included) or ``name=1,2,5``.

    Raises:
        UsageError: It is written otherwise, is empty, or names a value twice.
    """
    name, sign, listed = text.partition("=")
    name = name.strip()
    if not (sign and name and listed.strip()):
        msg = f"--vary got {text!r}; {_FORM}"
        raise UsageError(msg)
    values = _range(text, listed) if ":" in listed else _list(text, listed)
    if len(set(values)) < len(values):
        msg = f"--vary {text!r} names a value twice; name each once"
        raise UsageError(msg)
    return Axis(name, values)


def grid_of(axes: Sequence[Axis], sample: int | None = None, seed: int = 0) -> Grid:
    """Every combination of the axes, the last axis fastest; or ``sample`` of them, distinct.

    A sample keeps the order of the whole; the same seed gives the same sample.

    Raises:
        UsageError: There is no axis, one is named twice, or there are too many permutations.
    """
    named = [axis.name for axis in axes]
    if not axes or any(not axis.values for axis in axes):
        msg = f"the grid is empty: nothing is varied; {_FORM}"
        raise UsageError(msg)
    if twice := sorted({name for name in named if named.count(name) > 1}):
        msg = f"{', '.join(twice)}: varied twice; give each parameter one --vary"
        raise UsageError(msg)
    count = math.prod(len(axis.values) for axis in axes)
    if sample is not None and sample < 1:
        msg = f"--sample got {sample}; it is a number of permutations from 1"
        raise UsageError(msg)
    wanted = count if sample is None else min(sample, count)
    if wanted > MOST:
        msg = f"{wanted:,} permutations are more than {MOST:,}; try --sample N, or fewer values"
        raise UsageError(msg)
    chosen: Iterable[int] = range(count)
    if wanted < count:
        chosen = sorted(random.Random(seed).sample(range(count), wanted))  # noqa: S311  # no secret
    return Grid(tuple(named), tuple(_row(axes, number) for number in chosen))


def check_axes(strategy: Strategy, axes: Sequence[str]) -> None:
    """That every name is a parameter some deciding expression uses, or a setting.

    Raises:
        UsageError: A name is unknown, or varying it would change nothing.
    """
    for name in axes:
        if name in SETTINGS:
            continue
        if name not in strategy.params:
            known = [*strategy.params, *SETTINGS]
            hint = nearest(name, known)
            msg = (
                f"{name!r} is no parameter of {strategy.strategy_id}{hint}; it has"
                f" {', '.join(strategy.params) or 'none'}; besides {', '.join(SETTINGS)}"
            )
            raise UsageError(msg)
        if name not in entry_names(strategy) | ride_names(strategy):
            msg = (
                f"no expression of {strategy.strategy_id} that decides a trade alone uses the"
                f" parameter {name!r} (priority does not: permutations do not compete); use it, or"
                " leave it out of --vary"
            )
            raise UsageError(msg)


def entry_names(strategy: Strategy) -> frozenset[str]:
    """The parameters that say on which dates there is a candidate which every filter passes."""
    texts = [strategy.entry.when, *strategy.reject_unless.values()]
    return _parameters(strategy, texts)


def ride_names(strategy: Strategy) -> frozenset[str]:
    """The parameters that say at which levels a candidate is traded and how it ends."""
    entry, leave = strategy.entry, strategy.exit
    texts = [leave.stop, *(target.at for target in leave.targets)]
    texts += [text for text in (entry.price, entry.cancel_if, leave.trail, leave.when) if text]
    return _parameters(strategy, texts)


def with_values(strategy: Strategy, values: Mapping[str, Decimal]) -> Strategy:
    """The strategy with other parameter values and settings.

    Raises:
        UsageError: A setting is not a whole number it may have.
    """
    plain = strategy.model_dump()
    for name, value in values.items():
        if name in SETTINGS:
            section, key = name.split(".")
            plain[section][key] = int(value) if value == int(value) else value
        else:
            plain["params"][name] = value
    try:
        return type(strategy).model_validate(plain)
    except ValueError as error:
        shown = ", ".join(f"{name}={value}" for name, value in values.items())
        reason = str(error).splitlines()[2].strip()
        msg = f"{strategy.strategy_id} with {shown} is no strategy: {reason}"
        raise UsageError(msg) from None


def permutation_id(strategy: Strategy, values: Mapping[str, Decimal]) -> str:
    """Sixteen hex digits that name a permutation by its content, whatever grid it stands in."""
    return digest([strategy.version_key, canonical(dict(sorted(values.items())))])[:16]


def _parameters(strategy: Strategy, texts: Iterable[str]) -> frozenset[str]:
    """The parameters that expressions read, by themselves or through factors."""
    found: set[str] = set()
    waiting = list(texts)
    seen: set[str] = set()
    while waiting:
        for name in names(parse(waiting.pop())) - seen:
            seen.add(name)
            if name in strategy.factors:
                waiting.append(strategy.factors[name])
            elif name in strategy.params:
                found.add(name)
    return frozenset(found)


def _row(axes: Sequence[Axis], number: int) -> Values:
    values = []
    for axis in reversed(axes):
        number, at = divmod(number, len(axis.values))
        values.append(axis.values[at])
    return tuple(reversed(values))


def _range(text: str, listed: str) -> Values:
    parts = [_number(text, part) for part in listed.split(":")]
    if len(parts) != 3:  # noqa: PLR2004  # first, last, step
        msg = f"--vary got {text!r}; {_FORM}"
        raise UsageError(msg)
    first, last, step = parts
    if step <= 0 or last < first:
        what = f"its step {step} is not positive" if step <= 0 else f"{last} is below {first}"
        msg = f"--vary {text!r} is empty: {what}; {_FORM}"
        raise UsageError(msg)
    count = int((last - first) / step) + 1
    if count > MOST:
        msg = f"--vary {text!r} has {count:,} values; at most {MOST:,}"
        raise UsageError(msg)
    return tuple(first + step * at for at in range(count))


def _list(text: str, listed: str) -> Values:
    return tuple(_number(text, part) for part in listed.split(","))


def _number(text: str, part: str) -> Decimal:
    try:
        value = Decimal(part.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        msg = f"--vary {text!r}: {part.strip()!r} is no number; {_FORM}"
        raise UsageError(msg)
    return value
