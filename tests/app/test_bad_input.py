"""What a person or a disk can get wrong: one message, the right exit code, nothing spoiled."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from app.command import Answer, command, contents, process
from goldenthread.adapters.hot_store import sqlite_file
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.desk import LEASE
from goldenthread.app.engines.wiring import open_hot_store
from goldenthread.app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

RUN = ("run", "--ds", "2012-06-29")
LOG = "logs/notices.jsonl"
CROSS = "strategies/golden_cross.toml"
NO_FILE = b"neither a database nor a table, but long enough to be looked at " * 200
DROP_RIGHTS = "dac_override", "dac_read_search"

pytestmark = pytest.mark.xdist_group("bad input")


class Case(NamedTuple):
    """A command, what was spoiled before it, its exit code, and words its message has.

    The message names what was got, what is allowed and what to do: a word of each at least.
    """

    words: tuple[str, ...]
    code: int
    says: tuple[str, ...]
    spoil: Callable[[Path], None] = lambda _: None


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return spoil


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


STRATEGIES = {
    "malformed": Case(
        RUN, 2, ("bad.toml", "not TOML", "quotes"), write("strategies/bad.toml", 'strategy_id = "x')
    ),
    "not text": Case(
        RUN, 2, ("bad.toml", "UTF-8"), write("strategies/bad.toml", b"\xff\xfe\x00\x01")
    ),
    "unknown key": Case(
        RUN,
        2,
        ("entry.whenn", "did you mean when", "allowed"),
        edit(CROSS, "when     =", "whenn    ="),
    ),
    "unknown function": Case(
        RUN, 2, ("line 9", "'SAM'", "SMA"), edit(CROSS, "SMA(close, 10)", "SAM(close, 10)")
    ),
    "unknown name": Case(
        RUN, 2, ("factors.fast", "'clse'", "close"), edit(CROSS, "SMA(close, 10)", "SMA(clse, 10)")
    ),
    "code in an expression": Case(
        RUN, 2, ("factors.fast",), edit(CROSS, "SMA(close, 10)", "__import__('os').getcwd()")
    ),
    "unknown universe": Case(
        RUN, 2, ("'@fonds'", "@funds", "add it"), edit(CROSS, '"@funds"', '"@fonds"')
    ),
    "two of one id": Case(
        RUN, 2, ("hammer_watch", "already"), edit(CROSS, '"golden_cross"', '"hammer_watch"')
    ),
    "intraday": Case(RUN, 2, ("1D", "daily bars only"), edit(CROSS, '"1D"', '"5m"')),
    "never ending": Case(RUN, 2, ("max_bars", "mandatory"), edit(CROSS, "max_bars = 120", "")),
    "new: a name that is none": Case(
        ("strategy", "new", "My Strategy"), 2, ("'My Strategy'", "lower case")
    ),
    "new: a name that leads elsewhere": Case(
        ("strategy", "new", "../evil"), 2, ("'../evil'", "lower case")
    ),
    "new: a name that is taken": Case(
        ("strategy", "new", "golden_cross"), 2, ("there already", "another name")
    ),
    "diff of one there is not": Case(
        ("strategy", "diff", "golden_cros"), 2, ("golden_cros", "golden_cross")
    ),
    "history of one there is not": Case(
        ("strategy", "history", "nosuch"), 2, ("nosuch", "golden_cross")
    ),
}
BARS = {
    "no file": Case(
        ("data", "import", "{}/new.csv"), 2, ("new.csv is not a file", "give the path")
    ),
    "no column": Case(
        ("data", "import", "{}/new.csv"),
        2,
        ("no column for volume", "'close'", "--map volume="),
        write("new.csv", "symbol,ds,open,high,low,close\nZZ,2012-01-03,1,1,1,1\n"),
    ),
    "no rows": Case(
        ("data", "import", "{}/new.csv"),
        2,
        ("no rows", "one row"),
        write("new.csv", "symbol,ds,open,high,low,close,volume\n"),
    ),
    "empty file": Case(
        ("data", "import", "{}/new.csv"), 2, ("empty", "names"), write("new.csv", "")
    ),
    "no Parquet": Case(
        ("data", "import", "{}/new.parquet"), 2, ("Parquet", "give"), write("new.parquet", NO_FILE)
    ),
    "a map without a column": Case(
        ("data", "import", "{}/bars.parquet", "--map", "close"), 2, ("'close'", "OURS=THEIRS")
    ),
    "a map of nothing we have": Case(
        ("data", "import", "{}/bars.parquet", "--map", "closs=close"), 2, ("'closs'", "close")
    ),
    "a map from nothing there is": Case(
        ("data", "import", "{}/bars.parquet", "--map", "close=Adj"), 2, ("'Adj'", "'close'")
    ),
    "actions there are not": Case(
        ("data", "import", "{}/bars.parquet", "--actions", "{}/x.csv"), 2, ("no actions", "give")
    ),
    "actions that cannot be read": Case(
        ("data", "import", "{}/bars.parquet", "--actions", "{}/x.csv"),
        2,
        ("x.csv", "nothing was taken"),
        write("x.csv", "symbol,kind,ex_ds,ratio\nAAPL,SPLIT,2012-06-01,nan\n"),
    ),
    "pulled from nowhere": Case(("data", "pull"), 2, ("'parquet'", "data import")),
}
SETTINGS = {
    "no project": Case(RUN, 2, ("no goldenthread.toml", "init"), remove("goldenthread.toml")),
    "not TOML": Case(RUN, 2, ("not valid TOML", "line 1"), write("goldenthread.toml", "[sim\n")),
    "not text": Case(RUN, 2, ("goldenthread.toml",), write("goldenthread.toml", b"\xff\xfe\x00")),
    "unknown key": Case(
        RUN,
        2,
        ("[sim] start_cahs", "start_cash", "allowed"),
        write("goldenthread.toml", "[sim]\nstart_cahs = 5\n"),
    ),
    "unknown section": Case(
        RUN, 2, ("'smi'", "'sim'", "sections"), write("goldenthread.toml", "[smi]\nseed = 5\n")
    ),
    "value out of range": Case(
        RUN, 2, ("[sim] seed", "'x'", "whole"), write("goldenthread.toml", '[sim]\nseed = "x"\n')
    ),
    "universes that are none": Case(
        RUN, 2, ("stocks", "list of symbols"), write("universes.toml", "stocks = 5\n")
    ),
    "a rule that is none": Case(
        RUN,
        2,
        ("universes.toml, line 2: universe up, rule 'cls > 1', column 1: unknown name 'cls'",),
        write("universes.toml", 'few = ["IBM"]\nup = { rule = "cls > 1", among = ["IBM"] }\n'),
    ),
    "a rule of a table that is none": Case(
        RUN,
        2,
        ("universes.toml, line 6: universe up, rule 'close', column 1: 'close' is a number",),
        write(
            "universes.toml",
            '[a]\nrule = "close > 1"\namong = ["IBM"]\n[up]\namong = ["IBM"]\nrule = "close"\n',
        ),
    ),
    "universes that cannot be read": Case(
        RUN, 2, ("universes.toml", "correct"), write("universes.toml", "stocks = [\n")
    ),
}
WORDS = {
    "no such date": Case(("run", "--ds", "2012-06-31"), 2, ("--ds", "'2012-06-31'", "2024-01-31")),
    "a date to come": Case(("run", "--ds", "2099-06-30"), 2, ("2099-06-30", "the latest is")),
    "simulate without dates": Case(("simulate", "--from", "2012-06-29"), 2, ("--to", "e.g.")),
    "simulate backwards": Case(
        ("simulate", "--from", "2012-06-30", "--to", "2012-06-01"), 2, ("is after", "swap")
    ),
    "simulate the future": Case(
        ("simulate", "--from", "2098-01-01", "--to", "2098-01-05"), 2, ("2098-01-05", "latest")
    ),
    "simulate without bars": Case(
        ("simulate", "--from", "1980-01-01", "--to", "1980-01-05"),
        2,
        ("1980-01-05", "2006-01-03", "choose"),
    ),
    "simulate to elsewhere": Case(
        ("simulate", "--from", "2012-06-01", "--to", "2012-06-05", "--name", "../x"),
        2,
        ("'sim:../x'", "letters"),
    ),
    "last of what": Case(("signals", "--last", "3x"), 2, ("'3x'", "90d")),
    "last of too much": Case(
        ("signals", "--last", "9999999999999y", "--to", "2012-01-01"), 2, ("first year", "--from")
    ),
    "last and from": Case(
        ("signals", "--last", "3d", "--from", "2012-01-01"), 2, ("--from and --last", "one of them")
    ),
    "no such outcome": Case(("signals", "--outcome", "lost"), 2, ("'lost'", "expired")),
    "a book that is none": Case(("run", "--book", "main"), 2, ("'main'", "sim:<name>")),
    "a book without an engine": Case(("status", "--book", "paper:X1"), 2, ("paper:X1", "Alpaca")),
    "a book that never ran": Case(("check", "thread", "--book", "sim:x"), 2, ("sim:x", "run")),
    "a report of no day": Case(
        ("report", "--book", "sim:x"), 2, ("sim:x", "goldenthread simulate")
    ),
    "explain an unknown symbol": Case(("explain", "ZZ", "2012-06-29"), 2, ("'ZZ'", "AAPL")),
    "explain an unknown signal": Case(("explain", "20120629-ff"), 2, ("0 signals", "signals`")),
    "explain no date": Case(("explain", "AAPL", "today"), 2, ("'today'", "2024-01-31")),
    "flatten unconfirmed": Case(("flatten",), 2, ("--confirm sim:main",)),
    "query that writes": Case(("warehouse", "query", "DELETE FROM fact_trades"), 2, ("SELECT",)),
    "query of nothing there is": Case(
        ("warehouse", "query", "SELECT nosuch FROM fact_trades"), 2, ("nosuch", "catalog")
    ),
    "query that is none": Case(
        ("warehouse", "query", "SELECT ("), 2, ("not understood", "BigQuery")
    ),
    "two queries": Case(("warehouse", "query", "SELECT 1; SELECT 2"), 2, ("one SELECT",)),
}
STORES = {
    "bars": Case(RUN, 3, ("bars.parquet", "backup"), write("data/bars.parquet", NO_FILE)),
    "assets": Case(RUN, 3, ("assets.parquet", "backup"), write("data/assets.parquet", NO_FILE)),
    "hot store": Case(RUN, 3, ("hot.sqlite", "move"), write("state/hot.sqlite", NO_FILE)),
    "exchange": Case(
        RUN, 3, ("exchange-main.sqlite", "check"), write("state/exchange-main.sqlite", NO_FILE)
    ),
    "read copy": Case(
        ("trades",),
        3,
        ("wh.read.duckdb", "warehouse init"),
        write("warehouse/wh.read.duckdb", NO_FILE),
    ),
    "a folder in the way": Case(
        RUN, 3, ("hot.sqlite", "check"), lambda p: (p / "state" / "hot.sqlite").mkdir(parents=True)
    ),
    "a file for a folder": Case(RUN, 3, ("state", "check"), write("state", "a file")),
}
CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("strategy", STRATEGIES),
        ("bars", BARS),
        ("settings", SETTINGS),
        ("words", WORDS),
        ("store", STORES),
    )
    for name, case in cases.items()
}
_MADE_BY_LOOKING = ("state/hot.sqlite", "state/exchange-main.sqlite", "logs/query_bytes.jsonl")
"""Empty stores that come to be when a command first looks into them."""


def assert_refused(answer: Answer, code: int, *says: str) -> None:
    """One message on stderr with all those words; no traceback anywhere."""
    assert answer.code == code, answer
    assert answer.err.startswith("goldenthread: "), answer
    assert answer.err.count("goldenthread: ") == 1
    for text in (answer.out, answer.err):
        assert "Traceback" not in text
        assert "internal error" not in text
    for word in says:
        assert word in answer.err


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_message_and_changes_nothing(name: str, fresh: Path) -> None:
    case = CASES[name]
    case.spoil(fresh)
    before = contents(fresh)
    words = [word.replace("{}", str(fresh)) for word in case.words]
    answer = command(*words, "--project", str(fresh))
    assert_refused(answer, case.code, *case.says)
    assert answer.out == ""
    after = contents(fresh)
    made = {path for path in after if path not in before}
    assert made <= {*_MADE_BY_LOOKING}
    assert {path: after.get(path) for path in before} == before


@pytest.mark.parametrize(
    "words", [("run", "--nosuch"), ("nosuch",), ("simulate", "--archive-every", "0")]
)
def test_words_the_program_does_not_know_are_a_usage_error(words: tuple[str, ...]) -> None:
    answer = command(*words)
    assert answer.code == 2
    assert "--help" in answer.err
    assert "Traceback" not in answer.err


def test_doctor_exits_as_a_run_would(fresh: Path) -> None:
    assert command("doctor", "--project", str(fresh)).code == 0
    edit(CROSS, "SMA(close, 10)", "SAM(close, 10)")(fresh)
    assert command("doctor", "--project", str(fresh)).code == 2
    assert command("run", "--project", str(fresh)).code == 2


def test_a_symbol_without_bars_is_named_by_the_check(fresh: Path) -> None:
    edit(CROSS, '["@stocks", "@funds"]', '["AAPL", "NOSUCH"]')(fresh)
    file = fresh / CROSS
    answer = command("strategy", "check", str(file), "--json", "--project", str(fresh))
    (row,) = answer.document
    assert (row["no_bars"], row["error"]) == (["NOSUCH"], "")
    assert row["candidates"] > 0  # those of AAPL


def test_a_wrong_strategy_is_told_beside_the_right_ones(fresh: Path) -> None:
    edit(CROSS, "SMA(close, 10)", "SAM(close, 10)")(fresh)
    files = [
        str(fresh / "strategies" / name) for name in ("golden_cross.toml", "hammer_watch.toml")
    ]
    answer = command("strategy", "check", *files, "--json", "--project", str(fresh))
    assert answer.code == 2
    wrong, right = answer.document
    assert "unknown function 'SAM'" in wrong["error"]
    assert right["error"] == ""


ROWS = """symbol,ds,open,high,low,close,volume
ZZ,2012-01-03,1,2,1,2,10
ZZ,2012-01-04,nan,2,1,2,10
ZZ,2012-01-05,1,inf,1,2,10
ZZ,2012-01-06,1,2,1,-2,10
ZZ,2012-01-09,1,2,1,2,10
ZZ,2012-01-09,1,2,1,1.5,10
ZZ,2012-01-10,1,0.5,1,2,10
ZZ,2012-01-14,1,2,1,2,10
ZZ,2050-01-05,1,2,1,2,10
ZZ,soon,1,2,1,2,10
"""


def test_bad_bars_are_set_aside_by_row_and_the_good_ones_kept(fresh: Path) -> None:
    write("new.csv", ROWS)(fresh)
    answer = command("data", "import", str(fresh / "new.csv"), "--json", "--project", str(fresh))
    assert (answer.code, answer.err) == (1, "")
    told = answer.document
    # of ten rows only the first is fit: two differ for 01-09, 01-14 is a Saturday
    assert (told["new"], told["refused"], told["last"]) == (1, 9, "2012-01-03")
    refused = {(row["ds"], row["field"]) for row in told["refused_rows"]}
    assert {("2012-01-04", "open"), ("2012-01-05", "high"), ("2012-01-06", "close")} <= refused
    assert {("2012-01-10", "high"), ("2012-01-14", "ds"), ("2050-01-05", "ds")} <= refused
    assert ("soon", "ds") in refused
    assert [row["ds"] for row in told["refused_rows"]].count("2012-01-09") == 2
    assert all(row["reason"] for row in told["refused_rows"])
    ls = command("data", "ls", "--json", "--project", str(fresh)).document
    assert [row["bars"] for row in ls if row["symbol"] == "ZZ"] == [1]


@pytest.fixture(scope="module")
def began(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose book has run one date."""
    folder = tmp_path_factory.mktemp("began") / "project"
    shutil.copytree(imported, folder)
    assert command("run", "--ds", "2012-06-28", "--project", str(folder)).code == 0
    return folder


@pytest.fixture
def second(began: Path, tmp_path: Path) -> Path:
    """A copy of it, on the eve of its second date."""
    folder = tmp_path / "second"
    shutil.copytree(began, folder)
    return folder


@pytest.fixture(scope="module")
def expected(began: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the book after its second date when nothing is in the way."""
    folder = tmp_path_factory.mktemp("expected") / "project"
    shutil.copytree(began, folder)
    return finished(folder)


def finished(folder: Path) -> str:
    """The digest after the second date was run, which must go well."""
    assert command(*RUN, "--project", str(folder))[::2] == (0, "")
    found = command("warehouse", "digest", "--json", "--project", str(folder)).document
    return str(found["digest"])


def test_an_earlier_date_is_refused_and_sends_nothing(second: Path) -> None:
    before = contents(second)
    answer = command("run", "--ds", "2012-06-27", "--project", str(second))
    assert_refused(answer, 2, "2012-06-27", "2012-06-28", "replay")
    assert contents(second) == before


def test_a_done_date_says_so_in_the_log_too_and_changes_nothing_else(second: Path) -> None:
    before, log = contents(second), second / LOG
    told = log.read_text(encoding="utf-8")
    answer = command("run", "--ds", "2012-06-28", "--json", "--project", str(second))
    assert (answer.code, answer.document["changed"]) == (0, False)
    assert {**contents(second), LOG: before[LOG]} == before
    more = log.read_text(encoding="utf-8").removeprefix(told).splitlines()
    lines = [json.loads(line) for line in more]
    assert [(line["event"], line.get("changed")) for line in lines] == [
        ("run_started", None),
        ("run_ended", False),
    ]


def test_while_another_run_holds_the_book_the_exit_code_is_4(second: Path, expected: str) -> None:
    settings = load_settings(second, environ={})
    store = open_hot_store(settings, second, "sim:main")
    assert isinstance(store, SqliteHotStore)  # the engine of the leases, too
    lease = store.acquire(LEASE, "another run", 60)
    answer = command(*RUN, "--project", str(second))
    assert_refused(answer, 4, "another run")
    store.release(lease)
    assert finished(second) == expected


def test_a_locked_hot_store_is_told_and_waits_for_its_turn(
    second: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(second / "state" / "hot.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = command(*RUN, "--project", str(second))
        assert_refused(answer, 3, "hot.sqlite", "locked by another process", "try again")
    assert finished(second) == expected


def test_a_warehouse_another_process_writes_is_told_with_its_holder(
    second: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDENTHREAD_WAREHOUSE__LOCK_TIMEOUT_S", "0.1")
    with held_open(second / "warehouse" / "wh.duckdb.lock"):
        answer = command(*RUN, "--project", str(second))
        assert_refused(
            answer, 3, f"process {os.getpid()}", "wh.duckdb", "run the same command again"
        )
    assert finished(second) == expected


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """The lock file held as a writer of the warehouse holds it."""
    import fcntl  # noqa: PLC0415  # only here

    with path.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["state/hot.sqlite", "data/bars.parquet", "state/exchange-main.sqlite"]
)
def test_a_damaged_file_put_back_from_a_backup_loses_nothing(
    name: str, second: Path, expected: str
) -> None:
    for store in (second / "state").glob("*.sqlite"):  # a backup is the file with its journal
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = (second / name).read_bytes()
    (second / name).write_bytes(NO_FILE + whole[len(NO_FILE) :])
    for journal in (second / "state").glob("*-wal"):
        journal.unlink()
    assert_refused(command(*RUN, "--project", str(second)), 3, name.rpartition("/")[2])
    (second / name).write_bytes(whole)
    assert finished(second) == expected


def test_a_damaged_warehouse_is_mended_from_its_read_copy_as_the_message_says(
    second: Path, expected: str
) -> None:
    file = second / "warehouse" / "wh.duckdb"
    file.write_bytes(NO_FILE)
    answer = command(*RUN, "--project", str(second))
    assert_refused(answer, 3, "wh.duckdb", "move it away, copy the read copy", "run again")
    shutil.copyfile(second / "warehouse" / "wh.read.duckdb", file)
    assert finished(second) == expected


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full for every file that would grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_imported_bars_as_they_were(fresh: Path) -> None:
    rows = "".join(
        f"{symbol},2012-{month:02d}-03,{price},{price},{price},{price},1\n"
        for month in range(1, 13)
        for price, symbol in enumerate(("ZA", "ZB", "ZC"), start=1)
    )
    write("new.csv", f"symbol,ds,open,high,low,close,volume\n{rows}")(fresh)
    before = contents(fresh)
    with files_no_larger_than(100_000):
        answer = command("data", "import", str(fresh / "new.csv"), "--project", str(fresh))
    assert_refused(answer, 3, "cannot write market data", "free space")
    after = contents(fresh)
    assert after["data/bars.parquet"] == before["data/bars.parquet"]
    assert after.keys() == before.keys()
    again = command("data", "import", str(fresh / "new.csv"), "--json", "--project", str(fresh))
    assert again.document["new"] > 0


@pytest.mark.parametrize(
    "size",
    [4_096, *(pytest.param(n, marks=pytest.mark.slow) for n in (150_000, 600_000, 3_000_000))],
)
def test_a_disk_full_in_the_middle_of_a_day_loses_nothing(
    size: int, second: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # where not even the lease can be given back, the next run waits for its end
    monkeypatch.setenv("GOLDENTHREAD_RUN__LEASE_TTL_S", "0.05")
    with files_no_larger_than(size):
        answer = command(*RUN, "--project", str(second))
    assert_refused(answer, 3)
    assert finished(second) == expected


def test_a_disk_full_for_a_process_is_told_without_a_traceback(second: Path) -> None:
    answer = process(*RUN, "--project", str(second), limit="ulimit -f 64")
    assert_refused(answer, 3)


def _slow(*values: object) -> ParameterSet:
    return pytest.param(*values, marks=pytest.mark.slow)


def without_rights(*words: str) -> Answer:
    """The answer of a process that has to obey the rights of files, whoever runs the tests."""
    if os.geteuid() != 0:
        return process(*words)
    if shutil.which("setpriv") is None:
        pytest.skip("rights bind nobody who runs as root, and there is no setpriv to give them up")
    dropped = ",".join(f"-{right}" for right in DROP_RIGHTS)
    return process(*words, before=["setpriv", "--bounding-set", dropped, "--inh-caps", dropped])


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("goldenthread.toml", 2, ("cannot be read", "right")),
        _slow(CROSS, 2, ("cannot be read", "Permission denied")),
        _slow("data/bars.parquet", 3, ("cannot read", "Permission denied")),
        _slow("state/hot.sqlite", 3, ("hot store", "rights")),
        _slow("warehouse/wh.duckdb", 3, ("wh.duckdb", "can be read and written")),
    ],
)
def test_a_file_without_the_right_to_read_it_is_named(
    name: str, code: int, words: tuple[str, ...], second: Path
) -> None:
    (second / name).chmod(0)
    answer = without_rights(*RUN, "--project", str(second))
    assert_refused(answer, code, *words)


def test_a_folder_without_the_right_to_write_is_named(fresh: Path) -> None:
    write("new.csv", ROWS)(fresh)
    before = contents(fresh)
    (fresh / "data").chmod(0o500)
    answer = without_rights("data", "import", str(fresh / "new.csv"), "--project", str(fresh))
    (fresh / "data").chmod(0o700)
    assert_refused(answer, 3, "data", "rights of the folder")
    assert contents(fresh) == before
