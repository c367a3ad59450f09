"""Parameters of strategies, given another value."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from goldenthread.domain.errors import UsageError
from goldenthread.signals.engine import compile_strategy
from goldenthread.signals.expressions import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.domain.strategy import Strategy


def with_params(strategies: Sequence[Strategy], params: Mapping[str, Any]) -> list[Strategy]:
    """The strategies with these parameters changed, in each that has them.

    Raises:
        UsageError: No strategy has a parameter of that name, none uses it, a value is not a
            number, or an expression is not right with it.
    """
    for name in params:
        _check(strategies, name)
    changed = [_changed(strategy, params) for strategy in strategies]
    for strategy in changed:
        compile_strategy(strategy)
    return changed


def _check(strategies: Sequence[Strategy], name: str) -> None:
    having = [s for s in strategies if name in s.params]
    if not having:
        known = sorted({p for s in strategies for p in s.params})
        allowed = ", ".join(known) or "none: they have no [params]"
        msg = f"no parameter {name!r}{nearest(name, known)}; these strategies have: {allowed}"
        raise UsageError(msg)
    word = re.compile(rf"\b{re.escape(name)}\b")
    if not any(word.search(text) for s in having for text in s.expressions.values()):
        msg = (
            f"parameter {name!r} of {having[0].strategy_id} is used by no expression, so that"
            " changing it changes nothing; use it in the file or leave it out"
        )
        raise UsageError(msg)


def _changed(strategy: Strategy, params: Mapping[str, Any]) -> Strategy:
    own = {name: _number(name, params[name]) for name in strategy.params if name in params}
    return strategy.model_copy(update={"params": {**strategy.params, **own}})


def _number(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        msg = f"parameter {name!r} got {value!r}; a parameter is a number, {name}=1.5 for example"
        raise UsageError(msg)
    return number
