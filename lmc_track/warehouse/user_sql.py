"""Running SQL that is the user's own: one statement, and no more rows than memory holds.

The connection keeps a statement from files, the network and the results themselves
(``lmc_track.warehouse.connection``), and ``lmc_track.warehouse.user_gate`` says which may run; what
is here keeps its rows within bounds, and says of an error in which line of which file it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, is_damage
from lmc_track.warehouse.user_gate import RefusedSQLError, check_statement

_ROWS_AT_ONCE = 100_000
_EXPLAIN = "EXPLAIN "
_LINE = re.compile(r"\bLINE (\d+):")


def user_rows(
    connection: duckdb.DuckDBPyConnection, text: str, limits: Limits, file: Path | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of the statement ``text``, which comes from ``file`` if there is one.

    The first batch is empty and has the columns. ``InputError`` where it is not one statement, may
    not run, gives no rows, or gives more than ``limits.result_bytes``.
    """
    statement = _only_statement(connection, text, file)
    try:
        check_statement(connection, statement)
        yield from _rows(connection, statement.query, limits)
    except RefusedSQLError as error:
        place = text.find(error.word) if error.word else -1
        line = None if place < 0 else text.count("\n", 0, place) + 1
        raise InputError(_at(file, line) + error.message, error.remedy) from error
    except InputError as error:
        raise InputError(_at(file, None) + error.message, error.remedy) from error
    except duckdb.Error as error:
        if isinstance(error, duckdb.InterruptException) or is_damage(error):
            raise
        # DuckDB counts lines from the statement's first, after the comments of a header.
        start = max(text.find(statement.query), 0)
        error = _with_line(connection, statement.query, error)
        raise _located(error, file, text[:start].count("\n")) from error


def _with_line(
    connection: duckdb.DuckDBPyConnection, query: str, error: duckdb.Error
) -> duckdb.Error:
    """``error`` as DuckDB puts it where it runs a statement at once: only then it has a line."""
    try:
        connection.execute(f"{_EXPLAIN}{query}")
    except duckdb.Error as same:
        if type(same) is type(error):
            return type(same)(_without_explain(str(same)))
    return error


def _without_explain(words: str) -> str:
    """A message about the statement itself, its caret below the same word."""
    before, found, after = words.partition(f"LINE 1: {_EXPLAIN}")
    if not found:
        return words
    line, newline, caret = after.partition("\n")
    return f"{before}LINE 1: {line}{newline}{caret.replace(' ' * len(_EXPLAIN), '', 1)}"


def _only_statement(
    connection: duckdb.DuckDBPyConnection, text: str, file: Path | None
) -> duckdb.Statement:
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise _located(error, file, 0) from error
    if len(statements) != 1:
        what = f"one SQL statement is needed, got {len(statements)}"
        raise InputError(_at(file, None) + what)
    return statements[0]


def _rows(
    connection: duckdb.DuckDBPyConnection, text: str, limits: Limits
) -> Iterator[pa.RecordBatch]:
    relation = connection.sql(text)
    if relation is None:
        raise InputError("the statement returns no rows", "write a SELECT")
    columns = zip(relation.columns, map(str, relation.types), strict=True)
    if strange := [f"{name} ({kind})" for name, kind in columns if _is_strange(kind)]:
        raise InputError(
            f"a column has a type that rows cannot have: {', '.join(strange)}",
            "cast it, as in (finished - started)::VARCHAR",
        )
    # Rows that have left DuckDB are outside its memory limit, so they are counted here.
    reader = relation.to_arrow_reader(_ROWS_AT_ONCE)
    yield pa.RecordBatch.from_pylist([], reader.schema)
    size = 0
    for batch in _batches(reader):
        size += batch.nbytes
        if size > limits.result_bytes:
            raise InputError(
                f"the statement returns more than {limits.result_bytes / 1e6:,.0f} MB of rows",
                "aggregate, or add a LIMIT",
            )
        yield batch


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    """The batches of ``reader``, which tells DuckDB's errors as Arrow's."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        words = str(error)
        stopped = words.startswith("INTERRUPT")
        raise (duckdb.InterruptException if stopped else duckdb.Error)(words) from None


def _is_strange(kind: str) -> bool:
    return "INTERVAL" in kind or "UNION" in kind


def _located(error: duckdb.Error, file: Path | None, lines_before: int) -> InputError:
    """``error`` with lines counted from the first of the text."""
    words = str(error).strip()
    match = _LINE.search(words)
    if match is None:
        return InputError(_at(file, None) + words)
    line = int(match[1]) + lines_before
    words = words[: match.start(1)] + str(line) + words[match.end(1) :]
    return InputError(_at(file, line) + words)


def _at(file: Path | None, line: int | None) -> str:
    if file is None:
        return ""
    return f"{file}: " if line is None else f"{file}:{line}: "
