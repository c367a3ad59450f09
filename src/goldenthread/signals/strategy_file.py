"""A strategy file: TOML to a checked strategy, with errors that name line, value and remedy."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Strategy, UniverseRule
from goldenthread.signals.compilation import (
    StrategyError,
    bound_rule,
    compile_strategy,
    functions_of,
)
from goldenthread.signals.expressions import calls, nearest, parse
from goldenthread.signals.factors.folder import FactorFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 64 * 1024
"""The size of the largest strategy file."""
_LARGEST = Decimal(10) ** 15
_DECIMALS = 15
_ID_RULE = "must be a letter followed by letters, digits and _, all lower case, at most 64"
_NO_FACTORS = FactorFolder()
_FILLED_LATER = frozenset({"universes", "code"})
_STARTER = "starter.toml"
_DEEP_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){9}""")
_ID_LINE = re.compile(r'^strategy_id\s*=\s*["\'][^"\'\n]*["\']', re.MULTILINE)


def read_strategy(path: Path, factors: FactorFolder = _NO_FACTORS) -> Strategy:
    """The strategy of a file, every expression checked; ``universes`` is left empty.

    Args:
        path: The file.
        factors: Where the functions stand that it may call besides the catalogue's.

    Raises:
        UsageError: The file cannot be read or is not a strategy; the message names file, line
            and key, what was got and what is allowed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}; a strategy is a TOML file in UTF-8"
        raise UsageError(msg) from None
    if len(content) > MAX_BYTES:
        msg = f"{path} is larger than {MAX_BYTES} bytes; a strategy file is a page"
        raise UsageError(msg)
    return parse_strategy(text, str(path), factors)


def parse_strategy(
    text: str, name: str = "strategy", factors: FactorFolder = _NO_FACTORS
) -> Strategy:
    """The strategy of TOML ``text``; ``name`` stands in messages for the file.

    Raises:
        UsageError: As ``read_strategy``.
    """
    try:
        strategy = with_code(_validated(_built(Strategy, _table(text), "")), factors)
        compile_strategy(strategy)
    except StrategyError as error:
        line = line_of(text, error.key)
        where = f"{name}, line {line}" if line else name
        msg = f"{where}: {error}"
        raise UsageError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{name}: not TOML: {error}; strings stand in quotes, tables in [brackets]"
        raise UsageError(msg) from None
    return strategy


def check_rules(universes: Mapping[str, object], path: Path, factors: FactorFolder) -> None:
    """Refuse a universe of the file whose rule is no condition.

    Raises:
        UsageError: There is one; the message names file, line and rule.
    """
    for name, universe in universes.items():
        if not isinstance(universe, UniverseRule):
            continue
        try:
            code = factors.code_of(calls(parse(universe.rule)))
            bound_rule(universe, functions_of(code))
        except UsageError as error:
            text = path.read_text("utf-8")
            is_table = re.search(rf"^\s*\[\s*{re.escape(name)}\s*\]", text, re.MULTILINE)
            line = line_of(text, f"{name}.rule" if is_table else name)
            msg = f"{path}, line {line}: universe {name}, rule {universe.rule!r}, {error}"
            raise UsageError(msg) from None


def with_code(strategy: Strategy, factors: FactorFolder) -> Strategy:
    """The strategy with the files of the Python functions it calls, those of its universes too.

    Raises:
        StrategyError: One of them may not run, or is not right; a UsageError.
    """
    code: dict[str, str] = {}
    for key, text in strategy.expressions.items():
        try:
            called = calls(parse(text))
        except UsageError:  # compiling tells what is wrong with it
            continue
        try:
            code |= factors.code_of(called)
        except UsageError as error:
            raise StrategyError(str(error), key) from None
    return strategy.model_copy(update={"code": dict(sorted(code.items()))})


def strategy_text(strategy_id: str, template: str | None = None) -> str:
    """A strategy file named ``strategy_id``: ``template`` (the text of one) or a commented start.

    Raises:
        UsageError: The id or the template is not right.
    """
    starter = Path(__file__).with_name(_STARTER)
    text = starter.read_text(encoding="utf-8") if template is None else template
    named = _ID_LINE.sub(lambda _: f'strategy_id = "{strategy_id}"', text, count=1)
    parse_strategy(named, strategy_id)
    return named


def text_of(strategy: Strategy) -> str:
    """The file of a strategy: ``parse_strategy`` of it gives the strategy back.

    Universes and code apart: they stand in files of their own.
    """
    plain = strategy.model_dump(mode="python", exclude=set(_FILLED_LATER), exclude_none=True)
    tables = {name: plain.pop(name) for name in list(plain) if isinstance(plain[name], dict)}
    blocks = [_lines(plain)]
    blocks += [f"[{name}]\n{_lines(table)}" for name, table in tables.items() if table]
    return "\n".join(blocks)


def line_of(text: str, key: str) -> int | None:
    """The line (from 1) of a key such as ``entry.when``; its section's if it is missing."""
    *sections, name = re.sub(r"\[\d+\]", "", key).split(".")
    lines = text.splitlines()
    found = None
    start = 0
    for section in sections:
        start = _find(lines, start, _section(section)) or 0
        found = start or found
    return _find(lines, start, rf"{_key(name)}|\[+\s*{re.escape(name)}\s*\]") or found


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in table.items())


def _toml(value: Any) -> str:  # noqa: ANN401  # any value of a strategy
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)  # TOML's basic strings are JSON's


def _section(name: str) -> str:
    return rf"\[+\s*{re.escape(name)}\s*\]|{re.escape(name)}\b"


def _key(name: str) -> str:
    return rf"""(.*[{{.,\s])?["']?{re.escape(name)}["']?\s*="""


def _find(lines: list[str], start: int, pattern: str) -> int | None:
    matching = re.compile(rf"\s*(?!#)({pattern})")
    for number, line in enumerate(lines[start:], start=start + 1):
        if matching.match(line):
            return number
    return None


def _table(text: str) -> dict[str, Any]:
    if _DEEP_KEY.search(text):  # the time to read one grows with the square of its parts
        msg = "a key has more than nine parts"
        raise ValueError(msg)
    return tomllib.loads(text, parse_float=_decimal)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        msg = f"number {text} is out of range"
        raise ValueError(msg) from None


def _validated(values: dict[str, Any]) -> Strategy:
    try:
        return Strategy.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
        said = first["msg"][0].lower() + first["msg"][1:]
        rule = _ID_RULE if first["type"] == "string_pattern_mismatch" else said
        msg = f"{rule}, got {_shown(first['input'])}"
        raise StrategyError(msg, key.lstrip(".")) from None


def _built(model: type[BaseModel], table: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The values of a table, each of the type its field wants."""
    fields = {n: f for n, f in model.model_fields.items() if n not in _FILLED_LATER}
    values = {}
    for name, value in table.items():
        if name not in fields:
            hint = nearest(name, fields)
            msg = f"unknown key {name!r}{hint}; allowed: {', '.join(fields)}"
            raise StrategyError(msg, prefix + name)
        values[name] = _fitted(fields[name].annotation, value, prefix + name)
    for name, field in fields.items():
        if field.is_required() and name not in values:
            why = ", so that every outcome resolves" if name == "max_bars" else ""
            msg = f"{name!r} is missing; it is mandatory{why}"
            raise StrategyError(msg, prefix + name)
    return values


def _fitted(kind: Any, value: Any, key: str) -> Any:  # noqa: ANN401  # any field, any TOML value
    """``value`` if TOML gave it the type of the field."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        wanted = [kind for kind in inner if _takes_table(kind) == isinstance(value, dict)]
        return _fitted((wanted or inner)[0], value, key)
    if origin is tuple:
        items = _of_type(list, value, key, "a list")
        return tuple(_fitted(inner[0], v, f"{key}[{at}]") for at, v in enumerate(items, start=1))
    if origin is dict:
        table = _of_type(dict, value, key, "a table")
        return {name: _fitted(inner[1], v, f"{key}.{name}") for name, v in table.items()}
    if _takes_table(kind):
        return _built(kind, _of_type(dict, value, key, "a table"), f"{key}.")
    return _number(value, key) if kind is Decimal else _scalar(kind, value, key)


def _takes_table(kind: Any) -> bool:  # noqa: ANN401  # as _fitted
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _scalar(kind: Any, value: Any, key: str) -> Any:  # noqa: ANN401  # int, str, enum or Literal
    if kind is int:
        return _of_type(int, value, key, "a whole number")
    text = _of_type(str, value, key, "text in quotes")
    if kind is str:
        return text
    allowed = [str(choice) for choice in (get_args(kind) or kind)]
    if text not in allowed:
        hint = nearest(text, allowed)
        why = " (daily bars only)" if key == "timeframe" else ""
        msg = f"{text!r} is not allowed{hint}; allowed: {', '.join(allowed)}{why}"
        raise StrategyError(msg, key)
    return text


def _of_type(kind: type, value: Any, key: str, words: str) -> Any:  # noqa: ANN401  # as _fitted
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        msg = f"must be {words}, got {_shown(value)}"
        raise StrategyError(msg, key)
    return value


def _number(value: Any, key: str) -> Decimal:  # noqa: ANN401  # as _fitted
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        msg = f"must be a number, got {_shown(value)}"
        raise StrategyError(msg, key)
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.copy_abs() >= _LARGEST or exponent < -_DECIMALS:
        msg = f"{_shown(value)} is out of range; at most 15 digits before and after the point"
        raise StrategyError(msg, key)
    return number


def _shown(value: Any) -> str:  # noqa: ANN401  # as _fitted
    text = str(value) if isinstance(value, Decimal | int) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  # a line's worth
