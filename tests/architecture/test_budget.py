"""The budgets of DESIGN section 2, over every file of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "goldenthread"
FILES = sorted(p for p in SOURCE.rglob("*.py") if p.name != "__init__.py")
BANNED_NAMES = {"utils", "helpers", "common", "manager", "base"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(tree: ast.AST) -> list[Function]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _length(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 2 if body else 1


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_functions_have_at_most_40_lines_and_6_parameters(path: Path) -> None:
    for function in _functions(ast.parse(path.read_text())):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        count = len([a for a in every if a.arg not in {"self", "cls"}])
        is_port = path.parent.name == "ports" or "typer" in path.read_text()
        assert _length(function) <= 40, f"{function.name} has {_length(function)} lines"
        assert is_port or count <= 6, f"{function.name} has {count} parameters"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_have_at_most_400_lines_and_10_public_names(path: Path) -> None:
    text = path.read_text()
    public = [
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert text.count("\n") <= 400
    assert len(public) <= 10, public


def test_folders_have_at_most_12_files_and_no_drawer_names() -> None:
    for folder in {p.parent for p in FILES}:
        names = [p.stem for p in FILES if p.parent == folder]
        assert len(names) <= 12, f"{folder.name}: {len(names)} files"
        assert not BANNED_NAMES & {*names, folder.name}


def test_ports_have_at_most_eight_methods() -> None:
    for path in FILES:
        if path.parent.name != "ports":
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                assert len(_functions(node)) <= 8, f"{path.stem}.{node.name}"
