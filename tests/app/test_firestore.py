"""A project whose live state is in Firestore, from the settings to the archive."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

import pytest

from app.command import PROGRAM, SUMMER, command
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.store import digest
from goldenthread.app.engines import google
from goldenthread.app.engines.wiring import open_hot_store
from goldenthread.ports.hot_store import Collection

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally

SPRING = (dt.date(2012, 5, 15), dt.date(2012, 6, 8))


def in_firestore(folder: Path, host: str, project_id: str = "") -> Path:
    """The project with its settings changed to an empty database of the emulator."""
    settings = folder / "goldenthread.toml"
    text = settings.read_text(encoding="utf-8")
    for before, after in {
        'engine        = "sqlite"': 'engine = "firestore"',
        'project       = ""': f'project = "{project_id or f"test-{uuid4().hex[:12]}"}"',
        'emulator_host = ""': f'emulator_host = "{host}"',
    }.items():
        assert before in text
        text = text.replace(before, after)
    settings.write_text(text, encoding="utf-8")
    return folder


def doctor(folder: Path) -> dict[str, tuple[bool, str]]:
    answer = command("doctor", "--project", str(folder), "--json")
    return {row["check"]: (row["passed"], row["found"]) for row in answer.document}


@pytest.mark.slow
def test_the_same_days_leave_the_same_archive_on_firestore_as_on_sqlite(
    imported: Path, fresh: Path, tmp_path: Path, firestore_emulator: str
) -> None:
    embedded = tmp_path / "embedded"
    shutil.copytree(imported, embedded)
    hosted = in_firestore(fresh, firestore_emulator)
    digests = []
    for folder in (embedded, hosted):
        project = Project.open(folder)
        simulate(project, "main", SPRING)
        checked = check_thread(project, "sim:main")
        assert checked["ok"]
        assert checked["generated"] > 5
        digests.append(digest(project, "sim:main"))
    assert digests[0] == digests[1]
    assert (embedded / "state" / "hot.sqlite").exists()
    assert not (hosted / "state" / "hot.sqlite").exists()


@pytest.mark.slow
@pytest.mark.fault("F15")
def test_what_may_go_from_firestore_can_go_at_once(
    imported: Path, fresh: Path, tmp_path: Path, firestore_emulator: str, tally: Tally
) -> None:
    patient = tmp_path / "patient"
    shutil.copytree(imported, patient)
    hasty = in_firestore(fresh, firestore_emulator)
    gone = 0
    for until in (SPRING[1], dt.date(2012, 7, 13), SUMMER[1]):
        for folder in (patient, hasty):
            simulate(Project.open(folder), "main", (SPRING[0], until), archive_every=5)
        gone += go_at_once(hasty)
    assert gone > 20
    ends = [digest(Project.open(folder), "sim:main") for folder in (patient, hasty)]
    unlike = [name for name in ends[0] if ends[0][name] != ends[1][name]]
    assert unlike == []
    assert check_thread(Project.open(hasty), "sim:main")["ok"]
    tally("documents deleted as soon as they may go", gone, engines="Firestore emulator")


def go_at_once(folder: Path) -> int:
    """How many documents went because Firestore's TTL may take them one day: all, and now."""
    project = Project.open(folder)
    store = open_hot_store(project.settings, project.root, "sim:main")
    one_day, gone = dt.datetime(2999, 1, 1, tzinfo=dt.UTC), 0
    for collection in get_args(Collection):
        while swept := store.sweep(collection, one_day):
            gone += swept
    return gone


@pytest.mark.slow
@pytest.mark.fault("F1", "a simulation killed four times", engines="Firestore emulator")
def test_a_simulation_killed_again_and_again_on_firestore_ends_as_one_that_was_not(
    imported: Path, fresh: Path, tmp_path: Path, firestore_emulator: str
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(imported, whole)
    simulate(Project.open(whole), "main", SPRING)
    killed = in_firestore(fresh, firestore_emulator)
    span = ("--from", SPRING[0].isoformat(), "--to", SPRING[1].isoformat())
    call = [sys.executable, "-c", PROGRAM, "simulate", "--project", str(killed), "--name", "main"]
    variables = {**os.environ, "GOLDENTHREAD_RUN__LEASE_TTL_S": "1"}
    for seconds in (2.0, 2.5, 3.0, 3.5):
        running = subprocess.Popen([*call, *span], env=variables, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        running.kill()
        running.wait()
        time.sleep(1.2)  # its lease ends
    subprocess.run([*call, *span], env=variables, check=True, capture_output=True)
    assert check_thread(Project.open(killed), "sim:main")["ok"]
    assert digest(Project.open(killed), "sim:main") == digest(Project.open(whole), "sim:main")


@pytest.mark.slow
def test_the_command_line_reads_what_a_run_left_in_firestore(
    fresh: Path, firestore_emulator: str
) -> None:
    folder = str(in_firestore(fresh, firestore_emulator))
    span = ("--from", "2012-05-15", "--to", "2012-05-18")
    simulated = command("simulate", "--project", folder, *span, "--json")
    assert simulated.code == 0, simulated.err
    of_book = ("--project", folder, "--book", simulated.document["book"], "--json")
    status = command("status", *of_book).document
    assert status["last_run"] == "2012-05-18"
    halted = command("halt", *of_book)
    assert halted.code == 0, halted.err
    assert command("status", *of_book).document["halted"]


def test_doctor_reads_and_writes_and_compares_the_clocks(
    fresh: Path, firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = in_firestore(fresh, firestore_emulator)
    passed, found = doctor(folder)["hot store"]
    assert passed
    assert found.startswith("0 live signals; read and written, clocks ")
    monkeypatch.setattr(google, "_CLOCKS_APART", dt.timedelta(seconds=-1))
    passed, found = doctor(folder)["hot store"]
    assert not passed
    assert "let this machine keep time (NTP)" in found


def test_doctor_says_what_a_database_out_of_reach_needs(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")
    monkeypatch.setattr("goldenthread.adapters.hot_store.firestore.wire.PATIENCE_S", 0)
    passed, found = doctor(in_firestore(fresh, "127.0.0.1:1"))["hot store"]
    assert not passed
    assert "check the network and [hot_store] emulator_host" in found


def test_firestore_without_a_project_is_refused(fresh: Path) -> None:
    folder = in_firestore(fresh, "127.0.0.1:1", project_id=" ").as_posix()
    settings = fresh / "goldenthread.toml"
    settings.write_text(settings.read_text().replace('project = " "', 'project = ""'))
    answer = command("status", "--project", folder)
    assert answer.code == 2
    assert "[hot_store] project is empty" in answer.err


@pytest.mark.parametrize(
    ("engine", "library", "extra"),
    [
        ('[hot_store] engine = "firestore"', "google.cloud.firestore", "gcp"),
        ('[notifier] engine = "apprise"', "apprise", "notify"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    fresh: Path, engine: str, library: str, extra: str
) -> None:
    section = engine[1:].partition("]")[0]
    variables = {
        f"GOLDENTHREAD_{section.upper()}__ENGINE": engine.split('"')[1],
        "GOLDENTHREAD_HOT_STORE__PROJECT": "p",
        "GOLDENTHREAD_NOTIFIER__URLS": "json://127.0.0.1:1",
    }
    code = f"import sys; sys.modules[{library!r}] = None; {PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--project", str(fresh), "--ds", "2012-05-15"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode == 2
    assert f"{engine} needs {library}: pip install 'goldenthread[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
