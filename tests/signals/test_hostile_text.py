"""Whatever stands in a strategy file reaches neither code nor files, and is answered at once."""

from __future__ import annotations

import sys
import time
import tracemalloc
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.domain.errors import UsageError
from goldenthread.signals.binding import bind
from goldenthread.signals.calls import COLUMNS
from goldenthread.signals.expressions import MAX_LENGTH, calls, names, parse, walk
from goldenthread.signals.functions import FUNCTIONS, LANGUAGE
from goldenthread.signals.indicators import talib_lookback
from goldenthread.signals.strategy_file import MAX_BYTES, parse_strategy, read_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS, MEBIBYTES = 10.0, 64
"""What one text may cost at most; on an idle machine the dearest takes a tenth of that."""
REACHES = ("exec", "open", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.")
"""Beginnings of what Python tells an audit hook when code is run or the outside is touched."""
OPERATIONS = {
    *("number", "name", "text", "call", "output", "neg", "not", "and", "or", "if"),
    *("+", "-", "*", "/", "%", "**", "<", "<=", ">", ">=", "==", "!="),
}

STRATEGY = """
strategy_id = "hostile"
assets = ["AAPL"]
timeframe = "1D"
side = "long"
[params]
p = 3
[entry]
when = "close > p"
[exit]
stop = "entry * 0.9"
max_bars = 5
[size]
mode = "risk"
risk_fraction = 0.01
"""


talib_lookback(FUNCTIONS["SMA"], (3.0,))  # TA-Lib is loaded once, at the first look-back


class _Watch:
    """What is reached while ``on``; a hook cannot be taken away again."""

    def __init__(self) -> None:
        self.on = False
        self.reached: list[str] = []
        sys.addaudithook(self.note)

    def note(self, event: str, details: tuple[object, ...]) -> None:
        if self.on and event.startswith(REACHES):
            self.reached.append(f"{event} {details!r:.80}")


WATCH = _Watch()


@contextmanager
def bounded() -> Iterator[None]:
    """Nothing is reached inside, and neither time nor memory goes beyond measure."""
    WATCH.reached.clear()
    tracemalloc.start()
    begun = time.perf_counter()
    WATCH.on = True
    try:
        yield
    finally:
        WATCH.on = False
        spent, (_, peak) = time.perf_counter() - begun, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert WATCH.reached == []
    assert spent < SECONDS
    assert peak < MEBIBYTES * 2**20


REACHING = [
    "__import__('os').system('true')",
    "__import__",
    "().__class__.__bases__[0].__subclasses__()",
    "close.__class__",
    "close.__class__.__mro__",
    "SMA.__globals__",
    "SMA(close, 3).__class__",
    "SMA(close, 3).__init__.__globals__",
    "BBANDS(close, 20, 2, 2).upperband.__class__",
    "ref('SPY', close).__class__",
    "ref('../../secret', close)",
    "ref('/etc/passwd', close) > 1",
    "on('__import__', close)",
    "open('secret.txt')",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "getattr(close, 'x')",
    "globals()",
    "vars()",
    "breakpoint()",
    "input()",
    "(lambda: 1)()",
    "[x for x in (1, 2)]",
    "{1: 2}",
    "(x := 1)",
    "f'{close}'",
    "'%s' % close",
    "b'close'",
    "close @ close",
    "close if open('x') else 1",
    "SMA(*close)",
    "SMA(**close)",
    "SMA(close, timeperiod=__import__('os'))",
    "await close",
    "yield close",
    "import os",
    "close; import os",
    "close\nimport os",
    "__builtins__",
    "None",
    "...",
    "__name__ == '__main__'",
    "\N{FULLWIDTH LATIN SMALL LETTER E}val(1)",
    "close\x00",
]
EXHAUSTING = [
    "9**9**9**9**9",
    "(-1)**0.5",
    "2**10**9",
    "10**400",
    "1e308*10",
    "0x" + "f" * 1_990,
    "9" * 1_999,
    "1_0" * 600,
    "1e" + "9" * 1_900,
    "'a' * 10**9",
    "(" * 900 + "1" + ")" * 900,
    "-" * 1_990 + "1",
    "not " * 490 + "1",
    "1" + "+1" * 990,
    "1" + "**2" * 660,
    "1<" * 900 + "1",
    "ABS(" * 390 + "close" + ")" * 390,
    "1 if 1 else " * 160 + "1",
    "a" + ".b" * 990,
    "close" + "[0]" * 660,
    "LAG(" * 40 + "close" + ", 2000)" * 40,
    "SMA(" * 40 + "close" + ", 2000)" * 40,
    "SMA(close, 10**300)",
    "close and " * 190 + "close > 1",
    "rank(" * 40 + "close" + ")" * 40,
    "OBV(2000) + " * 150 + "1",
    "a" * MAX_LENGTH,
    "'" + "a" * (MAX_LENGTH - 2) + "'",
    " " * 1_999 + "1",
    "close > 1" + " " * 10**6,
    "\n" * 1_999,
]


@pytest.mark.parametrize("text", REACHING)
def test_no_expression_reaches_code_or_files(text: str) -> None:
    with bounded(), pytest.raises(UsageError):
        bind(text, {})
    with bounded(), pytest.raises(UsageError):
        parse_strategy(STRATEGY.replace('"close > p"', f"'''{text}'''"))


@pytest.mark.parametrize("text", EXHAUSTING, ids=lambda text: f"{text[:12]}… {len(text)}")
def test_no_expression_takes_time_or_memory_beyond_measure(text: str) -> None:
    with bounded(), suppress(UsageError):
        bind(text, {}, condition=True)


pieces = st.sampled_from(
    [
        *("__import__", "__class__", "__globals__", "eval", "open", "os", "close", "SMA", "ref"),
        *("('os')", ".system", ".__init__", "()", "(close, 3)", "[0]", "{", "}", "lambda: ", ":="),
        *("**", "9", "10**9", " if ", " else ", " and ", " not ", "'x'", '"', ",", "(", ")", "@"),
        *("f'{close}'", "*", "1e999", "0xffffffff", "\n", "\t", ".", "=", "<", ">"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=24).map("".join) | st.text(max_size=200))
def test_any_text_becomes_a_tree_of_our_own_parts_or_an_error(text: str) -> None:
    with bounded(), suppress(UsageError):
        tree = parse(text)
        assert all(node.op in OPERATIONS and type(node.value) is float for node in walk(tree))
        bind(text, {})
        assert calls(tree) <= {*FUNCTIONS, *LANGUAGE}
        assert names(tree) <= set(COLUMNS)


HUGE = {
    "a whole number of 60,000 digits": STRATEGY.replace("p = 3", "p = " + "9" * 60_000),
    "a hexadecimal one": STRATEGY.replace("p = 3", "p = 0x" + "f" * 60_000),
    "a whole number of bars": STRATEGY.replace("max_bars = 5", "max_bars = 0x" + "f" * 3_000),
    "an exponent": STRATEGY.replace("p = 3", "p = 1e999999999"),
    "a small exponent": STRATEGY.replace("p = 3", "p = 1e-999999999"),
    "nan": STRATEGY.replace("p = 3", "p = nan"),
    "lists in lists": STRATEGY.replace("p = 3", "p = " + "[" * 30_000),
    "tables in tables": STRATEGY.replace("p = 3", "p = " + "{a=" * 20_000),
    "a key of 30,000 parts": STRATEGY + "a." * 30_000 + "a = 1",
    "many keys": STRATEGY + "".join(f"k{n} = 1\n" for n in range(6_000)),
    "many tables": STRATEGY + "".join(f"[t{n}]\n" for n in range(6_000)),
    "many factors": STRATEGY + "[factors]\n" + "".join(f'f{n} = "1"\n' for n in range(4_000)),
    "a chain of factors": STRATEGY
    + "[factors]\nf0 = 'close'\n"
    + "".join(f"f{n} = 'f{n - 1} + f{n - 1}'\n" for n in range(1, 40)),
    "many assets": STRATEGY.replace('["AAPL"]', str([f"A{n}" for n in range(8_000)])),
    "a long name": STRATEGY.replace("hostile", "h" * 60_000),
    "a long text": STRATEGY.replace("close > p", "close > p" + " " * 60_000),
    "a path for a name": STRATEGY.replace("hostile", "../../../hostile"),
    "a path for an asset": STRATEGY.replace("AAPL", "../../secret"),
    "a path for a universe": STRATEGY.replace("AAPL", "@../../secret"),
    "a path for a table": STRATEGY + "[inputs]\nscore = '../../secret'\n",
    "a pointer out of the file": STRATEGY.replace("p = 3", "p = ${SECRET}"),
}


@pytest.mark.parametrize("name", HUGE)
def test_no_strategy_file_takes_time_or_memory_beyond_measure(name: str) -> None:
    with bounded(), suppress(UsageError):
        parse_strategy(HUGE[name])


@pytest.mark.parametrize("name", [name for name in HUGE if name.startswith("a path")])
def test_no_name_in_a_strategy_file_is_a_path(name: str) -> None:
    with pytest.raises(UsageError):
        parse_strategy(HUGE[name])


def test_a_larger_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(UsageError, match="is larger than"):
        read_strategy(path)
