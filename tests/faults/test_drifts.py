"""Documents of the hot store that another version wrote: the run stops before its first write."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from faults.busy_day import ENGINE_FAILED, RUN, counted
from faults.project import compare, copy, seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = pytest.mark.slow

Body = dict[str, Any]
DRIFTS: dict[str, Callable[[Body, str], Body]] = {
    "added": lambda body, _: {**body, "mood": 1},
    "dropped": lambda body, name: {k: v for k, v in body.items() if k != name},
    "renamed": lambda body, name: {(k + "s" if k == name else k): v for k, v in body.items()},
    "retyped": lambda body, name: {**body, name: ["x"]},
}
LIVING = {
    "live_positions": ("strategy_id", "OPEN"),
    "live_signals": ("strategy_id", "WAITING"),
    "order_intents": ("signal_id", "WORKING"),
    "job_metadata": ("start_equity", None),
}
"""A field of what the next run reads, by collection, and the status of a document that lives."""


def spoil(folder: Path, collection: str, drift: Callable[[Body, str], Body]) -> str:
    """The name of a living document, written as another version would have."""
    field, status = LIVING[collection]
    with closing(sqlite3.connect(folder / "state" / "hot.sqlite")) as store:
        named = store.execute("SELECT id, body FROM document WHERE collection = ?", (collection,))
        name, body = next(
            (name, body)
            for name, body in ((name, json.loads(text)) for name, text in named)
            if body.get("status") == status and field in body
        )
        changed = json.dumps(drift(body, field))
        store.execute(
            "UPDATE document SET body = ? WHERE collection = ? AND id = ?",
            (changed, collection, name),
        )
        store.commit()
    return f"{collection}/{name}"


@pytest.mark.fault("F13")
def test_a_document_of_another_version_stops_the_run_before_it_writes(
    gt: Launcher, eve: Path, tmp_path: Path, tally: Tally
) -> None:
    found = {}
    for collection in LIVING:
        for drift, change in DRIFTS.items():
            folder = copy(eve, tmp_path / f"{collection}-{drift}")
            name = spoil(folder, collection, change)
            before = seen(folder)
            ended = gt.run(folder, *RUN)
            assert ended.code == ENGINE_FAILED, (name, drift, ended.out)
            assert f"{name} is not a " in ended.err, ended.err
            assert "run the version that wrote it" in ended.err
            found[f"{name}, {drift}"] = compare(seen(folder), before)
    assert not any(any(unlike) for unlike in found.values()), found
    tally("hot documents with a field added, dropped, renamed, retyped", len(found), counted(found))
