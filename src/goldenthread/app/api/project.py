"""A project: one folder with settings, strategies, bars and the books made from them."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Self

from goldenthread.app.engines.wiring import open_market_data
from goldenthread.app.settings import load_settings
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Policy
from goldenthread.market.universe import load_universes, with_universes
from goldenthread.signals.factors.folder import FactorFolder
from goldenthread.signals.strategy_file import check_rules, read_strategy, with_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldenthread.adapters.market_data.parquet import ParquetMarketData
    from goldenthread.app.settings import Settings
    from goldenthread.domain.strategy import Strategy
    from goldenthread.market.universe import Universes

_BOOK = re.compile(r"(sim|paper|live):[A-Za-z0-9._-]+")
_TEMPLATES = files("goldenthread.app") / "templates"


@dataclass(frozen=True)
class Project:
    """One folder, opened."""

    root: Path
    settings: Settings

    @classmethod
    def open(cls, root: Path, overrides: Mapping[str, object] | None = None) -> Self:
        """The project of the folder.

        Raises:
            UsageError: The folder holds no goldenthread.toml, or one that is not right.
        """
        if not (root / "goldenthread.toml").is_file():
            msg = (
                f"no goldenthread.toml in {root.resolve()}; go to a project's folder, name it with"
                " --project, or make one with `goldenthread init`"
            )
            raise UsageError(msg)
        return cls(root, load_settings(root, overrides))

    def book(self, name: str = "") -> str:
        """The book of that name, or the one of the settings.

        Raises:
            UsageError: The name is not right, or the book needs another broker engine.
        """
        book = name or self.settings.project.book
        if not _BOOK.fullmatch(book):
            msg = (
                f"book {book!r} is not sim:<name>, paper:<account id> or live:<account id>, the"
                " name in letters, digits and . _ -"
            )
            raise UsageError(msg)
        if not book.startswith("sim:") and self.settings.broker.engine != "alpaca":
            msg = (
                f"book {book} is an account at Alpaca, but [broker] engine is"
                f" {self.settings.broker.engine!r}; set it to 'alpaca'"
            )
            raise UsageError(msg)
        return book

    @property
    def policy(self) -> Policy:
        """The gates, sizing caps and fee profile of the settings."""
        return Policy(
            gates=self.settings.gates,
            profile=self.settings.policy.profile,
            slippage_bps=self.settings.policy.slippage_bps,
        )

    @property
    def benchmarks(self) -> dict[AssetClass, str]:
        """The symbol the settings hold accounts against, by asset class; empty for none."""
        chosen = self.settings.benchmarks
        return {AssetClass.EQUITY: chosen.equity, AssetClass.CRYPTO: chosen.crypto}

    @cached_property
    def market_data(self) -> ParquetMarketData:
        """Where bars, assets and corporate actions are stored."""
        return open_market_data(self.settings, self.root)

    @cached_property
    def universes(self) -> Universes:
        """The universes of universes.toml."""
        return universes_in(self.root, self.factors)

    @cached_property
    def factors(self) -> FactorFolder:
        """The Python factors of the folder, which run only where the settings say so."""
        return FactorFolder(self.root / "factors", self.settings.factors.enabled)

    def strategy_files(self) -> list[Path]:
        """The strategy files, by name."""
        return sorted((self.root / "strategies").glob("*.toml"))

    def strategies(self) -> list[Strategy]:
        """Every strategy of the folder with its universes filled in, by id.

        Raises:
            UsageError: A file is not right, or two files claim one id.
        """
        found: dict[str, Strategy] = {}
        for path in self.strategy_files():
            strategy = self.read(path)
            if strategy.strategy_id in found:
                msg = f"{path.name} claims strategy_id {strategy.strategy_id!r}, already taken"
                raise UsageError(msg)
            found[strategy.strategy_id] = strategy
        return [found[name] for name in sorted(found)]

    def read(self, path: Path) -> Strategy:
        """The strategy of a file, with its universes and the code of its Python factors.

        Raises:
            UsageError: The file, a universe or a factor is not right.
        """
        strategy = with_universes(read_strategy(path, self.factors), self.universes)
        return with_code(strategy, self.factors)


def universes_in(folder: Path, factors: FactorFolder) -> Universes:
    """The universes of the folder's ``universes.toml``, every rule checked; none without it.

    Raises:
        UsageError: The file is not right; the message names it, for a rule with its line.
    """
    path = folder / "universes.toml"
    found = load_universes(path)
    check_rules(found, path, factors)
    return found


def init_project(root: Path, *, samples: bool = True) -> list[str]:
    """The files written, sample strategies only if wanted; whatever is there already is kept.

    Raises:
        UsageError: ``root`` is a file, or lies in one.
    """
    for place in (root, *root.parents):
        if place.is_file():
            msg = f"{place} is a file; name a folder, new or there already: goldenthread init desk"
            raise UsageError(msg)
    written = []
    (root / "strategies").mkdir(parents=True, exist_ok=True)
    with as_file(_TEMPLATES) as templates:
        for source in sorted(p for p in templates.rglob("*.toml")):
            target = root / source.relative_to(templates)
            if source.parent.name == "strategies" and not samples:
                continue
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                written.append(str(target))
    return written
