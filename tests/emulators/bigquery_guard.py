"""What Google does and no emulator: bytes read, the byte limit, the partition filter.

Mounted on the HTTP session of Google's own client, so that the code under test is untouched. It
proves that our limits are sent and our answers understood, not what Google will bill.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from google.api_core.exceptions import NotFound
from requests.adapters import HTTPAdapter
from requests.models import Response
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.bigquery import Client
    from google.cloud.bigquery import Table as StoredTable
    from requests.models import PreparedRequest

_WIDTHS = {"INTEGER": 8, "FLOAT": 8, "BOOLEAN": 1, "DATE": 8, "TIMESTAMP": 8, "NUMERIC": 16}
_TEXT = 32
_LEAST_BILLED = 10 << 20
_UNFILTERED = (
    "Cannot query over table '{table}' without a filter over column(s) '{column}' that can be "
    "used for partition elimination"
)


@dataclass(frozen=True)
class _Read:
    table: StoredTable
    days: list[exp.Expr]
    columns: set[str] | None

    def bytes(self, raw: Client, values: dict[str, dt.date]) -> int:
        width = sum(
            _WIDTHS.get(field.field_type, _TEXT)
            for field in self.table.schema
            if self.columns is None or field.name in self.columns
        )
        where = " AND ".join(_literal(day, values) for day in self.days) or "TRUE"
        name = f"`{self.table.project}.{self.table.dataset_id}.{self.table.table_id}`"
        rows = raw.query(f"SELECT COUNT(*) AS n FROM {name} WHERE {where}").result()
        return width * int(next(iter(rows))["n"])


class BigQueryGuard(HTTPAdapter):
    """The adapter.

    ``statements`` holds the kind of every job asked for, ``written`` the kind and
    the table of every load and merge.
    """

    def __init__(self, raw: Client) -> None:
        super().__init__()
        self._raw = raw
        self.statements: list[str] = []
        self.written: list[tuple[str, str]] = []

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:  # noqa: ANN401  # passed on as they came
        path = str(request.url).partition("?")[0]
        if request.method != "POST" or not path.endswith("/jobs"):
            return super().send(request, *args, **more)
        if "/upload/" in path:
            return self._noted(request, super().send(request, *args, **more))
        config = json.loads(
            str(request.body, "utf-8") if isinstance(request.body, bytes) else str(request.body)
        ).get("configuration", {})
        asked = config["query"]
        dry = bool(config.get("dryRun"))
        (tree,) = sqlglot.parse(asked["query"], read="bigquery")
        if tree is None:
            return super().send(request, *args, **more)
        if not dry:
            self.statements.append(tree.key.upper())
            if isinstance(tree, exp.Merge):
                self.written.append(("MERGE", tree.this.name))
        reads = list(self._reads(tree, asked["defaultDataset"]))
        for read in reads:
            if read.table.time_partitioning and not read.days:
                column = read.table.time_partitioning.field
                said = _UNFILTERED.format(table=read.table.table_id, column=column)
                return _refused(request, "invalidQuery", said)
        limit = asked.get("maximumBytesBilled")
        size = self._size(reads, asked, limit=None if dry else limit)
        if limit and size and max(size, _LEAST_BILLED) > int(limit):
            said = f"Query exceeded limit for bytes billed: {limit}. {size} or higher required."
            return _refused(request, "bytesBilledLimitExceeded", said)
        answer = super().send(request, *args, **more)
        if dry and answer.status_code == 200:
            _told(answer, size)
        return answer

    def _noted(self, request: PreparedRequest, answer: Response) -> Response:
        self.statements.append("LOAD")
        if answer.ok:  # an id that is taken begins no load
            self.written.append(("LOAD", _loaded_table(request)))
        return answer

    def _size(self, reads: list[_Read], asked: dict[str, Any], *, limit: str | None) -> int:
        most = sum(int(r.table.num_rows or 0) * _TEXT * len(r.table.schema) for r in reads)
        if limit and most <= int(limit):
            return 0  # no need to count: all of it is inside the limit
        values = {
            p["name"]: dt.date.fromisoformat(p["parameterValue"]["value"])
            for p in asked.get("queryParameters", [])
            if p["parameterType"]["type"] == "DATE"
        }
        return sum(read.bytes(self._raw, values) for read in reads)

    def _reads(self, tree: exp.Expr, home: dict[str, str]) -> Iterator[_Read]:
        local = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            inside = table.find_ancestor(exp.Select, exp.Merge, exp.Insert, exp.Delete, exp.Update)
            if table.name in local or isinstance(inside, exp.Insert) or inside is None:
                continue
            name = [
                table.catalog or home["projectId"],
                table.db or home["datasetId"],
                table.name,
            ]
            try:
                stored = self._raw.get_table(".".join(name))
            except NotFound:
                continue  # the emulator will say so
            if stored.table_type == "VIEW":
                (inner,) = sqlglot.parse(stored.view_query, read="bigquery")
                yield from self._reads(inner, home) if inner else ()
                continue
            kept = stored.time_partitioning
            days = list(_days(inside, table.alias_or_name, kept.field)) if kept else []
            yield _Read(stored, days, _columns(inside))


def _loaded_table(request: PreparedRequest) -> str:
    """Where an upload goes: its description comes before its bytes."""
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    found = re.search(rb'"tableId": *"([^"]+)"', body)
    return "" if found is None else found[1].decode()


def _columns(inside: exp.Expr) -> set[str] | None:
    stars = [s for s in inside.find_all(exp.Star) if not isinstance(s.parent, exp.Count)]
    if stars or not isinstance(inside, exp.Select):
        return None
    return {column.name for column in inside.find_all(exp.Column)}


def _days(inside: exp.Expr, alias: str, column: str) -> Iterator[exp.Expr]:
    """The conditions joined by AND that compare the partition with constants."""
    where = inside.args.get("where")
    clauses = [where.this] if where else []
    clauses += [j.args["on"] for j in inside.args.get("joins") or [] if j.args.get("on")]
    if isinstance(inside, exp.Merge):
        clauses.append(inside.args["on"])
    for clause in clauses:
        for part in clause.flatten() if isinstance(clause, exp.And) else [clause]:
            bare = part.unnest()
            columns = list(bare.find_all(exp.Column))
            ours = all(c.name == column and c.table in {"", alias} for c in columns)
            if ours and len(columns) == 1 and columns[0].parent is bare:
                yield bare


def _literal(day: exp.Expr, values: dict[str, dt.date]) -> str:
    bare = day.copy()
    for column in bare.find_all(exp.Column):
        column.set("table", None)
    for parameter in list(bare.find_all(exp.Parameter)):
        parameter.replace(sqlglot.parse_one(f"DATE '{values[parameter.name]}'", read="bigquery"))
    return bare.sql(dialect="bigquery")


def _told(answer: Response, size: int) -> None:
    body = answer.json()
    body.setdefault("statistics", {})["totalBytesProcessed"] = str(size)
    body["statistics"].setdefault("query", {})["totalBytesProcessed"] = str(size)
    answer._content = json.dumps(body).encode()
    answer.headers["Content-Length"] = str(len(answer._content))


def _refused(request: PreparedRequest, reason: str, said: str) -> Response:
    answer = Response()
    answer.status_code, answer.request, answer.url = 400, request, str(request.url)
    answer.headers["Content-Type"] = "application/json"
    detail = {"reason": reason, "message": said, "domain": "global"}
    error = {"code": 400, "message": said, "errors": [detail], "status": "INVALID_ARGUMENT"}
    answer._content = json.dumps({"error": error}).encode()
    return answer
