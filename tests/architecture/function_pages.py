"""The tables of functions in docs/strategies.md, made from the catalogue.

``python tests/architecture/function_pages.py`` renews them; a test says when they have drifted.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from goldenthread.signals.functions import FUNCTIONS, LANGUAGE, OWN_GROUP, Function, LookbackKind

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"
BEGIN, END = "<!-- functions: begin -->\n", "<!-- functions: end -->\n"
WIDTH = 120


def tables() -> str:
    """Every function as it is written, by group and look-back kind."""
    ours = sorted(FUNCTIONS.values(), key=lambda f: (f.group != OWN_GROUP, f.group))
    parts = [_group(name, list(group)) for name, group in groupby(ours, key=lambda f: f.group)]
    beside = ", ".join(f"`{usage}`" for usage in LANGUAGE.values())
    return f"### Other bars than the symbol's own days\n\n{beside}\n\n" + "".join(parts)


def renewed(page: str) -> str:
    """The page with today's tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}{END}{after}"


def _group(name: str, functions: list[Function]) -> str:
    kinds = [[f for f in functions if f.kind is kind] for kind in LookbackKind]
    return f"### {name}\n\n" + "".join(_paragraph(found) for found in kinds if found)


def _paragraph(functions: list[Function]) -> str:
    items = [f"`{_written(f)}`" for f in sorted(functions, key=lambda f: f.name)]
    lines = [f"{functions[0].kind}:"]
    for number, item in enumerate(items):
        text = item + ("," if number < len(items) - 1 else "")
        if len(lines[-1]) + len(text) + 1 > WIDTH:
            lines.append(text)
        else:
            lines[-1] += f" {text}"
    return "\n".join(lines) + "\n\n"


def _written(function: Function) -> str:
    if len(function.outputs) == 1:
        return function.usage
    call = function.usage.rpartition(".")[0]
    return f"{call}.{'|'.join(function.outputs)}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
