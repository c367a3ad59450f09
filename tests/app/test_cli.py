"""Every command: one JSON document, the promised exit code, an example that is one."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from app.command import Answer, command, process
from goldenthread.app.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_DEMO = ("traded", "rejected", "expired", "invalidated")
_SELECT = "SELECT symbol, net_pnl FROM fact_trades WHERE ds BETWEEN @from AND @to"
_BETWEEN = ("--from", "2012-06-01", "--to", "2012-06-30")
_SWEEP = ("dip_in_uptrend", "--vary", "stop_atr=2,3", "--symbols", "AAPL,IBM", *_BETWEEN)

pytestmark = pytest.mark.xdist_group("summer")


class Use(NamedTuple):
    """A command with its words, the exit code it ends with, and keys its document has.

    ``keys`` are those of the document, or of each row where it is a list.
    """

    words: tuple[str, ...] = ()
    code: int = 0
    keys: tuple[str, ...] = ()


USES: dict[str, Use] = {
    "doctor": Use(keys=("check", "passed", "found")),
    "show-config": Use(keys=("name", "value", "origin")),
    "data ls": Use(keys=("symbol", "first", "last", "sessions", "bars", "missing")),
    "data import": Use(
        ("{}/bars.parquet",), keys=("symbols", "new", "same", "revised", "refused", "refused_rows")
    ),
    "data import-factors": Use(
        ("{}/scores.csv", "--name", "score"), keys=("table", "new", "same", "revised", "refused")
    ),
    "data pull": Use(code=2),
    "strategy check": Use(keys=("file", "candidates", "would_trade", "no_bars", "error")),
    "strategy ls": Use(keys=("strategy_id", "status", "version", "description")),
    "strategy new": Use(("mine",), keys=("written",)),
    "strategy diff": Use(("golden_cross",)),
    "strategy history": Use(("golden_cross",), keys=("version", "valid_from", "valid_to")),
    "strategy sync": Use(keys=("strategy_id", "version", "valid_from")),
    "warehouse init": Use(),
    "warehouse migrate": Use(),
    "warehouse query": Use((_SELECT, *_BETWEEN), keys=("symbol", "net_pnl")),
    "warehouse digest": Use(keys=("digest", "fact_trades", "snapshot_accounts")),
    "warehouse cost": Use(),
    "warehouse export": Use(("{}/exported",), keys=("table", "rows", "files")),
    "warehouse rebuild": Use(("--from", "{}/exported"), keys=("differ", "tables")),
    "quarantine ls": Use(),
    "quarantine replay": Use(),
    "check thread": Use(
        keys=("lost", "duplicated", "unmatched_fills", "money_error", "generated", *_DEMO, "ok")
    ),
    "check broker": Use(keys=("equity", "cash", "differences", "ok")),
    "check data": Use(code=1, keys=("symbol", "ds", "state", "sessions")),
    "check lookahead": Use(("--days", "3"), keys=("decisions", "changed", "ok")),
    "check parity": Use(keys=("trades", "different", "shown", "ok")),
    "signals": Use(_BETWEEN, keys=("signal_id", "strategy_id", "symbol", "outcome", "reason")),
    "orders": Use(_BETWEEN, keys=("order_key", "symbol", "quantity", "status")),
    "positions": Use(keys=("position_id", "symbol", "quantity", "stop")),
    "trades": Use(_BETWEEN, keys=("trade_id", "symbol", "exit_reason", "fees", "net_pnl")),
    "explain": Use(("AAPL", "2012-06-29"), keys=("strategy_id", "why")),
    "replay": Use(_BETWEEN, keys=("days", "decisions", "equal", "causes", "deviations")),
    "shadow": Use(_BETWEEN, keys=("refused", "theory")),
    "compare": Use(
        ("sim:main", "golden_cross@file", *_BETWEEN),
        keys=("sides", "difference", "causes", "signals"),
    ),
    "plan": Use(("--ds", "2012-09-01"), keys=("report", "orders", "replaced", "canceled")),
    "run": Use(("--ds", "2012-09-01"), keys=("book", "ds", "changed", "decided", "sent")),
    "simulate": Use(
        (*_BETWEEN[:2], "--to", "2012-06-02", "--name", "two"),
        keys=("days_run", "signals", "trades", "equity", "gaps"),
    ),
    "status": Use(keys=("book", "last_run", "equity", "halted", "frozen")),
    "report": Use(keys=("report", "figures")),
    "halt": Use(("--reason", "a test"), keys=("book", "request", "active")),
    "resume": Use(keys=("book", "request", "active")),
    "pause": Use(("golden_cross",), keys=("book", "request", "active", "strategy_id")),
    "freeze": Use(("AAPL",), keys=("book", "request", "active", "symbol")),
    "thaw": Use(("AAPL",), keys=("book", "request", "active", "symbol")),
    "flatten": Use(("--confirm", "sim:main"), keys=("book", "request", "active")),
    "rules": Use(keys=("rule", "says")),
    "backtest": Use(("--all", *_BETWEEN, "--out", "{}/run"), keys=("trades", "signals", "equity")),
    "sweep": Use(_SWEEP, keys=("sweep", "permutations", "trials", "digest", "best")),
    "sweeps": Use(keys=("sweep", "strategy", "varied", "permutations", "objective", "best")),
    "strategy promote": Use(("{sweep}", "--top", "1"), keys=("strategy_id", "written")),
    "init": Use(("{}/new",)),
    "backup": Use(("{}/kept.zip",), keys=("file", "files", "bytes", "books")),
    "restore": Use(
        ("{}/kept.zip", "--project", "{}/restored"), keys=("file", "project", "files", "books")
    ),
    "demo": Use(("{}/demo",), keys=("simulated", "told", "report")),
    "exchange": Use(),  # it listens until it is told to end: tests/app/exchange/test_command.py
    "serve": Use(),  # so does it: tests/app/web/test_command.py
}
"""Every command there is; the test below keeps it so."""
_COUNTED = (
    *("backup", "restore", "warehouse export", "warehouse rebuild", "check lookahead"),
    *("simulate", "run", "replay", "backtest", "demo"),
)
"""Those that walk through many dates or pieces and show how far they are."""
_AT_TIMES = ("check parity", "sweep")
"""Those that do so where a backtest can be compared, or where it was not swept before."""
_CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
_PLACED = ("init", "demo", "rules", "restore")
"""Those that take no ``--project``, or one of their own."""


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command with its path, depth first."""
    yield from _below("", typer.main.get_command(app))


def _below(path: str, found: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(found, TyperCommand):
        yield path, found
    elif isinstance(found, TyperGroup):
        for name, inner in found.commands.items():
            yield from _below(f"{path} {name}".strip(), inner)


COMMANDS = dict(commands())


@pytest.fixture(scope="module")
def desk(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that ran a summer, for every command to act on."""
    return desk_of(summer, tmp_path_factory.mktemp("desk") / "project")


@pytest.fixture(scope="module")
def seen_desk(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another copy, for every command to act on once more, in a terminal."""
    return desk_of(summer, tmp_path_factory.mktemp("seen") / "project")


def desk_of(summer: Path, folder: Path) -> Path:
    shutil.copytree(summer, folder)
    scores = "symbol,ds,known_at,value\nAAPL,2012-06-01,2012-06-01T21:00:00Z,0.5\n"
    (folder / "scores.csv").write_text(scores)
    assert command("sweep", *_SWEEP, "--project", str(folder)).code == 0
    return folder


def used(path: str, folder: Path, *more: str, columns: int = 0) -> Answer:
    (manifest,) = (folder / "sweeps").glob("*/manifest.json")
    places = {"{}": str(folder), "{sweep}": manifest.parent.name}
    words = [_placed(word, places) for word in USES[path].words]
    where = () if path in _PLACED else ("--project", str(folder))
    return command(*path.split(), *words, *where, *more, columns=columns)


def _placed(word: str, places: dict[str, str]) -> str:
    for mark, place in places.items():
        word = word.replace(mark, place)
    return word


def test_every_command_is_tried_here() -> None:
    assert USES.keys() == COMMANDS.keys()


@pytest.mark.parametrize(
    "path", [p for p in USES if p not in {"demo", "data pull", "exchange", "serve"}]
)
def test_with_json_a_command_prints_one_document_and_nothing_else(path: str, desk: Path) -> None:
    use = USES[path]
    answer = used(path, desk, "--json")
    assert (answer.code, answer.err) == (use.code, "")
    document = answer.document  # the whole of stdout is one JSON value
    rows = document if isinstance(document, list) else [document]
    assert rows or not use.keys
    for row in rows:
        assert not use.keys or set(use.keys) <= row.keys(), row


@pytest.mark.parametrize("path", [p for p in USES if p not in {"data pull", "exchange", "serve"}])
def test_in_a_terminal_of_80_columns_no_line_is_longer_and_nothing_is_cut_off(
    path: str, seen_desk: Path
) -> None:
    answer = used(path, seen_desk, columns=80)
    assert answer.code == USES[path].code, answer.err
    assert "\x1b" not in answer.out  # NO_COLOR: neither colours nor bold
    said = answer.out.replace(str(seen_desk), "")  # a path is as long as it is
    assert [line for line in said.splitlines() if len(line) > 80] == []
    assert not re.search("\\S\N{HORIZONTAL ELLIPSIS}", said)
    told = _CONTROL.sub("", answer.err)
    assert all(len(line.rstrip()) <= 80 for line in re.split(r"[\r\n]", told))
    counted = re.search(r" ([1-9]\d*)/\1 .* left ", told) is not None  # to the end
    assert path in _AT_TIMES or counted == (path in _COUNTED)


@pytest.mark.parametrize(
    "path", ["status", "signals", "trades", "strategy ls", "rules", "positions"]
)
def test_without_json_it_prints_a_table_for_people(path: str, desk: Path) -> None:
    answer = used(path, desk)
    assert (answer.code, answer.err) == (0, "")
    assert "┃" in answer.out
    with suppress(json.JSONDecodeError):
        pytest.fail(f"{json.loads(answer.out)} is JSON")


def test_a_signal_is_explained_by_a_unique_prefix_of_its_id(summer: Path) -> None:
    found = command("trades", "--json", "--project", str(summer)).document[0]
    name: str = found["trade_id"]
    told = command("explain", name[:18], "--project", str(summer))
    assert (told.code, told.err) == (0, "")
    for word in (found["symbol"], found["strategy_id"], found["exit_reason"].lower()):
        assert word.lower() in told.out.lower()
    many = command("explain", name[:4], "--project", str(summer))
    assert many.code == 2
    assert "type more of it" in many.err


def test_a_plan_changes_nothing_and_the_run_does_what_it_said(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    words = ("--ds", "2012-09-01", "--json", "--project", str(folder))
    before = command("warehouse", "digest", "--json", "--project", str(folder)).document
    plan = command("plan", *words).document
    assert command("plan", *words).document == plan
    assert (
        command("status", "--json", "--project", str(folder)).document["last_run"] == "2012-08-31"
    )
    after = command("warehouse", "digest", "--json", "--project", str(folder)).document
    assert after == before
    run = command("run", *words).document
    same = ("ds", "decided", "accepted")
    assert {key: run[key] for key in same} == {key: plan["report"][key] for key in same}


def test_after_flatten_the_next_run_closes_everything(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    here = ("--project", str(folder))
    assert len(command("positions", "--json", *here).document) > 0
    assert command("flatten", "--confirm", "sim:main", *here).code == 0
    for ds in ("2012-09-04", "2012-09-05"):  # asked on the first, sold at the open of the second
        assert command("run", "--ds", ds, *here).code == 0
    assert command("positions", "--json", *here).document == []
    assert command("check", "thread", *here).code == 0
    status = command("status", "--json", *here).document
    assert (status["halted"], status["open_positions"], status["waiting_signals"]) == (True, 0, 0)


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_of_a_command_holds_an_example_of_it(path: str) -> None:
    answer = command(*path.split(), "--help")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(rf"Example: .*goldenthread\s+{path}\b", answer.out)
    assert "--json" in answer.out


@pytest.mark.parametrize("path", COMMANDS)
def test_an_example_uses_only_words_the_command_knows(path: str) -> None:
    for words in examples(COMMANDS[path]):
        assert words[: len(path.split())] == path.split()
        COMMANDS[path].make_context(path, words[len(path.split()) :])  # raises on an unknown flag


def examples(found: TyperCommand) -> list[list[str]]:
    """The words after ``goldenthread`` of every example of a command."""
    texts = re.findall(r"Example: (.+?)(?=\n\s*\n|\n\s*Example:|\Z)", found.help or "", re.DOTALL)
    split = [shlex.split(text) for text in texts]
    return [words[words.index("goldenthread") + 1 :] for words in split]


def test_a_process_of_its_own_ends_with_the_same_codes(summer: Path) -> None:
    told = process("check", "thread", "--json", "--project", str(summer))
    assert (told.code, told.err, told.document["ok"]) == (0, "", True)
    assert process("check", "data", "--project", str(summer)).code == 1


@pytest.mark.slow
def test_the_demo_tells_something_nobody_knew(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    answer = command("demo", str(folder), "--json")
    assert (answer.code, answer.err) == (0, "")
    told: dict[str, Any] = answer.document
    assert all(told["simulated"]["signals"][name] > 0 for name in _DEMO)
    assert "refused" in told["told"]
    assert "<html" in (folder / "reports" / "sim-demo.html").read_text(encoding="utf-8")
    again = command("demo", str(folder), "--json").document
    assert again["simulated"]["days_run"] == 0
    assert again["simulated"]["signals"] == told["simulated"]["signals"]
