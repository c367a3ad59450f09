"""The demo: a project of its own, real bars, two years of days, and what they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.told import told_line
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import facts
from goldenthread.app.api.reporting import write_report
from goldenthread.app.cli.output import emit, say
from goldenthread.app.cli.progress import bar, working
from goldenthread.app.demo import FIRST, LAST, demo_bars
from goldenthread.app.settings import FILE_NAME

if TYPE_CHECKING:
    from pathlib import Path

_BOOK = "demo"
_SUMMARY = """
SELECT strategy_id, trades, win_rate, profit_factor, net_pnl, rejected, expired, invalidated,
       refused_net_pnl
FROM summary_strategy_performance
WHERE book = @book AND @first <= @last
ORDER BY strategy_id
"""


def show_demo(folder: Path, *, as_json: bool) -> None:
    """Build the demo in ``folder`` and show what came of it; done before, it only shows."""
    if str(folder / FILE_NAME) in init_project(folder):
        _prefer_its_book(folder / FILE_NAME)
    project = Project.open(folder)
    with working("reading and judging bars"):
        _import(project)
    with bar("two years, day by day") as progress:
        result = simulate(project, _BOOK, (FIRST, LAST), progress=progress)
    with working("drawing the report"):
        report = write_report(project, result.book).report
    line = told_line(project, result.book)
    if as_json:
        emit({"simulated": result, "told": line, "report": report}, as_json=True)
        return
    counts = {name: number for name, number in result.signals.items() if name != "generated"}
    emit([counts], as_json=False, title=f"{result.signals['generated']} signals and their ends")
    emit(facts(project, result.book, _SUMMARY), as_json=False, title="strategies")
    gain = result.equity / result.start_equity - 1
    say(f"equity {result.start_equity:,.0f} -> {result.equity:,.2f} ({gain:+.2%})")
    say("DAWN/USD and DUSK/USD are SYNTHETIC; the five stocks are real")
    say(f"{line}.")
    say(f"report: {report}")
    say(f"look around: cd {folder}; goldenthread signals --outcome traded --last 60d")


def _prefer_its_book(settings: Path) -> None:
    """Make the demo's book the one that commands in its folder mean."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('"sim:main"', f'"sim:{_BOOK}"', 1), encoding="utf-8")


def _import(project: Project) -> None:
    """The demo's bars into the project, by the way every user's bars take."""
    file = project.root / "demo_bars.parquet"
    if not file.exists():
        fresh = file.with_suffix(".new")
        demo_bars().write_parquet(fresh)
        fresh.replace(file)
    if not project.market_data.assets():
        import_bars(project, file, {})
