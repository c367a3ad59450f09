"""Guards taken out of the code, one line of one function each, and the test that must miss them.

As a pytest plugin (``-p faults.guards``) it takes out the guard that ``UNGUARDED`` names, for the
whole run.
"""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Callable  # a named tuple reads its types
from typing import Any, NamedTuple

from goldenthread.adapters.broker.alpaca import AlpacaBroker
from goldenthread.adapters.hot_store import bodies
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.warehouse import merging
from goldenthread.app import archive, book
from goldenthread.positions import execution, sending
from goldenthread.warehouse import budget

UNGUARDED = "UNGUARDED"


class Guard(NamedTuple):
    """The line ``code`` of a function, what stands there ``instead``, and who must notice."""

    fault: str
    function: Callable[..., Any]
    code: str
    instead: str
    test: str


_OFF = "if False:"
_DECIDED = 'blotter.store.get("job_metadata", _marker(session)) is not None'
_EARLY = """\
blotter.commit(Create("job_metadata", _marker(session), {
        "ds": session.ds.isoformat(), "signals": [s.signal_id for s in signals]}))"""
_NO_NUMBER = "if not value.is_finite() or (value and abs(value.adjusted()) > _MAX_DIGITS):"
_READ = "(set(ended.signals) - _read_back(desk, ended)) | unresolved"
_LATE = "if intent.not_after is not None and clock > intent.not_after:"
_CRASHES = "positions/test_crashes.py::"
_STORES = "contracts/test_hot_store.py::"
_MERGES = "contracts/test_warehouse.py::"

GUARDS = {
    "a date is decided once": Guard(
        "F3",
        execution.decided,
        _DECIDED,
        "False",
        f"{_CRASHES}test_a_kill_at_every_write_and_call_leaves_the_same_records",
    ),
    "orders are committed with their signal": Guard(
        "F1",
        execution.intend,
        "blotter.commit()",
        _EARLY,
        f"{_CRASHES}test_a_kill_at_every_write_and_call_leaves_the_same_records",
    ),
    "a key stands for one payload": Guard(
        "F3",
        SqliteHotStore._drop_if_equal,
        "if body != values[3]:",
        _OFF,
        f"{_STORES}test_a_commit_with_one_failing_part_writes_nothing[sqlite-create]",
    ),
    "the lease is checked in the commit": Guard(
        "F5",
        SqliteHotStore.commit,
        "lease = self._prolonged(fence)",
        "lease = fence",
        f"{_STORES}test_a_run_whose_lease_was_taken_over_cannot_write[sqlite]",
    ),
    "no entry after its deadline": Guard(
        "F2",
        execution._hindrance,
        _LATE,
        _OFF,
        f"{_CRASHES}test_an_order_the_broker_never_saw_is_not_sent_after_its_deadline",
    ),
    "an order of unknown outcome is asked for by its client_order_id": Guard(
        "F6",
        sending.ask,
        "broker.find_order(intent.order_key)",
        "()",
        f"{_CRASHES}test_an_order_accepted_without_an_answer_is_asked_for_and_never_sent_again",
    ),
    "a duplicate is looked up by its client_order_id": Guard(
        "F6",
        AlpacaBroker.submit,
        "if error.kind is not Kind.DUPLICATE:",
        "if True:",
        "adapters/broker/test_alpaca.py::test_a_known_client_order_id_is_looked_up",
    ),
    "amounts are finite": Guard(
        "F12",
        bodies._decimal,
        _NO_NUMBER,
        _OFF,
        f"{_STORES}test_a_value_outside_the_closed_set_is_refused[sqlite-decimal nan]",
    ),
    "rows are merged by key": Guard(
        "F16",
        merging._condition,
        'return " AND ".join([_pruned(table, span), *keys])',
        'return "FALSE"',
        f"{_MERGES}test_merging_equal_rows_again_changes_nothing[duckdb]",
    ),
    "only a higher revision updates": Guard(
        "F16",
        merging.merge_plan,
        '"s.revision > t.revision" if table.mutable',
        '"TRUE" if table.mutable',
        f"{_MERGES}test_only_a_higher_revision_updates_and_only_mutable_columns[duckdb]",
    ),
    "the archive is read back before anything may go": Guard(
        "F15",
        archive._release,
        _READ,
        "unresolved",
        "app/test_archive.py::test_what_the_warehouse_never_got_may_not_go_from_the_hot_store",
    ),
    "a query stays inside its budget": Guard(
        "budget",
        budget.guarded_query,
        "if not allowed:",
        _OFF,
        "warehouse/test_budget.py::"
        "test_a_query_above_its_budget_is_refused_unread_and_written_down",
    ),
    "a book is pinned to its account": Guard(
        "pin",
        book.begin_book,
        "if state.account_id != account.account_id:",
        _OFF,
        "app/test_book.py::test_another_account_is_refused_by_name_and_nothing_changes",
    ),
}


def take_out(guard: Guard) -> None:
    """The function has no guard any more, for all who imported it, in this process."""
    function: Any = inspect.unwrap(guard.function)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(guard.code) == 1, f"{function.__qualname__} has not {guard.code!r}"
    made: dict[str, Any] = {}
    program = compile(
        "from __future__ import annotations\n" + source.replace(guard.code, guard.instead),
        function.__code__.co_filename,
        "exec",
    )
    exec(program, function.__globals__, made)  # noqa: S102  our own source, one line changed
    function.__code__ = inspect.unwrap(made[function.__name__]).__code__


if name := os.environ.get(UNGUARDED):
    take_out(GUARDS[name])
