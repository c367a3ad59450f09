"""The seven outputs of docs/explain.md, made from a small project with made-up bars.

``python tests/architecture/explain_page.py`` renews the page; a test says when it has drifted.
"""

from __future__ import annotations

import datetime as dt
import math
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.explain import decisions, explain
from goldenthread.app.api.project import Project
from goldenthread.app.cli.output import emit
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.ids import signal_id
from goldenthread.rules.calendar import sessions
from goldenthread.signals.engine import engine_digest

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
BEGIN, END = "<!-- outputs: begin -->\n", "<!-- outputs: end -->\n"
FIRST, BEGUN, LAST = dt.date(2023, 9, 1), dt.date(2024, 2, 27), dt.date(2024, 4, 12)
EDITED, EDITED_AGAIN = dt.date(2024, 2, 28), dt.date(2024, 4, 5)
"""The strategy was changed after the runs of these dates."""
DECIDED, COINS_DECIDED = dt.date(2024, 3, 1), dt.date(2024, 3, 25)

SETTINGS = """\
[project]
book = "sim:main"

[gates]
max_positions         = 3
max_order_notional    = 100000
max_position_fraction = 0.5
max_crypto_exposure   = 1.0
"""
PULLBACK = """\
strategy_id = "pullback"
description = "Buy a little below a new 20-day high that came with volume"
assets      = ["CLAY", "GOLD", "IRON", "LEAD", "TIN", "ZINC"]

[factors]
high_20      = "LAG(HIGHEST(close, 20), 1)"
volume_ratio = "volume / SMA(volume, 20)"
atr          = "SMA(TRANGE(), 14)"

[entry]
when       = "close > high_20"
order      = "limit"
price      = "close * 0.99"
valid_bars = 3
cancel_if  = "close > LAG(close, 1) * 1.04"
priority   = "volume_ratio"

[reject_unless]
VOLUME_TOO_LOW = "volume_ratio >= 1.5"

[exit]
stop     = "entry - 2 * atr"
targets  = [{ at = "entry + 2 * atr", sell = 0.5 }]
breakeven_after = 1
trail    = "2 * atr"
max_bars = 15

[size]
mode          = "risk"
risk_fraction = 0.01
max_position_fraction = 0.25
"""
COINS = """\
strategy_id = "coins"
description = "Half of the account into each coin that rose by more than 2.5 % in a day"
assets      = ["EMBER/USD", "FROST/USD"]

[entry]
when = "close > LAG(close, 1) * 1.025"

[exit]
stop     = "entry * 0.9"
max_bars = 5

[size]
mode     = "fraction"
fraction = 0.5
"""


class Stock(NamedTuple):
    """A made-up symbol: a wave, then the moves of the days from its decision on.

    ``volume`` is that of the day of the decision, on all others 100,000.
    """

    period: float
    volume: int
    moves: tuple[float, ...]


STOCKS = {
    "GOLD": Stock(6, 220_000, (0.02, -0.015, 0.02, 0.02, 0.015, 0.02, 0.01, -0.01, -0.03, -0.02)),
    "IRON": Stock(7, 110_000, (0.02, -0.015, 0.01, 0.01, 0.02, 0.02)),
    "TIN": Stock(5, 200_000, (0.02, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005)),
    "LEAD": Stock(9, 180_000, (0.02, 0.05, 0.01, -0.02, -0.03)),
    "ZINC": Stock(4, 160_000, (0.02, -0.015, 0.01, 0.01, -0.02, -0.03)),
    "CLAY": Stock(8, 100_000, (-0.01,)),
    "EMBER/USD": Stock(11, 100_000, (0.03, 0.02, 0.01, -0.02, 0.01, 0.01)),
    "FROST/USD": Stock(4, 100_000, (0.03, 0.01, 0.01, 0.01, 0.01, 0.01)),
}
TOLD = {
    "Traded": (
        "GOLD",
        """\
It came down to the limit on the next session and was bought; half was sold at the target, the
rest by the stop that followed the price.""",
    ),
    "Refused by a filter": (
        "IRON",
        """\
The strategy itself said no: the day had too little volume. What that cost or saved is priced by
the same rules as a trade.""",
    ),
    "Refused by a gate": (
        "ZINC",
        """\
The filters passed, but GOLD, TIN and LEAD came first (their `priority` is higher) and the account
takes three positions.""",
    ),
    "Refused by the broker": (
        "FROST/USD",
        """\
Filters and gates passed on the close. EMBER/USD was bought before it and opened dearer than it had
closed, so the broker did not find the money for this one. Its own words stand under the order.""",
    ),
    "Expired": (
        "TIN",
        """\
The limit waited for three sessions, and the price never came down to it.""",
    ),
    "Invalidated": (
        "LEAD",
        """\
The price ran away while the order waited, and the strategy's `cancel_if` ended it.""",
    ),
}
QUIET = "CLAY"


def renewed(page: str) -> str:
    """The page with today's outputs between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    with TemporaryDirectory() as folder:
        project = project_in(Path(folder))
        told = [_told(project, title, *named) for title, named in TOLD.items()]
        told.append(_quiet(project))
    return f"{before}{BEGIN}\n{''.join(told)}{END}{after}"


def _told(project: Project, title: str, symbol: str, about: str) -> str:
    """One signal: what happened in a sentence, then what the command prints."""
    coin = "/" in symbol
    strategy, ds = ("coins", COINS_DECIDED) if coin else ("pullback", DECIDED)
    name = signal_id(ds, strategy, symbol)
    text = explain(project, "sim:main", name).as_text()
    steady = text.replace(engine_digest(), "(changes with the code)")
    return f"## {title}\n\n{about}\n\n```text\n$ goldenthread explain {name[:13]}\n{steady}```\n\n"


def _quiet(project: Project) -> str:
    """Why there was no signal: the table the command prints."""
    with redirect_stdout(StringIO()) as said:
        emit(decisions(project, "sim:main", QUIET, DECIDED.isoformat()), as_json=False)
    table = said.getvalue()
    return f"""## No signal

CLAY did nothing that day. Every strategy of the folder says why it had no signal; the first
comparison that did not hold is shown with both of its values.

```text
$ goldenthread explain {QUIET} {DECIDED}
{table}```

"""


def project_in(folder: Path) -> Project:
    """The project, simulated; one strategy was edited twice on the way."""
    (folder / "strategies").mkdir()
    (folder / "goldenthread.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "strategies" / "coins.toml").write_text(COINS, encoding="utf-8")
    file = folder / "strategies" / "pullback.toml"
    bars = folder / "bars.parquet"
    pl.concat([made_up(symbol, stock) for symbol, stock in STOCKS.items()]).write_parquet(bars)
    project = Project.open(folder)
    report = import_bars(project, bars, {})
    assert (report.refused, report.suspect, report.quarantined) == (0, 0, 0), report
    edits = {
        EDITED: PULLBACK.replace("valid_bars = 3", "valid_bars = 5"),
        EDITED_AGAIN: PULLBACK,
        LAST: PULLBACK.replace("risk_fraction = 0.01", "risk_fraction = 0.02"),
    }
    for until, text in edits.items():
        file.write_text(text, encoding="utf-8")
        simulate(Project.open(folder), "main", (BEGUN, until))
    return Project.open(folder)


def made_up(symbol: str, stock: Stock) -> pl.DataFrame:
    """The bars of one symbol; each session opens where the one before it closed."""
    coin = "/" in symbol
    dates = sessions(AssetClass.CRYPTO if coin else AssetClass.EQUITY, FIRST, LAST)
    decided = dates.index(COINS_DECIDED if coin else DECIDED)
    close, rows = 100.0, []
    for n, ds in enumerate(dates):
        before, move = close, n - decided
        if move < 0:
            close = 100 + math.sin((n - decided + 1) / stock.period + math.pi)
        elif move < len(stock.moves):
            close *= 1 + stock.moves[move]
        before, close = round(before, 2), round(close, 2)
        opened = round(before * 1.01, 2) if coin and move == 1 else before
        rows.append(
            {
                "symbol": symbol,
                "ds": ds,
                "open": opened,
                "high": round(max(opened, close) + 0.3, 2),
                "low": round(min(opened, close) - 0.3, 2),
                "close": close,
                "volume": float(stock.volume if move == 0 else 100_000),
            }
        )
    return pl.DataFrame(rows)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
