"""The commands ``sweep``, ``sweeps`` and ``strategy promote`` on a project's bars."""

from __future__ import annotations

import datetime as dt
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import goldenthread as gt
from app.command import command

pytestmark = pytest.mark.xdist_group("summer")
VARY = ("--vary", "rsi_max=35,50", "--vary", "stop_atr=2:3:0.5", "--vary", "discount=0,0.5")
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
SPAN = ("--from", "2011-01-03", "--to", "2012-08-31", "--symbols", ",".join(SYMBOLS))
SWEEP = ("sweep", "dip_in_uptrend", *VARY, *SPAN, "--objective", "sharpe", "--top", "3")


def here(folder: Path) -> tuple[str, ...]:
    return "--project", str(folder)


def test_a_sweep_is_told_with_its_luck_and_listed(fresh: Path) -> None:
    answer = command(*SWEEP, "--json", *here(fresh))
    assert (answer.code, answer.err) == (0, "")
    found = answer.document
    assert (found["permutations"], found["trials"], len(found["best"])) == (12, 12, 3)
    sharpes = [row["sharpe"] for row in found["best"]]
    assert sharpes == sorted(sharpes, reverse=True)
    assert all(0 < row["deflated_sharpe"] < 1 for row in found["best"])
    (row,) = command("sweeps", "--json", *here(fresh)).document
    assert (row["sweep"], row["best"]) == (found["sweep"], sharpes[0])
    more = command(*SWEEP, "--vary", "exit.max_bars=5,10", "--json", *here(fresh)).document
    assert more["trials"] == 36
    again = command(*SWEEP, "--json", *here(fresh)).document
    assert (again["trials"], again["digest"]) == (36, found["digest"])
    assert again["best"][0]["deflated_sharpe"] != found["best"][0]["deflated_sharpe"]


def test_the_notebook_gives_what_the_command_gives(fresh: Path) -> None:
    found = command(*SWEEP, "--json", *here(fresh)).document
    varied = ["rsi_max=35,50", "stop_atr=2:3:0.5", "discount=0,0.5"]
    alone = gt.sweep(
        "dip_in_uptrend",
        varied,
        fresh,
        first=dt.date(2011, 1, 3),
        last=dt.date(2012, 8, 31),
        symbols=SYMBOLS,
        objective="sharpe",
        top=3,
    )
    assert (alone.result_digest, alone.best.to_dicts()) == (found["digest"], found["best"])


def test_people_read_a_table_the_number_of_trials_and_what_to_type_next(fresh: Path) -> None:
    told = command(*SWEEP, *here(fresh)).out
    assert "deflated_sharpe" in told
    assert "12 trials were ever run on these bars" in told
    assert "goldenthread strategy promote" in told


def test_a_map_is_drawn_beside_the_sweep(fresh: Path) -> None:
    words = (*SWEEP, "--map", "rsi_max,stop_atr", "--over", "best")
    found = command(*words, "--json", *here(fresh)).document["map"]
    assert found["title"] == "sharpe by rsi_max and stop_atr, best over discount"
    assert [row["stop_atr"] for row in found["rows"]] == [2.0, 2.5, 3.0]
    best = max(value for row in found["rows"] for name, value in row.items() if name != "stop_atr")
    assert best == command(*SWEEP, "--json", *here(fresh)).document["best"][0]["sharpe"]
    drawing = ET.parse(found["file"]).getroot()  # noqa: S314  # our own file
    assert drawing.tag.endswith("svg")
    assert Path(found["file"]).parent.parent == fresh / "sweeps"


def test_the_best_of_a_small_drawdown_is_the_smallest(fresh: Path) -> None:
    words = (*SWEEP[:-4], "--objective", "max_drawdown", "--map", "rsi_max,stop_atr")
    found = command(*words, "--over", "best", "--json", *here(fresh)).document
    cells = [v for row in found["map"]["rows"] for name, v in row.items() if name != "stop_atr"]
    assert min(cells) == found["best"][0]["max_drawdown"] > 0


def test_a_walk_forward_tells_each_step_and_all_of_them_joined(fresh: Path) -> None:
    words = ("--walk-forward", "train=12m,test=4m", "--json")
    found = command(*SWEEP, *words, *here(fresh)).document
    assert [row["test"] for row in found["steps"]] == [
        "2012-01-03 to 2012-05-02",
        "2012-05-03 to 2012-08-31",
    ]
    growth = 1.0
    for row in found["steps"]:
        assert row["chosen"].startswith("rsi_max=")
        assert row["train_sharpe"] is not None
        growth *= 1 + row["test_total_return"]
    assert found["joined"]["total_return"] == pytest.approx(growth - 1)
    assert sorted(p.name for p in Path(found["folder"]).iterdir()) == [
        "equity.parquet",
        "steps.parquet",
        "trades.parquet",
    ]
    listed = command("sweeps", "--json", *here(fresh)).document
    assert len(listed) == 2  # each training is a sweep like any other
    told = command(*SWEEP, *words[:2], *here(fresh)).out
    assert "all judged stretches as one record" in told


def test_a_search_tries_what_was_suggested_and_all_of_it_is_counted(fresh: Path) -> None:
    wide = ("--vary", "rsi_max=20:80:1", "--vary", "stop_atr=1:5:0.1")
    words = ("sweep", "dip_in_uptrend", *wide, *SPAN, "--search", "tpe", "--trials", "60")
    found = command(*words, "--json", *here(fresh)).document
    assert 50 < found["permutations"] <= 60
    assert found["trials"] == found["permutations"]
    again = command(*words, "--json", *here(fresh)).document
    assert again == found
    other = command(*words, "--seed", "1", "--json", *here(fresh)).document
    assert other["trials"] > found["trials"]
    assert len(command("sweeps", "--json", *here(fresh)).document) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--search", "luck"), "--search got 'luck'; it takes tpe"),
        (("--search", "tpe", "--trials", "0"), "--trials got 0"),
        (("--search", "tpe", "--walk-forward", "train=6m,test=3m"), "give --sample in place of"),
        (("--walk-forward", "train=6m"), "write it like train=3y,test=6m"),
        (("--walk-forward", "train=9y,test=6m"), "not longer than one training"),
        (("--walk-forward", "train=6m,test=3m", "--map", "a,b"), "a map shows one sweep"),
        (("--map", "rsi_max"), "--map got 'rsi_max'; it takes two of rsi_max, stop_atr, discount"),
        (("--map", "rsi_max,near"), "needs two different parameters that were varied"),
        (("--objective", "luck"), "--objective got 'luck'"),
        (("--vary", "speed=1,2"), "'speed' is no parameter of dip_in_uptrend"),
    ],
)
def test_what_cannot_be_swept_or_drawn_says_why(
    imported: Path, words: tuple[str, ...], said: str
) -> None:
    answer = command("sweep", "dip_in_uptrend", *VARY, *SPAN, *words, *here(imported))
    assert answer.code == 2
    assert said in answer.err


def test_the_best_are_promoted_as_strategies_that_name_their_parent(fresh: Path) -> None:
    found = command(*SWEEP, "--json", *here(fresh)).document
    words = ("strategy", "promote", found["sweep"][:6], "--top", "2", *here(fresh))
    rows = command(*words, "--json").document
    assert len(rows) == 2
    written = [tomllib.loads(Path(row["written"]).read_text("utf-8")) for row in rows]
    for strategy, row in zip(written, found["best"], strict=False):
        assert strategy["status"] == "shadow"
        assert "parent dip_in_uptrend " in strategy["description"]
        assert f"sweep {found['sweep']}" in strategy["description"]
        assert strategy["params"]["rsi_max"] == row["rsi_max"]
    files = [row["written"] for row in rows]
    checked = command("strategy", "check", *files, "--json", *here(fresh))
    assert checked.code == 0
    assert [row["error"] for row in checked.document] == ["", ""]
    assert command(*words).code == 0  # the same again is left alone
    Path(files[0]).write_text("# mine\n", encoding="utf-8")
    refused = command(*words)
    assert refused.code == 2
    assert "is there already and says something else" in refused.err
    assert Path(files[0]).read_text("utf-8") == "# mine\n"
