"""Settings in layers: goldenthread.toml, then GOLDENTHREAD_* variables, then flags.

The layers are kept apart until each value's origin is known, so that `show-config` and every
message can name the file, the variable or the flag a value came from.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Gates, Policy, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

FILE_NAME = "goldenthread.toml"
PREFIX = "GOLDENTHREAD_"

Origin = Literal["default", "file", "env", "flag"]


def _time_of_day(value: object) -> object:
    if isinstance(value, dt.time) or re.fullmatch(r"\d\d:\d\d(:\d\d)?", str(value)):
        return value
    msg = 'a time of day in UTC, "00:05" for example'
    raise ValueError(msg)


def _key(value: object) -> str:
    """The key without the line end that files and secret managers put behind it."""
    if not re.fullmatch(r"[!-~]*", text := str(value).strip()):
        msg = "letters, digits and signs of ASCII without a space between"
        raise ValueError(msg)
    return text


def _form(pattern: str, allowed: str) -> AfterValidator:
    """Texts of this form alone; ``allowed`` is how a person reads it."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(allowed)
        return text

    return AfterValidator(checked)


_BOOK = _form(
    r"(sim|paper|live):[A-Za-z0-9._-]+", "sim:<name>, paper:<account id> or live:<account id>"
)
_HOST = _form(r"([A-Za-z0-9._-]+:\d+)?", 'host:port of an emulator, "127.0.0.1:8080" for example')
_DATASET = _form(r"[A-Za-z0-9_]{1,1024}", "letters, digits and underscores")
_ENDPOINT = _form(
    r"(https?://[^/\s@]+)?",
    "https://HOST, or http://HOST:PORT of an emulator; empty for Google's own",
)
_URL = _form(
    r"(https?://[^\s/@]+(/[^\s@]*)?)?",
    "an address like http://127.0.0.1:8199, or nothing for Alpaca's own",
)
_Address = Annotated[str, _URL, AfterValidator(lambda url: url.rstrip("/"))]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Project(_Section):
    book: Annotated[str, _BOOK] = "sim:main"


class _Policy(_Section):
    profile: Profile = Policy.model_fields["profile"].default
    slippage_bps: Decimal = Field(default=Policy.model_fields["slippage_bps"].default, ge=0)


class _Sim(_Section):
    start_cash: Decimal = Field(default=Decimal(100_000), gt=0)
    seed: int = 7
    partial_probability: float = Field(default=0.0, ge=0, le=1)
    multiplier: Decimal = Field(default=Decimal(2), ge=1, le=4)


class _HotStore(_Section):
    engine: Literal["sqlite", "firestore"] = "sqlite"
    path: Path = Path("state/hot.sqlite")
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    project: str = ""
    database: str = "(default)"
    emulator_host: Annotated[str, _HOST] = ""


class _Warehouse(_Section):
    engine: Literal["duckdb", "bigquery"] = "duckdb"
    path: Path = Path("warehouse/wh.duckdb")
    read_path: Path = Path("warehouse/wh.read.duckdb")
    lock_timeout_s: float = Field(default=30.0, ge=0, le=3600)
    max_query_bytes: int = Field(default=1_000_000_000, gt=0)
    project: str = ""
    dataset: Annotated[str, _DATASET] = "goldenthread"
    location: str = "US"
    api_endpoint: Annotated[str, _ENDPOINT] = ""
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    job_timeout_s: float = Field(default=600.0, gt=0, le=21_600)


class _MarketData(_Section):
    engine: Literal["parquet", "alpaca"] = "parquet"
    path: Path = Path("data")


class _Broker(_Section):
    engine: Literal["simulated", "alpaca"] = "simulated"
    allow_live: bool = False
    live_account: str = ""  # what --live names; no file and no variable may


class _Alpaca(_Section):
    key_id: Annotated[SecretStr, BeforeValidator(_key)] = SecretStr("")
    secret_key: Annotated[SecretStr, BeforeValidator(_key)] = SecretStr("")
    trading_url: _Address = ""  # empty: Alpaca's own
    data_url: _Address = ""
    admin_url: _Address = ""  # of `goldenthread exchange` only
    feed: Literal["sip", "iex"] = "sip"
    timeout_s: float = Field(default=15.0, gt=0, le=300)
    requests_per_minute: int = Field(default=150, ge=1, le=1_000_000)


class _Notifier(_Section):
    engine: Literal["log", "apprise"] = "log"
    path: Path = Path("logs/notices.jsonl")
    urls: SecretStr = SecretStr("")  # of Apprise, with spaces between; they hold passwords


class _Run(_Section):
    start_after: Annotated[dt.time, BeforeValidator(_time_of_day)] = dt.time(0, 5)
    lease_ttl_s: float = Field(default=60.0, gt=0, le=3600)
    ttl_days: int = Field(default=30, ge=1)
    archive_every: int = Field(default=30, ge=1)
    heartbeat_url: Annotated[SecretStr, BeforeValidator(_key)] = SecretStr("")


class _Factors(_Section):
    enabled: bool = False  # whether the Python code of factors/ may run


class _Benchmarks(_Section):
    equity: str = "SPY"  # empty: none
    crypto: str = "BTC/USD"


class _Serve(_Section):
    token: Annotated[SecretStr, BeforeValidator(_key)] = SecretStr("")


class Settings(_Section):
    """Every setting in force; paths are relative to the project's folder.

    Times end in ``_s`` (seconds) or ``_days``; ``run.archive_every`` counts simulated days.
    """

    project: _Project = _Project()
    gates: Gates = Gates()
    policy: _Policy = _Policy()
    sim: _Sim = _Sim()
    hot_store: _HotStore = _HotStore()
    warehouse: _Warehouse = _Warehouse()
    market_data: _MarketData = _MarketData()
    broker: _Broker = _Broker()
    alpaca: _Alpaca = _Alpaca()
    notifier: _Notifier = _Notifier()
    run: _Run = _Run()
    factors: _Factors = _Factors()
    benchmarks: _Benchmarks = _Benchmarks()
    serve: _Serve = _Serve()

    _origins: dict[tuple[str, str], Origin] = PrivateAttr(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """One value in force and where it came from; a secret shows as asterisks."""

    name: str
    value: str
    origin: Origin


_SECRET = {"key_id", "secret_key", "urls", "heartbeat_url", "token"}

_Layer = dict[str, dict[str, object]]
_KEYS = {
    section: list(model.model_fields)
    for section, field in Settings.model_fields.items()
    if isinstance(model := field.annotation, type) and issubclass(model, BaseModel)
}


def load_settings(
    root: Path,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of the project in ``root``; without a goldenthread.toml, the defaults.

    Args:
        root: The project's folder.
        overrides: What flags say, ``{"project.book": "sim:main"}``; None means not given.
        environ: The environment; by default that of this process.

    Raises:
        UsageError: Names every file, variable or flag that is not right, what was got and what
            is allowed.
    """
    environ = os.environ if environ is None else environ
    layers: dict[Origin, _Layer] = {
        "file": _read_file(root / FILE_NAME),
        "env": _read_environment(environ),
        "flag": _read_flags(overrides or {}),
    }
    _read_alpacas_own(environ, layers["env"])
    values: _Layer = {}
    origins: dict[tuple[str, str], Origin] = {}
    for origin, layer in layers.items():
        for section, items in layer.items():
            _refuse_misplaced(origin, section, items)
            values.setdefault(section, {}).update(items)
            origins.update({(section, key): origin for key in items})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems = [_problem(detail, origins) for detail in error.errors()]
        raise UsageError("\n".join(problems)) from error
    settings._origins.update(origins)  # noqa: SLF001  # known only after the values are
    return settings


def resolved(settings: Settings) -> list[Setting]:
    """Every value in force with its origin, section by section."""
    rows = []
    for section in type(settings).model_fields:
        model: BaseModel = getattr(settings, section)
        for key in type(model).model_fields:
            origin = settings._origins.get((section, key), "default")  # noqa: SLF001  # its reader
            rows.append(Setting(f"{section}.{key}", str(getattr(model, key)), origin))
    return rows


def _read_file(path: Path) -> _Layer:
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}; give this user the right to read it"
        raise UsageError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not valid TOML: {error}; correct that place (https://toml.io)"
        raise UsageError(msg) from error
    for name, items in content.items():
        if not isinstance(items, dict):
            msg = f"{path}: {name} stands outside a section;{_elsewhere(name, '')} {_sections()}"
            raise UsageError(msg)
    return content


def _read_environment(environ: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        section, double, key = variable.removeprefix(PREFIX).lower().partition("__")
        if double:
            layer.setdefault(section, {})[key] = value
        elif home := _home(section):
            msg = f"variable {variable} names no section: write {_variable(home, section)}"
            raise UsageError(msg)
    return layer


def _read_alpacas_own(environ: Mapping[str, str], layer: _Layer) -> None:
    """The keys under the names Alpaca's own tools use, where ours are not set."""
    for key, variable in (("key_id", "APCA_API_KEY_ID"), ("secret_key", "APCA_API_SECRET_KEY")):
        if variable in environ:
            layer.setdefault("alpaca", {}).setdefault(key, environ[variable])


def _refuse_misplaced(origin: Origin, section: str, items: Mapping[str, object]) -> None:
    """Secrets belong in the environment; which account is meant by --live, on the command line.

    Raises:
        UsageError: One of them stands elsewhere.
    """
    given = sorted(key for key in _SECRET if items.get(key))
    if origin == "file" and given:
        msg = (
            f"{_where(origin, section, given[0])}: keys do not belong in a file; remove it and set"
            f" the variable {_variable(section, given[0])}"
        )
        raise UsageError(msg)
    if origin != "flag" and section == "broker" and "live_account" in items:
        msg = (
            f"{_where(origin, 'broker', 'live_account')}: which live account may be traded is"
            " said on the command line only, with --live ACCOUNT_ID; remove it here"
        )
        raise UsageError(msg)


def _read_flags(overrides: Mapping[str, object]) -> _Layer:
    layer: _Layer = {}
    for name, value in overrides.items():
        section, _, key = name.partition(".")
        if value is not None:
            layer.setdefault(section, {})[key] = value
    return layer


def _problem(detail: ErrorDetails, origins: Mapping[tuple[str, str], Origin]) -> str:
    """One sentence: where, what was got, what is allowed."""
    section = str(detail["loc"][0])
    if section not in _KEYS:
        place = next((place for place in origins if place[0] == section), (section, ""))
        where = _where(origins.get(place, "file"), *place)
        return f"{where}: there is no section {section!r};{_similar(section, _KEYS)} {_sections()}"
    key = str(detail["loc"][1])
    where = _where(origins[section, key], section, key)
    if detail["type"] == "extra_forbidden":
        hint = _elsewhere(key, section) or _similar(key, _KEYS[section])
        return f"{where}: no such setting;{hint} allowed: {', '.join(_KEYS[section])}"
    allowed = _WORDS.get(detail["type"]) or re.sub(
        "^(Input should be|Value error,) ", "", detail["msg"]
    )
    secret = key in _SECRET or "@" in str(detail["input"])
    got = "what is not shown here" if secret else repr(detail["input"])
    return f"{where}: got {got}; allowed: {allowed}"


def _where(origin: Origin, section: str, key: str) -> str:
    places = {
        "file": f"{FILE_NAME} [{section}] {key}".strip(),
        "env": f"variable {_variable(section, key)}",
        "flag": f"flag for {section}.{key}",
    }
    return places[origin]


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{section}__{key}".upper()


def _home(key: str) -> str | None:
    return next((section for section, keys in _KEYS.items() if key in keys), None)


def _elsewhere(key: str, section: str) -> str:
    home = _home(key)
    return f" it belongs in [{home}];" if home and home != section else ""


def _similar(name: str, choices: Mapping[str, Any] | list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  # only a wrong name needs it

    close = get_close_matches(name, list(choices), n=1)
    return f" did you mean {close[0]!r}?" if close else ""


def _sections() -> str:
    return f"sections: {', '.join(_KEYS)}"


_WORDS = {
    **dict.fromkeys(("decimal_parsing", "decimal_type", "float_parsing", "float_type"), "a number"),
    **dict.fromkeys(("int_parsing", "int_from_float", "int_type"), "a whole number"),
    "finite_number": "a finite number",
    "path_type": "a path, as text",
    "string_type": "a text",
}
