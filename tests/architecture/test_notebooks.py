"""The notebooks run from an empty folder, and what they show is what is kept with them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from architecture.notebooks import NOTEBOOKS, ROOT, executed, kept, last_value, shown

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

BACKTEST, SWEEP = (ROOT / "examples" / f"{name}.ipynb" for name in ("backtest", "sweep"))


def _run(path: Path) -> dict[str, Any]:
    """What the last cell shows; every cell must show what is kept."""
    file = kept(path)
    today = executed(path)
    for cell, ours, theirs in zip(file.cells, _cells(today), _cells(file), strict=True):
        assert ours == theirs, f"{cell.source}\nrun python tests/architecture/notebooks.py"
    found: dict[str, Any] = ast.literal_eval(last_value(today))
    return found


def _cells(notebook: NotebookNode) -> list[Any]:
    outputs = iter(shown(notebook))
    return [next(outputs) if cell.cell_type == "code" else None for cell in notebook.cells]


@pytest.mark.slow
def test_the_notebook_of_a_backtest_ends_with_what_it_kept() -> None:
    found = _run(BACKTEST)
    assert found["trades"] == found["signals"]["traded"] == 90
    assert found["signals"]["generated"] == 1181
    assert found["signals"]["rejected"] == 1181 - 90
    assert found["net_pnl"] == pytest.approx(26_255.470567)  # the equity's gain: nothing is open


@pytest.mark.slow
def test_the_notebook_of_a_sweep_ends_with_a_promoted_shadow() -> None:
    found = _run(SWEEP)
    assert found["permutations"] == 7 * 4 * 3
    assert found["best"] == found["params"] == {"loss": 0.04, "gain": 0.08, "volume_min": 1.0}
    assert (found["sharpe"], found["trades"]) == (1.365, 177)
    assert found["status"] == "shadow"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_as_run_once_from_top_to_bottom(path: Path) -> None:
    notebook = kept(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert kinds == {"execute_result"}  # no error, and nothing printed to the side
    for link in re.findall(r"\]\(([^)#]+)\)", "".join(cell.source for cell in notebook.cells)):
        assert (path.parent / link).exists(), link
