"""Who only looks leaves no trace, and is told what to do next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app.command import command
from goldenthread.app.api.project import init_project

if TYPE_CHECKING:
    from pathlib import Path

_LOOKING = (
    "status",
    "signals",
    "signals --last 5d",
    "orders",
    "positions",
    "trades",
    "explain AAPL 2012-06-29",
    "explain 20120629",
    "plan",
    "doctor",
    "show-config",
    "data ls",
    "strategy ls",
    "strategy check",
    "strategy diff golden_cross",
    "strategy history golden_cross",
    "warehouse digest",
    "warehouse cost",
    "quarantine ls",
    "check thread",
    "check broker",
    "check data",
    "check lookahead --days 2",
    "check parity",
    "report",
    "replay --last 5d",
)


def everything(folder: Path) -> dict[str, int | None]:
    """Every file and folder below, with the size of files."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("words", _LOOKING)
def test_looking_at_a_new_project_changes_nothing_on_disk(words: str, tmp_path: Path) -> None:
    init_project(tmp_path)
    before = everything(tmp_path)
    answer = command(*words.split(), "--project", str(tmp_path))
    assert answer.code in {0, 2}
    assert everything(tmp_path) == before


@pytest.mark.parametrize("words", [w for w in _LOOKING if not w.startswith("check look")])
def test_nor_does_it_where_there_are_bars_and_no_run(words: str, fresh: Path) -> None:
    before = everything(fresh)
    command(*words.split(), "--project", str(fresh))
    assert everything(fresh) == before


def test_a_plan_before_the_first_run_says_what_that_run_then_does(fresh: Path) -> None:
    here = ("--ds", "2012-06-29", "--json", "--project", str(fresh))
    plan = command("plan", *here).document["report"]
    assert not (fresh / "state").exists()
    run = command("run", *here).document
    assert {k: plan[k] for k in ("ds", "decided", "sent")} == {
        k: run[k] for k in ("ds", "decided", "sent")
    }


@pytest.mark.parametrize("what", ["signals", "orders", "positions", "trades"])
def test_an_empty_table_of_a_book_that_never_ran_says_what_to_do(what: str, fresh: Path) -> None:
    answer = command(what, "--project", str(fresh))
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{what}: none\nbook sim:main has not run yet: `goldenthread run`")
    assert command(what, "--json", "--project", str(fresh)).document == []


def test_without_bars_the_next_step_is_to_bring_some(tmp_path: Path) -> None:
    init_project(tmp_path)
    status = command("status", "--json", "--project", str(tmp_path)).document
    assert status["last_run"] is None
    assert "goldenthread data import" in status["next"]
    told = command("check", "thread", "--project", str(tmp_path))
    assert told.code == 2
    assert "goldenthread data import" in told.err


@pytest.mark.xdist_group("summer")
def test_another_book_that_did_run_is_named(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    answer = command("signals", "--book", "sim:typo", "--project", str(folder))
    assert answer.out.endswith("; books that have: sim:main (--book)\n")
    assert command("status", "--json", "--project", str(folder)).document["next"] is None


def test_the_only_book_that_has_run_is_looked_at_when_none_is_named(fresh: Path) -> None:
    here = ("--json", "--project", str(fresh))
    command("simulate", "--from", "2012-06-25", "--to", "2012-06-27", *here)
    only = "sim:20120625-20120627"
    assert command("check", "thread", *here).document["book"] == only
    assert command("status", *here).document["book"] == only
    found = command("signals", *here).document
    assert found
    assert found == command("signals", "--book", only, *here).document
    command("simulate", "--name", "other", "--from", "2012-06-25", "--to", "2012-06-26", *here)
    doubt = command("check", "thread", *here)
    assert doubt.code == 2
    assert f"books that have: {only}, sim:other" in doubt.err
    command("run", "--ds", "2012-06-27", *here)
    assert command("status", *here).document["book"] == "sim:main"
