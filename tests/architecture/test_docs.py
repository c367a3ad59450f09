"""What the documents say is so: paths, names, commands, tables, and the tour."""

from __future__ import annotations

import csv
import importlib.util
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from architecture import explain_page, figures_page
from architecture.function_pages import renewed
from architecture.pages import PAGES, ROOT, Block, blocks, defines, leaves, parsed
from goldenthread.app.cli.main import app
from goldenthread.app.settings import load_settings
from goldenthread.domain.strategy import Entry, Exit, Size, Strategy
from goldenthread.reports.figures.benchmark import BenchmarkFigures
from goldenthread.reports.figures.costs import COSTS
from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl, overlaps
from goldenthread.reports.figures.returns import worst_drawdowns
from goldenthread.reports.performance import CurveFigures, TradeFigures, metrics
from goldenthread.signals.binding import bind
from goldenthread.signals.factors.python import functions_in
from goldenthread.signals.indicators import compute
from goldenthread.signals.strategy_file import parse_strategy

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

README = ROOT / "README.md"
TOUR = ROOT / "docs" / "tour.md"
STRATEGIES = ROOT / "docs" / "strategies.md"
ENGINES = ROOT / "docs" / "engines.md"
FIGURES = ROOT / "docs" / "figures.md"
SOURCE = ROOT / "src" / "goldenthread"


def test_every_stop_of_the_tour_names_a_file_and_functions_that_are_there() -> None:
    text = TOUR.read_text(encoding="utf-8")
    assert len(re.findall(r"^\d+\. \*\*", text, re.MULTILINE)) == 10
    named = re.findall(r"`(src/\S+\.py)` · ((?:`[\w.]+`(?:, )?)+)", text)
    named += re.findall(r"`(src/\S+\.py)`\s+\((`\w+`)\)", text)
    assert len(named) == 10 + 5
    for path, names in named:
        for name in re.findall(r"`([\w.]+)`", names):
            assert defines(ROOT / path, name), f"{path} has no {name}"


def test_the_ranks_of_the_tour_are_those_of_the_contract() -> None:
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter")
    ranks = contract["importlinter:contract:flow"]["layers"].split("\n")
    drawn = next(block for block in blocks(TOUR) if "domain" in block.text)
    assert drawn.text.splitlines() == [rank for rank in ranks if rank]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:src|tests|docs|examples)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_parse_and_targets_of_make_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^\$ |^)make ([a-z][a-z-]*)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile, target
    typed = [c for b in blocks(page) for c in b.commands if c.startswith("goldenthread")]
    for command in typed:
        parsed(command)
    verbs = {name for name, _ in leaves()}
    for inline in re.findall(r"`goldenthread ([a-z][a-z-]*(?: [a-z]+)?)", text):
        assert inline in verbs or inline.split()[0] in verbs, inline


def test_every_command_has_an_example_in_its_help_and_it_parses() -> None:
    for name, command in leaves():
        examples = re.findall(r"^Example: (.*)$", command.help or "", re.MULTILINE)
        assert examples, f"{name} has no example"
        for example in examples:
            assert parsed(example) == name, example


def test_the_folders_of_the_package_are_all_in_the_map() -> None:
    listed = re.findall(
        r"^\| `src/goldenthread/(\w+)`", (ROOT / "AGENTS.md").read_text(), re.MULTILINE
    )
    there = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert set(listed) == there


def test_the_functions_are_those_of_the_catalogue() -> None:
    page = STRATEGIES.read_text(encoding="utf-8")
    assert page == renewed(page), "run `make catalog`"


REFUSED = [
    "refused",
    *("alone", "alone_resolved", "alone_open", "alone_unpriceable", "alone_untriggered"),
    *("alone_hit_rate", "alone_average_r", "alone_net_pnl"),
    *("interval", "verdict", "difference", "left"),
]
"""The columns of refusals, of their curves and of the funnel that a page shows."""


def test_every_figure_has_its_formula_unit_and_source() -> None:
    """The tables of docs/figures.md name the figures there are, in their order."""
    page = FIGURES.read_text(encoding="utf-8")
    explained = [
        re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| [^|]+ \| [^|]*\|$", part, re.MULTILINE)
        for part in page.split("\n## ")[1:]
    ]
    told = {"asset_class", "benchmark", "note"}
    nothing = pl.DataFrame()
    held = capital(nothing, nothing, nothing).columns[1:]
    together = correlations(daily_pnl(nothing, nothing, nothing)).columns[2:]
    assert explained == [
        [field.name for field in fields(CurveFigures)],
        [*(field.name for field in fields(TradeFigures)), "turnover"],
        [field.name for field in fields(BenchmarkFigures) if field.name not in told],
        [*held, *together, *overlaps(nothing).columns[2:]],
        ["return", *worst_drawdowns(nothing).columns[3:4], "mfe", "mae"],
        [name for name in COSTS if name not in {"asset_class", "trades"}],
        REFUSED,
    ]
    assert page == figures_page.renewed(page), "run `make catalog`"
    named = {name for part in explained for name in part}
    assert named >= set(metrics(nothing, nothing).as_row())


def test_what_is_said_to_be_that_of_empyrical_is_tested_against_it() -> None:
    claimed = re.findall(
        r"^\| `(\w+)` .*\*\*e\*\*", FIGURES.read_text(encoding="utf-8"), re.MULTILINE
    )
    tests = (ROOT / "tests" / "reports" / "test_performance_references.py").read_text()
    assert claimed
    assert [name for name in claimed if f'"{name}"' not in tests and f".{name} " not in tests] == []


def test_the_engines_can_what_their_contracts_say() -> None:
    script = ROOT / "tests" / "architecture" / "engines_page.py"
    asked = [sys.executable, str(script), "--check"]
    drift = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (drift.returncode, drift.stderr) == (0, "")


def test_the_seven_explanations_are_what_is_printed_today() -> None:
    page = explain_page.PAGE.read_text(encoding="utf-8")
    assert page == explain_page.renewed(page), "run `make catalog`"


def test_the_settings_that_lead_to_the_cloud_are_settings(tmp_path: Path) -> None:
    (shown,) = (block.text for block in blocks(ENGINES) if block.kind == "toml")
    (tmp_path / "goldenthread.toml").write_text(shown, encoding="utf-8")
    variables = re.findall(r"^export (\w+)=", ENGINES.read_text(encoding="utf-8"), re.MULTILINE)
    chosen = load_settings(tmp_path, environ=dict.fromkeys(variables, "secret"))
    assert chosen.project.book.startswith("paper:")
    for port in ("hot_store", "warehouse", "broker", "market_data", "notifier"):
        section = getattr(chosen, port)
        assert section.engine != type(section)().engine, port
    assert chosen.alpaca.secret_key.get_secret_value() == "secret"
    assert chosen.notifier.urls.get_secret_value() == "secret"


def test_every_key_of_a_strategy_is_explained() -> None:
    page = STRATEGIES.read_text(encoding="utf-8")
    keys = set(Strategy.model_fields) - {"entry", "exit", "size", "universes", "code"}
    keys |= {f"entry.{key}" for key in Entry.model_fields} - {"entry.price"}
    keys |= {f"exit.{key}" for key in Exit.model_fields}
    assert {k for k in keys if f"| `{k}`" not in page and f"`[{k}]`" not in page} == set()
    assert {k for k in Size.model_fields if f"`{k}`" not in page and f".{k}`" not in page} == set()


def test_the_shortest_strategy_is_the_same_everywhere_and_right() -> None:
    (shown,) = (b.text for b in blocks(STRATEGIES) if b.kind == "toml")
    (readme,) = (b.text for b in blocks(README) if b.kind == "toml")
    assert shown == readme
    assert parse_strategy(shown).strategy_id == "first"
    toured = tomllib.loads(_tour().STRATEGY)
    assert {**toured, "assets": ["AAPL", "MSFT"]} == tomllib.loads(shown)


def test_the_python_factor_that_is_shown_says_what_it_promises() -> None:
    (shown,) = (b.text for b in blocks(STRATEGIES) if b.kind == "python")
    squeeze = bind("squeeze(3)", {}, functions=functions_in("shown.py", shown))
    assert squeeze.bound is not None
    close, high, low = np.array([[10.0, 20, 5, 4], [3, 4, 5, 6], [1, 1, 1, 1]])
    # ranges 2 3 4 5: (2 + 3 + 4) / 3 / 5, then (3 + 4 + 5) / 3 / 4
    assert compute(squeeze.bound, [close, high, low])[2:].tolist() == pytest.approx([0.6, 1.0])
    assert squeeze.lookback == 2


def test_what_the_readme_types_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(README):
        if block.mark.startswith("file: "):
            _write(tmp_path / block.mark.removeprefix("file: "), block)
        elif block.mark == "runnable" and block.kind == "python":
            exec(block.text, {})  # noqa: S102  # the README's own words
        elif block.mark == "runnable":
            for command in block.commands:
                _type(command, monkeypatch)
    assert (tmp_path / "desk" / "reports" / "sim-first.html").stat().st_size > 5_000
    said = capsys.readouterr().out
    assert "VOLUME_TOO_LOW" in said
    assert "MSFT VOLUME_TOO_LOW" in said  # printed from Python
    assert re.search(r"first +│ 20240301-\w{8} │ +- +│ traded", said)  # explain AAPL 2024-03-01


def test_the_tour_shows_every_stop(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOLDENTHREAD_PROJECT__BOOK", raising=False)
    _tour().main()
    said = capsys.readouterr().out
    assert [int(n) for n in re.findall(r"^ ?(\d+) [a-z]", said, re.MULTILINE)] == list(range(1, 11))
    # equity 100,000 x 0.1 / close 104 = 96.15, whole shares: 96
    assert "symbol=GOLD  status=WAITING  quantity=96" in said
    assert "symbol=IRON  status=REJECTED  reason=VOLUME_TOO_LOW" in said
    # open 104 of the next session, 5 basis points against us
    assert "side=buy  quantity=96  price=104.052" in said
    # out at the target, 104 x 1.05 = 109.20: 96 x (109.20 - 104.052) = 494.208
    assert "exit_reason=TARGET  net_pnl=494.208" in said
    # IRON's path is the same, so the same rules give the same money
    assert "outcome_status=RESOLVED" in said
    assert said.count("net_pnl=494.208") == 2


def _tour() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tour", ROOT / "examples" / "tour.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _type(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, *words = line.split()
    if program == "cd":
        monkeypatch.chdir(words[0])
        return
    assert program == "goldenthread", line
    code = app(words, standalone_mode=False)
    assert not code, f"{line}: exit code {code}"


def _write(path: Path, block: Block) -> None:
    """The file a block shows; of bars the header only, with the bars of the tour below it."""
    if path.suffix != ".csv":
        path.write_text(block.text, encoding="utf-8")
        return
    header = block.text.splitlines()[0].split(",")
    names = {"GOLD": "AAPL", "IRON": "MSFT"}
    rows: list[dict[str, Any]] = _tour().made_up_bars()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="my vendor")
        writer.writeheader()
        writer.writerows({**row, "symbol": names[row["symbol"]]} for row in rows)
