"""View definitions: kept with the dataset's name, replaced only when their text changes."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from goldenthread.adapters.warehouse.transpile import parsed

if TYPE_CHECKING:
    from google.cloud.bigquery import Table as StoredTable

_VIEW = re.compile(r"CREATE OR REPLACE VIEW (\w+) AS\n?(.*)", re.DOTALL)
_LABEL = "definition"


class ViewText(NamedTuple):
    """A view's name and its SELECT; ``mark`` tells one definition from another."""

    name: str
    select: str
    mark: str

    @property
    def statement(self) -> str:
        """What defines the view, its mark among the labels."""
        labels = f"[('app', 'goldenthread'), ('{_LABEL}', '{self.mark}')]"
        return f"CREATE OR REPLACE VIEW {self.name} OPTIONS(labels={labels}) AS\n{self.select}"

    def is_as_stored(self, stored: StoredTable) -> bool:
        """Whether the stored view was defined by this text."""
        return bool(stored.labels.get(_LABEL) == self.mark)


def find_view(sql: str, dataset: str) -> ViewText | None:
    """The view the statement defines, or None; its tables named with their dataset.

    BigQuery looks up a view's tables without knowing who asks, hence the dataset.
    """
    match = _VIEW.search(sql)
    if match is None:
        return None
    select = qualified(match[2].strip(), dataset)
    return ViewText(match[1], select, hashlib.sha256(select.encode()).hexdigest()[:32])


def qualified(select: str, dataset: str) -> str:
    """The text as it is, but for the dataset before each table that has none."""
    (tree,) = parsed(select)
    local = {cte.alias for cte in tree.find_all(exp.CTE)}
    starts = {
        table.this.meta["start"]
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not table.db and table.name not in local
    }
    for start in sorted(starts, reverse=True):
        select = f"{select[:start]}{dataset}.{select[start:]}"
    return select
