"""The notebooks of ``examples``: executed here, and what they show compared with what is kept.

Run it after a change of what they show: ``python tests/architecture/notebooks.py``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

_ID = re.compile(r"\b[0-9a-f]{16}\b")
_SECONDS = 300


def kept(path: Path) -> NotebookNode:
    """The notebook as the file has it."""
    notebook: NotebookNode = nbformat.read(path, 4)  # type: ignore[no-untyped-call]  # theirs
    return notebook


def executed(path: Path) -> NotebookNode:
    """The notebook with the outputs of today, run from its first cell in an empty folder."""
    notebook = kept(path)
    with TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        ours = {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": folder}
        client.execute(env={**os.environ, **ours})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def shown(notebook: NotebookNode) -> list[list[Any]]:
    """What each cell shows, a list of outputs a code cell, ids of sixteen hex digits left out.

    A sweep's id changes with every change of the code that decides; what it found does not.
    """
    return [
        [_nameless(output) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def last_value(notebook: NotebookNode) -> str:
    """The plain text the last cell shows."""
    (output,) = notebook.cells[-1].outputs
    return str(output.data["text/plain"])


def _nameless(output: Any) -> Any:  # noqa: ANN401  # any value of JSON
    if isinstance(output, dict):
        return {key: _nameless(value) for key, value in output.items()}
    return _ID.sub("ID", output) if isinstance(output, str) else output


if __name__ == "__main__":
    for file in NOTEBOOKS:
        nbformat.write(executed(file), file)  # type: ignore[no-untyped-call]  # theirs
