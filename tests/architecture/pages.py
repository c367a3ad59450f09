"""Reading our own documents: blocks, commands, paths, links."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer.main
from typer.core import TyperCommand, TyperGroup

from goldenthread.app.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

Command = TyperCommand | TyperGroup
_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)```", re.DOTALL)
_ASSIGNED = re.compile(r"[A-Z_]+=")


class Block(NamedTuple):
    """One fenced block: the comment before it, its language, its text."""

    mark: str
    kind: str
    text: str

    @property
    def commands(self) -> list[str]:
        """What is typed after the prompts."""
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(m["mark"] or "", m["kind"], m["text"]) for m in _BLOCK.finditer(text)]


def leaves() -> Iterator[tuple[str, Command]]:
    """Every command of the program with its words, ``data import``."""
    yield from _leaves("", _program())


def _program() -> TyperGroup:
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    return program


def _leaves(prefix: str, command: Command) -> Iterator[tuple[str, Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield prefix, command
        return
    for name, child in children.items():
        yield from _leaves(f"{prefix} {name}".strip(), child)


def parsed(line: str) -> str:
    """The words of the command a typed line calls; fails when the line does not parse."""
    words = [w for w in shlex.split(line, comments=True) if not _ASSIGNED.match(w)]
    assert words.pop(0) in {"goldenthread", "gt"}, line
    command: Command = _program()
    name: list[str] = []
    while (children := getattr(command, "commands", None)) is not None:
        if words and words[0] == "--version":
            return "--version"
        assert words, f"{line}: a verb is missing"
        assert words[0] in children, f"{line}: there is no {words[0]!r}"
        name.append(words.pop(0))
        command = children[name[-1]]
    command.make_context(" ".join(name), words)
    return " ".join(name)


def defines(path: Path, name: str) -> bool:
    """Whether a file defines a function, class, constant or ``Class.method`` of that name."""
    first, _, rest = name.partition(".")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == first:
            inside = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
            return not rest or rest in inside
    return False
