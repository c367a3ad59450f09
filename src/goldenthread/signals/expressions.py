"""The expression language: text to a tree of whitelisted parts, never run as code."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_LENGTH = 2_000
"""Characters of one expression."""
MAX_DEPTH = 50
"""Levels of nesting of one expression."""

_ALLOWED_TEXT = re.compile(r"[A-Za-z0-9_ \t\r\n.,()+\-*/%<>=!'\"@]*")
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
COMPARISONS = frozenset(_COMPARE.values())
"""The operators that compare two numbers."""
_TAKE_TEXT = frozenset({"ref", "on"})
_TEXT_PLACE = "may only stand first in ref('SPY', ...) or on('1W', ...)"
_GRAMMAR = (
    "allowed: names, numbers, + - * / % **, comparisons, and or not, `a if test else b`, "
    "functions like SMA(close, 20)"
)


@dataclass(frozen=True)
class Node:
    """One part of an expression as written.

    ``op`` is ``number`` (``value``), ``name``, ``text`` (a quoted symbol or period), ``call`` and
    ``output`` (``name`` is the function or its output), ``neg``, ``not``, ``and``, ``or``,
    ``if`` (test, then, else), an arithmetic sign or a comparison. ``at`` is the offset in the
    text and no part of equality.
    """

    op: str
    name: str = ""
    value: float = 0.0
    parts: tuple[Node, ...] = ()
    at: int = field(default=0, compare=False)


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        UsageError: It is empty, too long, too deep, or holds anything outside the language; the
            message names the column (and the line, when there are several).
    """
    _check_text(text)
    flat = re.sub(r"[\r\n\t]", " ", text)
    start = len(flat) - len(flat.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on odd code is not for traders
            tree = ast.parse(flat.strip(), mode="eval")
    except SyntaxError as error:
        at = start + error.offset - 1 if error.offset else len(flat.rstrip())
        msg = f"{place(text, at)}: cannot read {_shown(text.strip())} ({error.msg}); {_GRAMMAR}"
        raise UsageError(msg) from None
    except (ValueError, MemoryError, RecursionError):
        msg = f"column 1: {_shown(text)} is nested too deeply or holds too long a number"
        raise UsageError(msg) from None
    return _Reader(text, start).read(tree.body, 1)


def names(node: Node) -> frozenset[str]:
    """Every name the expression reads (columns, parameters, factors), functions left out."""
    return frozenset(part.name for part in walk(node) if part.op == "name")


def calls(node: Node) -> frozenset[str]:
    """Every function the expression calls."""
    return frozenset(part.name for part in walk(node) if part.op == "call")


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for part in node.parts:
        yield from walk(part)


def place(text: str, at: int) -> str:
    """Where offset ``at`` lies for a reader: ``column 7`` or ``line 2 of it, column 7``."""
    before = text[: min(at, len(text))]
    column = len(before) - (before.rfind("\n") + 1) + 1
    if "\n" not in text.strip():
        return f"column {column}"
    return f"line {before.count(chr(10)) + 1} of it, column {column}"


def nearest(got: str, allowed: Iterable[str]) -> str:
    """A hint of the allowed words closest to ``got``: ``; did you mean rsi?``, or nothing."""
    words = {word.lower(): word for word in allowed}
    found = get_close_matches(got.lower(), list(words), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(words[word] for word in found)}?" if found else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004  # a line's worth


def _check_text(text: str) -> None:
    if not text.strip():
        msg = "column 1: the expression is empty; write e.g. close > SMA(close, 50)"
        raise UsageError(msg)
    if len(text) > MAX_LENGTH:
        msg = f"column {MAX_LENGTH}: {len(text)} characters; at most {MAX_LENGTH}, use factors"
        raise UsageError(msg)
    good = _ALLOWED_TEXT.match(text)
    end = good.end() if good else 0
    if end < len(text):
        msg = f"{place(text, end)}: character {text[end]!r} is not part of the language; {_GRAMMAR}"
        raise UsageError(msg)


class _Reader:
    """Turns Python's syntax tree into ours and refuses the rest."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start
        self._readers: dict[type[ast.expr], Callable[[Any, int, int], Node]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._logic,
            ast.Compare: self._compare,
            ast.IfExp: self._conditional,
            ast.Call: self._call,
            ast.Attribute: self._output,
        }

    def read(self, tree: ast.expr, depth: int) -> Node:
        at = self._start + tree.col_offset
        if depth > MAX_DEPTH:
            raise self._error(at, f"nested more than {MAX_DEPTH} levels deep; use factors")
        reader = self._readers.get(type(tree))
        if reader is None:
            what = f"{self._source(tree)} is not part of the language; {_GRAMMAR}"
            raise self._error(at, what)
        return reader(tree, at, depth)

    def _all(self, trees: list[ast.expr], depth: int) -> tuple[Node, ...]:
        return tuple(self.read(tree, depth + 1) for tree in trees)

    def _constant(self, tree: ast.Constant, at: int, _depth: int) -> Node:
        value = tree.value
        if isinstance(value, str):
            raise self._error(at, f"text {value!r} {_TEXT_PLACE}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(at, f"{self._source(tree)} is not a number; {_GRAMMAR}")
        number = _as_float(value)
        if number is None:
            raise self._error(at, f"number {self._source(tree)} is too large")
        return Node("number", value=number, at=at)

    def _name(self, tree: ast.Name, at: int, _depth: int) -> Node:
        return Node("name", tree.id, at=at)

    def _binary(self, tree: ast.BinOp, at: int, depth: int) -> Node:
        sign = _BINARY.get(type(tree.op))
        if sign is None:
            raise self._error(at, f"{self._source(tree)}: operator not allowed; {_GRAMMAR}")
        return Node(sign, parts=self._all([tree.left, tree.right], depth), at=at)

    def _unary(self, tree: ast.UnaryOp, at: int, depth: int) -> Node:
        if isinstance(tree.op, ast.UAdd):
            return self.read(tree.operand, depth + 1)
        word = "neg" if isinstance(tree.op, ast.USub) else "not"
        return Node(word, parts=self._all([tree.operand], depth), at=at)

    def _logic(self, tree: ast.BoolOp, at: int, depth: int) -> Node:
        word = "and" if isinstance(tree.op, ast.And) else "or"
        return Node(word, parts=self._all(tree.values, depth), at=at)

    def _conditional(self, tree: ast.IfExp, at: int, depth: int) -> Node:
        return Node("if", parts=self._all([tree.test, tree.body, tree.orelse], depth), at=at)

    def _compare(self, tree: ast.Compare, at: int, depth: int) -> Node:
        operands = self._all([tree.left, *tree.comparators], depth)
        pairs = []
        for index, operator in enumerate(tree.ops):
            sign = _COMPARE.get(type(operator))
            if sign is None:
                raise self._error(at, f"{self._source(tree)}: comparison not allowed; {_GRAMMAR}")
            pairs.append(Node(sign, parts=operands[index : index + 2], at=operands[index].at))
        return pairs[0] if len(pairs) == 1 else Node("and", parts=tuple(pairs), at=at)

    def _call(self, tree: ast.Call, at: int, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise self._error(at, f"{self._source(tree.func)} is not a function name; {_GRAMMAR}")
        name = tree.func.id
        if tree.keywords:
            word = tree.keywords[0].arg or "**"
            raise self._error(at, f"{name}: arguments go by position, leave out {word}=")
        first: list[Node] = []
        rest = tree.args
        if rest and isinstance(rest[0], ast.Constant) and isinstance(rest[0].value, str):
            where = self._start + rest[0].col_offset
            if name not in _TAKE_TEXT:
                raise self._error(where, f"text {_TEXT_PLACE}")
            first = [Node("text", rest[0].value, at=where)]
            rest = rest[1:]
        return Node("call", name, parts=(*first, *self._all(rest, depth)), at=at)

    def _output(self, tree: ast.Attribute, at: int, depth: int) -> Node:
        if not isinstance(tree.value, ast.Call):
            what = self._source(tree)
            raise self._error(at, f"{what}: only a function has outputs, like MACD(close).macdhist")
        return Node("output", tree.attr, parts=self._all([tree.value], depth), at=at)

    def _source(self, tree: ast.AST) -> str:
        start = getattr(tree, "col_offset", 0) + self._start
        end = (getattr(tree, "end_col_offset", 0) or 0) + self._start
        return _shown(self._text[start:end])

    def _error(self, at: int, message: str) -> UsageError:
        return UsageError(f"{place(self._text, at)}: {message}")


def _as_float(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < float("inf") else None
