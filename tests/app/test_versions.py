"""Strategies and policy edited between days: every fact joins exactly one version."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from faults.project import BOOK, FIRST, STRATEGIES, build, figure
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.app.api.strategies import diff_strategy, strategy_history
from goldenthread.app.clock import SystemClock
from goldenthread.app.versions import Configs, VersionStamp, asset_versions, sync_versions
from goldenthread.domain.errors import ConflictError
from goldenthread.ports.hot_store import Delete
from goldenthread.positions.blotter import Blotter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Edit = Callable[[Path], None]

pytestmark = pytest.mark.slow

_DAY = dt.timedelta(days=1)
_STRETCH = 3
_FILE = "strategies/brackets.toml"
_FACTS = (
    "fact_trades",
    "fact_rejected_signals",
    "fact_signals_expired",
    "fact_orders",
    "fact_fills",
    "snapshot_positions",
)
_ROWS = """
SELECT {name} AS id, version_key, valid_from, valid_to FROM {table}
WHERE book = @book AND @first <= @last ORDER BY {name}, valid_from
"""
_JOINED = """
SELECT f.{fact_key} AS claimed, COUNT(v.version_key) AS hits, MIN(v.version_key) AS joined
FROM {fact} AS f LEFT JOIN {table} AS v
  ON v.book = f.book AND {same} AND f.decided_at >= v.valid_from
  AND (v.valid_to IS NULL OR f.decided_at < v.valid_to)
WHERE f.book = @book AND f.ds BETWEEN @first AND @last
GROUP BY f.{fact_key}, f.decided_at, f.{row_key}, f.ds
"""


class Edited(NamedTuple):
    """A project whose files were edited at the start of each stretch of days."""

    project: Project
    starts: list[dt.datetime]


def setting(file: str, name: str, value: str) -> Edit:
    """An edit that gives one setting of a file another value."""

    def edit(folder: Path) -> None:
        path = folder / file
        pattern = rf"(?m)^({name} *= )[^ #\n]+"
        text, count = re.subn(pattern, rf"\g<1>{value}", path.read_text(), count=1)
        assert count == 1, (file, name)
        path.write_text(text)

    return edit


def delete(folder: Path) -> None:
    (folder / _FILE).unlink()


def bring_back(folder: Path) -> None:
    (folder / _FILE).write_bytes((STRATEGIES / "brackets.toml").read_bytes())
    setting(_FILE, "max_bars", "4")(folder)


def nothing(_: Path) -> None:
    """Leave the files as they are."""


def run(folder: Path, edits: list[Edit]) -> Edited:
    """The project after each edit was followed by a stretch of days."""
    starts = []
    for number, edit in enumerate(edits):
        edit(folder)
        first = FIRST + number * _STRETCH * _DAY
        starts.append(dt.datetime.combine(first + _DAY, dt.time(0, 5), dt.UTC))
        until = first + (_STRETCH - 1) * _DAY
        simulate(Project.open(folder), "main", (FIRST, until), archive_every=_STRETCH)
    return Edited(Project.open(folder), starts)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """A strategy A, B, A again, C, D, deleted, D again; a policy P, P, Q, P again, R."""
    folder, gates = build(tmp_path_factory.mktemp("edited") / "project"), "goldenthread.toml"

    def both(one: Edit, other: Edit) -> Edit:
        def edit(folder: Path) -> None:
            one(folder)
            other(folder)

        return edit

    return run(
        folder,
        [
            nothing,
            setting(_FILE, "max_bars", "3"),
            both(setting(_FILE, "max_bars", "5"), setting(gates, "max_positions", "3")),
            both(setting(_FILE, "max_bars", "6"), setting(gates, "max_positions", "10")),
            both(setting(_FILE, "max_bars", "4"), setting(gates, "slippage_bps", "9")),
            delete,
            bring_back,
            nothing,
        ],
    )


def rows(edited: Edited, table: str, name: str) -> dict[str, list[dict[str, Any]]]:
    """The version rows of the warehouse by id, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in facts(edited.project, BOOK, _ROWS.format(table=table, name=name)).to_dicts():
        found.setdefault(row["id"], []).append(row)
    return found


def spans(found: list[dict[str, Any]]) -> list[tuple[dt.datetime, dt.datetime | None]]:
    return [(row["valid_from"], row["valid_to"]) for row in found]


def test_a_strategy_edited_reverted_deleted_and_brought_back_has_a_row_for_each_spell(
    edited: Edited,
) -> None:
    at = edited.starts
    found = rows(edited, "dim_strategies", "strategy_id")
    spells = [(at[0], at[1]), (at[1], at[2]), (at[2], at[3]), (at[3], at[4]), (at[4], at[5])]
    assert spans(found["brackets"]) == [*spells, (at[6], None)]
    a, b, again, c, d, back = (row["version_key"] for row in found["brackets"])
    assert (again, back) == (a, d)
    assert len({a, b, c, d}) == 4
    untouched = [spans(found[name]) for name in found if name != "brackets"]
    assert untouched == [[(at[0], None)]] * 4


def test_a_policy_edited_and_reverted_has_no_gap_and_no_overlap(edited: Edited) -> None:
    at = edited.starts
    (found,) = rows(edited, "dim_policies", "policy_id").values()
    assert spans(found) == [(at[0], at[2]), (at[2], at[3]), (at[3], at[4]), (at[4], None)]
    p, q, again, r = (row["version_key"] for row in found)
    assert again == p
    assert len({p, q, r}) == 3


def test_every_fact_joins_exactly_one_version_of_its_strategy_and_of_the_policy(
    edited: Edited, request: pytest.FixtureRequest
) -> None:
    dimensions = (
        ("dim_strategies", "version_key", "v.strategy_id = f.strategy_id"),
        ("dim_policies", "policy_key", "TRUE"),
    )
    joined = 0
    for fact in _FACTS:
        keys = {"fact_trades": "trade_id", "snapshot_positions": "position_id"}
        row_key = keys.get(fact, "order_key" if fact in _FACTS[3:5] else "signal_id")
        for table, fact_key, same in dimensions:
            sql = _JOINED.format(
                fact=fact, table=table, fact_key=fact_key, same=same, row_key=row_key
            )
            found = facts(edited.project, BOOK, sql).to_dicts()
            assert found, (fact, table)
            assert [r for r in found if (r["hits"], r["joined"]) != (1, r["claimed"])] == [], fact
            joined += len(found)
    figure(request, f"versions: {joined} facts joined, 0 with none, two or another version")


def test_facts_were_decided_under_every_version(edited: Edited) -> None:
    strategies = rows(edited, "dim_strategies", "strategy_id")["brackets"]
    (policies,) = rows(edited, "dim_policies", "policy_id").values()
    sql = """
    SELECT DISTINCT {key} AS key FROM all_signals
    WHERE book = @book AND ds BETWEEN @first AND @last AND strategy_id = 'brackets'
    """
    for versions, key in ((strategies, "version_key"), (policies, "policy_key")):
        used = set(facts(edited.project, BOOK, sql.format(key=key))["key"])
        assert used == {row["version_key"] for row in versions}


def test_a_deleted_strategy_decides_nothing_and_its_positions_are_led_to_their_end(
    edited: Edited,
) -> None:
    sql = """
    SELECT signal_ds, ds FROM all_signals WHERE book = @book AND ds BETWEEN @first AND @last
    AND strategy_id = 'brackets'
    """
    found = facts(edited.project, BOOK, sql).to_dicts()
    gone, back = (edited.starts[n].date() - _DAY for n in (5, 6))
    assert not [row for row in found if gone <= row["signal_ds"] < back]
    assert [row for row in found if row["signal_ds"] < gone <= row["ds"]]
    assert [row for row in found if row["signal_ds"] >= back]


def test_days_run_again_after_all_edits_open_no_row(edited: Edited) -> None:
    before = rows(edited, "dim_strategies", "strategy_id")
    until = FIRST + (len(edited.starts) * _STRETCH - 1) * _DAY
    simulate(edited.project, "main", (FIRST, until))
    assert rows(edited, "dim_strategies", "strategy_id") == before
    assert len(strategy_history(edited.project, BOOK, "brackets")) == 6
    assert diff_strategy(edited.project, BOOK, "brackets") == []


def test_a_new_description_or_comment_is_no_new_version(tmp_path: Path) -> None:
    folder = build(tmp_path / "project")

    def reword(folder: Path) -> None:
        path = folder / _FILE
        text = re.sub(r'description = ".*"', 'description = "In other words"', path.read_text())
        path.write_text(f"# a comment\n{text}")

    after = run(folder, [nothing, reword])
    assert spans(rows(after, "dim_strategies", "strategy_id")["brackets"]) == [
        (after.starts[0], None)
    ]


def test_versions_of_thousands_of_assets_are_kept_in_several_documents(tmp_path: Path) -> None:
    store = SqliteHotStore(tmp_path / "hot.db", BOOK, SystemClock(), synchronous="NORMAL")
    blotter = Blotter(store, store.acquire("run", "test", 60))
    names = [f"S{number:04d}" for number in range(3_000)]
    kinds = {"asset-versions": {name: (f"{name} 1", "x" * 400) for name in names}}
    configs = Configs(kinds, {})
    first, second = (dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (2, 3))
    assert sync_versions(blotter, store, configs, VersionStamp(first, "", ""))
    assert [version.id for version in asset_versions(store)] == names
    # 3,000 rows of 400 bytes and more take 1.2 MB and more; a document takes half a megabyte
    parts = store.count("strategies")
    assert parts >= 3
    assert not sync_versions(blotter, store, configs, VersionStamp(second, "", ""))
    kinds["asset-versions"]["S0000"] = ("S0000 2", "x" * 400)
    assert sync_versions(blotter, store, configs, VersionStamp(second, "", ""))
    rows = [(v.id, v.version_key, v.valid_from, v.valid_to) for v in asset_versions(store)]
    old = [(name, f"{name} 1", first, None) for name in names[1:]]
    assert rows == [
        ("S0000", "S0000 1", first, second),
        ("S0000", "S0000 2", second, None),
        *old,
    ]
    gone = store.get("strategies", "asset-versions-2")
    assert gone is not None
    blotter.write([Delete(gone)])
    with pytest.raises(ConflictError, match="a part of strategies/asset-versions vanished"):
        asset_versions(store)
