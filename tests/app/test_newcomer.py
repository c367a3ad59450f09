"""A newcomer's own strategy beside the samples: who else wants its symbols, and who had one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.command import command
from goldenthread.app.api.project import init_project

if TYPE_CHECKING:
    from pathlib import Path


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


def test_a_new_strategy_among_the_samples_is_told_who_wants_its_symbols(tmp_path: Path) -> None:
    init_project(tmp_path)
    told = command("strategy", "new", "mine", "--project", str(tmp_path))
    assert (told.code, told.err) == (0, "")
    written, check, simulate, rivals = told.out.splitlines()
    assert written == f"written: {tmp_path}/strategies/mine.toml"
    assert "goldenthread strategy check" in check
    assert "goldenthread simulate" in simulate
    assert rivals.startswith("channel_breakout, dip_in_uptrend, failed_rally, ")
    assert "crypto_swing" not in rivals  # coins: no symbol in common
    assert "hammer_watch" not in rivals  # a shadow takes nothing
    assert 'status = "paused"' in rivals
    assert "--bare" in rivals


def test_alone_in_a_bare_project_it_has_no_rivals(tmp_path: Path) -> None:
    init_project(tmp_path, samples=False)
    found = asked(tmp_path, "strategy", "new", "mine")
    assert [step.split(":")[0] for step in found["next"]] == [
        "try it on your bars",
        "let it trade",
    ]


def test_a_broken_file_beside_it_keeps_no_one_from_writing_a_strategy(tmp_path: Path) -> None:
    init_project(tmp_path, samples=False)
    (tmp_path / "strategies" / "broken.toml").write_text("strategy_id = ")
    assert len(asked(tmp_path, "strategy", "new", "mine")["next"]) == 2


@pytest.mark.xdist_group("summer")
def test_a_signal_refused_for_its_symbol_names_the_one_that_had_it(summer: Path) -> None:
    rows = asked(summer, "signals")
    accepted = [r for r in rows if r["outcome"] != "rejected"]
    held_until = {r["trade_id"]: r["exit_ds"] for r in asked(summer, "trades")}
    refused = [r for r in rows if r["reason"] == "DUPLICATE_SYMBOL"]
    assert refused
    for row in refused:
        words = row["note"].removeprefix("held by ").split(";")[0]
        (taker,) = [a for a in accepted if f"{a['strategy_id']} ({a['signal_id'][:17]})" == words]
        assert (taker["symbol"], taker["signal_ds"] <= row["signal_ds"]) == (row["symbol"], True)
        assert held_until.get(taker["signal_id"], "9999") > row["signal_ds"]


@pytest.mark.xdist_group("summer")
def test_its_story_names_the_holder_too(summer: Path) -> None:
    row = next(r for r in asked(summer, "signals") if r["reason"] == "DUPLICATE_SYMBOL")
    holder = row["note"].removeprefix("held by ").split(";")[0]
    told = asked(summer, "explain", row["signal_id"])
    (line,) = next(s["lines"] for s in told["sections"] if s["title"] == "Duplicate symbol")
    assert line["text"].startswith(f"held or waited for by {holder}")
    rows = asked(summer, "explain", row["symbol"], row["signal_ds"])
    (mine,) = [r for r in rows if r["strategy_id"] == row["strategy_id"]]
    assert mine["why"].startswith(f"rejected: DUPLICATE_SYMBOL, held by {holder}")
