from __future__ import annotations

from pathlib import Path

import pytest

import goldenthread
from goldenthread.signals.strategy_file import parse_strategy, read_strategy, text_of

FILES = sorted((Path(goldenthread.__file__).parent / "app/templates/strategies").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_text_of_a_strategy_is_read_back_as_it(path: Path) -> None:
    strategy = read_strategy(path)
    odd = strategy.model_copy(update={"description": 'a "quoted" \\ line\nand another'})
    assert parse_strategy(text_of(strategy)) == strategy
    assert parse_strategy(text_of(odd)) == odd
