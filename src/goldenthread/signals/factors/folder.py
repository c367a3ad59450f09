"""A folder of factor files: which function stands where, told without running any of them."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.signals.expressions import nearest
from goldenthread.signals.factors.python import FOLDER
from goldenthread.signals.functions import FUNCTIONS, LANGUAGE, PRICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAX_BYTES = 64 * 1024
"""The size of the largest factor file."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN = frozenset({*FUNCTIONS, *LANGUAGE, *PRICES, "entry"})


@dataclass(frozen=True)
class FactorFolder:
    """The factor files of a project; ``enabled`` is whether their code may run.

    It is read when a function is asked for that the catalogue does not have, and not before.
    """

    path: Path | None = None
    enabled: bool = False

    def code_of(self, called: Iterable[str]) -> dict[str, str]:
        """The text of each file that defines one of these functions, by the file's name.

        The catalogue's functions are in no file; of a name that nothing defines nothing is said,
        but when it is nearly one of ours.

        Raises:
            UsageError: The folder's code may not run, one of its files is not right, or a name
                is misspelt.
        """
        found: dict[str, str] = {}
        for name in sorted(set(called) - {*FUNCTIONS, *LANGUAGE}):
            file = self._homes.get(name)
            if file is None:
                hint = nearest(name, self._homes)
                if hint:
                    msg = f"unknown function {name!r}{hint}"
                    raise UsageError(msg)
            elif not self.enabled:
                msg = (
                    f"{name} is Python code ({FOLDER}/{file}), and Python factors are off; to let"
                    f" the code of {FOLDER}/ run, set enabled = true in [factors] of"
                    " goldenthread.toml"
                )
                raise UsageError(msg)
            else:
                found[file] = self._texts[file]
        return dict(sorted(found.items()))

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        files = sorted(self.path.glob("*.py")) if self.path else []
        return {file.name: _text(file) for file in files if not file.name.startswith("_")}

    @cached_property
    def _homes(self) -> Mapping[str, str]:
        """The file of each function."""
        files = {name.removesuffix(".py") for name in self._texts}
        barred = {FOLDER, *(files - sys.stdlib_module_names)}
        homes: dict[str, str] = {}
        for file, text in self._texts.items():
            for name in _defined(file, text, barred):
                if name in homes:
                    both = f"{FOLDER}/{homes[name]} and {FOLDER}/{file}"
                    msg = f"{both} both define {name}; rename it in one of them"
                    raise UsageError(msg)
                homes[name] = file
        return homes


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        msg = f"{file} cannot be read: {error}; a factor file is Python in UTF-8"
        raise UsageError(msg) from None
    if len(text.encode()) > MAX_BYTES:
        msg = f"{file} is larger than {MAX_BYTES} bytes; divide it, a strategy takes what it calls"
        raise UsageError(msg)
    return text


def _defined(file: str, text: str, barred: set[str]) -> Iterator[str]:
    """The functions marked at the top level of a file.

    Raises:
        UsageError: It is not Python, imports its neighbours, or takes a name that has a meaning.
    """
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        why = getattr(error, "msg", error)
        msg = f"{FOLDER}/{file}, line {line}: it is not Python ({why}); correct it there"
        raise UsageError(msg) from None
    for node in ast.walk(tree):
        if barred & set(_imported(node)):
            msg = (
                f"{FOLDER}/{file}, line {getattr(node, 'lineno', 1)}: it imports another file of"
                " the folder, which would be no part of the version; put what they share into one"
            )
            raise UsageError(msg)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(map(_marks, node.decorator_list)):
            if not _NAME.fullmatch(node.name) or node.name in _TAKEN:
                msg = (
                    f"{FOLDER}/{file}, line {node.lineno}: {node.name} cannot be its name; write"
                    " small letters, digits and _, and nothing that has a meaning already"
                )
                raise UsageError(msg)
            yield node.name


def _marks(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")
    return name == "factor"


def _imported(node: ast.AST) -> list[str]:
    """The first word of each module an import names; a relative one names the folder."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [FOLDER if node.level else (node.module or "").partition(".")[0]]
    return []
