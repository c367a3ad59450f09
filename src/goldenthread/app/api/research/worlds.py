"""What strategies are tried on: bars, policy and account of a project, or bars of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.desks import load_assets, load_inputs
from goldenthread.app.api.project import Project
from goldenthread.app.api.research.frames import bars_from_frame
from goldenthread.app.settings import load_settings
from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Policy
from goldenthread.market.universe import resolve
from goldenthread.research.backtest.setup import Account
from goldenthread.signals.compilation import compile_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from goldenthread.domain.asset import Asset, CorporateAction
    from goldenthread.domain.strategy import Strategy
    from goldenthread.market.inputs.book import InputBook


@dataclass(frozen=True)
class World:
    """Judged bars of all assets and what goes with them; sweeps are kept below ``root``.

    Without a ``project`` the bars are one's own: strategies are files, every symbol they name
    needs bars, and there are no splits and no point-in-time tables.
    """

    bars: pl.DataFrame
    actions: tuple[CorporateAction, ...]
    assets: Mapping[str, Asset]
    policy: Policy
    account: Account
    root: Path
    project: Project | None = None

    @classmethod
    def of_project(cls, project: Project) -> World:
        """Everything a project has imported, under its policy and account.

        Raises:
            UsageError: No bars were imported yet.
        """
        assets, sim = load_assets(project), project.settings.sim
        return cls(
            bars=judged_bars(project),
            actions=tuple(project.market_data.actions(list(assets))),
            assets=assets,
            policy=project.policy,
            account=Account(sim.start_cash, sim.multiplier),
            root=project.root,
            project=project,
        )

    @classmethod
    def of_frame(cls, bars: object, root: Path) -> World:
        """Bars of one's own, polars or pandas, under the default policy and account.

        Raises:
            UsageError: It is no frame, lacks a column, or its index says nothing.
            DataError: Rows break a rule; the first is named with its reason.
        """
        judged, assets = bars_from_frame(bars)
        return cls(judged, (), {a.symbol: a for a in assets}, Policy(), Account(), root)

    def file(self, named: str | Path) -> Path:
        """The file of a strategy: itself, or in a project the one of the strategy of that id."""
        path = Path(named)
        if self.project is None:
            return path
        own = self.root / "strategies" / f"{named}.toml"
        if own.is_file():
            return own
        return path if path.suffix or path.exists() else self._file_of(str(named))

    def strategies(self, files: Sequence[Path]) -> list[Strategy]:
        """The strategies of these files, universes filled in.

        Universes are those of ``universes.toml`` in the project, or beside the file's folder;
        Python factors those of ``factors/`` there, if its settings enable them.

        Raises:
            UsageError: A file is not right, two claim one id, or bars of one's own lack a symbol.
        """
        found = [self._read(file) for file in files]
        names = [strategy.strategy_id for strategy in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"strategy_id {twice[0]!r} is in two of the files; give each its own"
            raise UsageError(msg)
        if self.project is None:
            for strategy in found:
                self._refuse_without_bars(strategy)
        return found

    def members(self, strategy: Strategy) -> tuple[str, ...]:
        """The symbols a strategy decides on: its assets that there are bars of."""
        return tuple(s for s in resolve(strategy.assets, strategy.universes) if s in self.assets)

    def inputs(self, strategies: Sequence[Strategy]) -> InputBook | None:
        """The values of the point-in-time tables the strategies read; None when they read none.

        Raises:
            UsageError: A table was not imported, or the bars are one's own.
        """
        reading = [strategy for strategy in strategies if strategy.tables]
        if not reading:
            return None
        if self.project is not None:
            return load_inputs(self.project, reading)
        msg = (
            f"{reading[0].strategy_id} reads {', '.join(reading[0].tables)} of [inputs], and bars="
            " brings no tables; ask in a project, without bars=, after"
            " `goldenthread data import-factors`"
        )
        raise UsageError(msg)

    def notes(self, strategy: Strategy) -> list[str]:
        """A sentence each when it decides on nothing or reads what has no bars."""
        found, name = [], strategy.strategy_id
        explicit = [asset for asset in strategy.assets if not asset.startswith("@")]
        read = (*explicit, *compile_strategy(strategy).refs)
        blind = sorted({symbol for symbol in read if symbol not in self.assets})
        if blind:
            found.append(f"{name}: no bars of {', '.join(blind)}")
        if not self.members(strategy):
            found.append(f"{name} decides on nothing: none of its symbols has bars")
        return found

    def _file_of(self, name: str) -> Path:
        files = self.project.strategy_files() if self.project else []
        for file in files:
            if self._read(file).strategy_id == name:
                return file
        known = ", ".join(file.stem for file in files) or "none"
        msg = f"no strategy {name!r}; name a file, or one of strategies/: {known}"
        raise UsageError(msg)

    def _read(self, file: Path) -> Strategy:
        if self.project is not None:
            return self.project.read(file)
        root = file.resolve().parent.parent
        return Project(root, load_settings(root)).read(file)

    def _refuse_without_bars(self, strategy: Strategy) -> None:
        named = [s for s in strategy.assets if not s.startswith("@")]
        reads = compile_strategy(strategy).refs
        lacking = sorted({s for s in (*named, *reads) if s not in self.assets})
        if lacking:
            msg = (
                f"{strategy.strategy_id} names {', '.join(lacking)}, and the bars have"
                f" {', '.join(sorted(self.assets)[:8])}; add the missing bars or take the symbols"
                " out"
            )
            raise UsageError(msg)
