"""Running SQL that is the user's own: one statement that gives rows, and no more than memory holds.

The connection keeps a statement from files, the network and the results themselves
(``lmc_track.warehouse.connection``); what is here keeps its rows within bounds, and says of an
error in which line of which file it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, is_damage

_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,  # PIVOT, which first looks which columns there will be
}
# A copy of a whole database is several statements too.
_COPIES = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/)*(COPY|EXPORT|IMPORT)\b", re.I | re.S)
_ROWS_AT_ONCE = 100_000
_EXPLAIN = "EXPLAIN "
_LINE = re.compile(r"\bLINE (\d+):")


def user_frame(
    connection: duckdb.DuckDBPyConnection, text: str, limits: Limits, file: Path | None = None
) -> pl.DataFrame:
    """The rows of the statement ``text``, which comes from ``file`` if there is one.

    ``InputError`` where it is not one statement, gives no rows, or gives more than
    ``limits.result_bytes``.
    """
    statement = _only_statement(connection, text, file)
    try:
        return _rows(connection, statement.query, limits)
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
    if not _reads(statements[0]):
        raise InputError(_at(file, None) + "the statement returns no rows", "write a SELECT")
    return statements[0]


def _reads(statement: duckdb.Statement) -> bool:
    try:
        kind = statement.type
    except ValueError:  # one that DuckDB has and its Python package does not know
        return False
    return kind in _READING and not _COPIES.match(statement.query)


def _rows(connection: duckdb.DuckDBPyConnection, text: str, limits: Limits) -> pl.DataFrame:
    relation = connection.sql(text)
    if relation is None:
        raise InputError("the statement returns no rows", "write a SELECT")
    # Rows that have left DuckDB are outside its memory limit, so they are counted here.
    reader = relation.to_arrow_reader(_ROWS_AT_ONCE)
    batches, size = [], 0
    for batch in _batches(reader):
        size += batch.nbytes
        if size > limits.result_bytes:
            raise InputError(
                f"the statement returns more than {limits.result_bytes / 1e6:,.0f} MB of rows",
                "aggregate, or add a LIMIT",
            )
        batches.append(batch)
    try:
        frame = pl.from_arrow(pa.Table.from_batches(batches, reader.schema))
    except pl.exceptions.PolarsError as error:
        columns = zip(relation.columns, map(str, relation.types), strict=True)
        strange = [f"{name} ({kind})" for name, kind in columns if _is_strange(kind)]
        raise InputError(
            f"a column has a type that rows cannot have: {', '.join(strange) or error}",
            "cast it, as in (finished - started)::VARCHAR",
        ) from error
    assert isinstance(frame, pl.DataFrame)
    return frame


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
