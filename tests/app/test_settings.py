"""Settings: which layer wins, what is refused, and in which words."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import traceback
from contextlib import suppress
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from goldenthread.app.settings import FILE_NAME, Settings, load_settings, resolved
from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Gates, Policy

NO_VARIABLES: dict[str, str] = {}


def write(root: Path, text: str) -> Path:
    (root / FILE_NAME).write_text(text, encoding="utf-8")
    return root


def refused(root: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_settings(write(root, text), environ=NO_VARIABLES)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_a_file_everything_is_a_default(tmp_path: Path) -> None:
    found = load_settings(tmp_path, environ=NO_VARIABLES)
    assert found == Settings()
    assert found.project.book == "sim:main"
    assert found.gates == Gates()
    assert (found.policy.profile, found.policy.slippage_bps) == ("paper", Policy().slippage_bps)
    assert (found.sim.start_cash, found.sim.seed) == (Decimal(100_000), 7)
    assert found.hot_store.path == Path("state/hot.sqlite")
    assert found.run.start_after == dt.time(0, 5)
    assert (found.benchmarks.equity, found.benchmarks.crypto) == ("SPY", "BTC/USD")
    assert {row.origin for row in resolved(found)} == {"default"}


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, '[sim]\nseed = 1\nstart_cash = 10.5\nmultiplier = 3\n[project]\nbook = "sim:f"')
    environ = {"GOLDENTHREAD_SIM__SEED": "2", "GOLDENTHREAD_SIM__START_CASH": "20.5", "HOME": "/h"}
    found = load_settings(tmp_path, {"sim.seed": 3, "project.book": None}, environ)
    assert (found.sim.seed, found.sim.start_cash) == (3, Decimal("20.5"))
    assert (found.sim.multiplier, found.project.book) == (Decimal(3), "sim:f")
    origins = {row.name: (row.value, row.origin) for row in resolved(found)}
    assert origins["sim.seed"] == ("3", "flag")
    assert origins["sim.start_cash"] == ("20.5", "env")
    assert origins["sim.multiplier"] == ("3", "file")
    assert origins["project.book"] == ("sim:f", "file")
    assert origins["sim.partial_probability"] == ("0.0", "default")


def test_the_environment_of_the_process_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_HOT_STORE__PATH", "elsewhere/hot.sqlite")
    assert load_settings(tmp_path).hot_store.path == Path("elsewhere/hot.sqlite")


def test_the_shipped_file_names_every_setting_with_its_default(tmp_path: Path) -> None:
    template = (files("goldenthread.app") / "templates" / FILE_NAME).read_text(encoding="utf-8")
    found = load_settings(write(tmp_path, template), environ=NO_VARIABLES)
    assert found.model_dump() == Settings().model_dump()
    elsewhere = ["broker.live_account", "alpaca.key_id", "alpaca.secret_key", "notifier.urls"]
    elsewhere += ["run.heartbeat_url", "serve.token"]
    assert [row.name for row in resolved(found) if row.origin != "file"] == elsewhere


def test_a_fraction_in_the_file_is_exact_money(tmp_path: Path) -> None:
    write(tmp_path, "[gates]\nmax_position_fraction = 0.1")
    found = load_settings(tmp_path, environ=NO_VARIABLES)
    assert found.gates.max_position_fraction == Decimal("0.1")


def test_a_file_from_an_editor_that_marks_utf_8_is_read(tmp_path: Path) -> None:
    write(tmp_path, '\ufeff[hot_store]\npath = "größe.sqlite"')
    found = load_settings(tmp_path, environ=NO_VARIABLES)
    assert found.hot_store.path == Path("größe.sqlite")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    found = load_settings(tmp_path, environ=NO_VARIABLES)
    with pytest.raises(ValidationError, match="frozen"):
        found.sim.seed = 8  # type: ignore[misc]  # what is tried


def test_a_secret_is_shown_as_asterisks(tmp_path: Path) -> None:
    class Keys(BaseModel):
        secret_key: SecretStr = SecretStr("swordfish")

    class WithKeys(Settings):
        keys: Keys = Keys()

    shown = {row.name: row.value for row in resolved(WithKeys())}
    assert shown["keys.secret_key"] == "**********"
    unknown = refused(tmp_path, '[sim]\nsecret_key = "swordfish"')
    assert "swordfish" not in unknown


def test_the_addresses_of_notices_are_secret(tmp_path: Path) -> None:
    urls = "mailto://me:swordfish@host  json://h"
    found = load_settings(tmp_path, environ={"GOLDENTHREAD_NOTIFIER__URLS": urls})
    shown = {row.name: row.value for row in resolved(found)}
    assert shown["notifier.urls"] == "**********"
    assert "swordfish" not in repr(found)
    assert found.notifier.urls.get_secret_value().split() == [
        "mailto://me:swordfish@host",
        "json://h",
    ]


@pytest.mark.parametrize(
    "urls", ["'json://me:swordfish@h'", "['swordfish']", "5", "{a = 'swordfish'}"]
)
def test_addresses_of_notices_in_a_file_are_refused_unseen(tmp_path: Path, urls: str) -> None:
    said = refused(tmp_path, f"[notifier]\nurls = {urls}\npath = 5")
    assert said.startswith("goldenthread.toml [notifier] urls: keys do not belong in a file")
    assert "variable GOLDENTHREAD_NOTIFIER__URLS" in said
    assert "swordfish" not in said


def test_a_key_loses_the_line_end_of_the_file_it_came_from(tmp_path: Path) -> None:
    found = load_settings(tmp_path, environ={"APCA_API_SECRET_KEY": "swordfish\n"})
    assert found.alpaca.secret_key.get_secret_value() == "swordfish"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("APCA_API_SECRET_KEY", "sword fish"),
        ("APCA_API_KEY_ID", "sword\r\nfish"),
        ("GOLDENTHREAD_ALPACA__SECRET_KEY", "swordfish\u2019"),
        ("GOLDENTHREAD_ALPACA__TRADING_URL", "https://me:swordfish@host"),
        ("GOLDENTHREAD_ALPACA__ADMIN_URL", "http://host/swordfish@x"),
        ("GOLDENTHREAD_WAREHOUSE__API_ENDPOINT", "https://me:swordfish@host"),
        ("GOLDENTHREAD_HOT_STORE__EMULATOR_HOST", "me:swordfish@host:80"),
    ],
)
def test_a_secret_that_is_refused_is_not_shown(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, environ={variable: value})
    told = "".join(traceback.format_exception(caught.value))
    assert "got what is not shown here; allowed: " in told
    assert "fish" not in told


@pytest.mark.parametrize("text", ["[sim]\nseed = " + "9" * 5_000, "a = " + "[" * 5_000])
def test_numbers_and_nesting_beyond_measure_are_no_bug_of_ours(tmp_path: Path, text: str) -> None:
    assert "is not valid TOML" in refused(tmp_path, text)


REFUSED = {
    "a misspelt key": (
        "[gates]\nmax_positons = 5",
        "goldenthread.toml [gates] max_positons: no such setting; did you mean 'max_positions'? a",
    ),
    "a key of another section": (
        '[sim]\nbook = "sim:x"',
        "goldenthread.toml [sim] book: no such setting; it belongs in [project]; allowed:",
    ),
    "a misspelt section": (
        "[gate]\nmax_positions = 5",
        "[gate] max_positions: there is no section 'gate'; did you mean 'gates'? sections: project",
    ),
    "an empty unknown section": ("[zzz]", "goldenthread.toml [zzz]: there is no section 'zzz';"),
    "a key outside a section": (
        'book = "sim:x"',
        "goldenthread.toml: book stands outside a section; it belongs in [project]; sections:",
    ),
    "a section that is a value": ("gates = 5", "gates stands outside a section; sections:"),
    "a section that is a list": ("[[gates]]\nmax_positions = 5", "gates stands outside a section"),
    "a text for a number": (
        '[gates]\nmax_positions = "ten"',
        "[gates] max_positions: got 'ten'; allowed: a whole number",
    ),
    "a part for a whole": ("[sim]\nseed = 1.5", "[sim] seed: got 1.5; allowed: a whole number"),
    "a number out of range": (
        "[gates]\nmax_positions = 0",
        "[gates] max_positions: got 0; allowed: greater than or equal to 1",
    ),
    "an infinite number": ("[sim]\nstart_cash = inf", "start_cash: got inf; allowed: a finite"),
    "no number at all": ("[sim]\npartial_probability = nan", "partial_probability: got nan"),
    "a list for a number": ("[sim]\nstart_cash = [1]", "got [1]; allowed: a number"),
    "a number for a path": ("[hot_store]\npath = 5", "got 5; allowed: a path, as text"),
    "an unknown profile": (
        '[policy]\nprofile = "live"',
        "[policy] profile: got 'live'; allowed: 'paper' or 'live_like'",
    ),
    "an engine there is not": (
        '[hot_store]\nengine = "redis"',
        "[hot_store] engine: got 'redis'; allowed: 'sqlite' or 'firestore'",
    ),
    "an emulator without a port": (
        '[hot_store]\nemulator_host = "localhost"',
        "[hot_store] emulator_host: got 'localhost'; allowed: host:port of an emulator",
    ),
    "a book without a name": (
        '[project]\nbook = "sim:"',
        "[project] book: got 'sim:'; allowed: sim:<name>, paper:<account id> or live:<account id>",
    ),
    "a time that is none": ('[run]\nstart_after = "5 past"', 'a time of day in UTC, "00:05"'),
    "seconds for a time": ("[run]\nstart_after = 5", "got 5; allowed: a time of day"),
    "an hour too many": ('[run]\nstart_after = "24:05"', "start_after: got '24:05'"),
    "broken TOML": ("[sim\nseed = 1", "is not valid TOML: Expected ']' at the end of a table"),
    "a key twice": ("[sim]\nseed = 1\nseed = 2\n", "(at line 3, column 9)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_file_is_refused_with_place_value_and_what_is_allowed(
    tmp_path: Path, case: str
) -> None:
    text, message = REFUSED[case]
    assert message in refused(tmp_path, text)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    told = refused(tmp_path, "[sim]\nseed = 'x'\nsed = 1\n[gates]\nmax_positions = 0").splitlines()
    assert len(told) == 3


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe\x00seed")
    with pytest.raises(UsageError, match=r"goldenthread\.toml is not valid TOML"):
        load_settings(tmp_path, environ=NO_VARIABLES)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(UsageError, match=r"cannot be read: Is a directory"):
        load_settings(tmp_path, environ=NO_VARIABLES)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "GOLDENTHREAD_SIM__SEED",
            "x",
            "variable GOLDENTHREAD_SIM__SEED: got 'x'; allowed: a whole number",
        ),
        (
            "GOLDENTHREAD_SIM__SED",
            "1",
            "variable GOLDENTHREAD_SIM__SED: no such setting; did you mean 'seed'?",
        ),
        (
            "GOLDENTHREAD_SIMS__SEED",
            "1",
            "variable GOLDENTHREAD_SIMS__SEED: there is no section 'sims'; did you mean 'sim'?",
        ),
        (
            "GOLDENTHREAD_BOOK",
            "sim:x",
            "variable GOLDENTHREAD_BOOK names no section: write GOLDENTHREAD_PROJECT__BOOK",
        ),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, environ={variable: value})
    assert message in str(caught.value)


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    environ = {"GOLDENTHREAD_SHARED": "/data", "GOLDEN__X": "1"}
    assert load_settings(tmp_path, environ=environ) == Settings()


def test_a_wrong_flag_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"flag for project\.book: got 'mine'; allowed: sim:"):
        load_settings(tmp_path, {"project.book": "mine"}, NO_VARIABLES)


WORDS = st.sampled_from(
    ["[", "]", "[sim]", "[[gates]]", "seed", "max_positions", "book", "=", ".", "\n", '"', "'", "1"]
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=40) | st.lists(WORDS, max_size=15).map(" ".join).map(str.encode))
def test_any_file_is_read_or_refused_never_worse(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with suppress(UsageError):
        load_settings(tmp_path, environ=NO_VARIABLES)


def test_reading_settings_loads_no_heavy_library() -> None:
    heavy = {"polars", "numpy", "duckdb", "talib", "pyarrow", "asyncio", "sqlglot"}
    code = "import sys, goldenthread.app.settings; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy & set(done.stdout.split()) == set()
