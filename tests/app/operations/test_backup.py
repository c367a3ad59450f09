"""A backup is one moment of a project; what is restored of it goes on as the project does."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from app.command import command, contents
from faults.project import compare, seen
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")

NEXT = ("run", "--ds", "2012-09-01")


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


@pytest.fixture
def desk(summer: Path, tmp_path: Path) -> Path:
    """A copy of the project that ran a summer, with a Python factor and an operator's request."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    (folder / "factors").mkdir()
    (folder / "factors" / "mine.py").write_text("# nothing yet\n")
    asked(folder, "halt", "--reason", "before the backup")
    return folder


@pytest.fixture
def kept(desk: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "kept.zip"
    made = asked(desk, "backup", str(file))
    assert made["books"] == {"sim:main": "2012-08-31"}
    return file


def test_what_was_restored_goes_on_as_the_original_does(
    desk: Path, kept: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / "desk"
    asked(other, "restore", str(kept))
    assert seen(other) == seen(desk)
    assert asked(other, "check", "thread")["ok"] is True
    texts = {n: text for n, text in contents(desk).items() if n.endswith((".toml", ".py"))}
    assert "factors/mine.py" in texts
    assert {n: contents(other).get(n) for n in texts} == texts
    assert asked(other, "status")["halted"] is True
    for folder in (desk, other):
        asked(folder, "resume")
        assert asked(folder, *NEXT)["changed"] is True
    one, both = seen(desk), seen(other)
    for state in (one, both):  # who asked for what, and when, is each project's own
        for name in [n for n in state if n.startswith("operator_requests/")]:
            del state[name]
    assert not any(compare(both, one))
    assert asked(other, "check", "thread")["ok"] is True


def test_a_backup_changes_nothing_and_holds_nobody_up(desk: Path, kept: Path) -> None:
    before = seen(desk)
    again = kept.with_name("again")
    again.mkdir()
    made = asked(desk, "backup", str(again))
    assert seen(desk) == before
    assert made["file"].startswith(str(again / "goldenthread-"))
    assert made["file"].endswith("Z.zip")
    with zipfile.ZipFile(kept) as one, zipfile.ZipFile(made["file"]) as other:
        assert one.namelist() == other.namelist()
    assert [path.name for path in again.iterdir()] == [made["file"].rpartition("/")[2]]
    assert asked(desk, *NEXT)["changed"] is True


def test_the_lease_of_a_backup_is_not_in_it(kept: Path, tmp_path: Path) -> None:
    asked(tmp_path / "at once", "restore", str(kept))
    assert asked(tmp_path / "at once", *NEXT)["changed"] is True


def test_while_a_run_is_at_work_a_backup_waits_and_says_for_whom(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_WAREHOUSE__LOCK_TIMEOUT_S", "0.3")
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    lease = store.acquire("run", "another run", 60)
    answer = command("backup", str(tmp_path / "no.zip"), "--project", str(desk))
    assert answer.code == 4
    assert "sim:main is in the hands of another run" in answer.err
    assert not (tmp_path / "no.zip").exists()
    store.renew(lease, 0.2)  # it ends while the next backup waits
    monkeypatch.setenv("GOLDENTHREAD_WAREHOUSE__LOCK_TIMEOUT_S", "5")
    asked(desk, "backup", str(tmp_path / "yes.zip"))
    store.close()


def test_a_backup_never_overwrites(desk: Path, kept: Path) -> None:
    before = kept.read_bytes()
    answer = command("backup", str(kept), "--project", str(desk))
    assert answer.code == 2
    assert "is there already; a backup never overwrites" in answer.err
    assert kept.read_bytes() == before


def test_a_project_that_has_something_is_never_overwritten(desk: Path, kept: Path) -> None:
    before = seen(desk)
    answer = command("restore", str(kept), "--project", str(desk))
    assert answer.code == 2
    assert "is not empty; a backup is restored into a new or empty folder" in answer.err
    assert seen(desk) == before


def changed(file: Path, to: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of the backup with its members changed."""
    with zipfile.ZipFile(file) as pack, zipfile.ZipFile(to, "w") as other:
        for name in pack.namelist():
            other.writestr(name, change(name, pack.read(name)))
    return to


def manifested(**values: object) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        return (
            json.dumps({**json.loads(content), **values}).encode()
            if name == "manifest.json"
            else content
        )

    return change


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (
            lambda name, content: content[:-1] + b"?" if name.endswith("hot.sqlite") else content,
            3,
            "state/hot.sqlite is not as its manifest says",
        ),
        (manifested(files={"state/gone": "0"}), 3, "is no whole backup"),
        (manifested(files={"../outside": "0"}), 3, "a path out of its folder"),
        (manifested(hot_store_schema=99), 2, "hot store schema 99), this version reads"),
        (manifested(format=99), 2, "update goldenthread"),
        (manifested(kind="export"), 2, "of the kind 'export', needed is a backup"),
        (manifested(files=7), 3, "has a manifest that cannot be read"),
    ],
)
def test_a_backup_that_is_not_right_restores_nothing(
    kept: Path, tmp_path: Path, change: Callable[[str, bytes], bytes], code: int, said: str
) -> None:
    bad, target = changed(kept, tmp_path / "bad.zip", change), tmp_path / "target"
    answer = command("restore", str(bad), "--project", str(target))
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert not target.exists() or list(target.iterdir()) == []


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for name in ("text", "nowhere"):
        answer = command("restore", str(tmp_path / name), "--project", str(tmp_path / "target"))
        assert answer.code == 3
        assert name in answer.err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HOT_STORE__PATH", "../hot.sqlite", "outside of"),
        ("WAREHOUSE__ENGINE", "bigquery", "a backup is of a project whose stores are files"),
    ],
)
def test_stores_that_are_no_files_of_the_project_are_refused(
    desk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(f"GOLDENTHREAD_{variable}", value)
    answer = command("backup", str(tmp_path / "no.zip"), "--project", str(desk))
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_a_project_that_never_ran_is_backed_up_too(fresh: Path, tmp_path: Path) -> None:
    asked(fresh, "backup", str(tmp_path / "kept.zip"))
    asked(tmp_path / "other", "restore", str(tmp_path / "kept.zip"))
    for folder in (fresh, tmp_path / "other"):
        asked(folder, "run", "--ds", "2012-06-01")
    assert not any(compare(seen(tmp_path / "other"), seen(fresh)))
