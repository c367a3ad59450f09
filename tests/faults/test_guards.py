"""Each guard taken out in turn: the test that is there for it must turn red."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from faults.chaos import GUARD
from faults.guards import GUARDS, UNGUARDED
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from positions.faulty import KilledError
from positions.rig import CALM, Market, Rig, candidate, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.ports.hot_store import Operation
    from goldenthread.ports.leases import Lease

TESTS = Path(__file__).parents[1]
_RED = re.compile(
    r"^FAILED .* - (AssertionError|assert |Failed: DID NOT RAISE|goldenthread\.\S+Error: )",
    re.MULTILINE,
)
"""Something is not as it must be, or the next guard says so; a mistake in the code is no proof."""


@pytest.mark.slow
@pytest.mark.fault("guards")
@pytest.mark.parametrize("name", GUARDS, ids=lambda name: name.replace(" ", "-"))
def test_without_its_guard_its_test_turns_red(name: str, request: pytest.FixtureRequest) -> None:
    guard = GUARDS[name]
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("CHAOS_", "PYTEST_"))}
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(TESTS / guard.test), "-n", "0", "-rfE"),
            *("-p", "faults.guards", "-p", "no:cacheprovider", "--tb=no"),
        ],
        cwd=TESTS.parent,
        env={**ours, UNGUARDED: name, "PYTHONPATH": "src:tests", "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert _RED.search(ended.stdout), ended.stdout
    request.node.user_properties.append((GUARD, [name, guard.fault, guard.test, "failed"]))


class ForgetfulStore(SqliteHotStore):
    """A broken adapter: it writes a commit in two halves and dies in between, once."""

    died = False

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        half = len(operations) // 2
        if self.died or not half:
            return super().commit(operations, fence)
        super().commit(operations[:half], fence)
        self.died = True
        raise KilledError


@pytest.mark.fault("guards")
def test_a_store_whose_commits_are_not_whole_is_caught(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM)
    states = []
    for name in ("sound", "broken"):
        (tmp_path / name).mkdir()
        rig = Rig(tmp_path / name, market)
        if name == "broken":
            rig.store = ForgetfulStore(tmp_path / name / "hot.db", "sim:test", rig.clock)
        with suppress(KilledError):
            rig.run(2, candidate("AAPL", 2, plan()))
        states.append(rig.image())
    found = [key for key in states[0] if states[1].get(key) != states[0][key]]
    assert found
