"""Which SQL of a user's may run: one SELECT without side effects, or the plan of such a SELECT.

Decided from what DuckDB's own parser makes of the text, by lists of what is allowed. What is on no
list is refused: statements, data-changing parts of a SELECT, and functions in the place of a table
that do something or reach something.

The connection (``lmc_track.warehouse.connection``) would let none of the rest do harm either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import duckdb

from lmc_track.errors import InputError
from lmc_track.warehouse.definitions import table_macros

_REMEDY = "write one SELECT; DESCRIBE, SUMMARIZE, SHOW, PIVOT and EXPLAIN of one are too"

_QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}

TABLE_FUNCTIONS = {
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions",
    "duckdb_indexes", "duckdb_keywords", "duckdb_schemas", "duckdb_settings", "duckdb_tables",
    "duckdb_types", "duckdb_views", "generate_series", "histogram", "histogram_values",
    "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names", "pragma_show",
    "pragma_storage_info", "pragma_table_info", "pragma_version", "query_table", "range", "repeat",
    "repeat_row", "summary", "unnest",
}  # fmt: skip
"""DuckDB's own functions that give tables, change nothing and reach nothing but the results."""

REFUSED_FUNCTIONS = {"currval", "nextval", "setval", "sleep_ms", "write_log"}
"""Functions on values that do something, or nothing but take time."""

_CHANGING = {"insert", "update", "delete", "merge", "truncate", "copy"}

_BLANK = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_EXPLAIN = re.compile(
    rf"{_BLANK}EXPLAIN\b(?:{_BLANK}ANALY[SZ]E\b)?(?:{_BLANK}\([^()]*\))?{_BLANK}", re.I | re.S
)
_PLAIN_EXPLAIN = re.compile(rf"{_BLANK}EXPLAIN\b{_BLANK}", re.I | re.S)


def check_statement(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    """Refuse what is not on the lists.

    Raises:
        InputError: with what it is that may not run.
        duckdb.Error: the parser says what is wrong.
    """
    try:
        kind = statement.type
    except ValueError:  # one that DuckDB has and its Python package does not know
        raise _refused("a statement of this kind") from None
    if kind == duckdb.StatementType.SELECT:
        _check_select(connection, statement.query)
    elif kind == duckdb.StatementType.MULTI:
        _check_pivot(connection, statement.query)
    elif kind == duckdb.StatementType.EXPLAIN:
        _check_explained(connection, statement.query)
    else:
        raise _refused(kind.name.replace("_", " "))


class RefusedSQLError(InputError):
    """What may not run; ``word``: the name in the text that it is about, where there is one."""

    def __init__(self, what: str, word: str = "") -> None:
        super().__init__(f"{what} may not run here, since SQL only reads the results", _REMEDY)
        self.word = word


def _refused(what: str, word: str = "") -> RefusedSQLError:
    return RefusedSQLError(what, word)


def _check_select(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    tree = _tree(connection, text)
    if tree is None:
        raise _refused("this statement")
    for node in _nodes(tree):
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and kind not in _QUERY_NODES:
            raise _refused(f"{kind.partition('_')[0]} inside a SELECT")
        if kind == "TABLE_FUNCTION":
            _check_table_function(_name(node["function"]))
        elif node.get("class") == "FUNCTION" and _name(node) in REFUSED_FUNCTIONS:
            raise _refused(f"the function {_name(node)}")


def _check_table_function(name: str) -> None:
    if name not in TABLE_FUNCTIONS and name not in table_macros():
        raise _refused(f"the table function {name}", name)


def _tree(connection: duckdb.DuckDBPyConnection, text: str) -> list[Any] | None:
    """The parsed SELECT; None where ``text`` is another statement, or more than one."""
    (row,) = connection.execute("SELECT json_serialize_sql($text)", {"text": text}).fetchall()
    try:
        parsed = json.loads(row[0])
    except RecursionError:
        raise InputError("the statement is nested too deeply", "write it flatter") from None
    statements: list[Any] = [] if parsed["error"] else parsed["statements"]
    return statements if len(statements) == 1 else None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _name(function: dict[str, Any]) -> str:
    return str(function["function_name"]).lower()


def _check_explained(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    # `EXPLAIN (SELECT 1)` has no options; with some, what is left of it is no statement.
    for prefix in (_EXPLAIN, _PLAIN_EXPLAIN):
        match = prefix.match(text)
        if match and _tree(connection, text[match.end() :]) is not None:
            _check_select(connection, text[match.end() :])
            return
    raise _refused("EXPLAIN of anything but a SELECT")


def _check_pivot(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """A PIVOT that first has to look which columns there will be.

    DuckDB makes several statements of it, which it does not serialize. So that it is a SELECT is
    seen by its standing where only a SELECT may, and the rest by its words.
    """
    end = text.rstrip().removesuffix(";")
    try:
        wrapped = connection.extract_statements(f"SELECT EXISTS (\n{end}\n)")
    except duckdb.Error:
        wrapped = []
    if len(wrapped) != 1:
        raise _refused("anything but a SELECT around a PIVOT")
    words = _words(text)
    functions = {_unquoted(word) for word, following in pairwise(words) if following == "("}
    for word in sorted(_CHANGING.intersection(words)):
        raise _refused(f"{word.upper()} inside a PIVOT")
    for word in sorted(functions & REFUSED_FUNCTIONS):
        raise _refused(f"the function {word}")
    known = connection.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
        "WHERE function_type NOT IN ('scalar', 'aggregate', 'macro')"
    ).fetchall()
    for word in sorted(functions & {name for (name,) in known}):
        _check_table_function(word)


def _words(text: str) -> list[str]:
    """The tokens of ``text`` in lower case, without comments."""
    raw = text.encode()
    tokens = duckdb.tokenize(text)
    ends = [*(at for at, _ in tokens[1:]), len(raw)]
    return [
        raw[at:end].decode(errors="replace").strip().lower()
        for (at, kind), end in zip(tokens, ends, strict=True)
        if kind != duckdb.token_type.comment
    ]


def _unquoted(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word
