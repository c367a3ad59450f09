"""A strategy as versioned data: what a strategy file says, parsed and checked for form."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from goldenthread.domain.ids import canonical, digest, text_digest

if TYPE_CHECKING:
    from collections.abc import Mapping


class Side(StrEnum):
    """The direction of a strategy, a signal or a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is Side.LONG else -1


class StrategyStatus(StrEnum):
    """Whether a strategy trades, only decides and prices, or rests."""

    ACTIVE = "active"
    SHADOW = "shadow"
    PAUSED = "paused"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Part):
    """When and how to enter; expressions are strings of the expression language."""

    when: str
    order: Literal["market", "limit", "stop"] = "market"
    price: str | None = None
    valid_bars: int = Field(default=1, ge=1, le=250)
    cancel_if: str | None = None
    priority: str | None = None


class Target(_Part):
    """One profit target: where, and which fraction of the position it sells."""

    at: str
    sell: Decimal = Field(gt=0, le=1)


class Exit(_Part):
    """When and how to leave; ``max_bars`` makes every outcome resolve."""

    stop: str
    targets: tuple[Target, ...] = ()
    breakeven_after: int | None = Field(default=None, ge=1)
    trail: str | None = None
    when: str | None = None
    max_bars: int = Field(ge=1, le=1000)


class Size(_Part):
    """How much to buy.

    ``risk``: lose ``risk_fraction`` of equity at the stop; ``fraction``: ``fraction`` of equity;
    ``cash``: a fixed ``cash`` amount; ``equal``: equity / MAX_POSITIONS of the policy;
    ``vol_target``: ``vol_target`` (annual) of equity over the asset's annual volatility.
    """

    mode: Literal["risk", "fraction", "cash", "equal", "vol_target"] = "risk"
    risk_fraction: Decimal | None = Field(default=None, gt=0, le=1)
    fraction: Decimal | None = Field(default=None, gt=0, le=1)
    cash: Decimal | None = Field(default=None, gt=0)
    vol_target: Decimal | None = Field(default=None, gt=0, le=2)
    max_position_fraction: Decimal | None = Field(default=None, gt=0, le=1)
    cooldown_bars: int = Field(default=0, ge=0, le=250)


class Input(_Part):
    """A point-in-time table and for how many days after its ``ds`` a value may be used."""

    table: str
    max_age_days: int = Field(default=7, ge=0, le=400)


class UniverseRule(_Part):
    """A universe by rule: those of ``among`` for which ``rule`` held as the last month ended."""

    rule: str
    among: tuple[str, ...] = Field(min_length=1)


class Strategy(_Part):
    """One strategy file as values; ``factors`` and ``reject_unless`` keep the file's order.

    ``assets`` holds symbols and universe names (``@large_caps``), in the file's order.
    """

    strategy_id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    description: str = ""
    assets: tuple[str, ...] = Field(min_length=1)
    timeframe: Literal["1D"] = "1D"
    side: Side = Side.LONG
    status: StrategyStatus = StrategyStatus.ACTIVE
    params: dict[str, Decimal] = Field(default_factory=dict)
    inputs: dict[str, str | Input] = Field(default_factory=dict)
    factors: dict[str, str] = Field(default_factory=dict)
    entry: Entry
    reject_unless: dict[str, str] = Field(default_factory=dict)
    exit: Exit
    size: Size = Size()
    universes: dict[str, tuple[str, ...] | UniverseRule] = Field(default_factory=dict)
    """Members or rule of each universe named in ``assets``: a change of it is a new version."""
    code: dict[str, str] = Field(default_factory=dict)
    """The text of each file of Python factors it calls, by file: a change is a new version."""

    def canonical(self) -> dict[str, Any]:
        """The configuration as plain JSON values without the description; order is content.

        Mappings whose order matters (factors, filters, targets) become lists of pairs; numbers
        become canonical strings, so ``1.50`` and ``1.5`` are the same configuration. Of code
        there is the sha256 of each file. What came later and is not used (``inputs``, ``code``)
        is left out, so that older versions keep their key.
        """
        later = {name for name in ("inputs", "code") if not getattr(self, name)}
        plain = self.model_dump(mode="python", exclude={"description", *later})
        if self.code:
            plain["code"] = {file: text_digest(text) for file, text in self.code.items()}
        for ordered in ("factors", "reject_unless"):
            plain[ordered] = [[name, text] for name, text in plain[ordered].items()]
        value: dict[str, Any] = canonical(plain)
        return value

    @classmethod
    def from_canonical(
        cls, config: Mapping[str, Any], code: Mapping[str, str] | None = None
    ) -> Strategy:
        """The strategy of a canonical configuration and its code; ``canonical`` undone."""
        ordered = {name: dict(config[name]) for name in ("factors", "reject_unless")}
        return cls.model_validate({**config, **ordered, "code": dict(code or {})})

    @property
    def expressions(self) -> dict[str, str]:
        """Every expression by its place (``exit.targets[1].at``), universes' rules included."""
        entry, leave = self.entry, self.exit
        levels = {f"exit.targets[{n}].at": t.at for n, t in enumerate(leave.targets, start=1)}
        found: dict[str, str | None] = {
            **{f"universes.toml, {name}": by.rule for name, by in self.rules.items()},
            **{f"factors.{name}": text for name, text in self.factors.items()},
            **{f"entry.{n}": getattr(entry, n) for n in ("when", "price", "cancel_if", "priority")},
            **{f"reject_unless.{name}": text for name, text in self.reject_unless.items()},
            **levels,
            **{f"exit.{n}": getattr(leave, n) for n in ("stop", "trail", "when")},
        }
        return {key: text for key, text in found.items() if text is not None}

    @property
    def tables(self) -> dict[str, Input]:
        """The point-in-time table behind each name of ``inputs``."""
        named = self.inputs.items()
        return {n: Input(table=t) if isinstance(t, str) else t for n, t in named}

    @property
    def members(self) -> tuple[str, ...]:
        """The symbols it always decides on: ``assets`` and universes, each once, in order."""
        listed: dict[str, None] = {}
        for asset in self.assets:
            found = self.universes.get(asset[1:], ()) if asset.startswith("@") else (asset,)
            listed.update(dict.fromkeys(() if isinstance(found, UniverseRule) else found))
        return tuple(listed)

    @property
    def rules(self) -> dict[str, UniverseRule]:
        """The universes by rule, which choose further symbols month by month."""
        return {n: u for n, u in self.universes.items() if isinstance(u, UniverseRule)}

    @cached_property
    def version_key(self) -> str:
        """The sha256 of the canonical configuration: equal configuration, equal version."""
        return digest(self.canonical())


class Version(_Part):
    """One SCD2 row of a strategy or a policy: valid in ``[valid_from, valid_to)``."""

    id: str
    version_key: str
    config: str
    """The canonical configuration as JSON text."""
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    git_hash: str = ""
    engine_digest: str = ""
