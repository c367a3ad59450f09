from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.command import SUMMER, command
from goldenthread.app.api.evaluation.theory import theory_error
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import trades

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.xdist_group("summer")
def test_on_the_simulated_exchange_theory_has_no_error(summer: Path) -> None:
    project = Project.open(summer)
    found = theory_error(project, "").as_dict()
    made = trades(project, "", SUMMER)
    assert found["trades"] == made.height > 0
    assert found["net_pnl"] == found["theoretical_net_pnl"] == made["net_pnl"].sum()
    assert (found["causes"], found["not_compared"]) == ([], {})
    assert "none differs by half a cent" in command("shadow", "--project", str(summer)).out


@pytest.mark.xdist_group("summer")
def test_what_theory_does_not_know_is_its_error_by_cause(summer: Path, tmp_path: Path) -> None:
    """The exchange slipped by 5 basis points; a theory without slippage promises too much."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    settings = folder / "goldenthread.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("slippage_bps = 5 ", "slippage_bps = 0 "), encoding="utf-8")
    found = theory_error(Project.open(folder), "")
    difference = found.divergence.difference
    amounts = [bucket.amount for bucket in found.divergence.buckets]
    assert sum(amounts, Decimal(0)) == difference < 0
    (price,) = [b for b in found.divergence.buckets if b.cause.value == "price"]
    assert price.signals > 0
    answer = command("shadow", "--project", str(folder))
    assert "theory's own error" in answer.out
    assert "price" in answer.out


@pytest.mark.xdist_group("summer")
def test_a_theory_that_cannot_be_asked_says_why(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    shutil.rmtree(folder / "data")
    found = theory_error(Project.open(folder), "")
    ((why, number),) = found.silent.items()
    assert "data import" in why  # what to do, not a guess at what is wrong
    assert number == trades(Project.open(folder), "", SUMMER).height > 0


@pytest.mark.xdist_group("summer")
def test_a_strategy_without_trades_has_no_theory_to_err(summer: Path) -> None:
    found = theory_error(Project.open(summer), "", "hammer_watch").as_dict()
    assert (found["trades"], found["difference"]) == (0, Decimal(0))
