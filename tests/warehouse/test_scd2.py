from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.errors import ConflictError
from goldenthread.warehouse import loops
from goldenthread.warehouse.digest import digest
from goldenthread.warehouse.scd2 import advance, asset_configs, in_force
from warehouse.examples import ALL, BOOK, at, day, empty, run, trade

if TYPE_CHECKING:
    from goldenthread.domain.strategy import Version

A, B, C = ("a", '{"n":1}'), ("b", '{"n":2}'), ("c", '{"n":3}')
Configs = dict[str, tuple[str, str]]


def history(*days: Configs) -> list[Version]:
    """The versions after a sync on each of the days, one a day."""
    versions: list[Version] = []
    for n, configs in enumerate(days):
        versions = advance(versions, configs, at(day(n)), "git", "engine")
    return versions


def spans(versions: list[Version]) -> list[tuple[str, int, int | None]]:
    """Key, first day and closing day of each row."""
    return [
        (
            v.version_key,
            (v.valid_from - at(day(0))).days,
            None if v.valid_to is None else (v.valid_to - at(day(0))).days,
        )
        for v in versions
    ]


def test_a_new_strategy_opens_a_row() -> None:
    (version,) = history({"x": A})
    assert (version.id, version.version_key, version.config) == ("x", "a", '{"n":1}')
    assert (version.valid_from, version.valid_to) == (at(day(0)), None)
    assert (version.git_hash, version.engine_digest) == ("git", "engine")


def test_nothing_changed_changes_nothing() -> None:
    assert history({"x": A}, {"x": A}, {"x": A}) == history({"x": A})


def test_a_to_b_to_a_are_three_rows_end_to_end() -> None:
    assert spans(history({"x": A}, {"x": B}, {"x": A})) == [
        ("a", 0, 1),
        ("b", 1, 2),
        ("a", 2, None),
    ]


def test_a_deleted_strategy_is_closed_and_a_returning_one_opened_again() -> None:
    assert spans(history({"x": A}, {}, {}, {"x": A})) == [("a", 0, 1), ("a", 3, None)]


def test_strategies_do_not_touch_one_another() -> None:
    versions = history({"x": A, "y": A}, {"x": B, "y": A})
    assert [(v.id, v.version_key, v.valid_to is None) for v in versions] == [
        ("x", "a", False),
        ("x", "b", True),
        ("y", "a", True),
    ]


def test_at_the_instant_of_a_change_the_new_version_holds() -> None:
    versions = history({"x": A}, {"x": B})
    moment = dt.timedelta(microseconds=1)
    before, after = (
        in_force(versions, "x", at(day(1)) - moment),
        in_force(versions, "x", at(day(1))),
    )
    assert (before and before.version_key, after and after.version_key) == ("a", "b")
    assert in_force(versions, "x", at(day(0)) - moment) is None


def test_time_that_goes_backwards_is_a_conflict() -> None:
    versions = history({"x": A}, {"x": B})
    with pytest.raises(ConflictError, match="not after"):
        advance(versions, {"x": A}, at(day(0)), "git", "engine")


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.sampled_from([A, B, C])), max_size=12))
def test_at_every_instant_each_id_has_at_most_one_version_and_it_is_the_configured_one(
    days: list[Configs],
) -> None:
    versions = history(*days)
    for n, configs in enumerate(days):
        for name in "xyz":
            found = in_force(versions, name, at(day(n)))
            expected = configs.get(name)
            assert (found and (found.version_key, found.config)) == expected
    for earlier, later in pairwise(versions):
        if earlier.id == later.id:
            assert earlier.valid_to is not None
            assert earlier.valid_to <= later.valid_from


def test_the_dimension_follows_and_each_fact_joins_exactly_one_version() -> None:
    warehouse = empty()
    days: list[Configs] = [{"breakout": A}, {"breakout": B}, {"breakout": A}, {}, {"breakout": A}]
    for n in range(len(days)):
        versions = history(*days[: n + 1])
        loops.load_dimensions(warehouse, (versions, [], []), {}, run(day(n), f"run-{n}"))
    again = loops.load_dimensions(warehouse, (history(*days), [], []), {}, run(day(9)))
    assert (again[0].unchanged, again[0].inserted, again[0].updated) == (4, 0, 0)

    for n, key in ((0, "a"), (1, "b"), (2, "a"), (4, "a")):
        closed, idea = trade("10", day(6), f"S{n}", version_key=key)
        decided = idea.model_copy(update={"decided_at": at(day(n))})  # the instant of the sync
        loops.load_trades(warehouse, [(closed, decided)], run(day(6)))
    joined = warehouse.query(
        """
        SELECT t.symbol, t.version_key, COUNT(*) AS n, MIN(d.version_key) AS dim_key
        FROM fact_trades AS t
        JOIN dim_strategies AS d
          ON d.book = t.book AND d.strategy_id = t.strategy_id
          AND t.decided_at >= d.valid_from
          AND (d.valid_to IS NULL OR t.decided_at < d.valid_to)
        WHERE t.ds BETWEEN @from AND @to
        GROUP BY t.symbol, t.version_key
        ORDER BY t.symbol
        """,
        ALL,
    )
    assert joined.height == 4
    assert joined["n"].to_list() == [1, 1, 1, 1]
    assert joined["dim_key"].to_list() == joined["version_key"].to_list()


def test_archiving_once_at_the_end_gives_the_rows_of_archiving_daily() -> None:
    days: list[Configs] = [{"x": A}, {"x": B}, {}, {"x": A}]
    daily, once = empty(), empty()
    for n in range(len(days)):
        loops.load_dimensions(daily, ([], history(*days[: n + 1]), []), {}, run(day(n)))
    loops.load_dimensions(once, ([], history(*days), []), {}, run(day(3)))
    sql = (
        "SELECT policy_id, version_key, valid_from, valid_to, revision FROM dim_policies "
        "WHERE book = @book ORDER BY policy_id, valid_from"
    )
    assert daily.query(sql, {"book": BOOK}).equals(once.query(sql, {"book": BOOK}))


def test_an_asset_has_a_version_like_a_strategy() -> None:
    asset = Asset(
        symbol="AAPL",
        asset_class=AssetClass.EQUITY,
        price_tick=Decimal("0.010"),
        quantity_step=Decimal(1),
        min_notional=Decimal(1),
    )
    same = asset.model_copy(update={"price_tick": Decimal("0.01")})
    other = asset.model_copy(update={"shortable": False})
    assert asset_configs([asset]) == asset_configs([same])
    assert asset_configs([asset])["AAPL"][0] != asset_configs([other])["AAPL"][0]
    assert json.loads(asset_configs([asset])["AAPL"][1])["price_tick"] == "0.01"


def test_the_code_of_a_strategy_travels_with_its_version_whole_or_not_at_all() -> None:
    called = '{"code":{"a.py":"sha-a","b.py":"sha-b"}}'
    versions = history({"x": A, "y": ("c", called)})
    partly, wholly = empty(), empty()
    texts = {"sha-a": "import a", "sha-b": "import b"}
    loops.load_dimensions(partly, (versions, [], []), {"sha-a": "import a"}, run())
    loops.load_dimensions(wholly, (versions, [], []), texts, run())
    kept = [
        warehouse.query("SELECT code FROM dim_strategies ORDER BY strategy_id", {})["code"]
        for warehouse in (partly, wholly)
    ]
    assert kept[0].to_list() == [None, None]
    assert kept[1][0] is None
    assert json.loads(kept[1][1]) == {"a.py": "import a", "b.py": "import b"}
    assert digest(partly, BOOK) == digest(wholly, BOOK)  # the version key says which code it is
