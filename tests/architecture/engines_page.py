"""The tables of docs/engines.md, made from the contract suites: what each engine was shown to do.

``python tests/architecture/engines_page.py`` renews the page, ``--check`` says whether it has
drifted. A capability is a contract's sentence; a gap is a ``gap`` mark with its reason.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "engines.md"
BEGIN, END = "<!-- contracts: begin -->\n", "<!-- contracts: end -->\n"
PORTS = {
    "hot_store": "Hot store and leases",
    "warehouse": "Warehouse",
    "broker": "Broker",
    "market_data": "Market data",
    "notifier": "Notifier",
}

_Capabilities = dict[str, dict[str, str]]
"""Sentence to engine to the reason of its gap; an empty reason means that it is kept."""


class Contracts:
    """A pytest plugin that takes down what is collected: port, sentence, engine, gap."""

    def __init__(self) -> None:
        self.ports: dict[str, _Capabilities] = defaultdict(lambda: defaultdict(dict))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Called by pytest when everything is collected."""
        for item in session.items:
            assert isinstance(item, pytest.Function)
            (engine,) = self._engines(item)
            gaps = {mark.args[0]: mark.args[1] for mark in item.iter_markers("gap")}
            port = item.path.stem.removeprefix("test_")
            name = item.originalname.removeprefix("test_").replace("_", " ")
            sentence = name[0].upper() + name[1:]
            self.ports[port][sentence].setdefault(engine, gaps.get(engine, ""))

    def _engines(self, item: pytest.Function) -> list[str]:
        known = [getattr(each, "values", (each,))[0] for each in item.module.ENGINES]
        return [str(value) for value in item.callspec.params.values() if value in known]


def collected() -> dict[str, _Capabilities]:
    """Every contract of every port, as pytest collects them."""
    contracts = Contracts()
    quiet = ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main([str(ROOT / "tests" / "contracts"), *quiet], plugins=[contracts])
    assert code is pytest.ExitCode.OK, said.getvalue()
    return contracts.ports


def renewed(page: str) -> str:
    """The page with today's tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    found = collected()
    assert set(found) == set(PORTS), "a port without a heading in PORTS, or without contracts"
    tables = "".join(_table(port, found[port]) for port in PORTS)
    return f"{before}{BEGIN}\n{tables}{END}{after}"


def _table(port: str, capabilities: _Capabilities) -> str:
    engines = list(dict.fromkeys(engine for kept in capabilities.values() for engine in kept))
    reasons: list[str] = []
    lines = [
        f"### {PORTS[port]}\n",
        f"`tests/contracts/test_{port}.py`, {len(capabilities)} contracts.\n",
        f"| | {' | '.join(engines)} |",
        f"|---|{':-:|' * len(engines)}",
    ]
    for sentence, kept in capabilities.items():
        assert set(kept) == set(engines), f"{port}: {sentence!r} does not ask every engine"
        cells = [_cell(kept[engine], reasons) for engine in engines]
        lines.append(f"| {sentence} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {reason}." for number, reason in enumerate(reasons, 1))]
    return "\n".join(lines) + ("\n\n" if reasons else "\n")


def _cell(reason: str, reasons: list[str]) -> str:
    if not reason:
        return "yes"
    if reason not in reasons:
        reasons.append(reason)
    return f"no ({reasons.index(reason) + 1})"


if __name__ == "__main__":
    now = PAGE.read_text(encoding="utf-8")
    new = renewed(now)
    if "--check" in sys.argv:
        sys.exit(0 if now == new else "docs/engines.md has drifted: run `make catalog`")
    PAGE.write_text(new, encoding="utf-8")
