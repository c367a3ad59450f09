"""Whom a strategy decides on: the symbols its cross-section functions compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from goldenthread.domain.ids import digest


@dataclass(frozen=True)
class Universe:
    """The members of a strategy: the symbols of its ``assets``, every ``@name`` opened."""

    symbols: tuple[str, ...]

    @cached_property
    def key(self) -> str:
        """Twelve hex digits: equal members, equal key."""
        return digest([list(self.symbols)])[:12]
