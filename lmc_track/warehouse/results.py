"""Reading results: queries by name, a user's own SQL, and what there is to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.matrices import GapMatrix, chance_headroom, gap_matrix
from lmc_track.warehouse.moment import Moment, find_query, frame_of

__all__ = ["GapMatrix", "Results", "chance_headroom", "gap_matrix", "open", "open_results"]

_FILE_NAME = "results.duckdb"
_LIBRARY_LIMITS = Limits(seconds=0, memory="80%")
_USER_LIMITS = Limits()


def open(home: str | Path = "mlruns") -> Results:  # noqa: A001
    """The results below ``home``, as ``lmc_track.open``."""
    return open_results(Path(home) / _FILE_NAME)


def open_results(results_path: Path, tracking_uri: str | None = None) -> Results:
    """The results in one file, which must be of the store ``tracking_uri`` if that is given.

    ``InputError`` where there is no such file, or it cannot be read.
    """
    results = Results(results_path.absolute(), tracking_uri)
    results.studies()
    return results


@dataclass(frozen=True)
class Results:
    """A results file. Nothing is kept open between calls, so every call sees the last ingest.

    Every method raises ``InputError`` where the file or what is asked cannot be worked with.
    """

    path: Path
    tracking_uri: str | None = None

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        """The query ``name`` of the library.

        Values are converted to the declared types, so text is as good as a number. ``study`` may
        be left out where there is only one.
        """
        query = find_query(name, params)  # what is wrong with these is said before a file is opened
        with self.at_once() as now:
            return now.query(query.name, **params)

    @contextmanager
    def at_once(self) -> Iterator[Moment]:
        """Many queries on one state of the results, whatever is ingested meanwhile."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            yield Moment(self.path, connection)

    def sql(self, text: str, *, limits: Limits = _USER_LIMITS) -> pl.DataFrame:
        """The rows of one SQL statement of the user's, which can read the tables and nothing else.

        Errors, DuckDB's message in them, and statements over ``limits`` are ``InputError``.
        """
        with reading(self.path, self.tracking_uri, limits) as connection:
            statements = connection.extract_statements(text)
            if len(statements) != 1:
                raise InputError(f"one SQL statement is needed, got {len(statements)}")
            if duckdb.ExpectedResultType.QUERY_RESULT not in statements[0].expected_result_type:
                raise InputError("the statement returns no rows", "write a SELECT")
            return frame_of(connection, text)

    def studies(self) -> list[str]:
        """Names of the studies, in the order in which they were made."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            return Moment(self.path, connection).studies()

    def schema(self) -> pl.DataFrame:
        """Every column that SQL can read: table, column, type, meaning."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            return frame_of(
                connection,
                """
                SELECT table_name AS "table", column_name AS "column", data_type AS "type",
                       comment AS meaning
                FROM duckdb_columns()
                WHERE database_name = 'results' AND schema_name = 'main'
                ORDER BY table_oid, column_index
                """,
            )
