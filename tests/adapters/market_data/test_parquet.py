from __future__ import annotations

import contextlib
import datetime as dt
import os
import resource
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.adapters.market_data.parquet import ParquetMarketData, Saved
from goldenthread.domain.errors import EngineError
from goldenthread.market.imports import asset_record
from market.market_bars import MONDAY, after, daily, split

if TYPE_CHECKING:
    from pathlib import Path

TUESDAY = MONDAY + dt.timedelta(days=1)
NOW = dt.datetime(2021, 6, 1, 9, tzinfo=dt.UTC)
LATER = dt.datetime(2021, 7, 1, 9, tzinfo=dt.UTC)
SPLIT = split("AAPL", TUESDAY, "2")
APPLE = asset_record("AAPL", "test")

SAVE_TWENTY_TIMES = """
import sys
from pathlib import Path
from market.market_bars import daily
from goldenthread.adapters.market_data.parquet import ParquetMarketData
import datetime as dt
store = ParquetMarketData(Path(sys.argv[1]))
for count in range(1, 21):
    store.save(daily(sys.argv[2], [100.0] * count), [], [], dt.datetime(2021, 6, 1, tzinfo=dt.UTC))
"""


def _all(store: ParquetMarketData, *symbols: str) -> pl.DataFrame:
    return store.bars(symbols or ("AAPL",), dt.date(2000, 1, 1), dt.date(2030, 1, 1))


def _contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("*.parquet")}


def test_a_save_counts_what_is_new_the_same_and_revised(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path / "data")
    assert store.save(daily("AAPL", [100, 101]), [SPLIT], [APPLE], NOW) == Saved(2, 0, 0, 1, 1)
    changed = daily("AAPL", [100, 102, 103])
    assert store.save(changed, [SPLIT], [APPLE], NOW) == Saved(1, 1, 1, 0, 0)


def test_saving_the_same_again_touches_no_file(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    bars = daily("AAPL", [100, 101])
    store.save(bars, [SPLIT], [APPLE], NOW)
    before = _contents(tmp_path)
    assert set(before) == {"bars.parquet", "actions.parquet", "assets.parquet"}
    assert store.save(bars, [SPLIT], [APPLE], LATER) == Saved(0, 2, 0, 0, 0)
    assert _contents(tmp_path) == before


def test_a_revision_is_a_row_more_known_from_now(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100, 101]), [], [APPLE], NOW)
    store.save(daily("AAPL", [100, 99]), [], [APPLE], LATER)
    rows = _all(store).select("ds", "close", "known_at").rows()
    closed = dt.datetime(2021, 3, 2, 21, tzinfo=dt.UTC)
    assert rows[1:] == [(TUESDAY, 101.0, closed), (TUESDAY, 99.0, LATER)]


def test_a_value_that_comes_back_is_a_revision_again(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    for close in (100, 101, 100):
        store.save(daily("AAPL", [close]), [], [APPLE], NOW)
    rows = _all(store).select("close", "known_at").rows()
    # Both revisions came at the same instant; the second is put right behind the first.
    assert [close for close, _ in rows] == [100, 101, 100]
    assert [known for _, known in rows[1:]] == [NOW, NOW + dt.timedelta(microseconds=1)]


def test_a_given_known_at_is_kept_on_a_revision(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    given_at = after(TUESDAY)
    revision = daily("AAPL", [101]).with_columns(known_at=pl.lit(given_at))
    assert store.save(revision, [], [APPLE], LATER).revised == 1
    assert _all(store)["known_at"].to_list()[1] == given_at
    assert store.save(revision, [], [APPLE], LATER) == Saved(0, 1, 0, 0, 0)


def test_an_older_revision_that_comes_again_with_its_known_at_changes_nothing(
    tmp_path: Path,
) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    older, newer = (
        daily("AAPL", [close]).with_columns(known_at=pl.lit(after(MONDAY + dt.timedelta(days))))
        for close, days in ((101, 1), (102, 2))
    )
    store.save(pl.concat([older, newer]), [], [APPLE], NOW)
    assert store.save(older, [], [APPLE], LATER) == Saved(0, 1, 0, 0, 0)
    assert _all(store)["close"].to_list() == [100, 101, 102]


def test_importing_a_whole_history_of_revisions_again_changes_nothing(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    for close in (100, 101, 102):
        store.save(daily("AAPL", [close, 200 + close]), [], [APPLE], LATER)
    history = _all(store)
    assert len(history) == 6
    assert store.save(history, [], [APPLE], LATER) == Saved(0, 6, 0, 0, 0)
    elsewhere = ParquetMarketData(tmp_path / "copy")
    elsewhere.save(history, [], [APPLE], LATER)
    assert _all(elsewhere).equals(history)


_IMPORTS = st.lists(
    st.lists(st.sampled_from([100.0, 101.0, 102.0]), min_size=1, max_size=4), min_size=1, max_size=4
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_IMPORTS)
def test_any_import_is_idempotent_and_the_last_one_is_in_force(
    tmp_path_factory: pytest.TempPathFactory, imports: list[list[float]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = ParquetMarketData(folder)
    expected: dict[dt.date, float] = {}
    for number, closes in enumerate(imports):
        bars = daily("AAPL", closes)
        now = NOW + dt.timedelta(hours=number)
        store.save(bars, [], [APPLE], now)
        before = _contents(folder)
        assert store.save(bars, [], [APPLE], now) == Saved(0, len(bars), 0, 0, 0)
        assert _contents(folder) == before
        expected |= dict(bars.select("ds", "close").iter_rows())
    newest = _all(store).unique("ds", keep="last", maintain_order=True)
    assert dict(newest.select("ds", "close").iter_rows()) == expected
    assert not _all(store).select("symbol", "ds", "known_at").is_duplicated().any()


def test_a_revised_action_replaces_the_old_one_for_readers_only(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [SPLIT], [APPLE], NOW)
    right = SPLIT.model_copy(update={"ratio": Decimal(4), "source": "elsewhere"})
    assert store.save(daily("AAPL", [100]), [right], [APPLE], NOW).actions == 1
    (action,) = store.actions(["AAPL"])
    assert (action.ratio, action.known_at) == (Decimal(4), NOW)
    assert len(pl.read_parquet(tmp_path / "actions.parquet")) == 2


def test_the_same_action_from_another_source_is_the_same(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [SPLIT], [APPLE], NOW)
    again = SPLIT.model_copy(update={"ratio": Decimal("2.0"), "source": "elsewhere"})
    assert store.save(daily("AAPL", [100]), [again], [APPLE], NOW).actions == 0


def test_an_asset_replaces_the_one_of_its_symbol(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    named = APPLE.model_copy(update={"name": "Apple", "min_notional": Decimal("1E-9")})
    assert store.save(daily("AAPL", [100]), [], [named], NOW).assets == 1
    assert store.assets() == [named]


def test_two_processes_save_without_losing_each_others_bars(tmp_path: Path) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE_TWENTY_TIMES, str(tmp_path), symbol],
            env={**os.environ, "PYTHONPATH": path},
        )
        for symbol in ("AAPL", "MSFT")
    ]
    store = ParquetMarketData(tmp_path)
    try:
        while any(writer.poll() is None for writer in writers):
            _all(store, "AAPL", "MSFT")  # a reader never meets a torn file
    finally:
        codes = [writer.wait() for writer in writers]
    assert codes == [0, 0]
    assert len(_all(store, "AAPL")) == len(_all(store, "MSFT")) == 20


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    (tmp_path / "bars.new").write_bytes(b"half a file")
    assert len(_all(store)) == 1
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    assert not (tmp_path / "bars.new").exists()


def test_an_empty_folder_is_an_empty_store(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path / "none")
    assert store.assets() == []
    assert store.actions(["AAPL"]) == []
    assert _all(store).is_empty()


@pytest.mark.parametrize("content", [b"", b"not parquet", b"PAR1" + bytes(50) + b"PAR1"])
def test_a_corrupted_file_is_an_engine_error_that_says_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100, 101]), [SPLIT], [APPLE], NOW)
    (tmp_path / "bars.parquet").write_bytes(content)
    with pytest.raises(EngineError, match=r"cannot read .*bars\.parquet: .*restore it"):
        _all(store)
    with pytest.raises(EngineError, match="restore it"):
        store.save(daily("AAPL", [100, 101]), [SPLIT], [APPLE], NOW)
    assert (tmp_path / "bars.parquet").read_bytes() == content


def test_a_file_with_other_columns_or_values_is_an_engine_error(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [SPLIT], [APPLE], NOW)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "bars.parquet")
    with pytest.raises(EngineError, match="its columns are a; it should be"):
        _all(store)
    actions = pl.read_parquet(tmp_path / "actions.parquet")
    actions.with_columns(ratio=pl.lit("two")).write_parquet(tmp_path / "actions.parquet")
    with pytest.raises(EngineError, match="ratio is 'two'"):
        store.actions(["AAPL"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_damage_is_an_engine_error_or_goes_unseen(tmp_path: Path, data: st.DataObject) -> None:
    store = ParquetMarketData(tmp_path)
    path = tmp_path / "bars.parquet"
    path.unlink(missing_ok=True)
    store.save(daily("AAPL", [100, 101, 102]), [], [], NOW)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from([whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]])
    )
    path.write_bytes(damaged)
    with contextlib.suppress(EngineError):
        _all(store)


def test_a_folder_that_cannot_be_written_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="nothing was changed there"):
        ParquetMarketData(tmp_path / "file").save(daily("AAPL", [100]), [], [APPLE], NOW)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    store.save(daily("AAPL", [100]), [], [APPLE], NOW)
    before = _contents(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))  # no file may grow beyond this
    try:
        with pytest.raises(EngineError, match="free space"):
            store.save(daily("AAPL", [100.0 + n for n in range(500)]), [], [APPLE], NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _contents(tmp_path) == before
    assert not (tmp_path / "bars.new").exists()


def test_assets_without_bars_are_not_listed(tmp_path: Path) -> None:
    store = ParquetMarketData(tmp_path)
    other = asset_record("MSFT", "test")
    store.save(daily("AAPL", [100]), [], [APPLE, other], NOW)
    assert store.assets() == [APPLE]
