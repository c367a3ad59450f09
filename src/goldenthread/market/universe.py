"""Universes: named lists of symbols, as a strategy's ``assets`` may use them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MARK = "@"


def load_universes(path: Path) -> dict[str, tuple[str, ...]]:
    """The universes of a ``universes.toml``: name -> symbols, in the file's order.

    Each line is a name and a list of symbols, ``large_caps = ["AAPL", "MSFT"]``. Without the
    file there are no universes.

    Raises:
        UsageError: The file cannot be read, or a universe is not a list of symbols.
    """
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path} cannot be read: {error}; correct the file (TOML, UTF-8)"
        raise UsageError(message) from error
    return {name: _symbols(path, name, value) for name, value in content.items()}


def resolve(assets: Sequence[str], universes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The symbols of a strategy's ``assets``: each universe opened, each symbol once, in order.

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
        symbols.update(dict.fromkeys(universes[name]))
    return tuple(symbols)


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
