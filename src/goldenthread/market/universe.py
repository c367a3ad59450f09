"""Universes: named lists of symbols, as a strategy's ``assets`` may use them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import UniverseRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from goldenthread.domain.strategy import Strategy

_MARK = "@"


Universes = dict[str, "tuple[str, ...] | UniverseRule"]
"""Symbols, or the rule that chooses them, by name."""


def load_universes(path: Path) -> Universes:
    """The universes of a ``universes.toml``: name -> symbols or rule, in the file's order.

    Each line is a name and a list of symbols, ``large_caps = ["AAPL", "MSFT"]``, or a rule and
    those it chooses among, ``liquid = { rule = "SMA(close * volume, 20) > 5e6", among =
    ["@large_caps", "BTC/USD"] }``. Without the file there are no universes.

    Raises:
        UsageError: The file cannot be read, or a universe is neither.
    """
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"{path} cannot be read: {error}; correct the file (TOML, UTF-8)"
        raise UsageError(message) from error
    lists = {n: _symbols(path, n, v) for n, v in content.items() if not isinstance(v, dict)}
    rules = {n: _rule(path, n, v, lists) for n, v in content.items() if isinstance(v, dict)}
    return {name: rules.get(name) or lists[name] for name in content}


def resolve(
    assets: Sequence[str], universes: Mapping[str, tuple[str, ...] | UniverseRule]
) -> tuple[str, ...]:
    """The symbols of a strategy's ``assets``: each universe opened, each symbol once, in order.

    A universe by rule opens to all it may ever choose.

    Raises:
        UsageError: An ``@name`` is no universe.
    """
    symbols: dict[str, None] = {}
    for asset in assets:
        if not asset.startswith(_MARK):
            symbols[asset] = None
            continue
        name = asset.removeprefix(_MARK)
        if name not in universes:
            exist = ", ".join(f"{_MARK}{known}" for known in universes) or "none so far"
            message = (
                f"universe {asset!r} does not exist; universes.toml has {exist}: "
                "use one of these or add it there"
            )
            raise UsageError(message)
        found = universes[name]
        symbols.update(dict.fromkeys(found.among if isinstance(found, UniverseRule) else found))
    return tuple(symbols)


def with_universes(strategy: Strategy, universes: Universes) -> Strategy:
    """The strategy with the members, or the rule, of every universe it names.

    Raises:
        UsageError: It names a universe that does not exist.
    """
    resolve(strategy.assets, universes)
    named = [asset.removeprefix(_MARK) for asset in strategy.assets if asset.startswith(_MARK)]
    return strategy.model_copy(update={"universes": {name: universes[name] for name in named}})


def _rule(
    path: Path, name: str, table: Mapping[str, object], lists: Mapping[str, tuple[str, ...]]
) -> UniverseRule:
    rule, listed = table.get("rule"), table.get("among")
    among = [a for a in listed if isinstance(a, str) and a] if isinstance(listed, list) else []
    right = set(table) == {"rule", "among"} and among and among == listed
    if not (right and isinstance(rule, str)):
        message = (
            f"{path}: universe {name} is {dict(table)!r}; one by rule is written {name} = "
            '{ rule = "SMA(close * volume, 20) > 5e6", among = ["@stocks", "BTC/USD"] }'
        )
        raise UsageError(message)
    return UniverseRule(rule=rule, among=resolve(among, lists))


def _symbols(path: Path, name: str, value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    symbols = [symbol for symbol in listed if isinstance(symbol, str) and symbol]
    if not symbols or len(symbols) != len(listed) or any(s.startswith(_MARK) for s in symbols):
        message = (
            f"{path}: universe {name} is {value!r}; it must be a list of symbols, "
            f'like {name} = ["AAPL", "BTC/USD"]'
        )
        raise UsageError(message)
    return tuple(symbols)
