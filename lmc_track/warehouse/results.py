"""Reading results: queries by name, a user's own SQL, and what there is to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.library import Query, queries
from lmc_track.warehouse.matrices import GapMatrix, chance_headroom, gap_matrix
from lmc_track.warehouse.parameters import check_values, reset_variables, set_variables

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
        query = _named(name, params)  # what is wrong with these is said before a file is opened
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
            return _frame(connection, text)

    def studies(self) -> list[str]:
        """Names of the studies, in the order in which they were made."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            return _studies(connection)

    def schema(self) -> pl.DataFrame:
        """Every column that SQL can read: table, column, type, meaning."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            return _frame(
                connection,
                """
                SELECT table_name AS "table", column_name AS "column", data_type AS "type",
                       comment AS meaning
                FROM duckdb_columns()
                WHERE database_name = 'results' AND schema_name = 'main'
                ORDER BY table_oid, column_index
                """,
            )


@dataclass(frozen=True)
class Moment:
    """Results as they were when the connection was opened; answers queries as ``Results`` does."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        """The query ``name`` of the library, as ``Results.query``."""
        query = _named(name, params)
        set_variables(self.connection, query, self._with_study(query, params))
        try:
            check_values(self.connection, query)
            return _frame(self.connection, query.sql)
        finally:
            reset_variables(self.connection, query)

    def _with_study(self, query: Query, params: dict[str, Any]) -> dict[str, Any]:
        if query.parameter("study") is None:
            return params
        known = _studies(self.connection)
        listed = f"studies here: {', '.join(known)}" if known else "run a study, then ingest"
        study = params.get("study")
        if study is None:
            if len(known) != 1:
                raise InputError(f"the query {query.name} needs a study", listed)
            return {**params, "study": known[0]}
        if study not in known:
            raise InputError(f"there is no study {study!r} in {self.path}", listed)
        return params


def _named(name: str, params: dict[str, Any]) -> Query:
    library = queries()
    if name not in library:
        raise InputError(f"there is no query {name!r}", _nearest(name, library))
    query = library[name]
    for given in params:
        if query.parameter(given) is None:
            names = [p.name for p in query.parameters]
            raise InputError(
                f"the query {name} takes no parameter {given!r}", _nearest(given, names)
            )
    return query


def _studies(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("SELECT study FROM studies ORDER BY created, study").fetchall()
    return [row[0] for row in rows]


def _frame(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame:
    relation = connection.sql(text)
    if relation is None:
        raise InputError("the statement returns no rows", "write a SELECT")
    frame: pl.DataFrame = relation.pl()
    return frame


def _nearest(name: str, known: Any) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are: {', '.join(names)}" if names else ""
