"""What an operator asked for stands, whatever dies afterwards."""

from __future__ import annotations

import json
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import NEXT, RUN, Calm, copies, until_done
from faults.project import BUSY_DAY, NEXT_DAY, copy
from faults.wires import Tripwire

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.fault("F1")]

MOMENTS = ("leases.acquire#1", "hot_store.commit#5", "broker.submit#1", "warehouse.merge#1")


def entries(folder: Path) -> list[str]:
    """The entries of the busy day and the next that reached the exchange."""
    connection = sqlite3.connect(folder / "state" / "exchange-main.sqlite")
    bodies = connection.execute("SELECT body FROM tickets").fetchall()
    connection.close()
    keys = [json.loads(body)["report"]["client_order_id"] for (body,) in bodies]
    days = tuple(f"{day:%Y%m%d}-" for day in (BUSY_DAY, NEXT_DAY))
    return [key for key in keys if key.startswith(days) and "-entry" in key]


def held(folder: Path) -> list[str]:
    """The symbols the exchange holds."""
    connection = sqlite3.connect(folder / "state" / "exchange-main.sqlite")
    found = [symbol for (symbol,) in connection.execute("SELECT symbol FROM stakes")]
    connection.close()
    return found


@pytest.mark.parametrize("words", [("halt",), ("flatten", "--confirm", "sim:main")])
def test_a_request_stands_though_the_run_that_heeds_it_is_killed(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, words: tuple[str, ...], tally: Tally
) -> None:
    sound = copy(eve, tmp_path / "sound")
    until_done(gt, sound)
    assert entries(sound)  # of a day that nobody halted
    assert held(sound)
    sent = still_held = 0
    for call, folder in zip(MOMENTS, copies(eve, tmp_path), strict=False):
        assert gt.run(folder, *words).code == 0
        killed = gt.run(folder, *RUN, wire=Tripwire(calm.calls.index(call) + 1, "kill"))
        assert killed.signal == signal.SIGKILL, (call, killed)
        until_done(gt, folder)
        until_done(gt, folder, *NEXT)
        assert gt.run(folder, "status", "--json").result["halted"] is True
        sent += len(entries(folder))
        still_held += len(held(folder)) if words[0] == "flatten" else 0
        assert gt.run(folder, "check", "thread").code == 0
    assert (sent, still_held) == (0, 0)
    tally(f"{words[0]} asked for, the next run killed and started again", len(MOMENTS))
