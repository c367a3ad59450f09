"""What the source must not do: run text as code, put values into SQL, listen to the world."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from goldenthread.app.listening.sockets import HOST
from goldenthread.app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "goldenthread"

RUN_AS_CODE = {"eval", "exec", "compile", "__import__", "execfile"}
LOADERS = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"),
    *("yaml", "code", "codeop", "runpy", "imp", "xml", "lxml", "telnetlib", "ftplib"),
}
"""Modules that make objects or code out of bytes, or read XML without limits."""
SHELLS = {"system", "popen", "getoutput", "getstatusoutput"}
SERVERS = {"socket", "socketserver", "asyncio", "uvicorn", "http.server", "wsgiref", "xmlrpc"}
"""Modules with which a program can listen."""
LISTENERS = {"bind", "listen", "create_server", "start_server", "run", "serve_forever"}

Found = set[tuple[str, str]]


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every file of the package and of the examples, by its path."""
    files = [*SOURCE.rglob("*.py"), *(ROOT / "examples").rglob("*.py")]
    return {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(files)}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE if path.is_relative_to(SOURCE) else ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield getattr(function, "attr", getattr(function, "id", "")), node


def is_plain(node: ast.Call) -> bool:
    """Whether a bare name is called, a builtin's or an imported function's."""
    return isinstance(node.func, ast.Name)


def test_text_is_run_as_code_in_one_place_only_and_that_is_off() -> None:
    found = {
        (file, name)
        for file, tree in trees().items()
        for name, node in calls(tree)
        if name in RUN_AS_CODE and is_plain(node)
    }
    assert found == {("signals/factors/python.py", name) for name in ("exec", "compile")}
    assert Settings().factors.enabled is False  # decision 0009: the operator says so


def imports() -> Found:
    """Every module a file names in an import."""
    found: Found = set()
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {(file, alias.name) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((file, node.module or ""))
    return found


def test_nothing_is_unpickled_and_no_yaml_or_xml_is_read() -> None:
    assert len(imports()) > 1000  # the net does catch imports
    assert {each for each in imports() if each[1].partition(".")[0] in LOADERS} == set()
    keywords = {
        k.arg for tree in trees().values() for _, call in calls(tree) for k in call.keywords
    }
    assert "allow_pickle" not in keywords


def test_no_shell_is_started_and_one_program_by_a_fixed_list() -> None:
    started: Found = set()
    for file, tree in trees().items():
        for name, node in calls(tree):
            assert name not in SHELLS, file
            assert all(word.arg != "shell" for word in node.keywords), file
            if ast.unparse(node.func).startswith(("subprocess.", "os.exec", "os.spawn")):
                started.add((file, ast.unparse(node.args[0])))
    assert started == {("app/api/desks.py", "['git', 'rev-parse', '--short=12', 'HEAD']")}


def test_nothing_is_exported_for_a_spreadsheet_to_run() -> None:
    """A cell that begins with = + - or @ is a formula there; a CSV export must put ' before it."""
    writers = {"write_csv", "to_csv", "sink_csv", "writer", "DictWriter", "write_excel", "to_excel"}
    found = {
        (file, ast.unparse(node))
        for file, tree in trees().items()
        for name, node in calls(tree)
        if name in writers and not file.startswith("examples/")
    }
    assert found == {("research/backtest/folder.py", "frame.write_csv()")}  # hashed, never kept


def test_one_file_binds_and_its_address_is_that_of_this_machine_unless_serve_says_another() -> None:
    able = {file for file, module in imports() if module in SERVERS}
    exchange = {f"app/exchange/{name}.py" for name in ("server", "wire/gate", "wire/stream")}
    listeners = {*exchange, "app/listening/sockets.py", "app/web/server.py"}
    assert able == {*listeners, "app/api/desks.py"}  # which asks for this machine's name
    found = {
        (file, ast.unparse(node))
        for file in listeners
        for name, node in calls(trees()[file])
        if name in LISTENERS
    }
    assert found == {
        ("app/listening/sockets.py", "taken.bind((host, port))"),
        ("app/exchange/server.py", "asyncio.run(self._serve())"),  # on the sockets bound there
        ("app/web/server.py", "self._server.run(sockets=[self._socket])"),
    }
    bound = {
        ast.unparse(n) for tree in trees().values() for name, n in calls(tree) if name == "bound"
    }
    assert bound == {
        "bound(port, '--port')",
        "bound(admin_port, '--admin-port')",
        "bound(terms.port, '--port', terms.host)",  # with a token: tests/app/web/test_terms.py
    }
    assert HOST == "127.0.0.1"
    texts = {
        file
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "0.0.0.0"  # noqa: S104  # sought
    }
    assert texts == set()


# SQL: whatever is put into its text is on this list, one by one. Values are parameters.

NAME = "a name of our own tables (warehouse/tables.py) or a type of their columns"
OURS = "SQL of this file, made of what is on this list"
DATE = "a datetime.date"
FIXED = "one of two or three words of a Literal, or a number, of our own"
WORDS = "read by people, never run"
PARSED = "from a SELECT that was parsed; parsed again before it is run"

COMPOSED: dict[str, dict[str, str]] = {
    "app/api/operations/exports.py": {
        **dict.fromkeys(
            ("columns", "day", "order", "table.name", "table.partition", "within"), NAME
        ),
    },
    "adapters/broker/simulated/store.py": {"synchronous": FIXED},
    "adapters/hot_store/sqlite.py": {
        "_KEY": OURS,
        "_OWN": OURS,
        "where": OURS,
        "clause": OURS,
        "field": "a field of ports.hot_store.INDEXED, checked by check_equal",
    },
    "adapters/hot_store/sqlite_file.py": {"synchronous": FIXED, "SCHEMA_VERSION": FIXED},
    "adapters/warehouse/bigquery/merging.py": {
        "[*_pruned(table, span), *(f't.{_quoted(name)} = s.{_quoted(name)}' for name in table.key)]": OURS,  # noqa: E501  # one expression
        "(_differs(column) for column in fixed)": OURS,
        "differs": OURS,
        "differs or 'FALSE'": OURS,
        "on": OURS,
        "said": OURS,
        "stored": OURS,
        "sent": OURS,
        "names": OURS,
        "values": OURS,
        "CONTRADICTION": OURS,
        "_differs(column)": OURS,
        "_assigned(table)": OURS,
        "_pairs(table, fixed)": OURS,
        "_quoted(column.name)": NAME,
        "_quoted(str(table.partition))": NAME,
        "_quoted(name)": NAME,
        "name": NAME,
        "column.type": NAME,
        "target": NAME,
        "staging": NAME,
        "first": DATE,
        "last": DATE,
    },
    "adapters/warehouse/bigquery/schema.py": {
        "', '.join((f'{f.name} {_said(f)}' for f in field.fields))": WORDS
    },
    "adapters/warehouse/bigquery/staging.py": {"_SEAL": NAME, "name": NAME},
    "adapters/warehouse/bigquery/views.py": {
        "self.name": NAME,
        "labels": "a sha256 of the view's text",
        "self.select": "a file of warehouse/sql",
    },
    "adapters/warehouse/ddl.py": {
        "inner": OURS,
        "columns": OURS,
        "table.name": NAME,
        "table.partition": NAME,
        "_PARTITION": NAME,
        "column.name": NAME,
        "column_type(column)": NAME,
    },
    "adapters/warehouse/estimate.py": {
        "table": "a table the catalog of the file knows",
        "where": PARSED,
        "(f\"({c.sql(dialect='duckdb')})\" for c in conditions)": PARSED,
    },
    "adapters/warehouse/merging.py": {
        "[_pruned(table, span), *keys]": OURS,
        "(_differs(column) for column in fixed)": OURS,
        "INCOMING": OURS,
        "on": OURS,
        "key": OURS,
        "newer": OURS,
        "differs": OURS,
        "joined": OURS,
        "cast": OURS,
        "_pruned(table, span)": OURS,
        "_assigned(table)": OURS,
        "_pairs(table, fixed)": OURS,
        "_differs(column)": OURS,
        "table.name": NAME,
        "table.partition": NAME,
        "name": NAME,
        "first": DATE,
        "last": DATE,
    },
    "adapters/warehouse/session.py": {"view[1]": NAME, "sha": "a sha256 of the view's text"},
    "app/api/evaluation/past.py": {
        "_COLUMNS": NAME,
        "table": NAME,
        "columns": NAME,
        "name": NAME,
        "code": NAME,
    },
    "app/api/evaluation/recorded.py": {
        "_DECISIONS": OURS,
        "_VERDICTS": OURS,
        "_IN_SPAN": OURS,
        "failed": OURS,
        "table": NAME,
    },
    "app/api/evaluation/shadow.py": {"_REFUSED": OURS, "asked": OURS},
    "app/api/evaluation/theory.py": {"_TRADES": OURS, "_OF_STRATEGY if strategy else ''": OURS},
    "app/api/explain.py": {"table": NAME, "key": NAME},
    "app/api/research/parity.py": {"table": NAME},
    "warehouse/budget.py": {
        "first": DATE,
        "last": DATE,
        "start": DATE,
        "end": DATE,
        "size": WORDS,
        "dates": OURS,
        "read.source.name": NAME,
        "read.column": NAME,
    },
    "warehouse/catalog.py": {"inner": WORDS},
    "warehouse/digest.py": {
        "conditions": OURS,
        "' AND '.join(conditions)": OURS,
        "where": OURS,
        "table.name": NAME,
        "', '.join((c.name for c in columns))": NAME,
        "', '.join((name for name in table.key if name != _BOOK))": NAME,
    },
}
_SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|COMMENT ON|MERGE|PRAGMA|ATTACH|COPY|WHERE"
    r"|FROM|ORDER BY|GROUP BY|HAVING|LIMIT|BETWEEN|JOIN|UNION|SET|AND|OR|IN|LIKE|AS|IS DISTINCT"
    r"|VALUES|STRUCT|CASE|CAST)\b"
)
_RUNNERS = {"execute", "executemany", "executescript", "sql", "query"}
_FILLERS = {"format", "format_map", "replace"}


def _is_sql(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and bool(_SQL.search(str(node.value)))


def _messages(tree: ast.AST) -> set[int]:
    """The f-strings that are words to a person: what is called msg, or given to an error."""
    told: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "msg":
            told.append(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
            told += node.args
    return {id(part) for each in told for part in ast.walk(each)}


def _templates(tree: ast.AST) -> set[str]:
    """The names that SQL is called by, which a later ``.format`` may fill."""
    return {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(map(_is_sql, ast.walk(node.value)))
        for target in node.targets
    }


def composed(tree: ast.AST) -> Iterator[str]:
    """Every expression that is put into a text which looks like SQL."""
    messages, templates = _messages(tree), _templates(tree)
    for node in ast.walk(tree):
        if id(node) in messages:
            continue
        if isinstance(node, ast.JoinedStr) and any(map(_is_sql, node.values)):
            holes = (part for part in node.values if isinstance(part, ast.FormattedValue))
            yield from (ast.unparse(hole.value) for hole in holes)
        elif isinstance(node, ast.BinOp) and (_is_sql(node.left) or _is_sql(node.right)):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            runs = node.func.attr in _RUNNERS and isinstance(_first(node), ast.BinOp)
            fills = node.func.attr in _FILLERS and ast.unparse(node.func.value) in templates
            if runs or fills or _is_sql(node.func.value):  # " AND ".join(...), _SQL.format(...)
                given = [*node.args, *(word.value for word in node.keywords)]
                yield from (ast.unparse(v) for v in given if not isinstance(v, ast.Constant))


def _first(call: ast.Call) -> ast.expr | None:
    return call.args[0] if call.args else None


def test_whatever_is_put_into_sql_is_one_of_our_own_names() -> None:
    found = {file: set(composed(tree)) for file, tree in trees().items()}
    assert {file: parts for file, parts in found.items() if parts} == {
        file: set(parts) for file, parts in COMPOSED.items()
    }


def test_a_value_put_into_sql_would_be_found() -> None:
    for line in (
        "store.execute(f\"DELETE FROM document WHERE id = '{name}'\")",
        "sql = 'SELECT * FROM t WHERE id = ' + name",
        "sql = 'SELECT * FROM t WHERE id = %s' % name",
        "sql = 'SELECT * FROM t WHERE id = {}'.format(name)",
        "where = ' AND '.join(name)",
        "_SQL = 'SELECT * FROM {table}'; sql = _SQL.format(table=name)",
        "connection.execute(sql + name)",
    ):
        assert any("name" in part for part in composed(ast.parse(line))), line
