"""Whom a strategy decides on: the symbols its cross-section functions compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from goldenthread.domain.ids import digest

if TYPE_CHECKING:
    from goldenthread.signals.calls import Expr


@dataclass(frozen=True, eq=False)
class Rule:
    """Those of ``among`` are members in a month for which ``expr`` held as the last one ended."""

    expr: Expr
    among: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Universe:
    """The members of a strategy: its ``symbols`` always, and those its ``rules`` choose."""

    symbols: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    @cached_property
    def key(self) -> str:
        """Twelve hex digits: equal members and rules, equal key."""
        rules = [[rule.expr.text, list(rule.among)] for rule in self.rules]
        return digest([list(self.symbols), rules])[:12]
