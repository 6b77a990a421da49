"""Running SQL that is the user's own: one statement that gives rows, and no more than memory holds.

The connection keeps a statement from files, the network and the results themselves
(``lmc_track.warehouse.connection``); what is here keeps its rows within bounds, and says of an
error in which line of which file it is.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits

_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,  # PIVOT, which first looks which columns there will be
}
_ROWS_AT_ONCE = 100_000
_LINE = re.compile(r"\bLINE (\d+):")


def user_frame(
    connection: duckdb.DuckDBPyConnection, text: str, limits: Limits, file: Path | None = None
) -> pl.DataFrame:
    """The rows of the statement ``text``, which comes from ``file`` if there is one.

    ``InputError`` where it is not one statement, gives no rows, or gives more than
    ``limits.result_bytes``.
    """
    try:
        return _frame(connection, text, limits)
    except InputError as error:
        raise _placed(error.message, error.remedy, file, None) from error
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if file is None:
            raise
        words = str(error).strip()
        raise _placed(words, "correct the query file", file, _LINE.search(words)) from error


def _frame(connection: duckdb.DuckDBPyConnection, text: str, limits: Limits) -> pl.DataFrame:
    statements = connection.extract_statements(text)
    if len(statements) != 1:
        raise InputError(f"one SQL statement is needed, got {len(statements)}")
    if statements[0].type not in _READING:
        raise InputError("the statement returns no rows", "write a SELECT")
    relation = connection.sql(text)
    if relation is None:
        raise InputError("the statement returns no rows", "write a SELECT")
    # Rows that have left DuckDB are outside its memory limit, so they are counted here.
    reader = relation.to_arrow_reader(_ROWS_AT_ONCE)
    batches, size = [], 0
    for batch in reader:
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
            "cast it, as in finished - started -> (finished - started)::VARCHAR",
        ) from error
    assert isinstance(frame, pl.DataFrame)
    return frame


def _is_strange(kind: str) -> bool:
    return "INTERVAL" in kind or "UNION" in kind


def _placed(message: str, remedy: str, file: Path | None, line: re.Match[str] | None) -> InputError:
    if file is None:
        return InputError(message, remedy)
    return InputError(f"{file}:{line[1] if line else 1}: {message}", remedy)
