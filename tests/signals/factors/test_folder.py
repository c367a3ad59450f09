"""A folder of factor files is read only when it is asked for, and never run by being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.signals.factors.folder import MAX_BYTES, FactorFolder
from goldenthread.signals.strategy_file import parse_strategy
from signals.factors.files import SPREAD, folder_of, marked

if TYPE_CHECKING:
    from pathlib import Path

STRATEGY = """strategy_id = "wide"
assets = ["AAPL"]
[factors]
width = "spread(4)"
[entry]
when = "width > 1"
[exit]
stop = "entry - 1"
max_bars = 3
"""


def test_a_strategy_takes_the_files_it_calls_and_no_others(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ranges=SPREAD, other=marked("return close"))
    strategy = parse_strategy(STRATEGY, factors=folder)
    assert strategy.code == {"ranges.py": SPREAD}
    assert parse_strategy(STRATEGY.replace("spread(4)", "ATR(4)"), factors=folder).code == {}


def test_its_version_is_another_when_the_text_of_a_file_it_calls_is_another(tmp_path: Path) -> None:
    first = parse_strategy(STRATEGY, factors=folder_of(tmp_path, ranges=SPREAD))
    other = parse_strategy(
        STRATEGY, factors=folder_of(tmp_path, ranges=SPREAD, more=marked("pass"))
    )
    later = parse_strategy(STRATEGY, factors=folder_of(tmp_path, ranges=SPREAD + "\n# slower"))
    assert first.version_key == other.version_key != later.version_key


def test_while_they_are_off_a_strategy_that_calls_one_is_told_what_to_enable(
    tmp_path: Path,
) -> None:
    folder = folder_of(tmp_path, enabled=False, ranges=SPREAD + "\nraise SystemExit(7)\n")
    said = (
        r"wide.toml, line 4: factors.width: spread is Python code \(factors/ranges.py\), and Python"
        r" factors are off; .* set enabled = true in \[factors\] of goldenthread.toml"
    )
    with pytest.raises(UsageError, match=said):
        parse_strategy(STRATEGY, "wide.toml", folder)


def test_a_strategy_that_calls_none_never_looks_into_the_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, broken="def (")
    plain = STRATEGY.replace("spread(4)", "ATR(4)")
    assert parse_strategy(plain, factors=folder).version_key == parse_strategy(plain).version_key


def test_a_name_that_is_nearly_one_of_them_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ranges=SPREAD)
    with pytest.raises(UsageError, match="unknown function 'spred'; did you mean spread"):
        parse_strategy(STRATEGY.replace("spread", "spred"), factors=folder)
    with pytest.raises(UsageError, match="unknown function 'nothing_like_it'; there are TA-Lib"):
        parse_strategy(STRATEGY.replace("spread", "nothing_like_it"), factors=folder)


def test_a_file_that_is_no_function_of_ours_counts_for_nothing(tmp_path: Path) -> None:
    text = "def spread(high, low, n):\n    return high - low\n"
    folder = folder_of(tmp_path, plain=text, _hidden=SPREAD)
    assert folder.code_of(["spread"]) == {}
    assert FactorFolder().code_of(["spread"]) == {}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "x = 1\ndef ("}, r"factors/a.py, line 2: it is not Python \(.*\); correct it there"),
        ({"a": SPREAD, "b": SPREAD}, "factors/a.py and factors/b.py both define spread; rename it"),
        ({"a": SPREAD, "b": "import a"}, "factors/b.py, line 1: it imports another file of the"),
        ({"a": "\nfrom .b import x"}, "factors/a.py, line 2: it imports another file"),
        ({"a": "from factors.b import x"}, "factors/a.py, line 1: it imports another file"),
        ({"a": marked("pass").replace("def f", "def rank")}, "line 4: rank cannot be its name"),
        ({"a": marked("pass").replace("def f", "def SMA")}, "line 4: SMA cannot be its name"),
        ({"a": "#" * (MAX_BYTES + 1)}, f"a.py is larger than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    folder = folder_of(tmp_path, enabled=True, **files)
    with pytest.raises(UsageError, match=message):
        folder.code_of(["spread"])


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xff\xfe")
    with pytest.raises(
        UsageError, match=r"a.py cannot be read: .*; a factor file is Python in UTF"
    ):
        FactorFolder(tmp_path, enabled=True).code_of(["spread"])
